"""A refutation: whether the excess moves the law at all, where, how much, and what it looks like.

Conventions: as in `verdict`; the places are those where something is wrong, the worst first.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.claims.reverse_family.gaussian import reverse_moments
from scoreproof.diagnosis import safely
from scoreproof.evidence import Evidence
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import subject
from scoreproof.public.reverse_sampler.chain import Chains, effect
from scoreproof.public.reverse_sampler.explaining import explained
from scoreproof.public.reverse_sampler.law import DRAWS, moves_the_law
from scoreproof.public.reverse_sampler.places import coarse
from scoreproof.public.reverse_sampler.sweeping import Span, again
from scoreproof.public.reverse_sampler.targets import gaussian
from scoreproof.public.reverse_sampler.velocity import Found
from scoreproof.public.reverse_sampler.words import (
    describe_noise,
    spread_over,
    velocity_off,
)
from scoreproof.streams import stream

__all__ = ["SMALL", "left_open", "refuted"]

#: collocation steps of a Gaussian's moments; places at which an excess is asked whether it keeps
#: the law
MOMENT_STEPS, REVIEWED = 8, 4
#: dimensions up to which whole chains are followed: beyond, their matrices cost more than the sweep
SMALL = 16


def left_open(evidence: Evidence, why: str) -> Evidence:
    return replace(evidence, verdict="undecided", sentence=f"{evidence.sentence}: {why}")


def refuted(
    job: Job, span: Span, worst: list[Found], evidence: Evidence, seen: Chains | None
) -> Evidence:
    """A velocity beyond its bound: refuted, unless the excess may be a flow that keeps the law."""
    target, d = span.target, span.target.dimension
    accepted = job.tolerance or 0.0
    worst = [f for f in worst if np.max((f.error - accepted - f.bound)[~f.jumps]) > 0]
    if d > 1:
        worst = _that_move(job, span, worst)
        if not worst:
            return left_open(
                evidence,
                f"the velocity is off, but in {d} dimensions the excess may be a rotation that"
                " keeps the marginals: use dimension=1 to leave it out",
            )
    first = worst[0]
    k = int(np.argmax(np.where(first.jumps, 0.0, first.error)))
    error, bound = float(first.error[k]), float(first.bound[k])
    text = velocity_off(job, target, first, k)
    text += describe_noise(first, target.diffusion(first.t) ** 2) + spread_over(span, worst)
    if seen is not None and seen.moved < 0.01 * min(error, 1.0):
        text += "; a Gaussian prior does not show it, a mixture of two does"
    elif seen is not None or (job.form == "sde" and d <= SMALL):
        text += f"; {seen.effect if seen is not None else _effect(job, d)}"
    cause = safely(lambda: explained(job, span, worst))
    return replace(
        evidence,
        value=error,
        bound=bound + accepted,
        sentence=text,
        cost={"calls": job.call.calls},
        diagnosis=cause,
    )


def _that_move(job: Job, span: Span, worst: list[Found]) -> list[Found]:
    """The places, among the worst few, whose excess moves the law; and the rest, if one does."""
    target = span.target
    for n, found in enumerate(worst[:REVIEWED]):
        rng = stream(job.seed, "check_reverse_sampler", "law", str(n))
        x = coarse(target.sample(rng, DRAWS, found.t))
        found = again(job, target, found, x)
        kept = ~found.jumps
        excess = np.where(kept[:, None], found.excess, 0.0)
        if moves_the_law(target, x, found.t, excess, np.where(kept, found.open, 0.0), rng):
            return worst[n:]
    return []


def _effect(job: Job, dimension: int) -> str:
    """What the whole chain does to a Gaussian, for the λ where it does most."""
    low, high = job.span
    target = gaussian(job.process, dimension, job.horizon)
    ends = []
    for lam in job.lambdas:
        end = reverse_moments(
            subject(job), target, lam, high, low, MOMENT_STEPS, target.moments(high)
        )
        ends.append(effect(target, lam, low, end.mean, end.cov))
    return max(ends)[1]
