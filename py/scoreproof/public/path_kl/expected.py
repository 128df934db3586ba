"""The mean of an estimate over its noise, taken exactly.

Conventions: with affine drifts an estimate is a quadratic function of its D standard normal numbers
a path, whose mean is that over the 2 D rows ±√D e_j.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoreproof.interop.draws import Draw
from scoreproof.public.path_kl.asking import Batch, Unseen, User
from scoreproof.public.path_kl.problem import Problem

__all__ = ["Still", "expected", "mean_of", "still"]

#: rows by which the draws are counted: no other size is so many
COUNTING = (13, 17)
MOST = 1500
#: in which more than one number is not 0
DIRECTIONS = (5, 7, 9, 11)


@dataclass(eq=False)
class Design:
    """What a row's numbers are, over all draws in order: ``points (n, numbers)``; 0 without them,
    and then the draws' ``shapes`` are kept.
    """

    n: int
    points: np.ndarray | None = None
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    at: int = 0
    only: int | None = None

    def of_row(self, row: int) -> Design:
        """Of one path at a time."""
        return Design(self.n, self.points, self.shapes, self.kinds, 0, row)

    def __call__(self, draw: Draw) -> np.ndarray:
        self.kinds.add(draw.kind)
        count = 1 if self.only is not None else self.n
        if self.only is None and count not in draw.shape:
            raise Unseen(
                f"draws numbers of shape {draw.shape} for {count} paths, so that no path can be"
                " told what it gets"
            )
        own = int(np.prod(draw.shape)) // count
        value = np.zeros((count, own))
        if self.points is not None:
            rows = slice(None) if self.only is None else slice(self.only, self.only + 1)
            known = self.points[rows, self.at : self.at + own]
            value[:, : known.shape[1]] = known
        elif self.only in (None, 0):
            self.shapes.append(draw.shape)
        self.at += own
        if self.only is not None:
            return value.reshape(draw.shape)
        axis = draw.shape.index(count)
        rest = tuple(s for k, s in enumerate(draw.shape) if k != axis)
        return np.moveaxis(value.reshape((count, *rest)), 0, axis)


def along_axes(numbers: int) -> np.ndarray:
    """Rows ±√D e_j, over which a quadratic function has its mean."""
    both = np.repeat(np.sqrt(numbers) * np.eye(numbers), 2, axis=0)
    return np.asarray(both * np.resize([1.0, -1.0], 2 * numbers)[:, None])


def across(numbers: int, avoided: tuple[int, ...]) -> np.ndarray:
    """Rows ±v in a few directions in which no number is 0."""
    few = next(k for k in DIRECTIONS if 2 * k not in avoided)
    v = np.random.default_rng([few, numbers, 735]).standard_normal((few, numbers))
    return np.concatenate([v, -v])


def mean_of(user: User, values: np.ndarray, n: int) -> float:
    summed = user.job.said["reduction"] == "sum" and values.ndim == 0
    return float(values) / n if summed else float(np.mean(values))


@dataclass(frozen=True, eq=False)
class Still:
    """An estimate without noise at times ``t``: its ``value``, and how many ``numbers`` a path
    draws.
    """

    user: User
    problem: Problem
    t: np.ndarray
    start: np.ndarray
    value: float
    numbers: int
    kinds: frozenset[str]


def _asked(user: User, problem: Problem, t: np.ndarray, start: np.ndarray, design: Design) -> float:
    steps, n, d = len(t) - 1, design.n, user.job.d
    z = None
    if {"z", "dW"} & user.job.taken:
        z = np.zeros((steps, n, d))
        if design.points is not None:
            z = design.points.reshape(n, steps, d).swapaxes(0, 1)
    answer = user(problem, Batch(t, np.tile(start, (n, 1)), None, z), design)
    return mean_of(user, answer.output.values, n)


def still(user: User, problem: Problem, t: np.ndarray, start: np.ndarray) -> Still:
    """Where all numbers are 0."""
    job, steps = user.job, len(t) - 1
    counting = next(n for n in COUNTING if n not in (job.d, steps, steps + 1))
    design = Design(counting)
    value = _asked(user, problem, t, start, design)
    count = 1 if job.single else counting
    numbers = int(sum(np.prod(s) for s in design.shapes)) // count
    if {"z", "dW"} & job.taken:
        numbers = steps * job.d
    return Still(user, problem, t, start, value, numbers, frozenset(design.kinds))


def expected(here: Still, *, plain: bool, first: bool = False) -> float:
    """The mean. Raises ``Unseen``. ``plain``: it was seen to be quadratic; ``first``: of several,
    of which the others have more numbers of the same kind.
    """
    user, numbers, steps = here.user, here.numbers, len(here.t) - 1
    if numbers == 0 or numbers > MOST or here.kinds - {"normal"}:
        raise Unseen(f"draws {numbers} normal numbers a path in {steps} steps")

    def mean(points: np.ndarray) -> float:
        return _asked(user, here.problem, here.t, here.start, Design(len(points), points))

    def bends(points: np.ndarray, whole: float) -> None:
        bent = abs((mean(points / 2) - here.value) - (whole - here.value) / 4)
        if bent > 1e4 * user.eps * steps * (abs(whole) + abs(here.value)):
            raise Unseen(
                "is no quadratic function of its noise, though both drifts are affine (by"
                f" {bent:.2g})"
            )

    axes = along_axes(numbers)
    whole = mean(axes)
    if not plain:
        bends(axes, whole)
    if first:  # products of squares of different numbers are 0 along every axis
        rows = across(numbers, (user.job.d, steps, steps + 1))
        bends(rows, mean(rows))
    return whole
