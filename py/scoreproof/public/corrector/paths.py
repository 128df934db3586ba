"""The momentum that walks a trajectory back, from the points at which it asks for gradients.

Conventions: a leapfrog from x with noise z asks at x, y_1, …, y; its first point is affine in z.
The way back has y_{L-1} for its first point. A start for Newton's method: nothing rests on it.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.corrector.accepting import Metropolis

__all__ = ["turned_round"]

GRADIENTS = ("score", "grad_log_prob", "grad_potential")


def turned_round(walk: Metropolis, x: np.ndarray, z: np.ndarray) -> np.ndarray | None:
    """Two calls; ``None`` where it is not seen at which points it asks."""
    y = walk.proposed(x, z)
    before = _other(walk, y, last=True)
    d = x.shape[1]
    unit = np.concatenate([np.zeros((1, d)), np.eye(d)])
    each = np.repeat(y, d + 1, axis=0)
    walk.proposed(each, np.tile(unit, (len(y), 1)))
    first = _other(walk, each, last=False)
    if before is None or first is None:
        return None
    points = first.reshape(len(y), d + 1, d)
    columns = (points[:, 1:] - points[:, :1]).transpose(0, 2, 1)
    with np.errstate(all="ignore"):
        if not np.all(np.linalg.cond(columns) < 1e6):
            return None
    return np.asarray(np.linalg.solve(columns, (before - points[:, 0])[:, :, None])[:, :, 0])


def _other(walk: Metropolis, rows: np.ndarray, *, last: bool) -> np.ndarray | None:
    """The first, or last, point asked at in each row that is another one than its own."""
    asked = [a.x for a in walk.asked if a.role in GRADIENTS and a.x.shape == rows.shape]
    asked = asked or [a.x for a in walk.asked if a.x.shape == rows.shape]
    found, open_ = np.full(rows.shape, np.nan), np.ones(len(rows), bool)
    for points in reversed(asked) if last else asked:
        take = open_ & np.any(points != rows, axis=1)
        found[take] = points[take]
        open_ &= ~take
    return None if np.any(open_) else found
