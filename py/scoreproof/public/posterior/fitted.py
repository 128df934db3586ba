"""Fits of one to three numbers to what came back."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy.optimize import least_squares

from scoreproof.errors import ScoreproofError

__all__ = ["FAILURES", "fitted", "misfit", "searched"]

FAILURES = (ArithmeticError, ValueError, np.linalg.LinAlgError, ScoreproofError)
#: evaluations of one fit
MOST = 30
#: a fit that leaves no more than this part of the first sum of squares is exact
ENOUGH = 1e-16


#: a residual of one is this many times what may be left: far above rounding, far below overflow
UNIT = 1e3


def misfit(prediction: np.ndarray, value: np.ndarray, limit: np.ndarray) -> np.ndarray:
    """The residual of a fit: what a prediction leaves, in units of what it may leave."""
    return np.asarray(((prediction - value) / limit).ravel() / UNIT)


def fitted(
    residual: Callable[[np.ndarray], np.ndarray], starts: Iterable[np.ndarray], tries: int = 3
) -> np.ndarray | None:
    """The parameters of the least sum of squares, from the best few of the starts (the best start
    as it is, if ``tries`` is 0); ``None`` if none has one.
    """
    every = [np.asarray(start, float) for start in starts]
    costs = [_cost(residual, start) for start in every]
    if tries == 0:  # the best start itself
        k = int(np.argmin(costs)) if costs else -1
        return every[k] if costs and np.isfinite(costs[k]) else None
    best: tuple[float, np.ndarray] | None = None
    for k in np.argsort(costs)[:tries]:
        if not np.isfinite(costs[k]):
            break
        try:
            with np.errstate(all="ignore"):
                out = least_squares(
                    _safe(residual, every[k]),
                    every[k],
                    method="lm",
                    xtol=1e-15,
                    ftol=1e-15,
                    gtol=1e-15,
                    max_nfev=MOST * (len(every[k]) + 1),
                )
        except FAILURES:
            continue
        if best is None or out.cost < best[0]:
            best = (float(out.cost), out.x)
        if best[0] <= ENOUGH * costs[k]:
            break
    return None if best is None else best[1]


def _safe(
    residual: Callable[[np.ndarray], np.ndarray], start: np.ndarray
) -> Callable[[np.ndarray], np.ndarray]:
    """The residual, large where it cannot be computed."""
    size = residual(start).shape

    def off(p: np.ndarray) -> np.ndarray:
        try:
            return np.nan_to_num(residual(p), nan=1e6, posinf=1e6, neginf=-1e6)
        except FAILURES:
            return np.full(size, 1e6)

    return off


def _cost(residual: Callable[[np.ndarray], np.ndarray], at: np.ndarray) -> float:
    try:
        with np.errstate(all="ignore"):
            off = residual(at)
    except FAILURES:
        return float(np.inf)
    return float(np.sum(off**2)) if np.all(np.isfinite(off)) else float(np.inf)


def searched(
    residual: Callable[[np.ndarray], np.ndarray], grid: np.ndarray, tries: int = 3
) -> np.ndarray | None:
    """The same for one number that may lie far away: from the best of a grid."""
    return fitted(residual, [np.array([v]) for v in grid], tries)
