"""What an estimate of KL tends to where there is next to no noise: paths are curves there, along
which drifts bend and noise follows x.

Conventions: the noise and the drifts' difference are multiplied by one small number, so that u is
as it was; all draws are 0, and the curve is P's, dx = a dt. What a scheme adds for Itô's sake
(Milstein's term, a Stratonovich integral's correction) is small, and is allowed for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.interop.draws import Draw
from scoreproof.public.path_kl.asking import Batch, User
from scoreproof.public.path_kl.limits import Limit, extrapolated
from scoreproof.public.path_kl.looks import ended, sampling
from scoreproof.public.path_kl.paces import Pace
from scoreproof.public.path_kl.problem import Problem
from scoreproof.public.path_kl.tracks import solve

__all__ = ["Quiet", "quiet"]

#: of the noise and of the drifts' difference: as small as rounding of that difference lets it be
ROWS, PROBLEMS, STEPS = 4, 2, 200
#: of what is only allowed for
ROUGHLY = 40
#: how far apart two places are of which a derivative is taken
NEAR = 1e-3


@dataclass(frozen=True, eq=False)
class Quiet:
    """``seen``: the limits, a problem each; ``small``: how small the noise is; ``faults``: what
    known ones tend to, a problem each.
    """

    seen: tuple[Limit, ...]
    small: float
    faults: dict[str, np.ndarray]


def quiet(user: User, pace: Pace) -> Quiet:
    """Steps get smaller at this ``pace``."""
    small = float(np.clip(user.eps**0.3, 1e-6, 0.03))
    both = [_limit(user, pace, k, small) for k in range(PROBLEMS)]
    return Quiet(
        tuple(limit for limit, _ in both),
        small,
        {n: np.array([faults[n] for _, faults in both]) for n in sorted(both[0][1])},
    )


def _limit(user: User, pace: Pace, index: int, small: float) -> tuple[Limit, dict[str, float]]:
    job = user.job
    problem = job.problem(70 + index, small=small).louder()
    rng = np.random.default_rng([job.seed, index, 734])
    n = next(v for v in (ROWS, ROWS + 1) if v != job.d)
    start = user.rounded(0.7 * rng.standard_normal((n, job.d)))
    own = np.tile(problem.mean[0], (n, 1)) if job.starts else start
    values = []
    for here, t in pace.places(user, problem):
        still = np.zeros((len(t) - 1, n, job.d)) if {"z", "dW"} & job.taken else None
        answer = user(here, Batch(t, start, None, still), _nothing)
        values.append(_mean(user, answer.output.values, n))
    each = answer.output.values.ndim == 1
    energy, end = _curve(problem, own)
    ends = ended(job, problem, np.stack([own, end]))
    value, error = extrapolated(np.array(values))
    limit = Limit(
        np.array(values),
        value,
        error + _allowed(problem, own, each),
        _mixed(energy, each),
        {name: _mixed(v, each) for name, v in ends.items()},
        problem,
        None,
        pace,
    ).nearest(_mixed(sampling(job, problem, own), each))
    rounding = 64 * user.eps * (pace.told[-1] + 1 / small) * (abs(value) + abs(limit.due))
    limit = replace(limit, error=limit.error + rounding)
    held = {"drifts_linearised_at_the_start": replace(problem, touched=own)}
    if job.noise in ("diagonal", "full"):
        held["noise_of_the_first_place"] = replace(problem, held=own)
        held["all_of_the_first_place"] = replace(problem, held=own, touched=own)
    rest = limit.due - limit.energy
    return limit, {n: rest + _mixed(_curve(p, own)[0], each) for n, p in held.items()}


def _nothing(draw: Draw) -> np.ndarray:
    return np.zeros(draw.shape)


def _mixed(values: np.ndarray, each: bool) -> float:
    """A mean to which each path adds another part, of numbers that are each path's own."""
    weights = np.arange(1.0, len(values) + 1) if each else None
    return float(np.average(values, weights=weights))


def _mean(user: User, values: np.ndarray, n: int) -> float:
    if values.ndim:
        return _mixed(values, True)
    return float(values) / (n if user.job.said["reduction"] == "sum" else 1)


def _curve(
    problem: Problem, start: np.ndarray, lean: float = 0.0, steps: int = STEPS
) -> tuple[np.ndarray, np.ndarray]:
    """½ ∫|u|² dt along each row's curve of P, and where it ends, by a Runge–Kutta scheme; ``lean``
    times Itô's correction is added to the drift.
    """
    t0, t1 = problem.span
    h = (t1 - t0) / steps

    def rates(t: float, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        a, b = problem.drifts(x, t)
        energy = 0.5 * np.sum(solve(problem.matrix(x, t), a - b) ** 2, axis=-1)
        return energy, a + (lean * _corrections(problem, x, t)[0] if lean else 0.0)

    x, total = start, np.zeros(len(start))
    for k in range(steps):
        t = t0 + k * h
        e1, k1 = rates(t, x)
        e2, k2 = rates(t + h / 2, x + h / 2 * k1)
        e3, k3 = rates(t + h / 2, x + h / 2 * k2)
        e4, k4 = rates(t + h, x + h * k3)
        x = x + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        total = total + h / 6 * (e1 + 2 * e2 + 2 * e3 + e4)
    return total, x


def _corrections(problem: Problem, x: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """½ Σ_j (G_j·∇) G_j of each row, and ½ Σ_j G_j·∇ u_j: between both of Itô's and
    Stratonovich's readings.
    """

    def u(x: np.ndarray) -> np.ndarray:
        a, b = problem.drifts(x, t)
        return solve(problem.matrix(x, t), a - b)

    g = problem.matrix(x, t)
    near = NEAR / problem.sort.small
    drift, trace = np.zeros_like(x), np.zeros(len(x))
    for j in range(problem.d):
        step = near * g[..., j]
        here, there = problem.matrix(x + step, t), problem.matrix(x - step, t)
        drift = drift + (here - there)[..., j] / (4 * near)
        trace = trace + (u(x + step) - u(x - step))[..., j] / (4 * near)
    return drift, trace


def _allowed(problem: Problem, start: np.ndarray, each: bool) -> float:
    """What readings of the small noise change: twice Itô's correction along the curve, and once
    that of ∫ u·dW, at the larger of both ends for the whole time.
    """
    plain, end = _curve(problem, start, 0.0, ROUGHLY)
    leaning, _ = _curve(problem, start, 1.0, ROUGHLY)
    t0, t1 = problem.span
    at = [np.abs(_corrections(problem, x, t)[1]) for x, t in ((start, t0), (end, t1))]
    moved = 2 * np.abs(leaning - plain) + (t1 - t0) * np.maximum(*at)
    return _mixed(moved, each)
