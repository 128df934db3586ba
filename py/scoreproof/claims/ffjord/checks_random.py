"""A smoke test by random ν, as people run it: Rademacher and Gaussian.

Conventions: a test of one mean against one known vector, normal approximation, Bonferroni over the
components.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from statistics import NormalDist
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.checks_float import UNBIASED, Closed
from scoreproof.claims.ffjord.solver import Prepared, path_of, prepare, solve
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.adjoint import Grid
from scoreproof.objects.fields import LogisticField
from scoreproof.objects.latents import GaussianLatent

__all__ = ["LEVEL", "POWERLESS", "mean_test", "random_nu"]

LEVEL = 1e-6
#: a test of means that would miss a shift of this size decides nothing by not rejecting
POWERLESS = 0.1


def mean_test(samples: np.ndarray, expected: np.ndarray, accuracy: float) -> tuple[float, float]:
    """``(p, detectable)``: is the mean of the rows ``expected``? ``detectable`` is the shift, in
    units of the largest entry of ``expected``, that is seen with probability 0.99 in the component
    where the test is sharpest. ``accuracy``: the relative error that is not noise (of a solver, of
    rounding); it widens every spread.
    """
    n, k = samples.shape
    floor = accuracy * (1 + np.abs(expected))
    spread = np.sqrt(samples.var(axis=0, ddof=1) / n) + floor
    worst = float(np.max(np.abs(samples.mean(axis=0) - expected) / spread))
    critical = float(-NormalDist().inv_cdf(LEVEL / (2 * k)))
    detectable = float(np.min(spread)) * (critical + 2.33) / float(np.max(np.abs(expected)))
    return min(1.0, k * math.erfc(worst / math.sqrt(2))), detectable


@dataclass(frozen=True)
class Sampled:
    closed: Closed
    law: str
    count: int
    prepared: Prepared


def _slanted(d: int) -> Closed:
    """A problem whose faults stand above the noise of ν for every seed: J far from symmetric, the
    latent mean far from z(0), and a path whose two halves differ.
    """
    index = np.arange(d)
    basis = np.eye(d) + 1.5 * np.triu(np.ones((d, d)), 1)
    field = LogisticField(basis, np.linalg.inv(basis), 0.4)
    theta = np.concatenate([0.9 + 0.9 * index / d, 1.6 + 1.2 * index / d])
    x = (theta[d:] * (0.85 - 0.2 * index / d)) @ basis.T
    mean = field.flow(x, theta, 1.0, 0.0) + 6 * (-1.0) ** index
    return Closed(field, theta, GaussianLatent(mean, 0.3 + np.eye(d)), x[None])


def _sampled(law: str, d: int, count: int, rng: np.random.Generator) -> Sampled:
    c = _slanted(d)
    path = path_of(c.field, c.theta, c.x, Grid(1, 5))  # truncation about 1e-6, far below the noise
    return Sampled(c, law, count, prepare(c.field, c.theta, path))


def _instances(profile: str) -> tuple[Instance, ...]:
    d, count = {"faults": (2, 400), "quick": (2, 400), "default": (4, 20000), "deep": (8, 200000)}[
        profile
    ]
    laws = ("Rademacher",) if profile == "faults" else ("Rademacher", "Gaussian")
    return tuple(
        Instance(f"{law} ν, D = {d}, {count} draws", partial(_sampled, law, d, count))
        for law in laws
    )


@check(
    kind="statistical",
    instances=_instances,
    blind={"fresh_nu": UNBIASED, "trace_in_adjoint": UNBIASED},
)
def random_nu(subject: Any, problem: Sampled, rng: np.random.Generator) -> Evidence:
    """Draws Rademacher and Gaussian ν and tests whether the means of log p̂ and b(1) are log p(x)
    and its gradient (closed-form flow), at a false-alarm rate of 1e-6. A smoke test: about eleven
    digits weaker than the exact expectation over designs.
    """
    c, shape = problem.closed, (2, problem.count, problem.closed.field.dimension)
    nu, fresh = (
        rng.choice([-1.0, 1.0], shape)
        if problem.law == "Rademacher"
        else rng.standard_normal(shape)
    )
    found = solve(subject, c.latent, problem.prepared, nu, fresh)
    value, gradient = c.gradient()
    p_value, detectable = mean_test(
        np.column_stack([found.value, found.b]), np.append(value, gradient), 1e-5
    )
    return Evidence.statistical(
        p_value,
        LEVEL,
        f"0.99 against a shift of {100 * detectable:.2g} % of the gradient",
        f"the mean over {problem.count} {problem.law} draws of ν",
        cost={"samples": problem.count},
    )
