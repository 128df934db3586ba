"""The score against ∇ log p_Y, coordinate by coordinate.

Conventions: an error is relative to the largest score over draws of y, in the coordinate; where the
noise is correlated also in the directions of ``Σ^{1/2} score``, so that none is drowned by another.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.public.posterior.judging import HELD, Measure, coverage, decisive, judge
from scoreproof.public.posterior.rounding import DOUBLE, mean_rounding, of_score
from scoreproof.public.score.arguments import Request
from scoreproof.public.score.asking import Asked, Slopes

__all__ = ["measured", "verdict"]


def measured(asked: Asked, request: Request, eps: float) -> Measure:
    """Errors at every place, and what they are held against for a callable of roundoff ``eps``."""
    due, which, scale, kind = asked.due, asked.answers.which, asked.scale, request.kind
    assert due is not None and scale is not None
    noise, y, mean = due.problem.noise, due.y, due.mean
    ours, theirs = (mean_rounding(due, e) for e in (DOUBLE, eps))
    parts = []
    for exponent in (-1.0,) if noise.plain else (-1.0, -0.5):

        def turned(rows: np.ndarray, exponent: float = exponent) -> np.ndarray:
            return rows if exponent == -1.0 else noise.times(rows, 0.5)

        own = of_score(kind, y, mean, ours, DOUBLE, exponent)
        rounding = own + of_score(kind, y, mean, theirs, eps, exponent)
        size, visible = scale.scores(due, white=exponent != -1.0)
        error = np.abs(turned(asked.found) - turned(due.score)[which])
        parts.append((error, rounding[which], own[which], size[which], visible[which]))
    return Measure(*(np.concatenate(columns, axis=1) for columns in zip(*parts, strict=True)))


def verdict(
    asked: Asked, request: Request, slopes: Slopes | None, eps: float, calls: int
) -> Evidence:
    """The verdict, without its cause: of the prior as given, or as the callable's type can hold
    it.
    """
    evidence = _verdict(asked, request, slopes, eps, calls)
    if evidence.verdict != "undecided" or eps <= DOUBLE:
        return evidence
    held = _verdict(asked.in_type(eps), request, slopes, eps, calls)
    return replace(held, notes=(*held.notes, HELD)) if held else evidence


def _verdict(
    asked: Asked, request: Request, slopes: Slopes | None, eps: float, calls: int
) -> Evidence:
    measure, due, problem = measured(asked, request, eps), asked.due, request.problem
    assert due is not None
    m, d = due.y.shape
    seen = coverage(problem, asked.answers, due, measure, 1 / problem.noise.diagonal)
    if slopes is not None:
        seen = replace(seen, span=f"{seen.span}; {slopes.describe()}")
    exact = [due.score] if problem.noise.plain else [due.score, problem.noise.times(due.score, 0.5)]
    evidence = judge(
        measure,
        problem,
        seen,
        f"the score against ∇log p_Y(y) at {m} points in R^{d}, relative to its size over draws"
        " of y",
        eps=eps,
        cost={"calls": calls},
        along=("exact score", np.concatenate(exact, axis=1)[asked.answers.which]),
    )
    return decisive(evidence, problem, due.y)
