"""The denoiser against the posterior mean, coordinate by coordinate.

Conventions: an error is relative to how far the posterior mean moves from the prior's mean (to
EDM's c_out, if that is larger); a deviation that has to be seen, to the less of how far the mean
moves from the prior's mean and from y.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.evidence import Evidence
from scoreproof.public.denoiser.arguments import Request
from scoreproof.public.denoiser.asking import Asked
from scoreproof.public.posterior.due import least, perplexity
from scoreproof.public.posterior.judging import HELD, Measure, coverage, decisive, judge
from scoreproof.public.posterior.problem import Problem
from scoreproof.public.posterior.rounding import DOUBLE, mean_rounding, of_level, of_prediction
from scoreproof.public.rule import COARSEST

__all__ = ["measured", "says_nothing", "verdict"]


def measured(asked: Asked, request: Request, eps: float) -> Measure:
    """Errors at every place, and what they are held against for a callable of roundoff ``eps``."""
    due, which = asked.due, asked.answers.which
    ours = mean_rounding(due, DOUBLE)
    within = ours if eps == DOUBLE else mean_rounding(due, eps)
    rounding = of_prediction(request.kind, due.y, due.mean, within, eps) + ours
    if request.blur is not None:
        rounding = rounding + of_level(due, *request.blur(eps / 2))
    size, visible = asked.scale.mean(due)
    error = np.abs(asked.found - due.mean[which])
    return Measure(error, rounding[which], ours[which], size[which], visible[which])


def verdict(asked: Asked, request: Request, eps: float, calls: int) -> Evidence:
    """The verdict, without its cause: of the prior as given, or as the callable's type can hold
    it.
    """
    evidence = _verdict(asked, request, eps, calls)
    if evidence.verdict != "undecided" or eps <= DOUBLE:
        return evidence
    held = _verdict(asked.in_type(eps), request, eps, calls)
    return replace(held, notes=(*held.notes, HELD)) if held else evidence


def _verdict(asked: Asked, request: Request, eps: float, calls: int) -> Evidence:
    measure = measured(asked, request, eps)
    problem, answers, due = request.problem, asked.answers, asked.due
    m, d = due.y.shape
    evidence = judge(
        measure,
        problem,
        _passed_over(coverage(problem, answers, due, measure), asked, problem),
        f"the denoiser against E[x_0 | y] at {m} points in R^{d}, relative to how far that moves "
        f"from the prior's mean{_at_least(asked, problem)}",
        eps=eps,
        cost={"calls": calls},
        along=("exact posterior mean", due.mean[answers.which] / problem.alpha),
    )
    return decisive(_told_apart(evidence, measure, asked, request), problem, due.y)


def _at_least(asked: Asked, problem: Problem) -> str:
    """Says where an error that is accepted is relative to more than E[x_0 | y] moves."""
    own, counts = asked.scale.from_centre, asked.scale.counts
    small = np.flatnonzero((own > 0) & (own < counts))
    if problem.tolerance is None or not small.size:
        return ""
    times = float(np.max(counts[small] / own[small]))
    return (
        f", or to c_out where that is larger (in {small.size} of {own.size} coordinates, up to"
        f" {times:.2g} times as large)"
    )


def _passed_over(seen: Coverage, asked: Asked, problem: Problem) -> Coverage:
    """``seen`` without the coordinates in which the tolerance accepts the prior's mean, whatever y
    is: by the caller's wish, unless they are most of them. (`_told_apart` speaks where it is all.)
    """
    own, counts = asked.scale.from_centre, asked.scale.counts
    idle = np.flatnonzero((own > 0) & (own <= (problem.tolerance or 0.0) * counts))
    moving = int(np.sum(own > 0))
    if not 0 < idle.size < moving:
        return seen
    omission = Omission(
        "coordinates",
        idle.size,
        "in which E[x_0 | y] moves by less than the tolerance times c_out, so that any answer that"
        " small is accepted: pass a smaller tolerance to look at them",
        "number " + ", ".join(str(j) for j in idle[:6]) + (", …" if idle.size > 6 else ""),
        wished=2 * idle.size <= moving,
    )
    return replace(seen, left_out=(*seen.left_out, omission))


def _told_apart(evidence: Evidence, measure: Measure, asked: Asked, request: Request) -> Evidence:
    """Undecided where the tolerance would accept y itself, or the prior's mean whatever y is."""
    if evidence.verdict != "holds":
        return evidence
    found = _accepts_idle(measure, asked, request)
    if found is None:
        return evidence
    what, away, help_ = found
    return replace(
        evidence,
        verdict="undecided",
        sentence=(
            f"{evidence.sentence}: {what} is within {away:.2g} of E[x_0 | y], so that a tolerance"
            f" of {request.problem.tolerance:g} would accept a denoiser that does nothing: pass a"
            f" smaller one, or {help_}"
        ),
    )


def _accepts_idle(
    measure: Measure, asked: Asked, request: Request
) -> tuple[str, float, str] | None:
    """What the tolerance would accept of a denoiser that does nothing, how near that is, and what
    helps.
    """
    tolerance, m = request.problem.tolerance, len(asked.due.y)
    if tolerance is None:
        return None
    size, mean = measure.size[:m], asked.due.mean
    idle = np.max(np.abs(mean - asked.due.y) / size, axis=0)
    still = float(np.max(np.abs(mean - asked.scale.centre) / size))
    j = int(np.argmin(idle))
    if idle[j] > tolerance and (still > tolerance or not np.any(asked.scale.from_centre > 0)):
        return None
    if idle[j] <= tolerance:
        return f"y itself, in coordinate {j},", float(idle[j]), "take a larger noise level"
    return "the prior's mean", still, "take a smaller noise level"


def says_nothing(evidence: Evidence, asked: Asked, request: Request, eps: float) -> str:
    """Why no denoiser could be judged with these data at this noise level; empty if one could."""
    problem = request.problem
    if evidence.verdict != "undecided":
        return ""
    if np.max(perplexity(problem, asked.due.y)) < least(problem):
        return "the formula says only that the nearest datum is the nearest"
    measure = measured(asked, request, eps)
    if _accepts_idle(measure, asked, request) is not None:
        return "the tolerance accepts a denoiser that does nothing"
    if evidence.coverage is not None and any(
        o.what == "coordinates" for o in evidence.coverage.gaps
    ):
        return "in most coordinates the tolerance accepts any small answer"
    accepted = measure.granted(problem.tolerance) + (problem.tolerance or 0.0) * measure.size
    off = measure.error > accepted
    if np.any(off) and not np.any(measure.excessive(problem.tolerance)):
        return "rounding in the network's floating type would explain the error"
    if (evidence.resolution or 0.0) > (problem.tolerance or COARSEST):
        return "rounding in the network's floating type hides the answer"
    return ""
