"""The KL divergence of two Gaussians: isotropic (the claim), diagonal and full.

Conventions
-----------
- ``KL(N_0 ‖ N_1) = E_0[log p_0 - log p_1]`` in nats; the first argument is the law the expectation
  is taken under.
- Isotropic: ``sigma0, sigma1`` are standard deviations. Diagonal: ``logvar`` are logarithms of
  variances, as in a VAE. Full: covariances ``(d, d)``. Means are ``(d,)``.
- Written with ``+ - * / **`` and log, exp, so it runs in floats, balls and rational functions; d =
  0 gives 0.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.core import Statement
from scoreproof.numerics.functions import exp, log
from scoreproof.numerics.linear import cholesky_factor, solve_rows

__all__ = [
    "STATEMENT",
    "TRUTH",
    "KL",
    "assemble",
    "diagonal_terms",
    "full_terms",
    "isotropic_terms",
]


def isotropic_terms(m0: Any, sigma0: Any, m1: Any, sigma1: Any) -> tuple[Any, Any, Any]:
    """The mean, trace and log terms of ``‖m1-m0‖²/(2σ1²) + (σ0²/σ1² - 1) d/2 + d log(σ1/σ0)``."""
    d = len(m0)
    return (
        np.sum((m1 - m0) ** 2) / (2 * sigma1**2),
        (sigma0**2 / sigma1**2 - 1) * d / 2,
        d * log(sigma1 / sigma0),
    )


def diagonal_terms(m0: Any, logvar0: Any, m1: Any, logvar1: Any) -> tuple[Any, Any, Any]:
    """``½ Σ (m1-m0)²/v1``, ``½ Σ (v0/v1 - 1)`` and ``½ Σ (logvar1 - logvar0)`` with ``v =
    exp(logvar)``.
    """
    return (
        np.sum((m1 - m0) ** 2 * exp(-logvar1)) / 2,
        np.sum(exp(logvar0 - logvar1) - 1) / 2,
        np.sum(logvar1 - logvar0) / 2,
    )


def full_terms(m0: Any, cov0: Any, m1: Any, cov1: Any) -> tuple[Any, Any, Any]:
    """``½ (m1-m0)ᵀ C1⁻¹ (m1-m0)``, ``½ (tr C1⁻¹C0 - d)`` and ``½ log det C1 / det C0``."""
    gap = m1 - m0
    trace = sum(np.diagonal(solve_rows(cov1, cov0)))
    return (
        (solve_rows(cov1, gap[None]) @ gap)[0] / 2,
        (trace - len(m0)) / 2,
        log_det_half(cov1) - log_det_half(cov0),
    )


def log_det_half(cov: Any) -> Any:
    """``½ log det C``, from the Cholesky factor."""
    return sum(log(r) for r in np.diagonal(cholesky_factor(cov)))


def assemble(
    terms: Callable[..., tuple[Any, Any, Any]], mean: Any = 1, trace: Any = 1, log_ratio: Any = 1
) -> Callable[..., Any]:
    """The sum of the three terms, each multiplied by a coefficient (1 in the truth)."""

    def formula(m0: Any, scale0: Any, m1: Any, scale1: Any) -> Any:
        a, b, c = terms(m0, scale0, m1, scale1)
        return a * mean + b * trace + c * log_ratio

    return formula


@dataclass(frozen=True)
class KL:
    """A subject of this claim: the three forms of the divergence, each ``(m0, scale0, m1, scale1)
    -> number``.
    """

    isotropic: Callable[[Any, Any, Any, Any], Any] = assemble(isotropic_terms)
    diagonal: Callable[[Any, Any, Any, Any], Any] = assemble(diagonal_terms)
    full: Callable[[Any, Any, Any, Any], Any] = assemble(full_terms)


TRUTH = KL()

STATEMENT = Statement(
    name="gaussian_kl",
    title="KL divergence of Gaussians",
    formula="KL(N(μ0,σ0²I) ‖ N(μ1,σ1²I)) = ‖μ1-μ0‖²/(2σ1²) + (σ0²/σ1² - 1) d/2 + d log(σ1/σ0)",
    latex=(
        r"D_{\mathrm{KL}}\!\left(\mathcal{N}(\mu_0,\sigma_0^2 I)\,\|\,\mathcal{N}(\mu_1,\sigma_1^2"
        r" I)\right) = "
        r"\frac{\|\mu_1-\mu_0\|^2}{2\sigma_1^2} +"
        r" \frac{d}{2}\left(\frac{\sigma_0^2}{\sigma_1^2}-1\right) + d"
        r" \log\frac{\sigma_1}{\sigma_0}"
    ),
    source=(
        "Homework 1, problem 2 (generative models, spring 2024); diagonal form as in Kingma and"
        " Welling 2013"
    ),
    hypotheses=("σ0 > 0 and σ1 > 0 (covariances positive definite)", "any dimension d >= 0"),
    errata=(
        "Correct as printed, d = 0 included.",
        (
            "Left unsaid: near σ0 = σ1 the printed form cancels in floating point (at a relative"
            " gap of 1e-8 the relative error is typically 0.4, up to 2); use log1p or a series."
        ),
    ),
    blind_spots=(
        "d = 1 hides a missing d.",
        "σ0 = σ1 hides most coefficients; μ0 = μ1 hides the mean term.",
        (
            "A comparison of two implementations of the same closed form sees no error they share:"
            " integrate instead."
        ),
    ),
    not_covered=(
        (
            "The moments E_0[x] and E_0[x²] of a Gaussian are taken as known symbols; that they are"
            " its moments is for the integrals to show."
        ),
        (
            "The exact core treats the isotropic and the diagonal form; the full form is checked in"
            " ball arithmetic and by cubature."
        ),
        "Dimensions other than d = 3, the one of the exact core: there the evidence is in floats.",
    ),
    conventions=(
        "The order of the arguments matters: a VAE's regulariser is KL(q(z|x) ‖ N(0, I)).",
        "Batched code sums over d and may average over the batch.",
    ),
)
