"""What an estimate of KL tends to as its steps get smaller, its expectation taken exactly.

Conventions: with affine drifts an estimate is a quadratic function of its D standard normal numbers
a path, whose mean is that over the 2 D rows ±√D e_j; steps are halved, and values extrapolated in
powers of the step.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoreproof.interop.draws import Draw
from scoreproof.public.path_kl.asking import Batch, Unseen, User
from scoreproof.public.path_kl.looks import ended, times
from scoreproof.public.path_kl.moments import exact
from scoreproof.public.path_kl.problem import Problem
from scoreproof.public.path_kl.tracks import solve

__all__ = ["Limit", "grids", "limits"]

GRIDS = (8, 16, 32, 64)
#: of a function that takes one path at a time: it is called for every row
FEWER = (4, 8, 16, 32)
PROBLEMS = 3
#: rows by which the draws are counted: no other size is so many
COUNTING = (13, 17)
MOST = 1500
#: of the integral along a smooth curve, whose drifts bend
NODES = 160
#: of values of order 1, of which each step is half the one before
SLOW = 0.6


@dataclass(frozen=True, eq=False)
class Limit:
    """``values`` on each grid, what they tend to and how well that is known; what is ``due``, and
    its ``parts``, the
    running cost first; ``law``: mean and covariance at the start, of paths that are made.
    """

    values: np.ndarray
    value: float
    error: float
    due: float
    parts: tuple[float, ...]
    problem: Problem
    law: tuple[np.ndarray, np.ndarray] | None

    @property
    def order(self) -> float:
        """Observed in the last three values."""
        a, b = np.abs(np.diff(self.values))[-2:]
        return float(np.log2(a / b)) if a > 0 and b > 0 else float("inf")


@dataclass(eq=False)
class _Design:
    """Rows ±r e_j over the numbers of all draws; ``axes``: which axis of each draw is the batch."""

    n: int
    radius: float = 0.0
    shapes: list[tuple[int, ...]] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)
    at: int = 0
    only: int | None = None

    def of_row(self, row: int) -> _Design:
        """Of one path at a time."""
        return _Design(self.n, self.radius, self.shapes, self.kinds, 0, row)

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


def grids(user: User) -> tuple[int, ...]:
    """Numbers of steps."""
    return FEWER if user.job.single else GRIDS


def limits(user: User) -> list[Limit]:
    """Of several problems; raises ``Unseen``."""
    return [_limit(user, k) for k in range(PROBLEMS)]


def _limit(user: User, index: int) -> Limit:
    # along paths that are there it need not be affine: nothing is averaged
    problem = user.job.problem(50 + index, bent=not user.job.simulates)
    rng = np.random.default_rng([user.job.seed, index, 732])
    start = user.rounded(0.7 * rng.standard_normal(problem.d))
    if user.job.simulates:
        values = np.array([_expected(user, problem, k, start) for k in grids(user)])
        law = _law(user, problem, start)
        due, parts = _due(user, problem, *law)
    else:
        law = None
        values, due, parts = _smooth(user, problem, rng)
    table = [values]
    for m in range(1, len(values)):
        last = table[-1]
        table.append(last[1:] + (last[1:] - last[:-1]) / (2**m - 1))
    value = float(table[-1][0])
    error = max(abs(value - float(table[-2][0])), abs(value - float(table[-2][1])))
    rounding = 64 * user.eps * grids(user)[-1] * (abs(value) + abs(due))
    first, last = np.abs(np.diff(values))[-2:]
    if last > SLOW * first:  # no expansion in powers of the step is seen
        error = max(error, 2 * abs(float(values[-1]) - value))
    return Limit(values, value, error + rounding, due, parts, problem, law)


def _mean(user: User, values: np.ndarray, n: int) -> float:
    summed = user.job.said["reduction"] == "sum" and values.ndim == 0
    return float(values) / n if summed else float(np.mean(values))


def _apart(values: np.ndarray) -> float:
    """A mean to which each path adds another part: of numbers that are to be each path's own."""
    return float(np.average(values, weights=np.arange(1.0, len(values) + 1)))


