"""What a network predicts - score, ε, x0, v, F, velocity - and how one becomes another.

Conventions, for ``x = α x_0 + σ ε`` (x, x_0, ε of one shape; α, σ numbers or broadcastable arrays)
------------------------------------------------------------------------------------------------
- ``x0``: E[x_0 | x]. ``eps``: E[ε | x] = (x - α x0)/σ. ``score``: ∇log p(x) = -eps/σ, so x0 = (x + σ² score)/α.
- ``v``: α eps - σ x0 (Salimans and Ho 2022; there α² + σ² = 1, which is not assumed here).
- ``F``: the raw network of EDM (Karras et al. 2022): x0 = c_skip x/α + c_out F at the noise level s = σ/α,
  with c_skip = σ_data²/(s² + σ_data²) and c_out = s σ_data/√(s² + σ_data²).
- ``velocity``: α' x0 + σ' eps, with α', σ' the time derivatives (flow matching; ε - x_0 for α = 1-t, σ = t).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = ["PREDICTIONS", "convert", "from_x0", "to_x0"]

PREDICTIONS = ("score", "eps", "x0", "v", "F", "velocity")


def _check(name: str, kind: str, alpha: Any, sigma: Any, rates: tuple[Any, Any] | None) -> None:
    if kind not in PREDICTIONS:
        raise ArgumentError(name, f"one of {', '.join(PREDICTIONS)}", repr(kind), "name what the network predicts")
    if np.any(np.asarray(sigma) <= 0):
        raise ArgumentError("sigma", "> 0", sigma, "the conversions divide by it; stay away from t = 0")
    if np.any(np.asarray(alpha) <= 0):
        raise ArgumentError("alpha", "> 0", alpha, "at alpha = 0 nothing is left of x_0")
    if kind == "velocity" and rates is None:
        raise ArgumentError("rates", "(d alpha/dt, d sigma/dt) for a velocity", None, "pass rates=(dalpha, dsigma)")


def to_x0(value: Any, x: Any, kind: str, alpha: Any, sigma: Any, *, sigma_data: float = 0.5, rates: tuple[Any, Any] | None = None) -> Any:
    """The x_0-prediction that a prediction of another kind stands for. Raises ``ArgumentError`` (see the module).

    >>> float(to_x0(-2.0, 3.0, "score", 1.0, 0.5))    # x + σ² score
    2.5
    """
    _check("kind", kind, alpha, sigma, rates)
    if kind == "x0":
        return value
    if kind == "score":
        return (x + sigma**2 * value) / alpha
    if kind == "eps":
        return (x - sigma * value) / alpha
    if kind == "v":
        return (alpha * x - sigma * value) / (alpha**2 + sigma**2)
    if kind == "F":
        skip, out = _preconditioning(sigma / alpha, sigma_data)
        return skip * x / alpha + out * value
    assert rates is not None
    dalpha, dsigma = rates
    return (dsigma * x - sigma * value) / (dsigma * alpha - sigma * dalpha)


def from_x0(x0: Any, x: Any, kind: str, alpha: Any, sigma: Any, *, sigma_data: float = 0.5, rates: tuple[Any, Any] | None = None) -> Any:
    """The prediction of the given kind that an x_0-prediction stands for; the inverse of `to_x0`."""
    _check("kind", kind, alpha, sigma, rates)
    eps = (x - alpha * x0) / sigma
    if kind == "x0":
        return x0
    if kind == "score":
        return -eps / sigma
    if kind == "eps":
        return eps
    if kind == "v":
        return alpha * eps - sigma * x0
    if kind == "F":
        skip, out = _preconditioning(sigma / alpha, sigma_data)
        return (x0 - skip * x / alpha) / out
    assert rates is not None
    return rates[0] * x0 + rates[1] * eps


def convert(value: Any, x: Any, given: str, wanted: str, alpha: Any, sigma: Any, *, sigma_data: float = 0.5, rates: tuple[Any, Any] | None = None) -> Any:
    """A prediction of kind ``given`` as one of kind ``wanted``.

    >>> float(convert(0.5, 2.0, "eps", "score", 0.8, 0.6))
    -0.8333333333333...
    """
    x0 = to_x0(value, x, given, alpha, sigma, sigma_data=sigma_data, rates=rates)
    return from_x0(x0, x, wanted, alpha, sigma, sigma_data=sigma_data, rates=rates)


def _preconditioning(level: Any, sigma_data: float) -> tuple[Any, Any]:
    total = level**2 + sigma_data**2
    return sigma_data**2 / total, level * sigma_data / total**0.5
