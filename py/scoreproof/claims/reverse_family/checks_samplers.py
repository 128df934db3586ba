"""Two samplers: the DDIM step, whose small-step limit derives the family a second time, and
particles as a smoke test.

Conventions: DDIM's η and λ = 1 - η²; x_t = α x_0 + σ ε; the step goes from t to t' < t.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.checks_flow import EPS
from scoreproof.claims.reverse_family.checks_identity import ALL, floating_process
from scoreproof.claims.reverse_family.processes import Floating
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics import functions as fn
from scoreproof.numerics.jets import Jet

__all__ = ["ddim_limit", "ddim_step", "particles"]


def ddim_step(
    x: Any, score: Any, before: tuple[Any, Any], after: tuple[Any, Any], eta2: Any
) -> tuple[Any, Any]:
    """Mean and variance of a DDIM step from ``before`` = (α, σ²) to ``after``, given the score at
    x: any arithmetic.

    Both predictions come from the score; the noise variance is η² (σ'²/σ²)(σ² - (α/α')² σ'²).
    """
    (alpha, var), (alpha_, var_) = before, after
    x0, noise = (x + var * score) / alpha, -(score * fn.sqrt(var))
    ratio = alpha / alpha_
    spread = (var_ / var) * (var - ratio * ratio * var_) * eta2
    return alpha_ * x0 + fn.sqrt(var_ - spread) * noise, spread


@dataclass(frozen=True)
class Steps:
    process: Floating
    x: np.ndarray
    times: tuple[float, ...]
    lambdas: tuple[float, ...]


def _steps(profile: str, rng: np.random.Generator) -> Steps:
    count, lambdas = {"faults": (16, (-3.0, 0.4)), "quick": (64, (-3.0, -0.5, 0.0, 0.4, 1.0))}.get(
        profile, (2000, (-3.0, -1.5, -0.5, 0.0, 0.4, 0.9, 1.0))
    )
    return Steps(floating_process(rng), rng.uniform(-2.5, 2.5, count), (0.2, 0.45, 0.8), lambdas)


def _step_cases(profile: str) -> tuple[Instance, ...]:
    return (Instance("mixture of three", partial(_steps, profile)),)


@check(kind="float", instances=_step_cases, probes=ALL)
def ddim_limit(subject: Any, steps: Steps, rng: Any) -> Evidence:
    """Derives drift and noise a second way, from the sampler: a DDIM-η step keeps q(x_t | x_0)
    exactly, and its mean and variance, differentiated in the target time by power series, must be
    the drift and minus the squared diffusion at λ = 1 - η².
    """
    process, error = steps.process, 0.0
    for t in steps.times:
        before, later = (process.alpha(t), process.noise_variance(t)), Jet.variable(t, 1)
        score, g2 = process.score(steps.x, t), process.diffusion(t) ** 2
        for lam in steps.lambdas:
            mean, spread = ddim_step(
                steps.x,
                score,
                before,
                (process.alpha(later), process.noise_variance(later)),
                1 - lam,
            )
            b, c2 = subject(process, steps.x, t, lam)
            # the terms of the derivative: x0's two times α'/α, and the noise's; x0's second cancels
            # against the noise's
            terms = np.abs(process.drift(steps.x, t)) + (
                abs(1 - lam / 2) * g2 + 2 * abs(process.rate(t)) * before[1]
            ) * np.abs(score)
            error = max(
                error,
                float(np.max(np.abs(mean.derivative(1) - b) / terms)),
                float(np.max(np.abs(spread.derivative(1) + c2) / ((1 + abs(lam)) * g2))),
            )
    # each term passes through some sixteen roundings; σ² enters divided by itself, so nothing is
    # amplified
    sentence = (
        f"the small-step limit of DDIM at {steps.x.size} points, {len(steps.times)} times and"
        f" {len(steps.lambdas)} values of λ"
    )
    return Evidence.measured(
        error,
        16 * EPS,
        sentence,
        cost={"evaluations": steps.x.size * len(steps.times) * len(steps.lambdas)},
    )


# -- Monte Carlo, as a smoke test ------------------------------------------------------------------

LEVEL = 1e-6


@dataclass(frozen=True)
class Particles:
    process: Floating
    lam: float
    count: int
    steps: int


def _two_humps(lam: float, count: int, steps: int, rng: np.random.Generator) -> Particles:
    """Narrow humps against the noise, g far from constant: the reverse process must shrink the law
    a lot, so that faults show.
    """
    return Particles(
        Floating((0.45, 0.55), (-1.2, 1.1), (0.12, 0.2), (0.5, 0.5), (0.4, 6.0), 1.0),
        lam,
        count,
        steps,
    )


def _particle_cases(profile: str) -> tuple[Instance, ...]:
    count, steps, lambdas = {
        "default": (50000, 40, (-2.0, 0.4)),
        "deep": (1000000, 100, (-2.0, -0.5, 0.4)),
    }.get(profile, (20000, 12, (-2.0,)))
    return tuple(
        Instance(f"{count} particles, λ = {lam:g}", partial(_two_humps, lam, count, steps))
        for lam in lambdas
    )


@check(
    kind="statistical",
    instances=_particle_cases,
    blind={
        "g_of_reversed_time": (
            "it moves the distribution function by 0.002 at most; at this false-alarm rate 20000"
            " particles (of the profile in which faults are judged) see 0.019, 50000 see 0.012 and"
            " 1000000 see 0.0027"
        )
    },
)
def particles(subject: Any, cloud: Particles, rng: np.random.Generator) -> Evidence:
    """Smoke test only: runs particles from p_T down by Heun steps (Euler would be visibly biased)
    and compares their distribution function with the closed form by a Kolmogorov–Smirnov test. It
    sees gross faults; a coefficient off by 2 % needs 1e5 particles.
    """
    from scipy.special import (
        kolmogi,
        kolmogorov,
    )  # the limit law of √n times the distance; exact enough from n = 1000

    process, n = cloud.process, cloud.count
    start, end = 0.9, 0.2
    # the score steepens as t falls: steps proportional to where they are, roughly
    times = end + (start - end) * (1 - np.arange(cloud.steps + 1) / cloud.steps) ** 1.5
    component = rng.choice(len(process.weights), size=n, p=np.array(process.weights))
    grid = np.linspace(
        -12, 12, 3001
    )  # the drift is tabulated: linear interpolation errs by 1e-3, far below what particles see

    def drift(y: np.ndarray, t: float) -> np.ndarray:
        table = np.nan_to_num(subject(process, grid, t, cloud.lam)[0])
        place = (np.clip(y, -12, 11.999) + 12) * 125
        index = place.astype(int)
        return table[index] + (place - index) * np.diff(table)[index]

    def noise2(t: float) -> float:
        return float(np.ravel(subject(process, grid[:1], t, cloud.lam)[1])[0])

    parts = np.array([(m, v) for _, m, v in process.components(start)])[component]
    x = parts[:, 0] + np.sqrt(parts[:, 1]) * rng.standard_normal(n)
    with np.errstate(all="ignore"):
        for t, later in zip(times[:-1].tolist(), times[1:].tolist(), strict=True):
            h = t - later
            b = drift(x, t)
            kick = np.sqrt(max((noise2(t) + noise2(later)) / 2, 0.0) * h) * rng.standard_normal(n)
            x = np.clip(x - h / 2 * (b + drift(x - h * b + kick, later)) + kick, -12, 12)
    u = np.sort(np.nan_to_num(process.distribution(x, end), nan=1.0))
    steps_up = np.arange(n + 1) / n
    distance = float(max(np.max(steps_up[1:] - u), np.max(u - steps_up[:-1])))
    seen = float(kolmogi(LEVEL)) / n**0.5
    # by the triangle inequality: an empirical distribution strays from its own law by more than
    # kolmogi(0.1)/√n with probability 0.1
    power = (
        "90 % for laws whose distribution functions differ by"
        f" {seen + float(kolmogi(0.1)) / n**0.5:.3f}"
    )
    return Evidence.statistical(
        float(kolmogorov(n**0.5 * distance)),
        LEVEL,
        power,
        f"{n} particles, Heun with {cloud.steps} steps, λ = {cloud.lam:g}: "
        f"Kolmogorov distance {distance:.3f}",
        cost={"particles": n, "steps": cloud.steps},
    )
