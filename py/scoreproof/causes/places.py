"""Where an answer is wrong: in which rows and coordinates, and beyond which value of what.

Conventions: coordinates, rows and other indices count from 0; clauses without a full stop.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from scoreproof.words import enumerated, listed

__all__ = ["beyond", "indices", "which_entries"]


def indices(wrong: np.ndarray, what: str, most: int = 6) -> str:
    """``"coordinate 3 of 5"``, ``"coordinates 0 and 2 of 5"``; empty if all or none are wrong.

    >>> indices(np.array([False, True, False]), "coordinate")
    'coordinate 1 of 3'
    >>> indices(np.arange(12) >= 4, "parameter")
    'parameters 4 to 11 of 12'
    """
    at = np.flatnonzero(wrong)
    if at.size in (0, wrong.size):
        return ""
    if at.size == 1:
        return f"{what} {at[0]} of {wrong.size}"
    if at.size > 2 and np.all(np.diff(at) == 1):
        return f"{what}s {at[0]} to {at[-1]} of {wrong.size}"
    if at.size > 2 and wrong.size > 4 and np.all(np.diff(at) == 2) and at[0] < 2:
        return f"the {'even' if at[0] == 0 else 'odd'} {what}s of {wrong.size}"
    shown = enumerated(at.tolist()) if at.size <= most else listed(at.tolist(), most)
    return f"{what}s {shown} of {wrong.size}"


def which_entries(wrong: np.ndarray, rows: str = "row", columns: str = "coordinate") -> str:
    """Of a matrix of places ``(n, d)``: which coordinates, or which rows, if not all.

    >>> which_entries(np.array([[False, True], [False, True]]))
    'in coordinate 1 of 2 only'
    """
    wrong = np.asarray(wrong, bool)
    if wrong.ndim != 2 or not wrong.any():
        return ""
    bad_columns, bad_rows = np.any(wrong, axis=0), np.any(wrong, axis=1)
    across = indices(np.atleast_1d(bad_columns), columns)
    down = indices(np.atleast_1d(bad_rows), rows)
    if across and (not down or wrong[:, bad_columns].mean() > 0.5):
        return f"in {across} only"
    return f"in {down} only" if down and wrong[bad_rows].mean() > 0.5 else ""


def beyond(wrong: np.ndarray, along: Mapping[str, np.ndarray], least: int = 2) -> str:
    """The one quantity, and its value, beyond which everything is wrong and nothing before.

    ``along``: name -> values at the same places. Empty if none separates the wrong from the right,
    of which there must be ``least`` each.

    >>> r = np.array([0.5, 1.0, 3.0, 4.0])
    >>> beyond(r > 2, {"‖x‖": r})
    'where ‖x‖ ≥ 3 (right up to 1)'
    """
    wrong = np.asarray(wrong, bool).ravel()
    if min(wrong.sum(), (~wrong).sum()) < least:
        return ""
    for name, values in along.items():
        v = np.asarray(values, float).ravel()
        if v.shape != wrong.shape or not np.all(np.isfinite(v)):
            continue
        if v[wrong].min() > v[~wrong].max():
            return f"where {name} ≥ {v[wrong].min():.3g} (right up to {v[~wrong].max():.3g})"
        if v[wrong].max() < v[~wrong].min():
            return f"where {name} ≤ {v[wrong].max():.3g} (right from {v[~wrong].min():.3g} on)"
    return ""
