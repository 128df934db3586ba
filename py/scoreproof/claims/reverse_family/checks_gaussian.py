"""Gaussian marginals: the moment equations of the reverse SDE, and the law of a chain of Euler
steps without sampling.

Conventions: as in `gaussian`; λ is never 0 or 1 at the lowest profile.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.checks_flow import EPS, OVERFLOW, ladder
from scoreproof.claims.reverse_family.gaussian import Rotating, read_off, reverse_moments, rotating
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence

__all__ = ["euler_chain", "gaussian_moments", "romberg"]


@dataclass(frozen=True)
class Case:
    process: Rotating
    lam: float
    start: float
    end: float
    steps: tuple[int, ...]


def _case(
    dimension: int, lam: float, steps: tuple[int, ...], point_mass: bool, rng: np.random.Generator
) -> Case:
    return Case(
        rotating(dimension, rng, point_mass=point_mass), lam, 0.9, 0.3 if point_mass else 0.1, steps
    )


def _moment_cases(profile: str) -> tuple[Instance, ...]:
    cases = {
        "faults": ((2, -0.5, (4, 8)),),
        "quick": ((2, -0.5, (4, 8)), (3, 0.4, (4, 8))),
        "default": tuple((d, lam, (8, 16)) for d in (2, 8) for lam in (-3.0, -0.5, 0.4, 1.0)),
        "deep": tuple(
            (d, lam, (16, 32)) for d in (2, 8, 60) for lam in (-3.0, -1.5, -0.5, 0.0, 0.4, 1.0)
        ),
    }[profile]
    return tuple(
        Instance(f"d = {d}, λ = {lam:g}", partial(_case, d, lam, steps, False))
        for d, lam, steps in cases
    )


@check(kind="convergent", instances=_moment_cases, probes=("score", "noise"))
def gaussian_moments(subject: Any, case: Case, rng: Any) -> Evidence:
    """For a Gaussian start and a linear drift with a full, non-symmetric matrix the reverse drift
    is affine: it is read off at the origin and the unit vectors, the equations of mean and
    covariance are integrated backward (Gauss collocation of order 8), and the result is compared
    with the closed form.
    """
    process = case.process
    begin, (mean, cov) = process.moments(case.start), process.moments(case.end)
    exact = np.concatenate([mean[:, None], cov], axis=1)
    found = [
        reverse_moments(subject, process, case.lam, case.start, case.end, n, begin).packed
        for n in case.steps
    ]
    # each step multiplies d×d matrices; the score is a solve with p_t's covariance
    floor = 16 * EPS * process.dimension * float(np.linalg.cond(cov))
    return ladder(
        found,
        exact,
        float(np.max(np.abs(exact))),
        floor,
        8,
        f"mean and covariance at t = {case.end} in d = {process.dimension} with λ = {case.lam:g}",
        cost={"evaluations": 4 * sum(case.steps)},
    )


def romberg(results: list[np.ndarray]) -> list[np.ndarray]:
    """Richardson extrapolation in 1, h, h², … of results at steps h, h/2, h/4, …: the best value
    from the first k of them, each k.
    """
    row, best = [results[0]], [results[0]]
    for result in results[1:]:
        new = [result]
        for k, old in enumerate(row, start=1):
            new.append(new[-1] + (new[-1] - old) / (2**k - 1))
        row = new
        best.append(row[-1])
    return best


def _chain_cases(profile: str) -> tuple[Instance, ...]:
    levels = {"faults": 5, "quick": 6, "default": 8, "deep": 10}[profile]
    steps = tuple(4 * 2**k for k in range(levels))
    lambdas = {
        "faults": (-0.5,),
        "quick": (-0.5,),
        "default": (-0.5, 0.4),
        "deep": (-3.0, -0.5, 0.4, 1.0),
    }[profile]
    priors = (False,) if profile == "faults" else (False, True)
    return tuple(
        Instance(
            f"{'point mass' if atom else 'Gaussian'}, λ = {lam:g}",
            partial(_case, 2, lam, steps, atom),
        )
        for atom in priors
        for lam in lambdas
    )


@check(kind="convergent", instances=_chain_cases, probes=("score",))
def euler_chain(subject: Any, case: Case, rng: Any) -> Evidence:
    """Runs the Euler–Maruyama sampler on the law instead of on samples: with a Gaussian or
    point-mass prior each step is affine plus noise, so mean and covariance of the whole chain are
    exact; they must converge to the marginal with order 1, and Richardson extrapolation over the
    numbers of steps must reach it.
    """
    process = case.process
    start_mean, start_cov = process.moments(case.start)
    mean, cov = process.moments(case.end)
    exact = np.concatenate([mean[:, None], cov], axis=1)
    results = []
    for n in case.steps:
        h, m, v = (case.start - case.end) / n, start_mean, start_cov
        for i in range(n):
            slope, offset, c2 = read_off(
                subject, process, case.start - i * h, case.lam, process.dimension
            )
            step = np.eye(process.dimension) - h * slope
            m, v = step @ m - h * offset, step @ v @ step.T + c2 * h * np.eye(process.dimension)
        results.append(np.concatenate([m[:, None], v], axis=1))
    best = romberg(results)
    scale = float(np.max(np.abs(exact)))
    raw = [float(np.max(np.abs(r - exact))) / scale for r in results[-2:]]
    order = float(np.log2(raw[0] / raw[1])) if 0 < raw[1] < raw[0] < OVERFLOW else 0.0
    error = float(np.max(np.abs(best[-1] - exact))) / scale
    change = float(np.max(np.abs(best[-1] - best[-2]))) / scale
    # extrapolation multiplies the rounding of the chains (a few ulp a step) by less than 9
    bound = min(change + 9 * 8 * EPS * case.steps[-1], 1e-3)
    return Evidence.convergent(
        [*raw, error if np.isfinite(error) else OVERFLOW],
        order,
        1,
        bound,
        f"mean and covariance of {case.steps[-1]} Euler steps, extrapolated, with λ = {case.lam:g};"
        f" observed order {order:.2f}",
        order_slack=0.4,
        cost={"evaluations": sum(case.steps)},
    )
