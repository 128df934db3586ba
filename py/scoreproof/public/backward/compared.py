"""Asked gradients against what is due, array by array, as the function's author called them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.words import enumerated

__all__ = ["NO_FACTOR", "ROUNDINGS", "Compared", "gradients_of", "places", "undone"]

ROUNDINGS = 100
NO_FACTOR = 1e-5  # of 1: a factor that prints as 1


@dataclass(frozen=True, eq=False)
class Compared:
    """``values``: the arrays at which the gradients are taken; ``eps``: the spacing of numbers at 1
    in their type; ``known``: sizes that a factor may be made of.
    """

    names: tuple[str, ...]
    found: tuple[Leaves, ...]
    due: tuple[Leaves, ...]
    values: tuple[Leaves, ...]
    bound: np.ndarray
    eps: float
    known: dict[str, float]

    def part(self, flat: np.ndarray, p: int) -> np.ndarray:
        start = sum(x.size for x in self.due[:p])
        return flat[start : start + self.due[p].size]

    @property
    def all_found(self) -> np.ndarray:
        return np.concatenate([np.zeros(0), *[x.flat() for x in self.found]])

    @property
    def all_due(self) -> np.ndarray:
        return np.concatenate([np.zeros(0), *[x.flat() for x in self.due]])

    @property
    def limit(self) -> np.ndarray:
        """What is no difference, where the answer may be larger than what is due."""
        found, due = self.all_found, self.all_due
        typical = np.concatenate(
            [np.zeros(0), *[np.full(x.size, x.norm() / max(x.size, 1) ** 0.5) for x in self.found]]
        )
        with np.errstate(all="ignore"):
            grown = np.maximum(1.0, np.abs(found) / np.maximum(np.abs(due), 1e-300))
        grown = np.where(due == 0, 1.0, np.minimum(grown, 1e6))
        return 2 * self.bound * grown + 32 * self.eps * (np.abs(found) + typical)

    @property
    def wrong(self) -> list[int]:
        """Which arrays are off: by more than some roundings, if any is."""
        off = np.abs(self.all_found - self.all_due) > self.bound
        every = [p for p in range(len(self.names)) if np.any(self.part(off, p))]
        far = [p for p in every if not self.nearly(p)]
        return far or every

    def nearly(self, p: int) -> bool:
        """Whether array p is right to about a hundred roundings of its size: that is no cause."""
        gap = np.abs(self.found[p].flat() - self.due[p].flat())
        typical = self.due[p].norm() / max(gap.size, 1) ** 0.5
        return bool(np.all(gap <= ROUNDINGS * self.eps * typical))

    @property
    def quiet(self) -> frozenset[int]:
        """Arrays to which nothing is due: a mistake does not show in them."""
        nothing = np.abs(self.all_due) <= 4 * self.bound
        return frozenset(p for p in range(len(self.names)) if np.all(self.part(nothing, p)))

    def explained(self, flat: np.ndarray) -> bool:
        """Whether these entries are what was found."""
        with np.errstate(all="ignore"):
            return bool(np.all(np.abs(self.all_found - flat) <= self.limit))

    def same(self, p: int, array: np.ndarray) -> bool:
        """Whether this is what was found in array p."""
        gap = np.abs(self.found[p].flat() - np.asarray(array).ravel())
        return bool(np.all(gap <= self.part(self.limit, p)))

    def called(self, places: Sequence[int]) -> str:
        return enumerated([f"`{self.names[p]}`" for p in places])

    def rest(self, wrong: Sequence[int]) -> str:
        """``; `x` and `b` are right`` or nothing."""
        right = [p for p in range(len(self.names)) if p not in wrong]
        if not right:
            return ""
        shown = self.called(right[:6]) + (" …" if len(right) > 6 else "")
        return f" {shown} {'is' if len(right) == 1 else 'are'} right."


def gradients_of(c: Compared, wrong: Sequence[int]) -> str:
    return f"the gradient{'s' if len(wrong) > 1 else ''} of {c.called(wrong)}"


def places(c: Compared) -> str:
    """Which arrays are wrong, and which are right."""
    wrong = c.wrong
    if not wrong:
        return ""
    verb = "is" if len(wrong) == 1 else "are"
    rest = c.rest(wrong).rstrip(".") or " all that were asked for"
    return f"{gradients_of(c, wrong)[0].upper()}{gradients_of(c, wrong)[1:]} {verb} wrong;{rest}"


def undone(form: str) -> str:
    """What takes a factor back."""
    sign, size = ("-", form[1:]) if form.startswith("-") else ("", form)
    return f"multiply by {sign}{size[2:]}" if size.startswith("1/") else f"divide by {form}"
