"""Step sizes that differ from row to row, and steps that are others far out.

Conventions: as in `steps`. Of drift e(x) score and noise √(2 e(x)) z the law tends to one that is
∝ p/e: p is kept by the drift e score + ∇e, since e ∇p = e p score and the flow of p through the
noise is -∇(e p) = -e ∇p - p ∇e. It is p where e is one number, of all rows and of all x.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.steps import Limit, Placed, Steps, in_the_limit, read_steps
from scoreproof.public.corrector.target import Target
from scoreproof.streams import stream

__all__ = ["FARTHEST", "beside", "farther", "of_the_rows", "uneven_steps", "without_a_size"]

#: standard deviations, along each whitened axis and both ways
FARTHEST = 4.0
RADII = (1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
#: relative: what constants in single precision leave of a size
SINGLE = 1e-4
UNSEEN = 0.01
#: roundoff from which a type is coarse
COARSE = 1e-10
ROWS = 12


def of_the_rows(
    kernel: Kernel, target: Target, draws: int, first: Limit, seen: Coverage
) -> Evidence | None:
    """Where sizes differ in the limit: whether they go with the rows' own x."""
    job = kernel.job
    assert job.h is not None
    apart = float(np.max(np.abs(first.spread)))
    loose = 4 * first.loose / max(abs(float(np.median(first.sizes))), 1e-300) + SINGLE
    loose += job.tolerance or 0.0  # of p/e, to first order
    places = stream(job.seed, "corrector", "steps").standard_normal((ROWS, job.d))
    half = ROWS // 2
    fresh = stream(job.seed, "corrector", "fresh").standard_normal((ROWS, job.d))
    # the first half comes last and in the other order, beside others and with other noise
    fresh[half:] = places[:half][::-1]
    again = in_the_limit(kernel, target, draws, job.h, Placed(places=fresh, other=True))
    if again is None:
        return None if apart <= loose else _open(kernel, seen, apart)
    change = np.abs(again.sizes[half:][::-1] / first.sizes[:half] - 1)
    slack = loose + 4 * again.loose / max(abs(float(np.median(again.sizes))), 1e-300)
    if apart <= loose:
        return None if np.max(change) <= slack else _of_the_batch(kernel, seen, first)
    own = np.abs(first.spread[:half] - np.median(first.spread[:half]))
    if np.max(change) > slack or np.max(own) <= slack:
        return _open(kernel, seen, apart)
    low, high = float(np.min(first.sizes)), float(np.max(first.sizes))
    text = (
        f"{job.name}: as step_size h gets smaller its steps tend to e(x) h · score(x) + √(2 e(x) h)"
        f" z with another factor e in each row ({low:.4g} to {high:.4g}), which goes with x: the"
        " law tends to one that is ∝ p/e, not to p_t"
    )
    cause = Diagnosis.cause(
        "step_of_x",
        "Cause: the step size depends on x. Add h ∇e(x), the divergence of the noise's covariance,"
        " to the drift, accept or reject (Metropolis), or take one step size for all x.",
    )
    return Evidence(
        "float",
        "refuted",
        apart,
        loose,
        text,
        diagnosis=cause,
        coverage=seen,
    )


def _open(kernel: Kernel, seen: Coverage, apart: float) -> Evidence:
    text = (
        f"{kernel.job.name}: however small step_size is, its step differs from row to row, by"
        f" {apart:.2g} of it, as it follows the noise, the batch or the row's place in it: the law"
        " that it keeps then is not seen; take one step size for all rows"
    )
    return Evidence.undecided("float", text, coverage=seen)


def _of_the_batch(kernel: Kernel, seen: Coverage, first: Limit) -> Evidence:
    text = (
        f"{kernel.job.name}: as step_size gets smaller, drift and noise match, but its step follows"
        f" the batch ({float(np.median(first.sizes)):.4g} times step_size in one of them): of few"
        " rows p_t is not kept then, and by how much is not seen; take a step size that is given"
    )
    return Evidence.undecided("float", text, coverage=seen)


def beside(kernel: Kernel, seen: Coverage) -> Evidence:
    """Noise of another covariance in each row, and a drift that is not along the score."""
    text = (
        f"{kernel.job.name}: however small step_size is, the covariance of its noise differs from"
        " row to row; p_t is kept then if the drift has the divergence of that covariance beside"
        " the score, which is not looked at: add a Metropolis step, or take one covariance"
    )
    return Evidence.undecided("float", text, coverage=seen)


def uneven_steps(found: Steps, blur: float) -> bool:
    """Whether the step size is another one from row to row."""
    spread = np.max(np.abs(found.a / np.median(found.a, axis=1, keepdims=True) - 1))
    return bool(spread > 1e3 * blur + SINGLE)


def without_a_size(kernel: Kernel, seen: Coverage) -> Evidence:
    text = (
        f"{kernel.job.name}: drift and noise match, but the step size is another one in each row."
        " Where it follows x the law is ∝ p/ε however small ε is, unless that goes away with"
        " smaller steps, which is not seen, because it takes no step size: let it take an argument"
        " step_size, or take one step for all rows"
    )
    return Evidence.undecided("float", text, coverage=seen)


def farther(kernel: Kernel, target: Target, draws: int, evidence: Evidence) -> Evidence:
    """What holds at drawn places, where it is another step farther out: undecided."""
    job = kernel.job
    axes = np.concatenate([np.eye(job.d), -np.eye(job.d)])
    radii = RADII if job.d <= 16 else (FARTHEST,)
    # and noise that is as far out, at places that are not
    near = 0.5 * np.cos(np.arange(axes.size)).reshape(axes.shape)
    places = np.concatenate([*(r * axes for r in radii), near])
    away = np.repeat((*radii, FARTHEST), len(axes))
    shocks = FARTHEST * axes + 0.3 * np.cos(1.7 * np.arange(job.d))
    # a normal number that JAX makes of a uniform one in single precision is coarse far out
    placed = Placed(places=places, shocks=shocks if kernel.eps < COARSE else None)
    if job.h is not None and not job.rule:
        end = in_the_limit(kernel, target, draws, job.h, placed)
        if end is None:
            return _not_read(kernel, evidence)
        off, open_ = end.of_rows()
    else:
        one = read_steps(kernel, target, draws, job.h, placed)
        if one is None:
            return _not_read(kernel, evidence)
        off = np.maximum(one.left, np.abs(one.unmatched)).max(axis=0)
        open_ = 1e3 * one.blur.max(axis=0)
    # a limit that is not seen to a hundredth is none
    bad = ~(off <= open_ + SINGLE) | ~(open_ <= UNSEEN)
    if not np.any(bad):
        return evidence
    worst = float(np.max(np.where(np.isfinite(off), off, 0.0)[bad]))
    text = (
        f"{evidence.sentence}; but from {float(away[bad].min()):g} standard deviations from the"
        f" mean on, or of its noise (up to {FARTHEST:g} are looked at) a step is another"
        f" one, off by up to {worst:.2g} of the drift: something is clipped or bent there. What"
        " that does to the law is not judged: leave it out, or clip beyond that"
    )
    found = Evidence.undecided(evidence.kind, text, coverage=evidence.coverage)
    return replace(found, value=worst)


def _not_read(kernel: Kernel, evidence: Evidence) -> Evidence:
    text = (
        f"{evidence.sentence}; but at places up to {FARTHEST:g} standard deviations from the mean"
        " some step has no drift, or is not told from the next: something is clipped or left out"
        " there, which is not judged"
    )
    return Evidence.undecided(evidence.kind, text, coverage=evidence.coverage)
