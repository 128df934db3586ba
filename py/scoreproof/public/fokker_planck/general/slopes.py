"""Derivatives of a NumPy function with many values, along lines through points: complex circles,
and real intervals where those see no analytic function.

Conventions: ``along`` ``(n, q, d)`` are q directions at each of n points; ``ask(z)`` returns ``(N,
K)``, nan where it cannot be asked. Each of the K values has an error of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.numerics.local_series import nodes, on_circles, on_intervals, roots
from scoreproof.public.fokker_planck.derivatives import COARSE
from scoreproof.public.fokker_planck.ladder import ROUNDS, chunks

__all__ = ["Slopes", "slopes"]

Ask = Callable[[np.ndarray], np.ndarray]
#: points on the upper half of a circle
POINTS = roots(16)


@dataclass(frozen=True, eq=False)
class Slopes:
    """First and second derivatives and their errors, each ``(n, q, K)``."""

    first: np.ndarray
    second: np.ndarray
    first_error: np.ndarray
    second_error: np.ndarray


def slopes(
    ask: Ask, x: np.ndarray, along: np.ndarray, values: np.ndarray, eps: float, length: float
) -> Slopes:
    """Along each direction; ``values`` ``(n, K)``: the function's at x, ``length``: four times the
    largest radius.
    """
    n, q, d = along.shape
    best = np.zeros((4, n * q, values.shape[1]))
    best[2:] = np.inf
    point = np.repeat(np.arange(n), q)
    lines = along.reshape(-1, d)
    size = np.repeat(np.abs(values), q, axis=0)

    def round_(which: np.ndarray, radius: float, unit: np.ndarray) -> np.ndarray:
        """Better ones into ``best``; which of the lines want a smaller radius."""
        more = np.zeros(len(which), bool)
        for at in chunks(np.arange(len(which)), unit.size * max(d, values.shape[1])):
            mine = which[at]
            z = x[point[mine], None] + radius * unit[:, None] * lines[mine, None]
            seen = ask(z.reshape(-1, d)).reshape(len(mine), unit.size, -1)
            flat = np.swapaxes(seen, 1, 2).reshape(-1, unit.size)
            with np.errstate(all="ignore"):
                height = np.max(np.abs(flat), axis=1)
            height = np.where(np.isfinite(height), height, 0.0)
            r = np.full(len(flat), radius)
            if np.iscomplexobj(unit):
                found, error = on_circles(flat, r, np.full(len(flat), 4 * eps))
            else:
                found, error = on_intervals(flat, r, 4 * eps * height)
            shape = (2, len(mine), -1)
            found, error = found.T.reshape(shape), error.T.reshape(shape)
            for k in (0, 1):
                better = error[k] < best[2 + k, mine]
                best[k, mine] = np.where(better, found[k], best[k, mine])
                best[2 + k, mine] = np.where(better, error[k], best[2 + k, mine])
            # a smaller circle carries more rounding: go on only where that is not what limits
            least = 4 * eps * height.reshape(len(mine), -1)
            more[at] = np.any(best[2, mine] > 16 * least / radius, axis=1) | np.any(
                best[3, mine] > 128 * least / radius**2, axis=1
            )
        return which[more]

    def ladder(which: np.ndarray, unit: np.ndarray, ratio: float) -> None:
        radius = length / 4
        for _ in range(ROUNDS):
            if not which.size:
                break
            which = round_(which, radius, unit)
            radius /= ratio

    everything = np.arange(n * q)
    few = everything[:: max(1, n * q // 16)]
    round_(few, length / 16, POINTS)
    if np.any(np.isfinite(best[2, few])):  # else it takes no complex numbers
        ladder(everything, POINTS, 4.0)
    with np.errstate(all="ignore"):
        coarse = best[2] > COARSE * (size / length + np.abs(best[0]))
        coarse |= best[3] > COARSE * (size / length**2 + np.abs(best[1]))
    ladder(np.flatnonzero(np.any(coarse, axis=1)), nodes(), 2.5)
    return Slopes(*(column.reshape(n, q, -1) for column in best))
