"""Derivatives of the caller's NumPy functions at points: complex circles, and real intervals where
those do not see an analytic function.

Conventions: as in `statement`; points are rows. Derivatives of p are divided by p: ``first[:, i] =
∂_i p/p``, ``second[:, i] = ∂_i² p/p``. Every number has an error of its own. No array handed to a
callable holds more than `LARGEST` numbers, whatever n and d are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.numerics.local_series import NODES, nodes, on_circles, on_intervals, roots
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.ladder import Parts, chunks, floor, joined, ladder

__all__ = ["COARSE", "Derivatives", "Spot", "in_time", "rate", "spatial"]

#: dimensions above this get smaller circles of fewer points, at the cost of a digit
MANY = 32
#: radii in t as parts of t
CLOCK = (0.05, 0.05 / 8, 0.05 / 64, 0.05 / 2048)
#: relative error of a term from which real intervals are tried in place of circles
COARSE = 1e-8


@dataclass(frozen=True)
class Derivatives:
    """First and second derivatives and their errors, each ``(n, d)``."""

    first: np.ndarray
    second: np.ndarray
    first_error: np.ndarray
    second_error: np.ndarray


@dataclass(frozen=True, eq=False)
class Spot:
    """Rows x at t, where log p is ``base``; ``length``: the largest radius; ``along`` ``(n, q,
    d)``: the directions of the derivatives, by default those of the coordinates.
    """

    x: np.ndarray
    base: np.ndarray
    t: float
    length: float
    along: np.ndarray | None = None


def spatial(s: Subject, spot: Spot, weight: np.ndarray) -> Derivatives:
    """∂_i p/p and ∂_i² p/p at a spot.

    ``weight`` ``(n, d)``: that of the first derivative against the second, by which the error of a
    circle is judged.
    """
    x, base, t, length = spot.x, spot.base, spot.t, spot.length
    n, d = x.shape
    q = d if spot.along is None else spot.along.shape[1]
    point, axis = np.repeat(np.arange(n), q), np.tile(np.arange(q), n)
    rounding = s.law.eps * (4 + np.abs(base))

    def moved(pairs: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """The rows x + offset e_i of the pairs: ``(m · k, d)`` for offsets ``(m, k)``."""
        z = np.repeat(x[point[pairs]], offsets.shape[1], axis=0).astype(offsets.dtype)
        which = np.repeat(pairs, offsets.shape[1])
        if spot.along is None:
            z[np.arange(len(z)), axis[which]] += offsets.ravel()
            return z
        return z + offsets.ravel()[:, None] * spot.along[point[which], axis[which]]

    def probe(pairs: np.ndarray, offsets: np.ndarray, log: bool) -> np.ndarray:
        rows = np.repeat(base[point[pairs]], offsets.shape[1])
        ask = s.change if log else s.ratio
        return ask(moved(pairs, offsets), t, rows).reshape(offsets.shape)

    everything = np.arange(n * q)
    h = 1e-3 * length
    start = np.empty(n * q)
    for part in chunks(everything, 2 * d):
        up, down = probe(part, np.tile([h, -h], (len(part), 1)), True).T
        with np.errstate(all="ignore"):
            slope, bend = (up - down) / (2 * h), (up + down) / h**2
            guess = 1 / (np.abs(slope) + np.sqrt(np.abs(bend)))
        start[part] = np.where(np.isfinite(guess), np.minimum(guess, length), h)

    unit = roots(16 if d > MANY else 24)

    def circles(which: np.ndarray, radius: np.ndarray) -> Parts:
        rows = []
        for part in chunks(np.arange(len(which)), unit.size * d):
            values = probe(which[part], radius[part, None] * unit, False)
            r = rounding[point[which[part]]]
            rows.append((*on_circles(values, radius[part], r), floor(values, radius[part], r, 1)))
        return joined(rows)

    def intervals(which: np.ndarray, radius: np.ndarray) -> Parts:
        rows = []
        for part in chunks(np.arange(len(which)), NODES * d):
            values = probe(which[part], radius[part, None] * nodes(), True)
            r = rounding[point[which[part]]]
            found, error = on_intervals(values, radius[part], r)
            rows.append((found, error, r * NODES**2 / radius[part] ** 2))
        return joined(rows)

    # a first look at a few: where a callable takes no complex numbers, circles are a waste
    few = everything[:: max(1, len(everything) // 16)]
    looked = circles(few, start[few] / 4)
    analytic = np.any(looked[1][:, 0] * start[few] < 0.1)
    best = (
        ladder(circles, start / (3 if d > MANY else 1), 1, 4.0)
        if analytic
        else np.column_stack([np.zeros((n * q, 2)), np.full((n * q, 2), np.inf)])
    )

    weight = weight.ravel()
    with np.errstate(all="ignore"):
        error = np.where(weight > 0, weight * best[:, 2], 0.0) + best[:, 3]
        size = weight * np.abs(best[:, 0]) + np.abs(best[:, 1]) + 1 / start**2
    bad = np.flatnonzero(~(error <= COARSE * size))
    if bad.size:
        wide = np.minimum(8 * start[bad], length)
        log = ladder(lambda which, radius: intervals(bad[which], radius), wide, 1, 2.5)
        g, c = log[:, 0], log[:, 1]
        with np.errstate(all="ignore"):
            real = np.column_stack([g, c + g * g, log[:, 2], log[:, 3] + 2 * np.abs(g) * log[:, 2]])
            better = weight[bad] * real[:, 2] + real[:, 3] < error[bad]
        best[bad[better]] = real[better]
    return Derivatives(*(column.reshape(n, q) for column in best.T))


def rate(s: Subject, x: np.ndarray, base: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """∂_t p/p and its error, each ``(n,)``. Calls of the density: 24, or up to 24 + 4 · 16 more."""
    rounding = s.law.eps * (4 + np.abs(base))
    return in_time(
        lambda when: s.ratio(x, when, base), lambda when: s.change(x, when, base), t, rounding
    )


def in_time(
    around: Callable[[complex], np.ndarray],
    beside: Callable[[float], np.ndarray],
    t: float,
    rounding: np.ndarray,
) -> tuple[np.ndarray, np.ndarray]:
    """The derivatives in t of n functions, and their errors, each ``(n,)``: ``around`` complex
    times, where ``rounding`` is relative to the largest value, or else ``beside`` t, where it is
    absolute.
    """
    best, error = np.zeros(len(rounding)), np.full(len(rounding), np.inf)

    def take(found: np.ndarray, wrong: np.ndarray) -> None:
        better = wrong < error
        best[better], error[better] = found[better], wrong[better]

    for part in CLOCK[:2]:
        radius = np.full(len(rounding), part * t)
        values = np.stack([around(t + part * t * z) for z in roots()], axis=1)
        found, wrong = on_circles(values, radius, rounding)
        take(found[:, 0], wrong[:, 0])
        with np.errstate(all="ignore"):
            least = rounding / radius * np.max(np.abs(values), axis=1)
            if np.all(np.isfinite(error) & (error <= 32 * least)):
                return best, error
        if not np.any(np.isfinite(values)):
            break
    for part in CLOCK:
        radius = np.full(len(rounding), part * t)
        values = np.stack([beside(t + part * t * u) for u in nodes()], axis=1)
        found, wrong = on_intervals(values, radius, rounding)
        take(found[:, 0], wrong[:, 0])
        if np.all(error <= COARSE * (np.abs(best) + 1 / t)):
            break
    return best, error
