"""Wrong rules between arrays of different sizes: of what is broadcast, summed or selected.

Conventions: as in `sites`. A broadcast sends back a sum, a sum sends back a broadcast.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.public.backward.sites import Part, Site

__all__ = ["of_other_size"]


def of_other_size(site: Site) -> Iterator[Part]:
    """Another axis, no sum at all, or the gradient spread over all entries."""
    x, g = site.x, site.g
    if len(x.arrays) != 1 or len(g.arrays) != 1 or x.size == g.size:
        return
    a, b = x.arrays[0], g.arrays[0]
    if a.size < b.size:
        yield from _narrowed(a, b)
    else:
        yield from _spread(a, b)


def _narrowed(a: np.ndarray, b: np.ndarray) -> Iterator[Part]:
    """The argument is smaller than the value: it was broadcast, and a sum is due."""
    for count in range(1, b.ndim + 1):
        for axes in combinations(range(b.ndim), count):
            if np.sum(b, axis=axes).size != a.size:
                continue
            over = "axis " + " and ".join(map(str, axes))
            for name, words, narrow in (
                ("sum_over_wrong_axis", f"the gradient summed over {over}", np.sum),
                ("largest_in_place_of_sum", f"the largest over {over}, not the sum", np.max),
            ):
                yield Part(name, words, Leaves([narrow(b, axis=axes).reshape(a.shape)]))
            for end, index in (("first", 0), ("last", -1)):
                kept = b
                for axis in reversed(axes):
                    kept = np.take(kept, index, axis=axis)
                words = f"the gradient of the {end} entry along {over}: the sum is missing"
                yield Part("sum_missing", words, Leaves([kept.reshape(a.shape)]))


def _spread(a: np.ndarray, b: np.ndarray) -> Iterator[Part]:
    """The argument is larger than the value: it was summed over, or selected from."""
    words = (
        "the gradient spread over all entries that it was taken from, not only the selected ones"
    )
    for shape in dict.fromkeys(_kept(a.shape, b.shape)):
        wide = np.broadcast_to(b.reshape(shape), a.shape)
        yield Part("spread_evenly", words, Leaves([np.array(wide)]))


def _kept(wide: tuple[int, ...], narrow: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """The shapes that broadcast to the wide one: the narrow one with axes of 1 put in."""
    size = int(np.prod(narrow))
    for count in range(len(wide) + 1):
        for axes in combinations(range(len(wide)), count):
            shape = tuple(1 if i in axes else n for i, n in enumerate(wide))
            if int(np.prod(shape)) == size:
                yield shape
