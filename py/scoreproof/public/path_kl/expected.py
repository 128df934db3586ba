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


@dataclass(eq=False)
class Design:
    """Rows ±r e_j over the numbers of all draws; ``axes``: which axis of each draw is the batch."""

    n: int
    radius: float = 0.0
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    at: int = 0
    only: int | None = None

    def of_row(self, row: int) -> Design:
        """Of one path at a time."""
        return Design(self.n, self.radius, self.shapes, self.kinds, 0, row)

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
        if self.radius:
            for row in range(count) if self.only is None else (self.only,):
                j, sign = divmod(row, 2)
                k = j - self.at
                if 0 <= k < own:
                    value[0 if self.only is not None else row, k] = self.radius * (1 - 2 * sign)
        elif self.only in (None, 0):
            self.shapes.append(draw.shape)
        self.at += own
        if self.only is not None:
            return value.reshape(draw.shape)
        axis = draw.shape.index(count)
        rest = tuple(s for k, s in enumerate(draw.shape) if k != axis)
        return np.moveaxis(value.reshape((count, *rest)), 0, axis)


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


def _asked(
    user: User, problem: Problem, t: np.ndarray, start: np.ndarray, design: Design, numbers: int
) -> float:
    steps, n, d = len(t) - 1, design.n, user.job.d
    z = None
    if {"z", "dW"} & user.job.taken:
        z = np.zeros((steps, n, d))
        for j in range(numbers):
            for sign in (0, 1):
                z[j // d, 2 * j + sign, j % d] = design.radius * (1 - 2 * sign)
    answer = user(problem, Batch(t, np.tile(start, (n, 1)), None, z), design)
    return mean_of(user, answer.output.values, n)


def still(user: User, problem: Problem, t: np.ndarray, start: np.ndarray) -> Still:
    """Where all numbers are 0."""
    job, steps = user.job, len(t) - 1
    counting = next(n for n in COUNTING if n not in (job.d, steps, steps + 1))
    design = Design(counting)
    value = _asked(user, problem, t, start, design, 0)
    count = 1 if job.single else counting
    numbers = int(sum(np.prod(s) for s in design.shapes)) // count
    if {"z", "dW"} & job.taken:
        numbers = steps * job.d
    return Still(user, problem, t, start, value, numbers, frozenset(design.kinds))


def expected(here: Still, *, plain: bool) -> float:
    """The mean. Raises ``Unseen``. ``plain``: it was seen to be quadratic."""
    user, numbers, steps = here.user, here.numbers, len(here.t) - 1
    if numbers == 0 or numbers > MOST or here.kinds - {"normal"}:
        raise Unseen(f"draws {numbers} normal numbers a path in {steps} steps")

    def mean(radius: float) -> float:
        design = Design(2 * numbers, radius)
        return _asked(user, here.problem, here.t, here.start, design, numbers)

    whole = mean(float(np.sqrt(numbers)))
    if plain:
        return whole
    bent = abs((mean(float(np.sqrt(numbers)) / 2) - here.value) - (whole - here.value) / 4)
    if bent > 1e4 * user.eps * steps * (abs(whole) + abs(here.value)):
        raise Unseen(
            f"is no quadratic function of its noise, though both drifts are affine (by {bent:.2g})"
        )
    return whole
