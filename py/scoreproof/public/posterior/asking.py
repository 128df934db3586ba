"""How the callable is asked: at numbers of its own type, twice the same, and once in another batch.

A function of rows answers each row from that row alone. So half of the rows are asked again, in
another order and without the others; their answers are places of their own.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.coverage import Omission
from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded, as_numpy, unit_roundoff
from scoreproof.public.posterior.points import Grid, Points
from scoreproof.public.posterior.problem import on_grid
from scoreproof.streams import stream

__all__ = ["Answers", "ask"]

#: kinds of points that the caller, or the law of y, chose: there the callable has to answer
OWED = ("asked", "draws", "joined")


@dataclass(frozen=True, eq=False)
class Answers:
    """``values`` at all points ``(m, d)``; ``again`` at the rows ``rows``, asked among others.

    ``left_out`` names points of ours, between components or far out, without a finite answer; they
    are no longer among the points.
    """

    points: Points
    values: np.ndarray
    rows: np.ndarray
    again: np.ndarray
    left_out: tuple[Omission, ...]

    @property
    def which(self) -> np.ndarray:
        """The point of every place: all points, then those asked among others."""
        return np.concatenate([np.arange(len(self.values)), self.rows])

    @property
    def places(self) -> np.ndarray:
        """The answers at every place."""
        return np.concatenate([self.values, self.again])


def ask(guard: Guarded, choose: Callable[[Grid], Points], seed: int, name: str) -> Answers:
    """Three calls: all rows, all rows again, half of them in another order. A fourth where more
    comes to light: the answer has a coarser type than what went in (the points are then numbers of
    that).

    Raises ``CallableError`` where the callable does not answer at the caller's points or at draws
    of y, or answers the same question in two ways.
    """
    prepare = guard.prepare

    def given(y: np.ndarray) -> np.ndarray:
        return y if prepare is None else as_numpy(prepare(y)).astype(float)

    probe = np.zeros((1, 1)) if prepare is None else prepare(np.zeros((1, 1)))
    points, fed = choose(given), max(unit_roundoff(probe), float(np.finfo(float).eps))
    values = _owed(guard, points)
    if guard.eps > fed:
        points = choose(lambda y: given(on_grid(y, guard.eps)))
        values = _owed(guard, points)
    repeated = _called(guard, points.y)
    if not np.array_equal(values, repeated, equal_nan=True):
        gap = float(np.nanmax(np.abs(values - repeated)))
        raise CallableError(
            guard.name,
            "be deterministic",
            f"two calls with the same input differ by {gap:.3g}",
            "switch off dropout (model.eval()) and fix its random seed",
        )
    order, batch = _another_batch(points.y, seed, name)
    again = _called(guard, given(batch) if len(batch) > len(order) else batch)[: len(order)]
    good = np.all(np.isfinite(values), axis=1)
    lost = ~np.all(np.isfinite(again), axis=1)
    good[order[lost & ~np.isin(points.kinds[order], OWED)]] = False
    if np.any(lost & good[order]):
        guard.accept(again, again.shape)
    return _kept(points, values, order, again, good)


def _called(guard: Guarded, y: np.ndarray) -> np.ndarray:
    with np.errstate(all="ignore"):
        return guard.accept(guard.raw(y), y.shape, finite=False)


def _owed(guard: Guarded, points: Points) -> np.ndarray:
    """The answers; finite where they are owed."""
    values = _called(guard, points.y)
    owed = np.isin(points.kinds, OWED)
    guard.accept(values[owed], values[owed].shape)
    return values


def _another_batch(y: np.ndarray, seed: int, name: str) -> tuple[np.ndarray, np.ndarray]:
    """Half of the rows in another order; a single row gets company."""
    rng = stream(seed, name, "batch")
    if len(y) == 1:
        company = y + rng.standard_normal(y.shape) * (1 + np.abs(y))
        return np.zeros(1, int), np.concatenate([y, company])
    order = rng.permutation(len(y))[: (len(y) + 1) // 2]
    return order, y[order]


def _kept(
    points: Points, values: np.ndarray, order: np.ndarray, again: np.ndarray, good: np.ndarray
) -> Answers:
    """Without the points of ours that have no finite answer."""
    new = np.cumsum(good) - 1
    left = tuple(
        Omission(
            "points",
            count,
            "where it returns nan or inf (subtract the largest logit before exp)",
            {"between": "between components", "far": "far out"}[kind],
        )
        for kind in ("between", "far")
        if (count := int(np.sum(~good & (points.kinds == kind))))
    )
    stay = good[order]
    return Answers(
        Points(points.y[good], points.kinds[good]),
        values[good],
        new[order[stay]],
        again[stay],
        left,
    )
