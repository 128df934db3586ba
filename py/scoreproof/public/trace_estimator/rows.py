"""Rows (z, ν) to ask an estimator at: a few coordinates each, and all, every row with its own ν.

Conventions: ``gain``: the least part of a row's νᵀJν (and of its trace) that one of its coordinates
contributes, where the row stands for single coordinates; 1 where it stands for all together.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.fields import (
    CubicField,
    Mirrored,
    RationalField,
    Trial,
)
from scoreproof.public.trace_estimator.user_field import UserField

__all__ = ["COARSE", "Rows", "coarse_rows", "mirrored", "rows_for"]

#: above this unit roundoff a sum of D terms drowns in rounding: float16, bfloat16
COARSE = 1e-4
#: rows that stand for single coordinates, at most
SINGLES, SINGLES_WITHIN = 512, 4096
GAUSSIAN, SIGNS, LONG, SHORT = 16, 8, 4, 4
#: an entry of ν beyond what a clipped ν would keep
FAR = 8.0
#: νᵀJν times their squares lies beyond what a clip of the estimate or a floor would keep
HUGE, TINY = 1e4, 1e-4
#: rows with small integers, at least
FEWEST = 48


@dataclass(frozen=True, eq=False)
class Rows:
    """z, ν ``(m, D)`` as rounded to the floating type, ``gain`` ``(m,)``, and what they are for.

    ``least``: what νᵀJν is held against where it is smaller, ``(m,)``: a coordinate that
    contributes next to nothing is judged in the size of the mean one.
    """

    trial: Trial
    z: np.ndarray
    nu: np.ndarray
    gain: np.ndarray
    least: np.ndarray

    @property
    def dimension(self) -> int:
        return int(self.z.shape[1])


def _away(rng: np.random.Generator, shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """Of random sign and of magnitude in [low, high]."""
    return rng.choice([-1.0, 1.0], shape) * rng.uniform(low, high, shape)


def _arcs(order: np.ndarray, length: int) -> list[np.ndarray]:
    """All coordinates, in runs along the cycle (so that the coupling acts within a run)."""
    return [order[k : k + length] for k in range(0, len(order), length)]


def _length(given: Given, d: int) -> int:
    """Coordinates that a row stands for: one, or a few where there are many and errors of a few are
    seen as those of one. A tolerance is one of the whole estimate, so it gets rows of one.
    """
    return -(-d // (SINGLES if given.tolerance is None else SINGLES_WITHIN))


def _dense(rng: np.random.Generator, d: int) -> np.ndarray:
    """Gaussian ν, signs, long ones with one entry far out, short ones."""
    long = 3 * rng.standard_normal((LONG, d))
    long[np.arange(LONG), rng.integers(0, d, LONG)] = FAR * rng.choice([-1.0, 1.0], LONG)
    return np.concatenate(
        [
            rng.standard_normal((GAUSSIAN, d)),
            rng.choice([-1.0, 1.0], (SIGNS, d)),
            long,
            0.3 * rng.standard_normal((SHORT, d)),
        ]
    )


def _best(rng: np.random.Generator, trial: Trial, z: np.ndarray, d: int) -> np.ndarray:
    """Of three ν for each row the one whose νᵀJν cancels least: at 0 nothing is seen."""
    tries = [_dense(rng, d)[: len(z)] for _ in range(3)]
    quality = []
    for nu in tries:
        value, size = trial.quadratic(z, nu)
        quality.append(np.abs(value) / np.maximum(size, 1e-300))
    pick = np.argmax(quality, axis=0)
    return np.stack(tries)[pick, np.arange(len(z))]


def rows_for(given: Given, d: int, rng: np.random.Generator) -> Rows:
    """At the caller's points or on his field, if he named any; else where most is seen."""
    if given.points is not None:
        return rows_at(given, given.points, rng)
    if given.field is not None:
        return rows_at(given, rng.standard_normal((3, d)), rng)
    return coarse_rows(given, d, rng) if given.eps > COARSE else own_rows(given, d, rng)


def mirrored(given: Given, rows: Rows) -> list[Rows]:
    """The rows with the most coordinates on -f: every due value with the other sign. The caller's
    own field is left as it is.
    """
    if given.field is not None:
        return []
    live = np.count_nonzero(rows.z * rows.nu, axis=1)
    full = live == live.max()
    parts = (part[full] for part in (rows.z, rows.nu, rows.gain, rows.least))
    return [Rows(Mirrored(rows.trial), *parts)]


