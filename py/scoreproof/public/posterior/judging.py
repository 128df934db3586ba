"""Answers against what is due, by the rule: what decides, what is granted, what is left out.

Conventions: arrays ``(places, columns)``; a place is a point, asked in one batch or another.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.evidence import Evidence
from scoreproof.public.posterior.asking import Answers
from scoreproof.public.posterior.due import MANY, Due, least, perplexity
from scoreproof.public.posterior.problem import Problem
from scoreproof.public.rule import COARSEST, compared

__all__ = ["GRANTED", "HELD", "Measure", "coverage", "decisive", "judge", "remedy"]

#: what an answer may be off where rounding could explain more: half of what a verdict has to see
GRANTED = 0.499 * COARSEST
FEW = 24  # places, of which a half is the same points in another batch
WEIGHED = 1 << 22  # numbers of a prior up to which every weight is looked at by itself
ADVISED = 1 << 10  # data of which a look at each is no unreasonable advice
HELD = "The truth is that of the prior's numbers rounded to the callable's type."


@dataclass(frozen=True, eq=False)
class Measure:
    """Errors and what they are held against, all in the units of the answer ``(places, columns)``.

    ``rounding``: what rounding may leave in a right answer; ``ours``: in what is due, computed in
    double precision; ``size``: what a relative error is relative to; ``visible``: the error that a
    relative deviation of one shows at least.
    """

    error: np.ndarray
    rounding: np.ndarray
    ours: np.ndarray
    size: np.ndarray
    visible: np.ndarray

    def granted(self, tolerance: float | None) -> np.ndarray:
        """What an answer may be off without a word: rounding, as far as a verdict can pass over
        it.
        """
        blur = self.rounding if tolerance is None else 0 * self.rounding
        return np.asarray(np.maximum(np.minimum(blur, GRANTED * self.visible), 2 * self.ours))

    def excessive(self, tolerance: float | None) -> np.ndarray:
        """Where the error is more than rounding explains: ``(places, columns)``, true or false."""
        allowed = np.maximum(self.granted(tolerance), self.rounding) + (tolerance or 0) * self.size
        return np.asarray(self.error > allowed)


def judge(
    measure: Measure,
    problem: Problem,
    seen: Coverage,
    sentence: str,
    *,
    eps: float,
    **more: Any,
) -> Evidence:
    """By the rule. What returned is judged as it stands: an error below what is granted is small
    whatever rounding might have done, one above what rounding explains is none of rounding's.
    """
    tolerance, size = problem.tolerance, measure.size
    granted = measure.granted(tolerance)
    return compared(
        measure.error / size,
        granted / size,
        sentence,
        coverage=seen,
        gain=measure.visible / size if tolerance is None else 1.0,
        excuse=np.maximum(measure.rounding - granted, 0.0) / size,
        tolerance=tolerance,
        remedy=remedy(problem, eps, few=len(measure.error) < FEW),
        **more,
    )


def remedy(problem: Problem, eps: float, *, few: bool = False) -> str:
    """What helps where rounding drowns the answer."""
    known, noise = problem.known, problem.noise
    spread = np.sqrt(np.maximum(np.diagonal(known.covariance()), noise.diagonal))
    helps = ["look at more points"] if few else []
    helps += ["use float64"] if eps > float(np.finfo(float).eps) else []
    if np.any(np.abs(known.mean()) > 30 * spread):
        helps.append("centre the data")
    if np.any(spread > 30 * np.sqrt(noise.diagonal)):
        helps.append("take a larger noise level")
    helps = helps or ["take another noise level"]
    if problem.tolerance is None:
        helps.append("pass a tolerance, such as tolerance=0.1")
    return ", or ".join([", ".join(helps[:-1]), helps[-1]] if len(helps) > 1 else helps)


def coverage(
    problem: Problem,
    answers: Answers,
    due: Due,
    measure: Measure,
    per_mean: np.ndarray | float = 1.0,
) -> Coverage:
    """What was asked and what was not seen of it; ``per_mean``: what a shift of the mean by one, in
    each coordinate, shows in the answer.
    """
    points, d = answers.points, problem.dimension
    lost = sum(o.count for o in answers.left_out)
    asked = {"points": len(points.y) + lost, "coordinates": d}
    left = list(answers.left_out)
    span = points.describe(problem)
    if problem.components > 1:
        shared = perplexity(problem, points.y)
        span += (
            f"; softmax perplexity {shared.min():.2g} to {shared.max():.2g} of "
            f"{problem.components} {problem.kind}"
        )
    many = problem.components
    if many * d > WEIGHED:
        span += "; their weights were not looked at one by one"
    elif many > 1 and problem.tolerance is None:
        blind = _blind(due, measure, per_mean)
        each = many <= (MANY if problem.points is not None else points.count("between"))
        if not each or blind.size == many:  # `decisive` speaks where one is effective everywhere
            span += f"; the weights of {many - blind.size} of the {problem.kind} show"
            if 0 < blind.size < many:
                span += f", a mistake in {blind.size} of them alone may not"
                if problem.points is None and many <= ADVISED:
                    span += f" (n = {4 * many} looks at each)"
        else:
            asked[problem.kind] = many
        if each and 0 < blind.size < many:
            left.append(
                Omission(
                    problem.kind,
                    blind.size,
                    "whose weight shows at none of the points",
                    "number " + ", ".join(str(k) for k in blind[:6]),
                    wished=problem.points is not None,
                )
            )
    return Coverage(asked, tuple(left), span)


def _blind(due: Due, measure: Measure, per_mean: np.ndarray | float) -> np.ndarray:
    """Components whose weight, doubled, would move no answer by more than what passes."""
    m, d = due.y.shape
    return np.flatnonzero(~due.shown(2 * measure.granted(None)[:m, :d] / per_mean))


def decisive(evidence: Evidence, problem: Problem, y: np.ndarray) -> Evidence:
    """``evidence``, undecided where one effective component hides every wrong weight."""
    if evidence.verdict != "holds" or np.max(perplexity(problem, y)) >= least(problem):
        return evidence
    datum = "datum" if problem.kind == "data" else "component"
    return replace(
        evidence,
        verdict="undecided",
        sentence=(
            f"{evidence.sentence.rstrip('.')}: every point has one effective {datum}, where the "
            "formula says only that the nearest is the nearest: take a larger noise level"
            + ("" if problem.points is None else ", or leave the points to the check")
        ),
    )
