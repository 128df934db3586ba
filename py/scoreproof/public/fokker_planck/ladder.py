"""Derivatives of many functions by falling radii: for each the best circle or interval, in arrays
of bounded size.

Conventions: as in `local_series`; a function is named by its number.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["LARGEST", "Around", "chunks", "floor", "joined", "ladder"]

#: numbers in one array handed to a callable (32 MB of complex ones)
LARGEST = 2**21
#: rounds of smaller radii
ROUNDS = 7

Parts = tuple[np.ndarray, np.ndarray, np.ndarray]
Around = Callable[[np.ndarray, np.ndarray], Parts]


def chunks(pairs: np.ndarray, numbers: int) -> list[np.ndarray]:
    """``pairs`` in parts of at most `LARGEST` numbers, ``numbers`` for each."""
    size = max(1, LARGEST // numbers)
    return [pairs[k : k + size] for k in range(0, len(pairs), size)]


def ladder(around: Around, start: np.ndarray, order: int, ratio: float) -> np.ndarray:
    """The best of falling radii for each of many functions: ``(n, 4)``, both derivatives, both
    errors.

    ``around(which, radius)`` returns derivatives and errors ``(m, 2)`` of the functions named, and
    the part of the error that a smaller radius only makes worse. ``order`` (0 or 1) decides which
    is best.
    """
    best = np.column_stack([np.zeros((len(start), 2)), np.full((len(start), 2), np.inf)])
    active, radius = np.arange(len(start)), start.copy()
    for _ in range(ROUNDS):
        if active.size == 0:
            break
        found, error, floor = around(active, radius[active])
        better = error[:, order] < best[active, 2 + order]
        best[active[better]] = np.column_stack([found, error])[better]
        # a smaller circle carries more rounding: go on only where that is not yet what limits
        active = active[best[active, 2 + order] > 4 * floor * ratio ** (order + 1)]
        radius = radius / ratio
    return best


def floor(values: np.ndarray, radius: np.ndarray, rounding: np.ndarray, order: int) -> np.ndarray:
    with np.errstate(all="ignore"):
        height = np.max(np.abs(values), axis=1)
        height = np.where(np.isfinite(height), height, 0.0)
    return rounding * height / radius ** (order + 1) * (order + 1)


def joined(rows: list[Parts]) -> Parts:
    """The parts of several chunks as one."""
    a, b, c = zip(*rows, strict=True)
    return np.concatenate(a), np.concatenate(b), np.concatenate(c)
