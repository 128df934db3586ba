"""Wrong versions of Tweedie's formula that people write, each with the formula's signature.

A fault edits the mean, the covariance or both; two faults that edit different parts compose.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.claims.tweedie.statement import Posterior, covariance_formula, mean_formula
from scoreproof.core import Fault
from scoreproof.numerics.linear import cholesky_factor, solve_rows

__all__ = ["FAULTS", "compose"]


def minus(y: Any, score: Any, cov: Any) -> Any:
    return y - score @ cov


def inverse_cov(y: Any, score: Any, cov: Any) -> Any:
    return y + solve_rows(cov, score)


def identity_cov(y: Any, score: Any, cov: Any) -> Any:
    return y + score


def std_for_cov(y: Any, score: Any, cov: Any) -> Any:
    return y + score @ cholesky_factor(cov)


def swapped_factor(y: Any, score: Any, cov: Any) -> Any:
    root = cholesky_factor(cov)
    return y + score @ (root.T @ root)


def diagonal_cov(y: Any, score: Any, cov: Any) -> Any:
    return y + score * np.diagonal(cov)


def squared_cov(y: Any, score: Any, cov: Any) -> Any:
    return y + score @ cov @ cov


def half(y: Any, score: Any, cov: Any) -> Any:
    return y + (score @ cov) / 2


def twice(y: Any, score: Any, cov: Any) -> Any:
    return y + 2 * (score @ cov)


def no_y(y: Any, score: Any, cov: Any) -> Any:
    return score @ cov


def nothing_denoised(y: Any, score: Any, cov: Any) -> Any:
    return y + 0 * score


def noise_for_signal(y: Any, score: Any, cov: Any) -> Any:
    return -(score @ cov)


def hessian_minus(hessian: Any, cov: Any) -> Any:
    return cov - cov @ hessian @ cov


def hessian_one_cov(hessian: Any, cov: Any) -> Any:
    return cov + cov @ hessian


def covariance_without_noise(hessian: Any, cov: Any) -> Any:
    return cov @ hessian @ cov + 0 * hessian


def covariance_of_noise(hessian: Any, cov: Any) -> Any:
    return cov + 0 * hessian


_MEANS = (
    (
        minus,
        "the sign of the score term: a network trained to predict -score, or ε with its sign lost",
    ),
    (inverse_cov, "Σ⁻¹ in place of Σ: the precision was passed"),
    (identity_cov, "Σ left out: right only for unit noise"),
    (std_for_cov, "a square root of Σ in place of Σ: σ where σ² is due"),
    (swapped_factor, "LᵀL in place of L Lᵀ: the factor was transposed"),
    (diagonal_cov, "only the diagonal of Σ was used"),
    (squared_cov, "Σ² in place of Σ: the variance was squared again"),
    (half, "a factor 1/2, as in the drift of the probability-flow ODE"),
    (twice, "a factor 2, from a log-density without its 1/2"),
    (no_y, "y itself was left out"),
    (nothing_denoised, "the score term was left out: the noisy point is returned"),
    (noise_for_signal, "E[Z | Y] in place of E[X | Y]: the noise was returned as the signal"),
)
_COVARIANCES = (
    (hessian_minus, "the sign of the Hessian term"),
    (
        hessian_one_cov,
        "one of the two Σ around the Hessian is missing: the Jacobian of the mean times nothing",
    ),
    (covariance_without_noise, "the leading Σ is missing"),
    (covariance_of_noise, "the Hessian term is missing: the noise's covariance is returned"),
)

FAULTS = (
    *(Fault(f.__name__, Posterior(mean=f), why) for f, why in _MEANS),
    *(Fault(f.__name__, Posterior(covariance=f), why) for f, why in _COVARIANCES),
)


def compose(names: tuple[str, ...]) -> Posterior | None:
    """The subject with several faults at once, or ``None`` when two of them edit the same part."""
    chosen = [f.subject for f in FAULTS if f.name in names]
    means = [s.mean for s in chosen if s.mean is not mean_formula]
    covariances = [s.covariance for s in chosen if s.covariance is not covariance_formula]
    if len(means) > 1 or len(covariances) > 1 or len(chosen) != len(names):
        return None
    return Posterior(*(means or [mean_formula]), *(covariances or [covariance_formula]))
