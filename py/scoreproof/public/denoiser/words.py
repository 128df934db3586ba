"""What the known faults would have returned at the points looked at: the candidates of a diagnosis.

The scores used here come from posterior means, at a price that does not grow with the dimension:
they explain a failure that was found by other means, and decide nothing.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.claims.tweedie.faults import FAULTS
from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.numerics.linear import square_root
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.objects.parameterizations import convert
from scoreproof.public.denoiser.arguments import Prediction, Problem

__all__ = ["REASONS", "denoiser_candidates", "score_candidates"]

#: what each name means, in words: the claim's own faults, and those that only a user's callable can
#: have
REASONS = {f.name: f.why for f in FAULTS} | {
    "noise_variance_squared": (
        "it is the answer for the noise covariance Σ²: a variance was squared again"
    ),
    "noise_variance_rooted": (
        "it is the answer for the noise covariance √Σ: a standard deviation stands where a variance"
        " is due"
    ),
    "noise_variance_halved": "it is the answer for half the noise variance",
    "noise_variance_doubled": "it is the answer for twice the noise variance",
    "alpha_not_divided_out": "E[alpha x_0 | y] was returned where E[x_0 | y] is due",
    "alpha_divided_twice": "it was divided by alpha twice",
    "returns_score": "it returns the score: say prediction='score'",
    "returns_eps": "it returns E[ε | y]: say prediction='eps'",
    "returns_x0": "it returns E[x_0 | y]: say prediction='x0'",
    "returns_v": "it returns v: say prediction='v'",
    "returns_F": "it returns EDM's F: say prediction='F'",
    "returns_velocity": "it returns the velocity: say prediction='velocity'",
    "scaled_by_cov": "the score was multiplied by Σ: that is E[x|y] - y",
    "scaled_by_inverse_cov": "the score was divided by Σ once too often",
    "scaled_by_std": "the score was multiplied by a root of Σ: that is -E[ε|y]",
    "posterior_mean_returned": "the posterior mean was returned where the score is due",
    "residual_not_divided_by_cov": "E[x|y] - y was not divided by Σ",
    "residual_multiplied_by_cov": "E[x|y] - y was multiplied by Σ where it is to be divided",
    "residual_divided_by_std": (
        "E[x|y] - y was divided by a standard deviation where a variance is due"
    ),
    "score_of_the_prior": "it is the score of x_0, not of the noisy y",
}


def _levels(cov: np.ndarray) -> dict[str, np.ndarray]:
    """The noise with another variance than it has."""
    return {
        "noise_variance_squared": cov @ cov,
        "noise_variance_rooted": square_root(cov),
        "noise_variance_halved": cov / 2,
        "noise_variance_doubled": cov * 2,
    }


def _other_predictions(
    problem: Problem, mean: np.ndarray, kind: Prediction
) -> dict[str, np.ndarray]:
    """``returns_<kind>`` -> what a callable of another kind of prediction returns (for noise σ² I)."""
    sigma2 = problem.cov[0, 0]
    if not np.allclose(problem.cov, sigma2 * np.eye(len(problem.cov))):
        return {}
    options: dict[str, Any] = {"sigma_data": kind.sigma_data}
    kinds = ["score", "eps", "x0", "v", "F"]
    if kind.rates is not None:
        kinds.append("velocity")
        options |= {"alpha_dot": kind.rates[0], "sigma_dot": kind.rates[1]}
    x0 = mean / problem.alpha
    others = [k for k in kinds if k != kind.name]
    return {
        f"returns_{k}": convert(x0, problem.y, "x0", k, problem.alpha, np.sqrt(sigma2), **options)
        for k in others
    }


def denoiser_candidates(problem: Problem, kind: Prediction) -> dict[str, np.ndarray]:
    """What the claim's faults, a wrong noise level, a wrong scale and another prediction type would
    have returned, times alpha.
    """
    assert problem.prior is not None
    y, cov, truth = problem.y, problem.cov, problem.mean()
    faults = [f for f in FAULTS if f.subject.mean is not mean_formula]
    score = problem.score_at(cov)
    found = {f.name: np.asarray(f.subject.mean(y, score, cov)) for f in faults}
    for name, level in _levels(cov).items():
        found[name] = problem.prior.posterior_mean(y, level)
        other = problem.score_at(level)
        found |= {f"{f.name} + {name}": np.asarray(f.subject.mean(y, other, cov)) for f in faults}
    if problem.alpha != 1.0:
        found["alpha_not_divided_out"] = problem.alpha * truth
        found["alpha_divided_twice"] = truth / problem.alpha
    found |= {
        name: kind.to_x0(value) * problem.alpha
        for name, value in _other_predictions(problem, truth, kind).items()
    }
    return found


def _wrong_scores(score: np.ndarray, mean: np.ndarray, problem: Problem) -> dict[str, np.ndarray]:
    """Wrong ways to come by a score, from the right score or the right posterior mean. Those that
    only change sign are not here.
    """
    y, cov, residual = problem.y, problem.cov, mean - problem.y
    root, factor = square_root(cov), np.linalg.cholesky(cov)
    inverse = np.linalg.inv(cov)
    return {
        "half": score / 2,
        "twice": 2 * score,
        "scaled_by_cov": score @ cov,
        "scaled_by_inverse_cov": score @ inverse,
        "scaled_by_std": score @ root,
        "posterior_mean_returned": mean / problem.alpha,
        "residual_not_divided_by_cov": residual,
        "residual_multiplied_by_cov": residual @ cov,
        "residual_divided_by_std": residual @ np.linalg.inv(root),
        "residual_divided_by_factor": residual @ np.linalg.inv(factor),
        "residual_divided_by_transposed_factor": residual @ np.linalg.inv(factor.T),
        "residual_divided_by_swapped_factor": residual @ np.linalg.inv(factor.T @ factor),
        "residual_divided_by_diagonal": residual / np.diagonal(cov),
        "y_not_subtracted": mean @ inverse,
        "mean_not_subtracted": -y @ inverse,
    }


def score_candidates(
    problem: Problem, score: np.ndarray, kind: Prediction
) -> dict[str, np.ndarray]:
    """Wrong scores, wrong noise levels and another prediction type; pairs of them, and each with
    the sign lost.
    """
    prior = problem.prior
    assert prior is not None
    mean = problem.mean()
    found = _wrong_scores(score, mean, problem)
    if isinstance(prior, GaussianMixture):
        found["score_of_the_prior"] = prior.score(problem.y)
    found |= {
        name: kind.to_score(value)
        for name, value in _other_predictions(problem, mean, kind).items()
    }
    for name, level in _levels(problem.cov).items():
        other = problem.score_at(level)
        found[name] = other
        wrong = _wrong_scores(other, prior.posterior_mean(problem.y, level), problem)
        # what does not see the level is no pair
        found |= {
            f"{fault} + {name}": value
            for fault, value in wrong.items()
            if fault != "mean_not_subtracted"
        }
    signs = {f"minus + {name}": -value for name, value in found.items() if " + " not in name}
    return {"minus": -score, **found, **signs, "minus_scaled_by_std": found["scaled_by_std"] * -1}
