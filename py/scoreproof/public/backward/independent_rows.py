"""Rows of a batch that a function keeps apart: its Jacobian is then one small matrix a row."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scoreproof.interop.leaves import Leaves

__all__ = ["row_counts", "rows_apart"]


def row_counts(x: Leaves, y: Leaves) -> Iterator[int]:
    """Into how many rows both may be cut, by their leading axes, from many to few.

    >>> list(row_counts(Leaves([np.zeros((4, 5, 2))]), Leaves([np.zeros((4, 5))])))
    [20, 4]
    """
    if len(x.arrays) != 1 or len(y.arrays) != 1:
        return
    a, b = x.arrays[0].shape, y.arrays[0].shape
    for count in range(min(len(a), len(b)), 0, -1):
        rows = int(np.prod(a[:count]))
        if a[:count] == b[:count] and rows > 1:
            yield rows


def rows_apart(
    x: Leaves, y: Leaves, moved: Callable[[np.ndarray, int], np.ndarray], size: int
) -> int:
    """The number of rows that stay apart, 1 if none do. ``moved(rows, count)``: which of the
    ``size`` entries of the other side change if some rows of this one do.
    """
    for count in row_counts(x, y):
        some = np.arange(count) % 2 == 0
        changed = moved(some, count).reshape(count, size // count)
        if not np.any(changed[~some]):
            return count
    return 1
