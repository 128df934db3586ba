"""The denoiser against the posterior mean, coordinate by coordinate.

Conventions: an error is relative to how far the posterior mean moves from the prior's mean; a
deviation that has to be seen, to the less of that and of how far the mean moves from y.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.public.denoiser.arguments import Request
from scoreproof.public.denoiser.asking import Asked
from scoreproof.public.posterior.judging import HELD, Measure, coverage, decisive, judge
from scoreproof.public.posterior.rounding import DOUBLE, mean_rounding, of_prediction

__all__ = ["measured", "verdict"]


def measured(asked: Asked, request: Request, eps: float) -> Measure:
    """Errors at every place, and what they are held against for a callable of roundoff ``eps``."""
    due, which = asked.due, asked.answers.which
    ours = mean_rounding(due, DOUBLE)
    within = ours if eps == DOUBLE else mean_rounding(due, eps)
    rounding = of_prediction(request.kind, due.y, due.mean, within, eps) + ours
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
    exact, found = due.mean.ravel().tolist(), np.real(asked.found[:m]).ravel().tolist()
    evidence = judge(
        measure,
        problem,
        coverage(problem, answers, due, measure),
        f"the denoiser against E[x_0 | y] at {m} points in R^{d}, relative to how far that moves "
        "from the prior's mean",
        eps=eps,
        cost={"calls": calls},
        curves={"returned": (exact, found), "exact": (exact, exact)},
        labels=("exact posterior mean", "returned"),
    )
    return decisive(_told_from_y(evidence, measure, asked, request), problem, due.y)


def _told_from_y(evidence: Evidence, measure: Measure, asked: Asked, request: Request) -> Evidence:
    """Undecided where the tolerance would accept y itself as its own denoised value."""
    tolerance, m = request.problem.tolerance, len(asked.due.y)
    if evidence.verdict != "holds" or tolerance is None:
        return evidence
    moved = np.max(np.abs(asked.due.mean - asked.due.y) / measure.size[:m], axis=0)
    if np.all(moved > tolerance):
        return evidence
    j = int(np.argmin(moved))
    return replace(
        evidence,
        verdict="undecided",
        sentence=(
            f"{evidence.sentence}: y itself is within {moved[j]:.2g} of E[x_0 | y] in coordinate"
            f" {j}, so that a tolerance of {tolerance:g} would accept a denoiser that does nothing:"
            " pass a smaller one, or take a larger noise level"
        ),
    )
