"""Candidates in words against what was read: the first that gives it to what rounding leaves.

Conventions: a candidate is an array that broadcasts to what was read; one that is not finite, or
that is not told from what is due, explains nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

__all__ = ["apart", "constant", "matched"]


def matched(
    found: np.ndarray,
    due: np.ndarray,
    candidates: Mapping[str, np.ndarray],
    blur: np.ndarray | float,
) -> str | None:
    """``blur``: what may be left, absolute, for each entry."""
    limit = np.broadcast_to(blur, found.shape)
    for words, value in candidates.items():
        other = np.broadcast_to(value, found.shape)
        if not np.all(np.isfinite(other)) or np.all(np.abs(other - due) <= 2 * limit):
            continue
        if np.all(np.abs(found - other) <= limit):
            return words
    return None


def constant(ratio: np.ndarray, within: np.ndarray | float) -> float | None:
    """The number that all are, to ``within``, relative."""
    if not np.all(np.isfinite(ratio)) or not np.all(ratio):
        return None
    # of numbers that are not equally sharp, the sharpest is the least in doubt
    size = np.broadcast_to(within, ratio.shape)
    value = float(ratio.ravel()[int(np.argmin(size))])
    return value if np.all(np.abs(ratio / value - 1) <= 2 * size) else None


def apart(found: float, due: float, least: int = 4) -> tuple[str, str]:
    """Both with as many digits as tell them apart.

    >>> apart(1.0000001, 1.0), apart(0.5, 0.25)
    (('1.0000001', '1'), ('0.5', '0.25'))
    """
    size = max(abs(found), abs(due), 1e-300)
    gap = abs(found - due) / size
    digits = least if gap < 1e-12 else int(np.clip(np.ceil(-np.log10(gap)) + 1, least, 15))
    return f"{found:.{digits}g}", f"{due:.{digits}g}"
