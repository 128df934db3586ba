"""The momentum that walks a trajectory back, from the points at which it asks for gradients.

Conventions: a leapfrog from x with noise z asks at x, y_1, …, y; its first point is affine in z.
The way back has y_{L-1} for its first point. A start for Newton's method: nothing rests on it.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.corrector.accepting import Metropolis

__all__ = ["positions", "turned_round"]

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


def positions(walk: Metropolis, x: np.ndarray, z: np.ndarray) -> np.ndarray | None:
    """``(L + 1, n, d)``: where a trajectory passes, from x to the proposal, as far as it asks."""
    y = walk.proposed(x, z)
    ways = [x]
    for points in (*_asked(walk, x), y):
        # a point is asked at more than once by two half kicks, and again for the acceptance
        if not any(np.allclose(points, w, rtol=1e-9, atol=1e-12) for w in (ways[-1], ways[0])):
            ways.append(points)
        if np.allclose(points, y, rtol=1e-9, atol=1e-12):
            break
    return np.stack(ways) if len(ways) > 1 else None


def _asked(walk: Metropolis, rows: np.ndarray) -> list[np.ndarray]:
    """The batches at which it asks for gradients, or for anything."""
    # batches of JAX code are filled up
    all_ = [a for a in walk.asked if a.x.ndim == 2 and len(a.x) >= len(rows)]
    asked = [a.x[: len(rows)] for a in all_ if a.role in GRADIENTS]
    return asked or [a.x[: len(rows)] for a in all_]


def _other(walk: Metropolis, rows: np.ndarray, *, last: bool) -> np.ndarray | None:
    """The first, or last, point asked at in each row that is another one than its own."""
    asked = _asked(walk, rows)
    found, open_ = np.full(rows.shape, np.nan), np.ones(len(rows), bool)
    for points in reversed(asked) if last else asked:
        take = open_ & np.any(points != rows, axis=1)
        found[take] = points[take]
        open_ &= ~take
    return None if np.any(open_) else found
