"""A slot of a node with the gradient that arrives there, and what a wrong rule may send through it.

Conventions: y is the node's value, x the argument of the slot, g the gradient that arrives.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local, Program

__all__ = ["FINE", "TIMES", "Part", "Site", "elementwise", "same_shapes"]

FINE = 1e-9
TIMES = "·"  # where a factor stands in the words


@dataclass(frozen=True, eq=False)
class Part:
    """``name``: the kind of mistake; ``scaled``: whether it may be multiplied by a number too."""

    name: str
    words: str
    sent: Leaves
    scaled: bool = True
    group: str = ""

    def told(self, factor: str) -> str:
        """``words`` with a factor, empty for 1."""
        if TIMES in self.words:
            return self.words.replace(TIMES, f"{factor} " if factor else "")
        return f"{self.words}, and {factor} times that" if factor else self.words


def elementwise(local: Local, k: int, g: Leaves) -> np.ndarray | None:
    """The derivative entry by entry, where entry i of the value depends on entry i of argument k
    alone.
    """
    x = local.arguments[k]
    if len(x.arrays) != 1 or len(local.value.arrays) != 1:
        return None
    if x.arrays[0].shape != local.value.arrays[0].shape:
        return None
    d = local.pull(local.value.like(np.ones(g.size)))[k].flat()
    with np.errstate(all="ignore"):
        gap = np.abs(local.pull(g)[k].flat() - g.flat() * d)
        alike = np.all(gap <= FINE * np.abs(g.flat() * d) + FINE * float(np.max(np.abs(d)) * 1e-3))
    spread = np.unique(np.round(g.flat(), 12)).size > 1 or g.size == 1
    if not alike:
        return None
    if not spread:  # the arriving gradient is the same everywhere: it shows nothing
        wave = 1 + 0.5 * np.sin(1.0 + np.arange(g.size))
        again = local.pull(local.value.like(wave))[k].flat()
        if np.any(np.abs(again - wave * d) > 1e-6 * np.max(np.abs(d), initial=1e-300)):
            return None
    return d


@dataclass(frozen=True, eq=False)
class Site:
    """Slot k of node v, where the gradient g arrives; ``d``: as of `elementwise`; ``others``:
    whether other nodes' values may have been taken for saved ones, not the node's own alone.
    """

    program: Program
    v: int
    k: int
    local: Local
    g: Leaves
    others: bool = True

    @cached_property
    def d(self) -> np.ndarray | None:
        return elementwise(self.local, self.k, self.g)

    @cached_property
    def right(self) -> list[Leaves]:
        return self.local.pull(self.g)

    @property
    def x(self) -> Leaves:
        return self.local.arguments[self.k]


def same_shapes(x: Leaves, y: Leaves) -> bool:
    return [a.shape for a in x.arrays] == [a.shape for a in y.arrays] and x.size > 0
