"""Why the score is wrong, in words: known mistakes, and where it is right all the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import safely
from scoreproof.evidence import Evidence
from scoreproof.objects.mixtures import GaussianMixture
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
from scoreproof.public.score.arguments import Request
from scoreproof.public.score.asking import Asked
from scoreproof.public.score.verdict import measured
from scoreproof.words import percent

__all__ = ["candidates", "explained"]


def _wrong_scores(score: np.ndarray, mean: np.ndarray, due: Due) -> dict[str, np.ndarray]:
    """Wrong ways to come by a score, from the right score or the right posterior mean. Those that
    only change sign are not here.
    """
    y, noise, residual = due.y, due.problem.noise, mean - due.y
    cov, factor = noise.cov, np.linalg.cholesky(noise.cov)
    precision = np.linalg.inv(cov)
    found = {
        "posterior_mean_returned": mean / due.problem.alpha,
        "residual_not_divided_by_cov": residual,
        "residual_multiplied_by_cov": noise.times(residual, 1.0),
        "residual_divided_by_std": noise.times(residual, -0.5),
        "y_not_subtracted": noise.times(mean, -1.0),
        "mean_not_subtracted": noise.times(-y, -1.0),
        "half": score / 2,
        "twice": 2 * score,
        "scaled_by_cov": noise.times(score, 1.0),
        "scaled_by_inverse_cov": noise.times(score, -1.0),
        "scaled_by_std": noise.times(score, 0.5),
    }
    if noise.variance is None:  # of a number's the factor is the standard deviation
        found |= {
            "residual_divided_by_factor": residual @ np.linalg.inv(factor),
            "residual_divided_by_transposed_factor": residual @ np.linalg.inv(factor.T),
            "residual_divided_by_swapped_factor": residual @ np.linalg.inv(factor.T @ factor),
            "residual_divided_by_diagonal": residual / np.diagonal(cov),
            "residual_times_precision_diagonal": residual * np.diagonal(precision),
            "residual_times_lower_precision": residual @ np.tril(precision).T,
            "residual_times_upper_precision": residual @ np.triu(precision).T,
        }
    return found


def candidates(due: Due, kind: Prediction) -> dict[str, np.ndarray]:
    """Wrong scores, wrong noise levels, wrong priors and another prediction type; pairs of them,
    and each with the sign lost.
    """
    known, score, y = due.problem.known, due.score, due.y
    found = _wrong_scores(score, due.mean, due)
    if isinstance(known, GaussianMixture):
        found["score_of_the_prior"] = known.score(y)
    found |= {name: kind.to_score(value, y) for name, value in other_predictions(due, kind).items()}
    found |= {
        name: due.problem.noise.times(mean - y, -1.0) for name, mean in other_priors(due).items()
    }
    for name, level in levels(due).items():
        other = score_at(due, level)
        found[name] = other
        wrong = _wrong_scores(other, known.posterior_mean(y, level), due)
        # what does not see the level is no pair
        found |= {
            f"{fault} + {name}": value
            for fault, value in wrong.items()
            if fault != "mean_not_subtracted"
        }
    signs = {f"minus + {name}": -value for name, value in found.items() if " + " not in name}
    return {"minus": -score, **found, **signs, "minus_scaled_by_std": found["scaled_by_std"] * -1}


def explained(
    evidence: Evidence,
    asked: Asked,
    request: Request,
    eps: float,
    *,
    again: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Evidence:
    """A refutation with its place, its extent and its cause."""
    due, tolerance = asked.due, request.problem.tolerance
    if evidence.verdict != "refuted" or due is None:
        return evidence
    (m, d), measure = due.y.shape, measured(asked, request, eps)
    bad = measure.excessive(tolerance)
    k, column = divmod(int(np.argmax(measure.error / measure.size * bad)), bad.shape[1])
    found, wanted = asked.found[k], due.score[asked.answers.which[k]]
    j = column if column < d else int(np.argmax(np.abs(found - wanted)))
    size = float(measure.error[k, column] / measure.size[k, column])
    where = region(bad[:m, :d], due.y) if np.any(bad[:m, :d]) else "when asked in another batch"
    text = (
        f"the score is not ∇log p_Y(y) {where}; worst at {place(asked.answers, k, j)}:"
        f" {found[j]:.6g} where {wanted[j]:.6g} is due, off by {percent(size)} of its size over"
        " draws of y"
    )
    notes = coarse(measure.error, measured(asked, request, SINGLE).rounding, eps)
    evidence = replace(evidence, sentence=text, notes=(*notes, *evidence.notes))
    allowed = 2 * (measure.granted(tolerance) + measure.rounding + (tolerance or 0) * measure.size)
    mixed = mixed_rows(asked.answers, allowed[:m, :d], asked.found)
    case = _case(asked, request, due, eps, again)
    if mixed:
        return evidence.with_diagnosis(safely(lambda: of_mixed_rows(case, asked.answers, mixed)))
    return evidence.with_diagnosis(safely(lambda: explanation(case, _own_terms(case))))


def _case(
    asked: Asked,
    request: Request,
    due: Due,
    eps: float,
    again: Callable[[np.ndarray], np.ndarray] | None,
) -> Case:
    """The answers and what is due, in the callable's own terms."""
    (m, d), measure = due.y.shape, measured(asked, request, eps)
    tolerance = request.problem.tolerance
    passes = (measure.granted(tolerance) + (tolerance or 0.0) * measure.size)[:m, :d]
    value = np.real(asked.answers.values[:m]).astype(float)
    mean = due.problem.noise.times(passes, 1.0, sizes=True)
    return made(due, request.kind, value, mean, eps=eps, again=again)


def _own_terms(case: Case) -> dict[str, np.ndarray]:
    """The known faults, as the callable returns them."""
    found = candidates(case.due, case.kind)
    if case.kind.name == "score":
        return found
    noise = case.due.problem.noise
    return {name: case.told(case.y + noise.times(score, 1.0)) for name, score in found.items()}
