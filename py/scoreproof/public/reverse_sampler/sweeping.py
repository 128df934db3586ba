"""The whole span in one dimension: every λ at every time, closer together where the answer changes.

Conventions: calls are made time by time; ``rows`` of the answer are in the order of the times.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public import sweep
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_sde
from scoreproof.public.reverse_sampler.places import points_at, times_of
from scoreproof.public.reverse_sampler.reading import Place, read_place
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.velocity import Found, around
from scoreproof.streams import stream

__all__ = ["Span", "again", "swept"]

#: points within 2.2 standard deviations and beyond 3 of them: for drift and noise, for a step
POINTS = {"sde": (12, 4), "step": (6, 2)}
#: by how much λ may change from one time to the next before a time is put in between, and how many
#: may
JUMP, MORE = 0.1, 16
#: roundings of the largest term of a drift; in half precision the schedule is not
ROUNDINGS, ROUNDINGS_OF_HALF = 32, 8


@dataclass(frozen=True, eq=False)
class Span:
    """What was found: ``places[i]`` at ``times[i]`` of the sweep, one for each λ."""

    target: Diffused
    sweep: sweep.Sweep
    places: tuple[tuple[Found, ...], ...]

    @property
    def all(self) -> list[Found]:
        return [found for row in self.places for found in row]


def swept(job: Job, target: Diffused) -> Span:
    """Ask the sampler over the span: 32 times (or the caller's), and up to 16 more."""
    rng = stream(job.seed, "check_reverse_sampler", "span", str(target.dimension))
    times = times_of(job.span, job.at, rng)
    answers: dict[float, tuple[Found, ...]] = {}

    def ask(new: np.ndarray) -> np.ndarray:
        for t in new.tolist():
            x = points_at(target, t, rng, *POINTS[job.form])
            answers[t] = tuple(_found(job, target, x, t, lam, rng) for lam in job.lambdas)
        return np.array([[_summary(target, f) for f in answers[t]] for t in new.tolist()])

    times, _ = sweep.refined(times, ask(times.times), ask, jump=JUMP, rounds=2, most=MORE)
    return Span(target, times, tuple(answers[t] for t in times.times.tolist()))


def _summary(target: Diffused, found: Found) -> tuple[float, float]:
    """What changes where a window begins: the member that is found, and whether it is wrong."""
    lam = 1 - float(np.trace(found.cov)) / (target.dimension * target.diffusion(found.t) ** 2)
    error, bound = found.error, found.bound
    off = float(np.max(np.where(error > bound, error, 0.0)))
    return float(np.clip(lam, -10, 10)) / 2, min(off, 1.0)


def _found(
    job: Job, target: Diffused, x: np.ndarray, t: float, lam: float, rng: np.random.Generator
) -> Found:
    if job.form == "sde":
        return _found_sde(job, target, x, t, lam)
    return read_place(Place(job, target, x, t, lam, exact=job.at is not None), rng)


def _found_sde(job: Job, target: Diffused, x: np.ndarray, t: float, lam: float) -> Found:
    b, squares = ask_sde(job, target, x, t, lam)
    cov, eps, here = np.diag(squares), job.call.eps, around(target, x, t)
    half = eps > 1e-4
    rounded = here.rounded(lam, ROUNDINGS_OF_HALF if half else ROUNDINGS)
    if not half or job.prediction in ("x0", "F"):
        rounded = rounded + here.subtracted()
    return Found(
        x=x,
        t=t,
        lam=lam,
        b=b,
        cov=cov,
        excess=here.implied(b, cov) - here.due,
        open=eps * rounded,
        size=here.size,
        jumps=np.zeros(len(x), dtype=bool),
    )


def again(job: Job, target: Diffused, found: Found, x: np.ndarray) -> Found:
    """The same place at other points."""
    rng = stream(job.seed, "check_reverse_sampler", "again")
    if job.form == "sde":
        return _found_sde(job, target, x, found.t, found.lam)
    return read_place(Place(job, target, x, found.t, found.lam, exact=True), rng)
