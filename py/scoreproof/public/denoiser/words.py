"""Why the denoiser is wrong, in words: known mistakes, and where it is right all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.claims.tweedie.faults import FAULTS
from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.diagnosis import safely
from scoreproof.evidence import Evidence
from scoreproof.public.denoiser.arguments import Request
from scoreproof.public.denoiser.asking import Asked
from scoreproof.public.denoiser.verdict import measured
from scoreproof.public.posterior.batch_causes import of_mixed_rows
from scoreproof.public.posterior.cases import Case, made
from scoreproof.public.posterior.causes import (
    SINGLE,
    coarse,
    levels,
    other_predictions,
    other_priors,
    score_at,
)
from scoreproof.public.posterior.due import Due
from scoreproof.public.posterior.explaining import explanation
from scoreproof.public.posterior.prediction import Prediction
from scoreproof.public.posterior.where import mixed_rows, place, region
from scoreproof.words import percent

__all__ = ["candidates", "candidates_of", "case_of", "explained", "extent", "mixing", "rounded"]


def candidates(due: Due, kind: Prediction) -> dict[str, np.ndarray]:
    """What the claim's faults, a wrong noise level, a wrong prior, a wrong scale and another
    prediction type would have returned, times alpha.
    """
    problem, y, cov, truth = due.problem, due.y, due.problem.noise.cov, due.mean
    faults = [f for f in FAULTS if f.subject.mean is not mean_formula]
    found = {f.name: np.asarray(f.subject.mean(y, due.score, cov)) for f in faults}
    found |= other_priors(due)
    if "alpha_forgotten" in found and kind.name == "x0":
        found["alpha_forgotten"] = problem.alpha * found["alpha_forgotten"]
    for name, level in levels(due).items():
        found[name] = problem.known.posterior_mean(y, level)
        other = score_at(due, level)
        found |= {f"{f.name} + {name}": np.asarray(f.subject.mean(y, other, cov)) for f in faults}
    if problem.alpha != 1.0 and kind.name == "x0":
        found["alpha_not_divided_out"] = problem.alpha * truth
        found["alpha_divided_twice"] = truth / problem.alpha
    found |= {name: kind.to_mean(value, y) for name, value in other_predictions(due, kind).items()}
    return found


def explained(
    evidence: Evidence,
    asked: Asked,
    request: Request,
    eps: float,
    *,
    again: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Evidence:
    """A refutation with its place, its extent and its cause; ``again`` asks the callable."""
    if evidence.verdict != "refuted":
        return evidence
    answers, due, measure = asked.answers, asked.due, measured(asked, request, eps)
    bad = measure.excessive(request.problem.tolerance)
    k, j = divmod(int(np.argmax(measure.error / measure.size * bad)), bad.shape[1])
    wanted, got = due.mean[answers.which[k], j], asked.found[k, j]
    alpha = request.problem.alpha
    where = region(bad[: len(due.y)], due.y)
    part = float(measure.error[k, j] / measure.size[k, j])
    text = (
        f"the denoiser{'' if request.kind.name == 'x0' else ', as E[x_0 | y],'} is not E[x_0 | y]"
        f" {where}; worst at {place(answers, k, j)}: {got / alpha:.6g} where {wanted / alpha:.6g}"
        f" is due, off by {percent(part)} of how far E[x_0 | y] moves from the prior's mean"
    )
    evidence = replace(evidence, sentence=text, notes=rounded(asked, request, eps))
    mixed = mixing(asked, request, eps)
    case = case_of(asked, request, eps, again=again)
    if mixed:
        return evidence.with_diagnosis(safely(lambda: of_mixed_rows(case, asked.answers, mixed)))
    return evidence.with_diagnosis(safely(lambda: explanation(case, candidates_of(case))))


def extent(asked: Asked, request: Request, eps: float) -> str:
    """Where it is wrong and where right, in a clause; empty if everywhere."""
    bad = measured(asked, request, eps).excessive(request.problem.tolerance)[: len(asked.due.y)]
    return (
        ""
        if np.all(np.any(bad, axis=1)) and np.all(np.any(bad, axis=0))
        else region(bad, asked.due.y)
    )


def rounded(asked: Asked, request: Request, eps: float) -> tuple[str, ...]:
    """A note where rounding in single precision explains it."""
    error, single = measured(asked, request, eps).error, measured(asked, request, SINGLE).rounding
    return coarse(error, single, eps)


def mixing(asked: Asked, request: Request, eps: float) -> str:
    """Whether a row's answer depends on the others, in words; empty if not."""
    tolerance, measure = request.problem.tolerance, measured(asked, request, eps)
    allowed = 2 * (measure.granted(tolerance) + measure.rounding + (tolerance or 0) * measure.size)
    return mixed_rows(asked.answers, allowed[: len(asked.due.y)], asked.found)


def case_of(
    asked: Asked,
    request: Request,
    eps: float,
    *,
    shape: tuple[int, ...] | None = None,
    again: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Case:
    """The answers and what is due, in the callable's own terms."""
    due, measure = asked.due, measured(asked, request, eps)
    m = len(due.y)
    passes = measure.granted(request.problem.tolerance) + (
        (request.problem.tolerance or 0.0) * measure.size
    )
    value = np.real(asked.answers.values[:m]).astype(float)
    return made(due, request.kind, value, passes[:m], eps=eps, shape=shape, again=again)


def candidates_of(case: Case) -> dict[str, np.ndarray]:
    """The known faults in the callable's own terms."""
    return {name: case.told(mean) for name, mean in candidates(case.due, case.kind).items()}
