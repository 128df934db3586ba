"""Judging a one-step sampler without Monte Carlo: inject points and noise, read off the mean map
and the noise, refine the step.

Conventions: ``step(x, t, t_next, noise, model, lam) -> x_next`` with t_next < t; h = t - t_next >
0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.checks_gaussian import romberg
from scoreproof.claims.reverse_family.statement import truth
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.targets import Diffused, exact_model, gaussian, mixture
from scoreproof.public.reverse_sampler.words import (
    VACUOUS,
    describe_effect,
    explain_deviation,
    member_note,
    percent,
    velocity_error,
)
from scoreproof.streams import stream

__all__ = ["Read", "judge_step", "read_step"]

TIMES, LEVELS, CHAINS, ROWS = 3, 6, (8, 16, 32), 8
#: an extrapolation that still moves by more than this part of the velocity has not settled: it
#: acquits no one
LOOSEST = 1e-3


@dataclass(frozen=True)
class Read:
    """One step, read off: images of the ``points`` without noise, the noise matrix, and whether all
    is affine (relative defect).
    """

    points: np.ndarray
    images: np.ndarray
    noise: np.ndarray
    bend: float
    bend_in_noise: float

    @property
    def affine(self) -> tuple[np.ndarray, np.ndarray]:
        """``(A, c)`` with x -> A x + c, from the images of the centre and of one shift along each
        axis.
        """
        d = self.noise.shape[0]
        a = (
            (self.images[1 : d + 1] - self.images[0])
            / (self.points[1 : d + 1] - self.points[0]).diagonal()[:, None]
        ).T
        return a, self.images[0] - a @ self.points[0]

    def law(self, mean: np.ndarray, cov: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """The Gaussian law after the step, from the one before it."""
        a, c = self.affine
        return a @ mean + c, a @ cov @ a.T + self.noise @ self.noise.T


def read_step(job: Job, target: Diffused, t: float, t_next: float, lam: float) -> Read:
    """One batched call: the centre, ± a standard deviation along each axis, unit noise along each
    axis, and rows far out and with both.
    """
    d, eye = job.dimension, np.eye(job.dimension)
    mean, cov = target.moments(t)
    spread = np.sqrt(np.diag(cov))
    points = mean + np.concatenate([np.zeros((1, d)), eye, -eye]) * spread
    # the last rows test that the map is affine: between the others, and where a clip would act
    shifts, noises = np.array([0.5, 5.0, -5.0, 0.0, 0.0]), np.array([0.25, 0.0, 0.0, 3.0, -3.0])
    x = np.concatenate([points, np.repeat(mean[None], d, axis=0), mean + shifts[:, None] * spread])
    z = np.concatenate([np.zeros_like(points), eye, np.repeat(noises[:, None], d, axis=1)])
    out = job.call(
        x, t, t_next, z, exact_model(target, job.prediction), *job.last(lam), shape=x.shape
    )
    if np.iscomplexobj(out):
        raise CallableError(
            "sampler",
            "return real numbers",
            "it returned complex ones",
            "check the square root of 1 - λ",
        )
    k = len(points)
    images, noise = out[:k], (out[k : k + d] - out[0]).T
    predicted = (
        out[0]
        + shifts[:, None] * (out[1 : d + 1] - out[0]).sum(axis=0)
        + noises[:, None] * noise.sum(axis=1)
    )
    # a map that is affine goes through the middle of ± images as well
    off, size = np.abs(out[-len(shifts) :] - predicted), float(np.max(np.abs(out)) + np.max(spread))
    bend = max(
        float(np.max(off)), float(np.max(np.abs(out[1 : d + 1] + out[d + 1 : k] - 2 * out[0])))
    )
    return Read(points, images, noise, bend / size, float(np.max(off[3:])) / size)


def _defect(target: Diffused, read: Read, t: float, t_next: float) -> float:
    """Relative error of the law after one step from p_t exactly."""
    mean, cov = read.law(*target.moments(t))
    right_mean, right_cov = target.moments(t_next)
    scale = float(np.max(np.abs(right_cov)))
    return (
        float(np.max(np.abs(cov - right_cov))) / scale
        + float(np.max(np.abs(mean - right_mean))) / scale**0.5
    )


@dataclass(frozen=True)
class Limit:
    """Drift and squared noise as the step goes to zero, with what extrapolation and rounding leave
    open.
    """

    b: np.ndarray
    c2: float
    rounding: float
    change: float
    order: float
    exact: bool
    affine: bool
    affine_in_noise: bool
    shortest: float


def _rate(target: Diffused, t: float) -> float:
    """The coefficient of x in the forward drift."""
    one = np.ones((1, target.dimension))
    return float((target.drift(one, t) - target.drift(0 * one, t))[0, 0])


def _widths(job: Job, target: Diffused, t: float) -> list[float]:
    longest = (t - job.times[0] * 0.5) / 2
    # the widest step lets the law change by a quarter: beyond, the expansion in h that is
    # extrapolated means little
    pace = abs(float(_rate(target, t))) + target.diffusion(t) ** 2 / float(
        np.min(np.diag(target.moments(t)[1]))
    )
    return [min(longest / 2, 0.25 / pace) / 2**k for k in range(LEVELS)]


def _settled(
    slopes: list[np.ndarray],
    squares: list[np.ndarray],
    widths: list[float],
    eps: float,
    reach: float,
) -> tuple[int, list[float], list[float]]:
    """Which level of the extrapolation to take, and for each what rounding and what the last level
    leave open.
    """
    # rounding of x and of the noise, some sixteen operations, divided by h, times the
    # extrapolation's weights (< 9); what the last level of the extrapolation changed bounds what
    # the next would: the level is taken where the two together are least
    rounding = [9 * 16 * eps * (reach + 1) / h for h in widths]
    change = [
        np.inf,
        *(
            float(np.max(np.abs(b - a)) + np.max(np.abs(d - c)))
            for a, b, c, d in zip(slopes[:-1], slopes[1:], squares[:-1], squares[1:], strict=True)
        ),
    ]
    return int(np.argmin(np.add(rounding, change))), rounding, change


def _against_mixture(
    job: Job, lam: float
) -> tuple[tuple[np.ndarray, float, float], float, float, float]:
    """A place, how far the velocity that the step tends to there is off when the model is a
    mixture's, its bound, and the unsettled part of that.

    Six calls. A step that is right for Gaussians only (a linearised score, say) is wrong here.
    """
    target, d, t = (
        mixture(job.process, job.dimension, job.horizon),
        job.dimension,
        sum(job.times) / 2,
    )
    mean, cov = target.moments(t)
    x = mean + np.sqrt(np.diag(cov)) * stream(job.seed, "check_reverse_sampler", "mixture").uniform(
        -2, 2, (ROWS, d)
    )
    widths, n, slopes, squares = _widths(job, target, t), ROWS, [], []
    z = np.concatenate(
        [
            np.zeros((n, d)),
            *(
                sign * np.repeat(np.eye(d)[i : i + 1], n, axis=0)
                for i in range(d)
                for sign in (1, -1)
            ),
        ]
    )
    for h in widths:
        points = np.tile(x, (2 * d + 1, 1))
        out = job.call(
            points,
            t,
            t - h,
            z,
            exact_model(target, job.prediction),
            *job.last(lam),
            shape=points.shape,
        ).reshape(2 * d + 1, n, d)
        slopes.append((x - out[0]) / h)
        # odd in the noise: what a nonlinear step mixes in is even, and of higher order in h
        squares.append(
            np.atleast_1d(
                np.mean(np.sum(((out[1::2] - out[2::2]) / 2) ** 2, axis=2).sum(axis=0)) / d / h
            )
        )
    slopes, squares = romberg(slopes), romberg(squares)
    best, rounding, change = _settled(
        slopes, squares, widths, job.call.eps, float(np.max(np.abs(x)))
    )
    found = (slopes[best], float(squares[best][0]))
    deviation, size, _ = velocity_error(target, x, t, found, lam)
    k = int(np.argmax(deviation / size))
    weight = (1 + float(np.max(np.abs(target.score(x, t))))) / float(size[k])
    return (
        (x, t, lam),
        float(deviation[k] / size[k]),
        (rounding[best] + 4 * change[best]) * weight,
        4 * change[best] * weight,
    )


def _noise_variance(job: Job, target: Diffused, t: float, h: float, lam: float) -> float:
    """Variance of what the step makes of standard normal noise, over that of a step that is linear
    in it through z = 1. One call.
    """
    z = np.linspace(-7, 7, 1401)
    weight = np.exp(-z * z / 2) / np.sqrt(2 * np.pi) * (z[1] - z[0])
    d = job.dimension
    rows = np.zeros((len(z), d))
    rows[:, 0] = z
    x = np.repeat(target.moments(t)[0][None], len(z), axis=0)
    out = job.call(
        x, t, t - h, rows, exact_model(target, job.prediction), *job.last(lam), shape=x.shape
    )[:, 0]
    unit = float(out[np.argmin(np.abs(z - 1))] - out[len(z) // 2])
    mean = float(weight @ out)
    return float(weight @ (out - mean) ** 2) / unit**2 if unit else np.inf


def _limit(
    job: Job, target: Diffused, atom: Diffused, t: float, lam: float
) -> tuple[np.ndarray, Limit]:
    longest = (t - job.times[0] * 0.5) / 2
    widths = _widths(job, target, t)
    reads = [read_step(job, target, t, t - h, lam) for h in widths]
    x = reads[0].points
    slopes = romberg([(x - r.images) / h for r, h in zip(reads, widths, strict=True)])
    squares = romberg(
        [
            np.atleast_1d(np.trace(r.noise @ r.noise.T) / job.dimension / h)
            for r, h in zip(reads, widths, strict=True)
        ]
    )
    eps = job.call.eps
    best, rounding, change = _settled(slopes, squares, widths, eps, float(np.max(np.abs(x))))
    defects = [_defect(target, r, t, t - h) for r, h in zip(reads, widths, strict=True)]
    order = float(np.log2(defects[1] / defects[3]) / 2) if defects[3] > 512 * eps else np.inf
    exact = (
        max(
            _defect(atom, read_step(job, atom, t, t - h, lam), t, t - h)
            for h in (longest, widths[1])
        )
        <= 512 * eps
    )
    return x, Limit(
        slopes[best],
        float(squares[best][0]),
        rounding[best],
        4 * change[best],
        order,
        exact,
        max(r.bend for r in reads) <= 512 * eps,
        max(r.bend_in_noise for r in reads) <= 512 * eps,
        widths[-1],
    )


def _moves_moments(
    target: Diffused, place: tuple[np.ndarray, float, float], found: tuple[np.ndarray, float]
) -> float:
    """The part of the deviation that changes mean or covariance, in units of the velocity: 0 for a
    rotation that keeps the Gaussian.
    """
    x, t, lam = place
    d = target.dimension
    right = truth(target, x, t, lam)
    off = found[0] - right[0]
    spread = (x[1 : d + 1] - x[0]).diagonal()
    slope = (off[1 : d + 1] - off[0]).T / spread
    cov = target.moments(t)[1]
    change = slope @ cov + cov @ slope.T - (found[1] - float(np.ravel(right[1])[0])) * np.eye(d)
    return float(np.max(np.abs(change)) / np.max(spread) + np.max(np.abs(off[0])))


def _insist_on_given_noise(job: Job, target: Diffused) -> None:
    """Two equal calls must agree: a step that draws its own noise cannot be read off."""
    high, low = job.times[1], (job.times[0] + job.times[1]) / 2
    first, second = (read_step(job, target, high, low, job.lambdas[0]) for _ in range(2))
    if not (
        np.array_equal(first.images, second.images) and np.array_equal(first.noise, second.noise)
    ):
        raise CallableError(
            "sampler",
            "use the noise it is given",
            "two calls with the same arguments differ",
            "draw no noise inside: take it as an argument",
        )


def judge_step(job: Job) -> Evidence:
    """The evidence for a one-step sampler: 3·(6 + 2) + 6 + 8 + 16 + 32 = 86 calls for each λ, and 2
    to see that it is deterministic.
    """
    target = gaussian(job.process, job.dimension, job.horizon)
    atom = gaussian(job.process, job.dimension, job.horizon, point_mass=True)
    _insist_on_given_noise(job, target)
    places, limits = [], []
    for lam in job.lambdas:
        for t in np.linspace(
            job.times[0] + (job.times[1] - job.times[0]) / 4, job.times[1], TIMES
        ).tolist():
            x, limit = _limit(job, target, atom, t, lam)
            places.append((x, t, lam))
            limits.append(limit)
    found = [(limit.b, limit.c2) for limit in limits]
    worst, settled, widest = (-1.0, 0.0, 0.0, 0), True, 0.0
    for i, (x, t, lam) in enumerate(places):
        deviation, size, _ = velocity_error(target, x, t, found[i], lam)
        k = int(np.argmax(deviation / size))
        # c² enters the velocity with c²/2 s: what is open in it counts with the score
        weight = (1 + float(np.max(np.abs(target.score(x, t))))) / float(size[k])
        bound, settled = (
            (limits[i].rounding + limits[i].change) * weight,
            settled and limits[i].change * weight <= LOOSEST,
        )
        value, widest = float(deviation[k] / size[k]), max(widest, bound)
        worst = max(worst, (value / bound, value, bound, i))
    _, value, bound, where = worst
    curves, effects = _chains(job, target)
    affine, order = all(m.affine for m in limits), float(np.median([m.order for m in limits]))
    notes: tuple[str, ...] = ()
    if all(m.exact for m in limits):
        notes += (
            (
                "From a point mass every step, long or short, keeps q(x_t | x_0) exactly, as"
                " DDIM's do."
            ),
        )
    if not affine:
        notes += (
            (
                "With a Gaussian prior and the exact model the step is not affine in x and noise"
                " (clipping, or a nonlinear solver)."
            ),
        )
    more: dict[str, Any] = {
        "kind": "convergent",
        "curves": curves,
        "labels": ("steps", "relative error of the final law"),
        "cost": {"calls": job.call.calls},
    }
    kept = (
        f"the law of one step errs by h^{order:.1f}"
        if np.isfinite(order)
        else "the law of one step is exact"
    )
    lams = ", ".join(f"{lam:g}" for lam in job.lambdas)
    if value <= bound and not settled:
        sentence = (
            f"what the step tends to settles to {bound:.2g} of the velocity only as it is refined:"
            " it must be smooth in t and t_next to be judged"
        )
        return Evidence.undecided(
            "convergent", sentence, notes=notes, **{k: v for k, v in more.items() if k != "kind"}
        )
    if value <= bound and widest > VACUOUS:
        sentence = (
            f"no error is seen, but in this precision the velocity is known to {percent(widest)}"
            " only: use float64, or a larger t_min"
        )
        return Evidence.undecided(
            "convergent", sentence, notes=notes, **{k: v for k, v in more.items() if k != "kind"}
        )
    if value <= bound and not affine:
        return _bent(job, target, places, limits, notes, more)
    if value > bound:
        return _refuted(job, target, places, found, limits, worst, effects, notes, more)
    return _beyond_gaussians(
        job,
        value,
        bound,
        f"(λ = {lams}); {kept}",
        (*notes, *member_note(target, places, found, 1e-4 + 10 * bound)),
        more,
    )


def _bent(
    job: Job,
    target: Diffused,
    places: list[Any],
    limits: list[Limit],
    notes: tuple[str, ...],
    more: dict[str, Any],
) -> Evidence:
    """A step that is right near the mean and for small noise, but not affine: noise of a wrong
    variance refutes it, the rest is open.
    """
    bent = [(p, m) for p, m in zip(places, limits, strict=True) if not m.affine_in_noise]
    where = "in x or in its noise" if bent else "in x"
    if bent:
        (_, t, lam), limit = bent[0]
        ratio = _noise_variance(job, target, t, limit.shortest, lam)
        more = {**more, "cost": {"calls": job.call.calls}}
        # over many short steps only the variance of the noise counts; the rule's own error at a
        # kink is below 1e-4
        if abs(ratio - 1) > 1e-3 and np.isfinite(ratio):
            sentence = (
                "the step is not affine in its noise (it clips it, or bends otherwise): at λ ="
                f" {lam:g}, t = {t:.3g} standard normal draws come out with {ratio:.3g} of the"
                " variance that a unit of noise has, so the marginals are wrong however short the"
                " steps"
            )
            return Evidence.measured(abs(ratio - 1), 1e-3, sentence, notes=notes, **more)
    sentence = (
        f"the step is not affine {where} although the exact model is: it clips (far from the mean,"
        " say), or bends otherwise, and what that does to a law is not seen"
    )
    return Evidence.undecided(
        "convergent", sentence, notes=notes, **{k: v for k, v in more.items() if k != "kind"}
    )


def _beyond_gaussians(
    job: Job, value: float, bound: float, rest: str, notes: tuple[str, ...], more: dict[str, Any]
) -> Evidence:
    """What holds for a Gaussian prior, read against a mixture."""
    read = [_against_mixture(job, lam) for lam in job.lambdas]
    more = {**more, "cost": {"calls": job.call.calls}}
    place, off, allowed, _ = max(read, key=lambda r: r[1] / r[2])
    said = (
        f"at λ = {place[2]:g}, t = {place[1]:.3g} the velocity that the step tends to is right for"
        f" a Gaussian prior but off by {percent(off)} for a mixture of two"
    )
    open_ = Evidence.undecided(
        "convergent", said, notes=notes, **{k: v for k, v in more.items() if k != "kind"}
    )
    if off > allowed and job.dimension > 1:
        return replace(
            open_,
            sentence=(
                f"{said}; in {job.dimension} dimensions that may be a rotation which keeps the law:"
                " use dimension=1"
            ),
        )
    if off > allowed:
        return Evidence.measured(off, allowed, said, notes=notes, **more)
    loose = max(max(r[3] / LOOSEST, r[2] / VACUOUS) for r in read)
    if loose > 1:
        return replace(
            open_,
            sentence=(
                f"right for a Gaussian prior {rest}; for a mixture what the step tends to does not"
                " settle well enough to be judged"
            ),
        )
    sentence = (
        "as the step goes to zero its drift and noise keep the marginals, of a Gaussian and of a"
        f" mixture of two {rest}"
    )
    return Evidence.measured(value, bound, sentence, notes=notes, **more)


def _refuted(
    job: Job,
    target: Diffused,
    places: list[Any],
    found: list[Any],
    limits: list[Limit],
    worst: tuple[float, float, float, int],
    effects: list[tuple[float, str]],
    notes: tuple[str, ...],
    more: dict[str, Any],
) -> Evidence:
    """A velocity beyond its bound: refuted, unless it may be a rotation."""
    _, value, bound, where = worst
    affine = all(m.affine for m in limits)
    _, t, lam = places[where]
    still = [
        _moves_moments(target, p, f) <= 100 * (m.rounding + m.change)
        for p, f, m in zip(places, found, limits, strict=True)
    ]
    if job.dimension > 1 and affine and all(still):
        sentence = (
            f"in {job.dimension} dimensions the step adds a rotation that keeps a Gaussian; whether"
            " it keeps other laws is not seen: use dimension=1"
        )
        return Evidence.undecided(
            "convergent", sentence, notes=notes, **{k: v for k, v in more.items() if k != "kind"}
        )
    sentence = (
        f"at λ = {lam:g}, t = {t:.3g} the velocity that the step tends to is off by"
        f" {percent(value)}"
    )
    if affine:
        sentence += f"; {max(effects)[1]}"
    return Evidence.measured(
        value,
        bound,
        sentence,
        notes=notes,
        diagnosis=explain_deviation(target, places, found, 10 * bound),
        **more,
    )


def _chains(
    job: Job, target: Diffused
) -> tuple[dict[str, tuple[list[float], list[float]]], list[tuple[float, str]]]:
    """The law of whole chains of 8, 16 and 32 steps from p_T exactly: error curves, and where a
    Gaussian ends as steps are added.
    """
    low, high = job.times
    curves: dict[str, tuple[list[float], list[float]]] = {}
    effects = []
    for lam in job.lambdas:
        laws = []
        for n in CHAINS:
            grid = np.linspace(high, low, n + 1).tolist()
            law = target.moments(high)
            with np.errstate(all="ignore"):
                for t, t_next in zip(grid[:-1], grid[1:], strict=True):
                    law = read_step(job, target, t, t_next, lam).law(*law)
            laws.append(np.concatenate([law[0][:, None], law[1]], axis=1))
        curves[f"λ = {lam:g}"] = (
            [float(n) for n in CHAINS],
            [describe_effect(target, lam, low, w[:, 0], w[:, 1:])[0] for w in laws],
        )
        with np.errstate(all="ignore"):
            limit = romberg(laws)[-1]
        moved, text = describe_effect(target, lam, low, limit[:, 0], limit[:, 1:])
        effects.append((moved, f"over ever more steps, {text}"))
    return curves, effects
