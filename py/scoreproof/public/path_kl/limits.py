"""What an estimate of KL tends to as its steps get smaller.

Conventions: steps are halved, and values extrapolated in powers of the step.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.path_kl.asking import Batch, User
from scoreproof.public.path_kl.expected import mean_of
from scoreproof.public.path_kl.looks import ended, sampling, times
from scoreproof.public.path_kl.moments import exact
from scoreproof.public.path_kl.paces import Pace, grids, means
from scoreproof.public.path_kl.problem import Problem
from scoreproof.public.path_kl.tracks import solve

__all__ = ["Limit", "extrapolated", "limits"]

PROBLEMS = 3
#: of the integral along a smooth curve, whose drifts bend
NODES = 160
#: of values of order 1, of which each step is half the one before
SLOW = 0.6


@dataclass(frozen=True, eq=False)
class Limit:
    """``values`` on each grid, what they tend to and how well that is known; what is due: the
    ``energy`` along the path, and what is added for its ``ends``; ``law``: mean and covariance at
    the start, of paths that are made; ``pace``: how steps got smaller.
    """

    values: np.ndarray
    value: float
    error: float
    energy: float
    ends: Mapping[str, float]
    problem: Problem
    law: tuple[np.ndarray, np.ndarray] | None
    pace: Pace

    @property
    def parts(self) -> tuple[float, ...]:
        """What is due, in parts."""
        return (self.energy, *self.ends.values())

    @property
    def due(self) -> float:
        """The whole."""
        return sum(self.parts)

    @property
    def order(self) -> float:
        """Observed in the last three values."""
        a, b = np.abs(np.diff(self.values))[-2:]
        return float(np.log2(a / b)) if a > 0 and b > 0 else float("inf")

    def nearest(self, sampled: float) -> Limit:
        """With so much more for the law at the start, if that is nearer to what came."""
        if abs(self.value - self.due - sampled) >= abs(self.value - self.due):
            return self
        return replace(self, ends={**self.ends, "initial": self.ends["initial"] + sampled})


def limits(user: User) -> list[Limit]:
    """Of several problems; raises ``Unseen``."""
    return [_limit(user, k) for k in range(PROBLEMS)]


def _limit(user: User, index: int) -> Limit:
    # along paths that are there it need not be affine: nothing is averaged
    problem = user.job.problem(50 + index, bent=not user.job.simulates)
    rng = np.random.default_rng([user.job.seed, index, 732])
    start = user.rounded(0.7 * rng.standard_normal(problem.d))
    law, pace = None, Pace(grids(user))
    if user.job.simulates:
        values, pace = means(user, problem, start)
        law = _law(user, problem, start)
        energy, ends = _due(user, problem, *law)
        sampled = 0.0 if user.job.starts else float(sampling(user.job, problem, start[None])[0])
    else:
        values, energy, ends = _smooth(user, problem, rng)
        sampled = 0.0
    value, error = extrapolated(values)
    limit = Limit(values, value, error, energy, ends, problem, law, pace)
    limit = limit.nearest(sampled)
    rounding = 64 * user.eps * grids(user)[-1] * (abs(value) + abs(limit.due))
    return replace(limit, error=error + rounding)


def extrapolated(values: np.ndarray) -> tuple[float, float]:
    """What values tend to, each of a step half as wide as the one before, and how well that is
    known.
    """
    table = [values]
    for m in range(1, len(values)):
        last = table[-1]
        table.append(last[1:] + (last[1:] - last[:-1]) / (2**m - 1))
    value = float(table[-1][0])
    error = max(abs(value - float(table[-2][0])), abs(value - float(table[-2][1])))
    first, last = np.abs(np.diff(values))[-2:]
    if last > SLOW * first:  # no expansion in powers of the step is seen
        error = max(error, 2 * abs(float(values[-1]) - value))
    return value, error


def _apart(values: np.ndarray) -> float:
    """A mean to which each path adds another part: of numbers that are to be each path's own."""
    return float(np.average(values, weights=np.arange(1.0, len(values) + 1)))


def _law(user: User, problem: Problem, start: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if user.job.starts:
        return problem.mean[0], np.diag(problem.std[0] ** 2)
    return start, np.zeros((problem.d, problem.d))


def _due(
    user: User, problem: Problem, m: np.ndarray, s: np.ndarray
) -> tuple[float, dict[str, float]]:
    job = user.job
    energy, mean, cov = exact(problem, m, s)
    ends = {n: float(v[0]) for n, v in ended(job, problem, np.stack([m, mean])[:, None]).items()}
    if "initial" in ends and job.starts:
        ends["initial"] = problem.initial_kl()
    if "terminal" in ends:
        ends["terminal"] += float(np.sum(problem.cost * np.diag(cov)))
    return energy, ends


def _smooth(
    user: User, problem: Problem, rng: np.random.Generator
) -> tuple[np.ndarray, float, dict[str, float]]:
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
            _apart(answer.output.values) if each else mean_of(user, answer.output.values, n)
        )
    mean = _apart if each else np.mean
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    t0, t1 = problem.span
    t = t0 + (t1 - t0) * (nodes + 1) / 2
    whole = float(mean(weights @ energy(t, curve(t)))) * (t1 - t0) / 2
    edges = np.array([t0, t1])
    ends = {k: float(mean(v)) for k, v in ended(user.job, problem, curve(edges)).items()}
    return np.array(values), whole, ends