def _expected(user: User, problem: Problem, steps: int, start: np.ndarray) -> float:
    job = user.job
    t = user.rounded(times(job, problem, steps, None))

    def asked(n: int, radius: float, numbers: int) -> tuple[float, _Design]:
        design = _Design(n, radius)
        z = None
        if {"z", "dW"} & job.taken:
            z = np.zeros((steps, n, job.d))
            for j in range(numbers):
                for sign in (0, 1):
                    z[j // job.d, 2 * j + sign, j % job.d] = radius * (1 - 2 * sign)
        batch = Batch(t, np.tile(start, (n, 1)), None, z)
        answer = user(problem, batch, design)
        return _mean(user, answer.output.values, n), design

    counting = next(n for n in COUNTING if n not in (job.d, steps, steps + 1))
    still, design = asked(counting, 0.0, 0)
    count = 1 if job.single else counting
    numbers = int(sum(np.prod(s) for s in design.shapes)) // count
    if job.single:
        numbers = int(sum(np.prod(s) for s in design.shapes))
    if {"z", "dW"} & job.taken:
        numbers = steps * job.d
    if numbers == 0 or numbers > MOST or design.kinds - {"normal"}:
        raise Unseen(f"draws {numbers} normal numbers a path in {steps} steps")
    mean, _ = asked(2 * numbers, float(np.sqrt(numbers)), numbers)
    if job.single and steps > FEWER[0]:
        return mean
    half, _ = asked(2 * numbers, float(np.sqrt(numbers)) / 2, numbers)
    bent = abs((half - still) - (mean - still) / 4)
    if bent > 1e4 * user.eps * steps * (abs(mean) + abs(still)):
        raise Unseen(
            f"is no quadratic function of its noise, though both drifts are affine (by {bent:.2g})"
        )
    return mean


def _law(user: User, problem: Problem, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if user.job.starts:
        return problem.mean[0], np.diag(problem.std[0] ** 2)
    return start, np.zeros((problem.d, problem.d))


def _due(
    user: User, problem: Problem, m: np.ndarray, s: np.ndarray
) -> tuple[float, tuple[float, ...]]:
    job = user.job
    energy, mean, cov = exact(problem, m, s)
    ends = {n: float(v[0]) for n, v in ended(job, problem, np.stack([m, mean])[:, None]).items()}
    if "initial" in ends and job.starts:
        ends["initial"] = problem.initial_kl()
    if "terminal" in ends:
        ends["terminal"] += float(np.sum(problem.cost * np.diag(cov)))
    return energy + sum(ends.values()), (energy, *ends.values())


def _smooth(
    user: User, problem: Problem, rng: np.random.Generator
) -> tuple[np.ndarray, float, tuple[float, ...]]:
    """Along smooth curves, whose integral is known by quadrature."""
    n, d = 4 if user.job.d != 4 else 5, problem.d
    middle, wide = rng.standard_normal((2, n, d))
    # slow, so that rules of higher order show theirs on the coarser grids
    speed, phase = rng.uniform(0.6, 1.4, (n, d)), rng.uniform(0, 6, (n, d))

    def curve(t: np.ndarray) -> np.ndarray:
        return np.asarray(middle + 0.6 * wide * np.sin(speed * t[:, None, None] + phase))

    def energy(t: np.ndarray, x: np.ndarray) -> np.ndarray:
        a, b = problem.drifts(x, t[:, None, None])
        return np.asarray(0.5 * np.sum(solve(problem.matrix(x, t[:, None, None]), a - b) ** 2, -1))

    values = []
    for steps in grids(user):
        t = times(user.job, problem, steps, None)
        x = curve(t)
        still = np.zeros((steps, n, d)) if {"z", "dW"} & user.job.taken else None
        answer = user(problem, Batch(t, x[0], x, still), lambda draw: np.zeros(draw.shape))
        each = answer.output.values.ndim == 1
        values.append(
            _apart(answer.output.values) if each else _mean(user, answer.output.values, n)
        )
    mean = _apart if each else np.mean
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    t0, t1 = problem.span
    t = t0 + (t1 - t0) * (nodes + 1) / 2
    whole = float(mean(weights @ energy(t, curve(t)))) * (t1 - t0) / 2
    edges = np.array([t0, t1])
    ends = {k: float(mean(v)) for k, v in ended(user.job, problem, curve(edges)).items()}
    return np.array(values), whole + sum(ends.values()), (whole, *ends.values())
