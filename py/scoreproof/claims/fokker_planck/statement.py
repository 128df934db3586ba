"""The Fokker–Planck equation of an Itô SDE with isotropic noise that does not depend on the state.

Conventions
-----------
- ``dX = f(X, t) dt + ρ(t) dW``, W a standard Brownian motion in R^d; ``rho`` is the diffusion
  coefficient, ρ² the rate of variance.
- Time runs forward. p is the density of X_t (a column of values), never its logarithm.
- A subject takes the `Jets` of p and f at points and returns ∂_t p there. The first index of
  ``dp``, ``d2p``, ``f``, ``df`` is the coordinate: ``dp[i] = ∂_i p``, ``d2p[i] = ∂_i ∂_i p``,
  ``df[i] = ∂_i f_i``; entries are numbers, arrays over points, balls or polynomials.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from scoreproof.core import Statement

__all__ = ["STATEMENT", "Jets", "formula", "total", "truth"]


def total(terms: Sequence[Any]) -> Any:
    """Their sum in their own arithmetic (no float zero to start from)."""
    result = terms[0]
    for term in terms[1:]:
        result = result + term
    return result


def formula(
    p: Any, dp: Sequence[Any], d2p: Sequence[Any], f: Sequence[Any], df: Sequence[Any], rho: Any
) -> Any:
    """``∂_t p = -∇·(f p) + (ρ²/2) Δp``: the only place the statement is written.

    >>> formula(1.0, [2.0], [3.0], [4.0], [5.0], 2.0)
    -7.0
    """
    return rho * rho / 2 * total(d2p) - total(
        [fi * pi + dfi * p for fi, dfi, pi in zip(f, df, dp, strict=True)]
    )


@dataclass(frozen=True, slots=True)
class Jets:
    """What a right side may depend on, at one time: p and f with derivatives, ρ(t), and ρ(0) for
    those who take it by mistake.
    """

    p: Any
    dp: Sequence[Any]
    d2p: Sequence[Any]
    f: Sequence[Any]
    df: Sequence[Any]
    rho: Any
    rho_start: Any


def truth(jets: Jets) -> Any:
    """The subject that every check judges: ``formula`` on jets."""
    return formula(jets.p, jets.dp, jets.d2p, jets.f, jets.df, jets.rho)


STATEMENT = Statement(
    name="fokker_planck",
    title="The density of dX = f dt + rho(t) dW solves the Fokker-Planck equation",
    formula="dX = f(X,t) dt + ρ(t) dW in R^d: ∂_t p = -∇·(f p) + (ρ²/2) Δp",
    latex=(
        r"dX_t = f(X_t,t)\,dt + \rho(t)\,dW_t \;\Longrightarrow\; \partial_t p = -\nabla\cdot(f\,p)"
        r" + \tfrac{1}{2}\rho^2\,\Delta p"
    ),
    source="homework on generative models, spring 2024, problem 5",
    hypotheses=(
        "X_0 is independent of the Brownian motion",
        (
            "X_t has a density p_t that is smooth for t > 0 (C² in x, C¹ in t); otherwise the"
            " equation holds in the weak sense only"
        ),
        "f (or f p) is C¹ in x and ρ is continuous, for the equation in the strong sense",
        (
            "no explosion, for p to be a probability density and for the converse (the equation"
            " itself holds for the mass that is left); enough: f locally Lipschitz and x·f <="
            " C(1+|x|²)"
        ),
        (
            "decay at infinity: no mass flows through it; needed to go from the equation back to"
            " the law"
        ),
        (
            "the noise does not depend on x; then Itô and Stratonovich agree. With g(x,t) the Itô"
            " equation has ½ Σ ∂_i∂_j((g gᵀ)_ij p)"
        ),
    ),
    errata=(
        (
            "unsaid: independence of X_0, smoothness, no explosion. dX = X³ dt + dW from N(0, 0.1)"
            " has lost 37 % of its mass at t = 1"
        ),
        (
            "unsaid: decay at infinity. The Cauchy density with f = 1+x², ρ = 0 solves the equation"
            " and is the law of no solution: mass 1/π leaves at +∞ in a unit of time and enters"
            " at -∞"
        ),
        (
            "three claims go by one name: the equation of an explicit density (closed_forms,"
            " log_form), its weak form from the generator (weak_form), and the law of a solution"
            " (euler_kernel, and explosion where it fails)"
        ),
    ),
    blind_spots=(
        (
            "div f = 0 (tr A = 0 for a linear drift) hides f·∇p for ∇·(f p) and everything else"
            " about the term p ∇·f"
        ),
        "t = 0 or a constant ρ hides ρ(0) for ρ(t); ρ = 1 hides ρ against ρ²",
        "d = 1 hides a factor d and a Laplacian of the first coordinate only",
        "a test function that is affine in x hides the ½ and the whole diffusion term",
        "a stationary density hides an overall sign",
    ),
    not_covered=(
        (
            "existence of a solution of the SDE and of a smooth density (Hörmander, or parabolic"
            " regularity)"
        ),
        "uniqueness: that the solution of the equation with the initial law p_0 is the law of X_t",
        (
            "one_step: that the limit h → 0 may be taken under the expectation, and that the"
            " integral of a divergence with compact support is 0"
        ),
        (
            "polynomial: the moment equations m' = A m + b, C' = A C + C Aᵀ + ρ² I of a linear SDE,"
            " which it assumes; one_step assumes none"
        ),
        (
            "one_step and polynomial: dimensions other than those that their instances name;"
            " no_decay: other points than its 15"
        ),
    ),
    conventions=(
        "physicists write D for ρ²/2 and the flux J = f p - D ∇p: ∂_t p = -∇·J",
        (
            "the backward (Kolmogorov) operator f·∇ + (ρ²/2) Δ acts on test functions; the forward"
            " one here is its adjoint"
        ),
    ),
)
