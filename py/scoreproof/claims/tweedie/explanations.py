"""What the known faults would have returned at the points looked at: the candidates of a diagnosis."""

from __future__ import annotations

import numpy as np

from scoreproof.claims.tweedie.faults import FAULTS
from scoreproof.claims.tweedie.problem import Prediction, Problem
from scoreproof.claims.tweedie.statement import mean_formula
from scoreproof.numerics.complex_step import gradient
from scoreproof.numerics.linear import square_root
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.objects.parameterizations import convert

__all__ = ["denoiser_candidates", "score_candidates"]


def denoiser_candidates(problem: Problem, score: np.ndarray, kind: Prediction) -> dict[str, np.ndarray]:
    """What the claim's faults, a wrong noise level, a wrong scale and another prediction type would have returned, times alpha."""
    found = {f.name: np.asarray(f.subject.mean(problem.y, score, problem.cov)) for f in FAULTS if f.subject.mean is not mean_formula}
    levels = {
        "noise_variance_squared": problem.cov @ problem.cov,
        "noise_variance_rooted": square_root(problem.cov),
        "noise_variance_halved": problem.cov / 2,
        "noise_variance_doubled": problem.cov * 2,
    }
    assert problem.prior is not None
    for name, cov in levels.items():
        found[name] = problem.prior.posterior_mean(problem.y, cov)
        other = gradient(problem.prior.noised(cov).log_density, problem.y)
        for fault in FAULTS:
            if fault.subject.mean is not mean_formula:
                found[f"{fault.name} + {name}"] = np.asarray(fault.subject.mean(problem.y, other, problem.cov))
    truth = problem.mean()
    if problem.alpha != 1.0:
        found["alpha_not_divided_out"] = problem.alpha * truth
        found["alpha_divided_twice"] = truth / problem.alpha
    sigma2 = problem.cov[0, 0]
    if np.allclose(problem.cov, sigma2 * np.eye(len(problem.cov))):
        x0 = truth / problem.alpha
        for other_kind in ("score", "eps", "v"):
            if other_kind != kind.name:
                actual = convert(x0, problem.y, "x0", other_kind, problem.alpha, np.sqrt(sigma2))
                found[f"returns_{other_kind}"] = kind.to_x0(actual) * problem.alpha
    return found


def score_candidates(problem: Problem, score: np.ndarray, kind: Prediction) -> dict[str, np.ndarray]:
    inverse = np.linalg.inv(problem.cov)
    assert problem.prior is not None
    mean = problem.mean()
    found = {
        "minus": -score,
        "half": score / 2,
        "twice": 2 * score,
        "scaled_by_cov": score @ problem.cov,
        "scaled_by_inverse_cov": score @ inverse,
        "scaled_by_std": score @ square_root(problem.cov),
        "minus_scaled_by_std": -score @ square_root(problem.cov),
        "posterior_mean_returned": mean / problem.alpha,
        "residual_not_divided_by_cov": mean - problem.y,
        "residual_divided_by_std": (mean - problem.y) @ np.linalg.inv(square_root(problem.cov)),
    }
    if isinstance(problem.prior, GaussianMixture):
        found["score_of_the_prior"] = problem.prior.score(problem.y)
    for name, cov in (
        ("noise_variance_squared", problem.cov @ problem.cov),
        ("noise_variance_rooted", square_root(problem.cov)),
        ("noise_variance_doubled", 2 * problem.cov),
    ):
        other = gradient(problem.prior.noised(cov).log_density, problem.y)
        found[name] = other
        found[f"minus + {name}"] = -other
    return found
