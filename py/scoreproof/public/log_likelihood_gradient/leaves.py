"""The leaves of the parameters by their names and places in one flat vector.

Conventions: entries are counted along the flat vector ``(P,)``, leaf after leaf, each row-major.
``params[17]`` names an entry of a flat vector, ``layers.0.weight[3, 1]`` one of a leaf.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from math import prod

import numpy as np

from scoreproof.causes.places import indices

__all__ = ["Leaf", "Leaves"]

MOST = 3


@dataclass(frozen=True)
class Leaf:
    """One array: its entries stand at ``start:stop`` of the flat vector."""

    name: str
    shape: tuple[int, ...]
    start: int

    @property
    def stop(self) -> int:
        return self.start + prod(self.shape)

    @property
    def place(self) -> slice:
        return slice(self.start, self.stop)

    def entry(self, k: int) -> str:
        """The name of the k-th entry of the flat vector, which is of this leaf."""
        at = np.unravel_index(k - self.start, self.shape) if self.shape else ()
        return f"{self.name}[{', '.join(str(int(i)) for i in at)}]" if at else self.name


class Leaves:
    """All of them; ``plain``: the parameters are a flat vector by themselves."""

    def __init__(
        self, named: Iterable[tuple[str, tuple[int, ...]]], *, plain: bool = False
    ) -> None:
        found: list[Leaf] = []
        for name, shape in named:
            found.append(Leaf(name, tuple(shape), found[-1].stop if found else 0))
        self.all, self.plain = tuple(found), plain
        self.size = found[-1].stop if found else 0
        self.by_name = {leaf.name: leaf for leaf in found}

    @classmethod
    def vector(cls, size: int) -> Leaves:
        return cls([("params", (size,))], plain=True)

    def __iter__(self) -> Iterator[Leaf]:
        return iter(self.all)

    def __len__(self) -> int:
        return len(self.all)

    def of(self, k: int) -> Leaf:
        """The leaf of the k-th entry."""
        return next(leaf for leaf in self.all if k < leaf.stop)

    def name(self, k: int) -> str:
        """
        >>> Leaves([("bias", (2,)), ("layers.0.weight", (4, 2))]).name(9)
        'layers.0.weight[3, 1]'
        >>> Leaves.vector(20).name(17)
        'params[17]'
        """
        return self.of(int(k)).entry(int(k))

    def some(self, which: np.ndarray, most: int = MOST) -> str:
        """The first few of the entries that are true, whole leaves by their own name.

        >>> leaves = Leaves([("a", (2,)), ("b", (2, 2))])
        >>> leaves.some(np.array([True, True, False, False, True, False]))
        'a, b[1, 0]'
        """
        names: list[str] = []
        for leaf in self.all:
            within = which[leaf.place]
            if not self.plain and within.all():
                names.append(leaf.name)
            else:
                names += [leaf.entry(leaf.start + int(k)) for k in np.flatnonzero(within)[:most]]
                if within.sum() > most:
                    names.append("…")
            if len(names) > most:
                break
        return ", ".join(names[:most]) + (" …" if len(names) > most else "")

    def which(self, wrong: np.ndarray) -> str:
        """Which entries are wrong, if not all or none are; empty then."""
        if self.plain:
            return indices(wrong, "parameter")
        if not wrong.any() or wrong.all():
            return ""
        if len(self) == 1:
            return f"{self.some(wrong)} ({int(wrong.sum())} of {wrong.size} entries)"
        parts = []
        for leaf in self.all:
            within = wrong[leaf.place]
            if within.all():
                parts.append(leaf.name)
            elif within.any():
                first = leaf.entry(leaf.start + int(np.argmax(within)))
                many = int(within.sum())
                more = f" and {many - 1} more of its {within.size} entries" if many > 1 else ""
                parts.append(f"{first}{more}")
        shown = ", ".join(parts[:MOST]) + (f" and {len(parts) - MOST} more" * (len(parts) > MOST))
        return f"{shown} ({len(parts)} of {len(self)} leaves)"
