"""What is added to a cause of a table: of what a logarithm is, where a formula is the one that was
found, and what the first entry has.

Conventions: as in `words`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.schedule.tables import Table

__all__ = ["around", "first_of_next", "of_a_root"]


def of_a_root(table: Table, values: np.ndarray, due: np.ndarray) -> str:
    """What a logarithm that is half or twice the one due is the logarithm of."""
    with np.errstate(all="ignore"):
        ratio = float(np.nanmedian(values / due))
    if not table.least or min(abs(ratio - 0.5), abs(ratio - 2)) > 1e-5:
        return ""
    if ratio > 1:
        return ": the logarithm of the square of what it is due of"
    variance = "variance" in table.words or table.words == "log(1 - ᾱ_t)"
    if variance:
        return ": the logarithm of the standard deviation, where that of the variance is due"
    return ": the logarithm of the root of what it is due of"


def first_of_next(values: np.ndarray, due: np.ndarray) -> str:
    """An entry 0 that holds what is due at entry 1."""
    if len(due) < 3 or not np.all(np.isfinite(due[:2])):
        return ""
    if abs(values[0] - due[1]) > 1e-6 * abs(due[1]) or abs(due[1] - due[0]) <= 1e-3 * abs(due[1]):
        return ""
    return f" (entry 0 has {values[0]:.4g}, what is due at entry 1, for {due[0]:.4g})"


def around(wrong: np.ndarray, off: np.ndarray) -> np.ndarray:
    """One run of wrong entries, with those beside it that agree; others as they are."""
    at = np.flatnonzero(wrong)
    if np.any(np.diff(at) != 1):
        return wrong
    low, high = int(at[0]), int(at[-1])
    while low > 0 and off[low - 1]:
        low -= 1
    while high < len(off) - 1 and off[high + 1]:
        high += 1
    return (np.arange(len(off)) >= low) & (np.arange(len(off)) <= high)
