"""The adjoint equations of FFJORD: a stochastic gradient of the log-likelihood of a continuous
normalizing flow.

Conventions
-----------
- Time: ``s`` in [0, 1]; data sit at ``s = 1`` (``z(1) = x``), the latent law p_Z at ``s = 0``. z
  and ℓ̂ are solved downward, a and b upward.
- Gradients are rows: ``a`` (1 × D), ``b`` (1 × P). ``J = ∂f/∂z`` has ``J[i, j] = ∂f_i/∂z_j``.
- ``ν`` is drawn once per solve with ``E[νν^T] = I``; in the derivative of ``ν^T J ν`` it is held
  fixed.
- ``local`` stands for the derivatives of f at ``(z(s), θ, s)`` (``objects.fields.Linearization``);
  its arithmetic may be floats, balls or polynomials.
"""

from __future__ import annotations

from typing import Any

from scoreproof.core import Statement

__all__ = ["STATEMENT", "estimate", "formula", "start"]


def formula(local: Any, a: Any, nu: Any) -> tuple[Any, Any, Any]:
    """``(ℓ̂', a', b')`` at one time: with `start` and `estimate`, the only place the statement is
    written.

    >>> import numpy as np
    >>> from scoreproof.objects.fields import Dense
    >>> one = np.ones((1, 1))
    >>> local = Dense(2 * one, 3 * one, 4 * np.ones((1, 1, 1)), 5 * np.ones((1, 1, 1)))
    >>> tuple(float(np.squeeze(v)) for v in formula(local, np.array([10.0]), np.array([1.0])))
    (-2.0, -24.0, -35.0)
    """
    return (
        -local.quad(nu, nu),
        -local.vjp(a) - local.quad_z(nu, nu),
        -local.vjp_theta(a) - local.quad_theta(nu, nu),
    )


def start(latent: Any, z0: Any) -> tuple[Any, int]:
    """``a(0)`` and ``b(0)``; ``ℓ̂(1) = 0`` is built into every solver here."""
    return latent.score(z0), 0


def estimate(latent: Any, z0: Any, ell0: Any) -> Any:
    """``log p̂ = log p_Z(z(0)) - ℓ̂(0)``."""
    return latent.log_density(z0) - ell0


STATEMENT = Statement(
    name="ffjord",
    title=(
        "The adjoint of FFJORD gives the gradient of the estimated log-likelihood, and in"
        " expectation that of the log-likelihood"
    ),
    formula=(
        "ℓ̂' = -ν^T J ν, a' = -a J - ∂_z(ν^T J ν), b' = -a ∂f/∂θ - ∂_θ(ν^T J ν), a(0) = ∂log"
        " p_Z(z(0)), b(0) = 0: b(1) = ∂_θ log p̂(x), E_ν b(1) = ∂_θ log p(x)"
    ),
    latex=(
        r"\begin{align*}"
        r"\dot a &= -a\,\tfrac{\partial f}{\partial z} - \partial_z\bigl(\nu^\top"
        r" \tfrac{\partial f}{\partial z}\nu\bigr), & a(0) &= \partial_z \log p_Z(z(0)), \\"
        r"\dot b &= -a\,\tfrac{\partial f}{\partial\theta} - \partial_\theta\bigl(\nu^\top"
        r" \tfrac{\partial f}{\partial z}\nu\bigr), & b(0) &= 0 \\"
        r"\Longrightarrow\quad b(1) &= \partial_\theta \log \hat p_\theta(x), &"
        r" \mathbb{E}_\nu\, b(1) &= \partial_\theta \log p_\theta(x)"
        r"\end{align*}"
    ),
    source="homework on generative models, spring 2024, problem 3",
    hypotheses=(
        "the flow of f through x exists on all of [0, 1]",
        "f and ∂f/∂z are continuously differentiable in (z, θ) jointly, continuous in s",
        "p_Z is positive and continuously differentiable, and does not depend on θ",
        (
            "E[νν^T] = I; ν is independent of (x, θ) and drawn once per solve, the same for ℓ̂, a"
            " and b"
        ),
    ),
    errata=(
        (
            "the equation of ℓ̂ is printed as -ν^T ∂f/∂z: the last ν is missing (the right side is"
            " then a row vector)"
        ),
        "printed d/dt where d/ds is meant, F(x) for F(X), and p_0 for p_Z in the start of a",
        (
            "unsaid: for a ReLU field ∂f/∂z jumps, and the printed adjoint misses a jump of a and"
            " b: where h(z, θ, s) = 0 is crossed transversally, a⁺ = a⁻ - [q] ∂_z h/(∂_z h·f + ∂_s"
            " h) and b⁺ = b⁻ - [q] ∂_θ h/(∂_z h·f + ∂_s h), with [q] the jump of ν^T J ν along the"
            " path"
        ),
        "unsaid: log p̂ is unbiased for log p; exp(log p̂) is not unbiased for p",
        (
            "not needed: an exchange of derivative and expectation. b(1) is affine in νν^T, so"
            " E[νν^T] = I is all that is used"
        ),
    ),
    blind_spots=(
        (
            "a fresh ν in the adjoint, or the exact trace there, still gives an unbiased gradient:"
            " only a comparison at a fixed ν sees it"
        ),
        (
            "D = 1 hides a transposed Jacobian, and makes every ν with E[ν²] = 1 from ±1 the exact"
            " trace"
        ),
        (
            "a field affine in z hides ∂_z(ν^T J ν); one with ∂f/∂z independent of θ hides ∂_θ(ν^T"
            " J ν)"
        ),
        (
            "the gradient alone says nothing about ℓ̂ and log p̂: their faults are seen only where"
            " log p̂ itself is compared"
        ),
        (
            "differentiating log p̂ through the same wrong ℓ̂ agrees with an adjoint wrong in the"
            " same way: one side must be an independent likelihood"
        ),
    ),
    not_covered=(
        (
            "that z depends differentiably on θ with the variational equation as its derivative"
            " (existence and smoothness of the flow)"
        ),
        "the change-of-variables formula log p(x) = log p_Z(z(0)) - ∫ tr ∂f/∂z ds",
        (
            "dimensions D and numbers of parameters P other than those that the instances of"
            " identity and designs name"
        ),
    ),
    conventions=(
        (
            "the paper of FFJORD has this clock too. Its code, and most code, has the data at t ="
            " 0: there s is reversed, f negated, and the sign of the trace integral turned"
        ),
        "autograd's grad(ν^T f) is ν^T J (a row); its product with ν is the quadratic form",
        (
            "Rademacher and Gaussian ν, and ν drawn from the columns of √D Q with Q orthogonal, all"
            " satisfy E[νν^T] = I; ν uniform on [-1, 1] does not (I/3)"
        ),
    ),
)