def own_rows(given: Given, d: int, rng: np.random.Generator) -> Rows:
    """On the rational field, at points of our choice: a few coordinates, and all together."""
    trial = RationalField(rng, d, given.convert, given.rounded)
    runs = _arcs(trial.order, _length(given, d))
    sparse = np.zeros((len(runs), d))
    for row, run in zip(sparse, runs, strict=True):
        row[run] = _away(rng, run.shape, 0.8, 2.5)
    if 2 * len(runs) <= SINGLES:
        runs, sparse = 2 * runs, np.concatenate([sparse, -0.9 * sparse])
    sparse_nu = _away(rng, sparse.shape, 0.5, 3.0)
    full = given.rounded(_away(rng, (GAUSSIAN + SIGNS + LONG + SHORT, d), 0.6, 4.0))
    full_nu = _best(rng, trial, full, d)
    if given.tolerance is None:  # differences along a ν as long as this would be no derivative
        full_nu[-1] *= TINY
        full_nu[GAUSSIAN + SIGNS] *= HUGE
    z = given.rounded(np.concatenate([sparse, full]))
    nu = given.rounded(np.concatenate([sparse_nu, full_nu]))
    gain = np.ones(len(z))
    own = trial.entries(z[: len(runs)])[0]
    for i, run in enumerate(runs):
        parts = own[i, run] * np.stack([nu[i, run] ** 2, np.ones(len(run))])
        gain[i] = np.min(np.abs(parts) / np.sum(np.abs(parts), axis=1, keepdims=True))
    gain = gain if given.tolerance is None else np.ones(len(z))
    return _shuffled(Rows(trial, z, nu, gain, np.zeros(len(z))), rng)


def coarse_rows(given: Given, d: int, rng: np.random.Generator) -> Rows:
    """On the cubic field at small integers, one or two coordinates a row."""
    trial = CubicField(rng, d)
    once = [run for length in (1, 2) for run in _arcs(trial.order, length)]
    times = 2 * max(1, -(-FEWEST // (2 * len(once))))
    runs, signs = once * times, np.repeat((-1.0) ** np.arange(times), len(once))
    z = np.zeros((len(runs), d))
    for row, run, sign in zip(z, runs, signs, strict=True):
        row[run] = sign * rng.choice([1.0, 2.0], run.shape)
    nu = rng.choice([-2.0, -1.0, 1.0, 2.0], z.shape)
    for v, run in zip(nu, runs, strict=True):
        v[run] = rng.choice([-1.0, 1.0]) * rng.choice([2.0, 4.0], run.shape)
        # no term of νᵀJν is negative
        after = trial.neighbour[run[-1]]
        v[after] = abs(v[after]) * np.sign(v[run[0]])
    return _shuffled(Rows(trial, z, nu, np.ones(len(z)), np.zeros(len(z))), rng)


def rows_at(given: Given, points: np.ndarray, rng: np.random.Generator) -> Rows:
    """At points that are not ours to choose: single coordinates by sparse ν, and full ν."""
    d = points.shape[1]
    points = given.rounded(points)
    trial: Trial
    if given.field is None:
        trial = RationalField(rng, d, given.convert, given.rounded, floor=1.5)
    else:
        trial = UserField.of(given.field, points, given.framework, given.dtype)
    runs = _arcs(rng.permutation(d), _length(given, d))
    sparse_nu = np.zeros((len(runs), d))
    for row, run in zip(sparse_nu, runs, strict=True):
        row[run] = _away(rng, run.shape, 0.5, 3.0)
    count = GAUSSIAN + SIGNS + LONG + SHORT
    pick = np.arange(max(count, len(points))) % len(points)
    full = points[pick]
    full_nu = np.concatenate(
        [_best(rng, trial, full[k : k + count], d) for k in range(0, len(full), count)]
    )
    z = np.concatenate([points[rng.integers(0, len(points), len(runs))], full])
    nu = given.rounded(np.concatenate([sparse_nu, full_nu]))
    value = np.abs(trial.quadratic(z, nu)[0])
    # the mean contribution of a coordinate, for one run's worth of |ν|²
    part = value[len(runs) :] / (nu[len(runs) :] ** 2).sum(axis=1)
    least = np.zeros(len(z))
    least[: len(runs)] = float(np.mean(part)) * (nu[: len(runs)] ** 2).sum(axis=1)
    gain = np.ones(len(z))
    gain[: len(runs)] = [
        float(np.min(nu[i, run] ** 2) / np.sum(nu[i, run] ** 2)) for i, run in enumerate(runs)
    ]
    gain = gain if given.tolerance is None else np.ones(len(z))
    return _shuffled(Rows(trial, z, nu, gain, least), rng)


def _shuffled(rows: Rows, rng: np.random.Generator) -> Rows:
    order = rng.permutation(len(rows.z))
    return Rows(rows.trial, rows.z[order], rows.nu[order], rows.gain[order], rows.least[order])
