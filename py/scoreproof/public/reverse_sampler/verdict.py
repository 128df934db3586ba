"""The verdict in one dimension: excess velocities against their bounds, over the whole span.

Conventions: errors are relative to `velocity.sizes`; a λ that varies with t keeps the marginals and
holds.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import safely
from scoreproof.evidence import Evidence
from scoreproof.public.reverse_sampler.adrift import adrift
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.causes import member_note
from scoreproof.public.reverse_sampler.chain import COUNTS, chains, order_and_exactness
from scoreproof.public.reverse_sampler.explaining import does_not_settle, unsettled
from scoreproof.public.reverse_sampler.places import short
from scoreproof.public.reverse_sampler.refutation import SMALL, left_open, refuted
from scoreproof.public.reverse_sampler.rows import insist_on_given_noise, rows_apart
from scoreproof.public.reverse_sampler.sweeping import Span, swept
from scoreproof.public.reverse_sampler.targets import gaussian, mixture
from scoreproof.public.reverse_sampler.velocity import Found
from scoreproof.public.reverse_sampler.words import (
    NOT_AFFINE,
    NOT_THE_IDENTITY,
    ON_THE_LINE,
    POINTS,
    listed,
    looked_at,
    spread_over,
)
from scoreproof.public.rule import compared, settled
from scoreproof.streams import stream

__all__ = ["judge"]

#: random times, for each λ, at which a batch's rows are tested for being apart
APART = 2


def judge(job: Job, dimension: int) -> Evidence:
    """The evidence in this dimension."""
    target = mixture(job.process, dimension, job.horizon)
    kind: Any = "convergent" if job.form == "step" else "float"
    if job.form == "step":
        insist_on_given_noise(job, target)
    span = swept(job, target)
    coverage, remedy = _coverage(job, span, dimension), "use float64, or a larger t_min"
    if job.form == "step":
        mixed = _rows(job, span, coverage)
        if mixed is not None:
            return mixed
    found = span.all
    error = np.concatenate([f.error for f in found])
    bound = np.concatenate([f.bound for f in found])
    near = ~np.concatenate([f.jumps for f in found])
    jumping = [f for f in found if np.mean(f.jumps) > 0.5]
    worst = _worst(found)
    if jumping and not all(f.clipped for f in jumping):
        return _jumps(job, span, jumping, coverage)
    seen = chains(job, dimension) if _with_chains(job, dimension) else None
    more: dict[str, Any] = {
        "curves": seen.curves if seen else _curves(job, span),
        "labels": ("steps", "relative error of the final law")
        if seen
        else ("t", "relative error of the velocity"),
        "cost": {"calls": job.call.calls},
    }
    excuse = _single_precision(job, error[near], bound[near])
    if np.any(bound > 0.005) and job.form == "step" and short(job.call.eps):
        # of each λ the loosest: with λ = 1 a step has no noise to show it
        loose = sorted(found, key=lambda f: -float(np.max(f.bound)))
        firsts = {f.lam: f for f in reversed(loose)}
        for place in sorted(firsts.values(), key=loose.index):
            without_limit = adrift(job, target, place, coverage)
            if without_limit is not None:
                return without_limit
    if np.any((error[near] > bound[near]) & (excuse > 0)):
        remedy = (
            "single precision would explain it: if the sampler computes in float32 inside, say so"
            ' with dtype="float32" or tolerance=0.01; if not, it is wrong by this much'
        )
    elif np.any(bound > 0.005) and job.form == "step":
        remedy = unsettled(job, target, max(found, key=lambda f: float(np.max(f.bound))))
    evidence = compared(
        error[near],
        bound[near],
        _kept(job, coverage, dimension),
        coverage=coverage,
        tolerance=job.tolerance,
        excuse=excuse,
        remedy=remedy,
        kind=kind,
        **more,
    )
    if evidence.verdict == "refuted":
        return refuted(job, span, worst, evidence, seen)
    if np.any(~near) or any(f.uneven and not f.bent for f in found):
        return left_open(evidence, NOT_AFFINE)
    if evidence.verdict != "holds":
        return evidence
    linear = all(f.bent is None for f in found)  # else a chain's law is not read off
    if seen is not None and seen.stuck is not None and linear:
        return left_open(
            evidence,
            f"each step is right as far as seen, but with λ = {seen.stuck:g} the error of a whole"
            " chain does not fall as steps are added",
        )
    more_notes = _notes(job, span, dimension)
    if seen is not None and seen.first != COUNTS[0]:
        more_notes += (
            f"Over {job.span[0]:g} to {job.span[1]:g} it takes {seen.first} steps or more: of"
            f" {seen.first // 2}, a step is too long for a finite answer (a root of 1 - β h,"
            " say, with β h > 1).",
        )
    return replace(evidence, notes=(*more_notes, *evidence.notes))


def _single_precision(job: Job, error: np.ndarray, bound: np.ndarray) -> np.ndarray:
    """What a schedule in single precision behind double arrays would explain at each point, if
    the largest error is of that size: a much smaller one it does not explain.

    256 roundings; more where the limit settles badly, as it does when they differ between steps.
    """
    unit, largest = 2.0**-23, float(np.max(error, initial=0.0))
    least = unit / (16 if job.form == "sde" else 256)  # a step's roundings may cancel in the limit
    if not short(job.call.eps) or largest < least:
        return 0 * bound
    return np.asarray(256 * unit + np.minimum(16 * bound, 1e-3))


def _with_chains(job: Job, dimension: int) -> bool:
    return job.form == "step" and dimension == job.dimensions[0] and dimension <= SMALL


def _worst(found: list[Found]) -> list[Found]:
    """The places where something is wrong, the worst first."""

    def excess(f: Found) -> float:
        return float(np.max(np.where(f.jumps, 0.0, f.error / np.maximum(f.bound, 1e-300))))

    return sorted((f for f in found if excess(f) > 1), key=excess, reverse=True)


def _coverage(job: Job, span: Span, dimension: int) -> Coverage:
    asked = {
        "times": len(span.places),
        "points": sum(len(row[0].x) for row in span.places),
        "lambdas": len(job.lambdas),
    }
    where = f"{span.sweep.describe()}; {POINTS}; λ = {listed(job.lambdas)}; in d = {dimension}"
    return Coverage(asked, span=where + (ON_THE_LINE if job.dimensions == (1,) else ""))


def _rows(job: Job, span: Span, coverage: Coverage) -> Evidence | None:
    """Rows that depend on each other: at random times, and wherever something does not settle."""
    rng = stream(job.seed, "check_reverse_sampler", "apart", str(span.target.dimension))
    places = [
        span.places[i][k]
        for k in range(len(job.lambdas))
        for i in rng.choice(len(span.places), min(APART, len(span.places)), replace=False)
    ]
    odd = [f for f in span.all if np.any(f.jumps) or np.max(f.bound) > 0.005]
    for f in [*odd[:4], *places]:
        told = rows_apart(job, span.target, f.t, f.lam)
        if told is None:
            continue
        verdict, sentence = told
        evidence = Evidence.undecided("convergent", sentence, cost={"calls": job.call.calls})
        if verdict == "refuted":
            evidence = replace(evidence, verdict="refuted", value=1.0, bound=0.0)
        return settled(evidence, resolution=1.0, coverage=coverage)
    return None


def _jumps(job: Job, span: Span, jumping: list[Found], coverage: Coverage) -> Evidence:
    first = max(jumping, key=lambda f: float(np.max(f.error)))
    evidence = Evidence.measured(
        float(np.max(first.error)),
        1.0,
        f"at λ = {first.lam:g}, t = {first.t:.3g} {NOT_THE_IDENTITY}{spread_over(span, jumping)}",
        kind="convergent",
        cost={"calls": job.call.calls},
    )
    if evidence.verdict == "refuted":
        cause = safely(lambda: does_not_settle(job, span, first))
        evidence = replace(evidence, diagnosis=cause, cost={"calls": job.call.calls})
    return settled(evidence, resolution=1.0, coverage=coverage)


def _curves(job: Job, span: Span) -> dict[str, tuple[list[float], list[float]]]:
    return {
        f"λ = {lam:g}": (
            [row[k].t for row in span.places],
            [float(np.max(row[k].error)) for row in span.places],
        )
        for k, lam in enumerate(job.lambdas)
    }


def _kept(job: Job, coverage: Coverage, dimension: int) -> str:
    what = (
        "drift and noise keep the marginals"
        if job.form == "sde"
        else "as the step goes to zero its drift and noise keep the marginals"
    )
    return f"{what} of a mixture of two {looked_at(coverage, (dimension,), job.lambdas)}"


def _notes(job: Job, span: Span, dimension: int) -> tuple[str, ...]:
    notes = member_note(span.target, span.all)
    if any(f.bent is not None for f in span.all):
        notes += (
            "What it makes of its noise is not normal, but has the right mean and covariance (weak:"
            " the law is right as steps are added, not after one).",
        )
    if not _with_chains(job, dimension) or not short(job.call.eps):
        return notes
    target = gaussian(job.process, dimension, job.horizon)
    atom = gaussian(job.process, dimension, job.horizon, point_mass=True)
    low, high = job.span
    times = np.linspace(low + (high - low) / 4, high, 3).tolist()
    order, exact = order_and_exactness(job, target, atom, times)
    law = f"errs by h^{order:.1f}" if np.isfinite(order) else "is exact"
    notes += (f"With a Gaussian prior the law of one step {law}.",)
    if exact:
        notes += (
            "From a point mass every step, long or short, keeps q(x_t | x_0) exactly, as DDIM's"
            " do.",
        )
    return notes
