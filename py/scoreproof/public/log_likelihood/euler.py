"""How far the simplest right solver is off, at the times at which somebody's code asks its model.

Conventions: nats. Euler's method in t for x, and in σ/α for x/α, which is what DDIM does.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.log_likelihood.due import Due
from scoreproof.public.log_likelihood.model import of_prediction, predicted

__all__ = ["by_euler"]

#: more steps than this leave less than what is granted anyway
STEPS = 2000


def by_euler(due: Due, times: tuple[float, ...], gain: float) -> float:
    """The larger of the two, 0 where it is farther off than half of ``gain``: of no use."""
    start, end = due.span.start, due.span.end
    grid = np.unique([t for t in times if min(start, end) <= t <= max(start, end)] + [start, end])
    if len(grid) > STEPS:
        return 0.0
    grid = grid if end > start else grid[::-1]
    with np.errstate(all="ignore"):
        off = [_in_time(due, grid), _in_noise(due, grid)]
    return max((v for v in off if np.isfinite(v) and v < gain / 2), default=0.0)


def _in_time(due: Due, grid: np.ndarray) -> float:
    x, total = due.y, np.zeros(len(due.y))
    for t, h in zip(grid[:-1], np.diff(grid), strict=True):
        levels = [float(v) for v in due.job.clock.at(t)]
        move = predicted("velocity", due.law.parts(x, levels[0], levels[1]), levels)
        total = total + h * of_prediction("velocity", due.law, x, levels)
        x = x + h * move
    return _off(due, x, total)


def _in_noise(due: Due, grid: np.ndarray) -> float:
    levels = [[float(v) for v in due.job.clock.at(t)] for t in grid]
    if min(one[0] for one in levels) <= 0:
        return 0.0
    x, total = due.y, np.zeros(len(due.y))
    for now, then in zip(levels[:-1], levels[1:], strict=True):
        h = then[1] / then[0] - now[1] / now[0]
        move = predicted("eps", due.law.parts(x, now[0], now[1]), now)
        total = total + h * now[0] * of_prediction("eps", due.law, x, now)
        x = then[0] * (x / now[0] + h * move)
    return _off(due, x, total + due.y.shape[1] * np.log(levels[-1][0] / levels[0][0]))


def _off(due: Due, z: np.ndarray, total: np.ndarray) -> float:
    return float(np.max(np.abs(due.prior(z) + total - due.log_prior - due.trace)))
