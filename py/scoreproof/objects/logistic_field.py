"""Logistic growth in slanted coordinates: a vector field whose flow is a closed form in any
arithmetic.

Conventions: as in `objects.fields`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.numerics import functions as fn

__all__ = ["LogisticField"]


@dataclass(frozen=True)
class LogisticField:
    """``f(z, θ, s) = B g(B⁻¹ z, s)`` with ``g_k(y, s) = (1 + ramp·s) r_k y_k (1 - y_k/K_k)`` and
    ``θ = (r, K)``.

    The flow and its log-derivative are closed forms, while J = ∂f/∂z is full, not symmetric, and
    varies with z, θ and s. ``basis`` is B and ``inverse`` its inverse, as float arrays or object
    arrays of exact numbers. ``B⁻¹z`` should stay between 0 and K.

    >>> field = LogisticField(np.eye(1), np.eye(1), 0.0)
    >>> z = field.flow(np.array([0.5]), np.array([1.0, 1.0]), 0.0, 1.0)
    >>> bool(abs(z[0] - 1 / (1 + np.exp(-1))) < 1e-15)
    True
    """

    basis: np.ndarray
    inverse: np.ndarray
    ramp: Any

    @property
    def dimension(self) -> int:
        return int(self.basis.shape[0])

    @property
    def parameters(self) -> int:
        return 2 * self.dimension

    def _split(self, theta: Any) -> tuple[Any, Any]:
        return theta[..., : self.dimension], theta[..., self.dimension :]

    def _speed(self, s: Any) -> Any:
        speed = 1 + self.ramp * s
        return speed[..., None] if isinstance(speed, np.ndarray) and speed.ndim else speed

    def coordinates(self, z: Any) -> Any:
        """``B⁻¹ z`` for rows z."""
        return z @ self.inverse.T

    def __call__(self, z: Any, theta: Any, s: Any) -> Any:
        (r, k), y = self._split(theta), self.coordinates(z)
        return (self._speed(s) * (r * y * (1 - y / k))) @ self.basis.T

    def _growth(self, theta: Any, y: Any, start: Any, end: Any) -> tuple[Any, Any]:
        """Exponent R of the growth from ``start`` to ``end`` and ``1 - u + u e^R`` with u = y/K."""
        r, k = self._split(theta)
        exponent = r * ((end - start) + self.ramp * (end * end - start * start) / 2)
        u = y / k
        return exponent, 1 - u + u * fn.exp(exponent)

    def flow(self, z: Any, theta: Any, start: Any, end: Any) -> Any:
        """``z(end)`` from ``z(start) = z``, in closed form."""
        y = self.coordinates(z)
        exponent, denominator = self._growth(theta, y, start, end)
        return (y * fn.exp(exponent) / denominator) @ self.basis.T

    def log_stretch(self, z: Any, theta: Any, start: Any, end: Any) -> Any:
        """``log ∂y_k(end)/∂y_k(start) = ∫ ∂g_k/∂y_k ds`` along the solution with ``z(start) = z``:
        ``(..., D)``.
        """
        exponent, denominator = self._growth(theta, self.coordinates(z), start, end)
        return exponent - 2 * fn.log(denominator)

    def quad_weights(self, nu: Any) -> Any:
        """``w`` with ``νᵀ J ν = Σ_k w_k ∂g_k/∂y_k``: ``w_k = (νᵀB)_k (B⁻¹ν)_k``."""
        return (nu @ self.basis) * (nu @ self.inverse.T)

    def linearize(self, z: Any, theta: Any, s: Any) -> _LogisticLinearization:
        return _LogisticLinearization(self, z, theta, s)


class _LogisticLinearization:
    """Diagonal derivatives of g between B and B⁻¹."""

    def __init__(self, field: LogisticField, z: Any, theta: Any, s: Any) -> None:
        self.basis, self.inverse = field.basis, field.inverse
        (r, k), y, c = field._split(theta), field.coordinates(z), field._speed(s)
        self.first = c * r * (1 - 2 * y / k)  # ∂g/∂y
        self.second = c * r * (-2 / k) + 0 * y  # ∂²g/∂y²
        self.rates = c * y * (1 - y / k), c * r * y * y / (k * k)  # ∂g/∂r, ∂g/∂K
        self.mixed = c * (1 - 2 * y / k), c * 2 * r * y / (k * k)  # their derivatives in y

    def jvp(self, v: Any) -> Any:
        return (self.first * (v @ self.inverse.T)) @ self.basis.T

    def vjp(self, a: Any) -> Any:
        return (self.first * (a @ self.basis)) @ self.inverse

    def vjp_theta(self, a: Any) -> Any:
        left = a @ self.basis
        return np.concatenate([left * rate for rate in self.rates], axis=-1)

    def _weights(self, u: Any, v: Any) -> Any:
        return (u @ self.basis) * (v @ self.inverse.T)

    def quad(self, u: Any, v: Any) -> Any:
        return (self._weights(u, v) * self.first).sum(axis=-1)

    def quad_z(self, u: Any, v: Any) -> Any:
        return (self._weights(u, v) * self.second) @ self.inverse

    def quad_theta(self, u: Any, v: Any) -> Any:
        weights = self._weights(u, v)
        return np.concatenate([weights * m for m in self.mixed], axis=-1)
