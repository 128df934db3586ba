"""What a model predicts, and how to turn one kind of prediction into another.

Conventions, for ``x_t = α x_0 + σ ε`` (σ a standard deviation; primes are d/dt; every prediction is
a conditional mean given x_t)
-----------
- ``score`` = ∇ log p_t(x_t) = -ε/σ, so that E[x_0 | x_t] = (x_t + σ² score)/α (Tweedie).
- ``eps`` = ε, ``x0`` = x_0.
- ``v`` = α ε - σ x_0 (Salimans and Ho 2022). It is inverted by dividing by α² + σ², so α² + σ² = 1
  is not needed.
- ``F`` = EDM's raw network: x_0 = c_skip(s) u + c_out(s) F with u = x_t/α, the noise level s = σ/α
  and ``sigma_data``: c_skip = sd²/(s² + sd²), c_out = s·sd/√(s² + sd²) (Karras et al. 2022; α = 1
  there). The network's input c_in u is its own business.
- ``velocity`` = α' x_0 + σ' ε = d/dt of the path, the flow-matching target and the probability-flow
  ODE's right side f - g²/2·score. It needs ``alpha_dot`` and ``sigma_dot``, with α σ' - σ α' ≠ 0.
  Straight path (1-t, t): velocity = ε - x_0. Codes whose time runs from noise to data have the
  opposite sign: pass their α', σ' with respect to their own t.

All arguments may be floats or arrays of NumPy, PyTorch or JAX that broadcast together: only + - * /
and powers are used.
"""

from __future__ import annotations

from typing import Any

from scoreproof.errors import ArgumentError

__all__ = ["PREDICTIONS", "convert"]

PREDICTIONS = ("score", "eps", "x0", "v", "F", "velocity")


def convert(
    value: Any,
    x_t: Any,
    source: str,
    target: str,
    alpha: Any,
    sigma: Any,
    *,
    sigma_data: Any = 0.5,
    alpha_dot: Any = None,
    sigma_dot: Any = None,
) -> Any:
    """``value``, a prediction of kind ``source`` at ``x_t``, as a prediction of kind ``target``.

    Parameters
    ----------
    value, x_t: arrays ``(n, d)`` (or numbers). alpha, sigma: numbers or ``(n, 1)``, α > 0 and σ >
        0.
    source, target: two of score, eps, x0, v, F, velocity.
    sigma_data: for F. alpha_dot, sigma_dot: dα/dt and dσ/dt, for velocity.

    Raises ``ArgumentError`` for an unknown kind, or for velocity without the two derivatives.

    >>> float(convert(-0.4, 2.0, "score", "x0", alpha=0.8, sigma=0.6))
    2.32
    """
    for name, kind in (("source", source), ("target", target)):
        if kind not in PREDICTIONS:
            raise ArgumentError(
                name,
                f"one of {', '.join(PREDICTIONS)}",
                repr(kind),
                "see the convention box of scoreproof.objects.parameterizations",
            )
    if "velocity" in (source, target) and (alpha_dot is None or sigma_dot is None):
        raise ArgumentError(
            "alpha_dot and sigma_dot",
            "given for velocity",
            "None",
            "pass dα/dt and dσ/dt; a Schedule has them as derivatives(t)",
        )
    if source == target:
        return value
    x0, eps = _pair(value, x_t, source, alpha, sigma, sigma_data, alpha_dot, sigma_dot)
    if target == "x0":
        return x0
    if target == "eps":
        return eps
    if target == "score":
        return -eps / sigma
    if target == "v":
        return alpha * eps - sigma * x0
    if target == "velocity":
        return alpha_dot * x0 + sigma_dot * eps
    skip, out = _preconditioning(alpha, sigma, sigma_data)
    return (x0 - skip * x_t) / out


def _preconditioning(alpha: Any, sigma: Any, sigma_data: Any) -> tuple[Any, Any]:
    """Coefficients of x_t and of F in x_0."""
    level = sigma / alpha
    total = level**2 + sigma_data**2
    return sigma_data**2 / total / alpha, level * sigma_data / total**0.5


def _pair(
    value: Any,
    x_t: Any,
    source: str,
    alpha: Any,
    sigma: Any,
    sigma_data: Any,
    alpha_dot: Any,
    sigma_dot: Any,
) -> tuple[Any, Any]:
    """``(x_0, ε)`` from any kind of prediction."""
    if source == "v":
        norm = alpha**2 + sigma**2
        return (alpha * x_t - sigma * value) / norm, (sigma * x_t + alpha * value) / norm
    if source == "velocity":
        determinant = alpha * sigma_dot - sigma * alpha_dot
        return (sigma_dot * x_t - sigma * value) / determinant, (
            alpha * value - alpha_dot * x_t
        ) / determinant
    if source in ("score", "eps"):
        eps = value if source == "eps" else -sigma * value
        return (x_t - sigma * eps) / alpha, eps
    if source == "F":
        skip, out = _preconditioning(alpha, sigma, sigma_data)
        value = skip * x_t + out * value
    return value, (x_t - alpha * value) / sigma
