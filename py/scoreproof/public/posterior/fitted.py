"""Fits of one to three numbers to what came back."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import numpy as np
from scipy.optimize import least_squares

__all__ = ["fitted", "searched"]

#: evaluations of one fit
MOST = 60


def fitted(
    residual: Callable[[np.ndarray], np.ndarray], starts: Iterable[np.ndarray]
) -> np.ndarray | None:
    """The parameters of the least sum of squares, from the best of the starts; ``None`` if none
    has one.
    """
    best: tuple[float, np.ndarray] | None = None
    for start in starts:
        start = np.asarray(start, float)
        try:
            with np.errstate(all="ignore"):
                if not np.all(np.isfinite(residual(start))):
                    continue
                out = least_squares(
                    lambda p: np.nan_to_num(residual(p), nan=1e6, posinf=1e6, neginf=-1e6),
                    start,
                    xtol=1e-15,
                    ftol=1e-15,
                    gtol=1e-15,
                    max_nfev=MOST,
                )
        except (ValueError, np.linalg.LinAlgError):
            continue
        if best is None or out.cost < best[0]:
            best = (float(out.cost), out.x)
    return None if best is None else best[1]


def searched(
    residual: Callable[[np.ndarray], np.ndarray], grid: np.ndarray, tries: int = 3
) -> np.ndarray | None:
    """The same for one number that may lie far away: from the best of a grid."""
    costs = []
    with np.errstate(all="ignore"):
        for value in grid:
            off = residual(np.array([value]))
            costs.append(float(np.sum(off**2)) if np.all(np.isfinite(off)) else np.inf)
    order = np.argsort(costs)[:tries]
    return fitted(residual, [np.array([grid[k]]) for k in order if np.isfinite(costs[k])])
