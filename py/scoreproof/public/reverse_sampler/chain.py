"""Whole chains of steps with a Gaussian, where every step is affine and its law is read off.

Conventions: ``step(x, t, t_next, noise, model, lam) -> x_next`` with t_next < t; h > 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.claims.reverse_family.checks_gaussian import romberg
from scoreproof.errors import CallableError
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_step
from scoreproof.public.reverse_sampler.places import WIDE, steps_at
from scoreproof.public.reverse_sampler.targets import Diffused, gaussian

__all__ = ["COUNTS", "Chains", "affine_step", "chains", "effect", "order_and_exactness"]

COUNTS = (8, 16, 32)
#: a chain of 32 steps that is off by more is followed on, until its error falls
GROSS, LONGEST = 0.1, 256
#: as much of the law as may change within a step that is not too long: none is asked for shorter
ALLOWED = 0.25
#: a law that is off by more, relative, has diverged: its numbers mean nothing
DIVERGED = 1e6


@dataclass(frozen=True)
class Affine:
    """One step ``x -> slope x + offset + noise z``."""

    slope: np.ndarray
    offset: np.ndarray
    noise: np.ndarray

    def law(self, mean: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The Gaussian law after the step, from the one before it."""
        return (
            self.slope @ mean + self.offset,
            self.slope @ cov @ self.slope.T + self.noise @ self.noise.T,
        )


def affine_step(job: Job, target: Diffused, t: float, t_next: float, lam: float) -> Affine:
    """One batched call: the mean, a standard deviation and unit noise along each axis."""
    d = target.dimension
    mean, cov = target.moments(t)
    spread = np.sqrt(np.diag(cov))
    zero, eye = np.zeros((d, d)), np.eye(d)
    x = mean + np.concatenate([np.zeros((1, d)), eye * spread, zero, -zero])
    z = np.concatenate([np.zeros((1, d)), zero, eye, -eye])
    out = ask_step(job, target, x, z, (t, t_next), lam)
    slope = ((out[1 : d + 1] - out[0]) / np.where(spread > 0, spread, 1.0)[:, None]).T
    plus, minus = out[d + 1 : 2 * d + 1], out[2 * d + 1 :]
    return Affine(slope, out[0] - slope @ mean, (plus - minus).T / 2)


def _defect(job: Job, target: Diffused, t: float, t_next: float, lam: float) -> float:
    """Relative error of the law after one step from p_t exactly."""
    mean, cov = affine_step(job, target, t, t_next, lam).law(*target.moments(t))
    return _off(mean, cov, *target.moments(t_next))


def _off(mean: np.ndarray, cov: np.ndarray, right_mean: np.ndarray, right_cov: np.ndarray) -> float:
    scale = float(np.max(np.abs(right_cov)))
    return (
        float(np.max(np.abs(cov - right_cov))) / scale
        + float(np.max(np.abs(mean - right_mean))) / scale**0.5
    )


def order_and_exactness(
    job: Job, target: Diffused, atom: Diffused, times: list[float]
) -> tuple[float, bool]:
    """The power of h by which the law of one step errs, and whether every step keeps q(x_t | x_0)
    exactly. Four calls for each λ and time.
    """
    eps, orders, exact = job.call.eps, [], True
    for lam in job.lambdas:
        for t in times:
            h = steps_at(target, job.span, t, WIDE, exact=True).widths[0] / 8
            h = min(h, (t - job.span[0]) / 2)
            long, short = (_defect(job, target, t, t - k * h, lam) for k in (1, 0.25))
            orders.append(float(np.log2(long / short) / 2) if short > 512 * eps else np.inf)
            exact = exact and all(
                _defect(job, atom, t, t - k * h, lam) <= 512 * eps for k in (2, 0.5)
            )
    return float(np.median(orders)), exact


@dataclass(frozen=True)
class Chains:
    """Relative errors of the final law by number of steps, for each λ; how far off the worst limit
    is, in words too; the λ whose error does not fall, if there is one; and how many steps the
    shortest chain has that the sampler can take.
    """

    curves: dict[str, tuple[list[float], list[float]]]
    moved: float
    effect: str
    stuck: float | None
    first: int


def chains(job: Job, dimension: int) -> Chains:
    """Chains of 8, 16 and 32 steps over the whole span, from p_T exactly; longer ones while they
    are grossly wrong. 56 calls for each λ, at most 504.

    A step may have no finite answer where it is too long, as √(1 - β h) for β h > 1: then there are
    twice as many, while more than `ALLOWED` of the law changes within one of them.
    """
    target = gaussian(job.process, dimension, job.horizon)
    low, high = job.span
    rates = [2 * abs(target.rate(float(t))) for t in np.linspace(low, high, 33)]
    times = 1
    while True:
        try:
            return _chains(job, target, tuple(n * times for n in COUNTS))
        except CallableError:
            if max(rates) * (high - low) / (COUNTS[0] * times) <= ALLOWED:
                raise
            times *= 2


def _chains(job: Job, target: Diffused, first: tuple[int, ...]) -> Chains:
    low, high = job.span
    curves, effects, stuck = {}, [], None
    for lam in job.lambdas:
        laws, errors, counts = [], [], list(first)
        while counts:
            n = counts.pop(0)
            grid = np.linspace(high, low, n + 1).tolist()
            mean, cov = target.moments(high)
            with np.errstate(all="ignore"):
                for t, t_next in zip(grid[:-1], grid[1:], strict=True):
                    mean, cov = affine_step(job, target, t, t_next, lam).law(mean, cov)
                errors.append(_off(mean, cov, *target.moments(low)))
            laws.append(np.concatenate([mean[:, None], cov], axis=1))
            falls = errors[-1] < 0.9 * max(errors[-2:])
            if not counts and errors[-1] > GROSS and not falls and 2 * n <= LONGEST:
                counts.append(2 * n)
        curves[f"λ = {lam:g}"] = ([float(n) for n in first], errors[: len(first)])
        if not (errors[-1] <= GROSS or errors[-1] < 0.9 * max(errors[-2:])):
            stuck = lam
        with np.errstate(all="ignore"):
            limit = romberg(laws)[-1]
        moved, text = effect(target, lam, low, limit[:, 0], limit[:, 1:])
        effects.append((moved, f"over ever more steps, {text}"))
    return Chains(curves, *max(effects), stuck, first[0])


def effect(
    target: Diffused, lam: float, low: float, mean: np.ndarray, cov: np.ndarray
) -> tuple[float, str]:
    """Relative error of a final Gaussian law, and the clause that reports it."""
    right_mean, right_cov = target.moments(low)
    with np.errstate(all="ignore"):
        moved = _off(mean, cov, right_mean, right_cov)
    if not moved < DIVERGED:
        how = "diverges" if np.isfinite(moved) else f"blows up before t = {low:.3g}"
        return (
            moved if np.isfinite(moved) else 1e300,
            f"with λ = {lam:g} a Gaussian started exactly right {how}",
        )
    return (
        moved,
        f"with λ = {lam:g} a Gaussian started exactly right ends at t = {low:.3g} with variance"
        f" {float(cov[0, 0]):.3g} where {float(right_cov[0, 0]):.3g} is right (mean"
        f" {float(mean[0]):.3g}, right {float(right_mean[0]):.3g})",
    )
