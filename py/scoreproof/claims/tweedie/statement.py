"""Tweedie's formula, first and second order.

Conventions
-----------
- ``Y = X + Z``, ``Z ~ N(0, cov)`` independent of X; ``cov`` is a covariance ``(d, d)``, never a
  standard deviation.
- Points and scores are rows ``(n, d)``; Hessians of ``log p_Y`` are ``(n, d, d)``.
- Everything is written with ``+ - * @`` only, so it runs in floats, complex numbers, balls and
  rational functions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.core import Statement

__all__ = ["STATEMENT", "TRUTH", "Posterior", "covariance_formula", "mean_formula", "posterior"]


def mean_formula(y: Any, score: Any, cov: Any) -> Any:
    """``E[X | Y = y] = y + Σ ∇log p_Y(y)``, rows to rows (Σ is symmetric, so ``score @ cov`` is ``Σ
    ∇log p`` as rows).
    """
    return y + score @ cov


def covariance_formula(hessian: Any, cov: Any) -> Any:
    """``Cov[X | Y = y] = Σ + Σ ∇²log p_Y(y) Σ``: ``(n, d, d)``."""
    return cov + cov @ hessian @ cov


@dataclass(frozen=True)
class Posterior:
    """A subject of this claim: a candidate for the posterior mean ``(y, score, cov)`` and
    covariance ``(hessian, cov)``.
    """

    mean: Callable[[Any, Any, Any], Any] = mean_formula
    covariance: Callable[[Any, Any], Any] = covariance_formula


TRUTH = Posterior()


def posterior(
    *, y_scale: Any = 1, score_scale: Any = 1, cov_scale: Any = 1, hessian_scale: Any = 1
) -> Posterior:
    """The truth with coefficients multiplied by the given factors (the sharpness probes)."""
    return Posterior(
        lambda y, score, cov: y * y_scale - y + mean_formula(y, score * score_scale, cov),
        lambda hessian, cov: (
            np.asarray(cov) * cov_scale - cov + covariance_formula(hessian * hessian_scale, cov)
        ),
    )


STATEMENT = Statement(
    name="tweedie",
    title="Tweedie's formula",
    formula=(
        "E[X | Y=y] = y + Σ ∇log p_Y(y)   and   Cov[X | Y=y] = Σ + Σ ∇²log p_Y(y) Σ,   for Y = X +"
        " N(0, Σ)"
    ),
    latex=(
        r"\mathbb{E}[X \mid Y=y] = y + \Sigma\, \nabla \log p_Y(y), \qquad \mathrm{Cov}[X \mid Y=y]"
        r" = \Sigma + \Sigma\, \nabla^2 \log p_Y(y)\, \Sigma"
    ),
    source="Homework 1, problem 1 (generative models, spring 2024); Robbins 1956, Efron 2011",
    hypotheses=(
        "Y = X + Z with Z ~ N(0, Σ), Σ symmetric positive definite, X and Z independent",
        "any law of X: atoms are allowed, and no moment of X is needed",
    ),
    errata=(
        "The source asks for a density of X; it is not needed.",
        (
            "The source lets one swap derivative and integral; under Gaussian noise this always"
            " holds, so it is no hypothesis."
        ),
        (
            "The hint ℓ' = E[X|Y] ℓ is for the scalar case with Σ = 1, as it says; in general Σ"
            " ∇log ℓ = E[X|Y]."
        ),
    ),
    blind_spots=(
        (
            "Σ = I hides Σ, its inverse and its factor; n = 1 or a diagonal Σ hides transposes, and"
            " L Lᵀ against Lᵀ L."
        ),
        (
            "Where the softmax over the atoms has one effective atom (perplexity near 1) the"
            " formula says only that the nearest atom is the nearest atom."
        ),
        (
            "A score taken from the posterior mean (or the reverse) is the formula itself and"
            " passes always: differentiate log p_Y."
        ),
        (
            "A symmetric positive semidefinite Jacobian is necessary for a posterior mean, not"
            " sufficient: max(y, 0) has one."
        ),
    ),
    not_covered=(
        (
            "That p_Y is smooth and positive and that derivatives pass under the integral, for laws"
            " of X that are not finitely many atoms."
        ),
        (
            "More atoms than the instance names, and other dimensions than 2: there the evidence is"
            " in balls and in floats."
        ),
    ),
    conventions=(
        (
            "The formula fails for noise with a mean, noise that is not Gaussian, and noise that"
            " depends on X."
        ),
        "For x_t = α x_0 + σ ε it reads E[x_0 | x_t] = (x_t + σ² ∇log p(x_t)) / α.",
    ),
)
