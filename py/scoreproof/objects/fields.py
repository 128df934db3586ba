"""Vector fields f(z, θ, s) with the derivatives that an adjoint needs, and a way to give one's own.

Conventions
-----------
- Points are rows ``z (..., D)``, parameters a flat vector ``theta (P,)`` (or ``(..., P)``, one per
  point), ``s`` a number or an array that broadcasts to the leading axes of ``z``.
- ``J[i, j] = ∂f_i/∂z_j``; ``a`` is a row (a gradient), ``vjp(a) = a J``, ``jvp(v) = J v``.
- ``quad(u, v) = uᵀ J v``; ``quad_z`` and ``quad_theta`` are its gradients in z and θ with u and v
  held fixed.
- Everything is analytic in z and θ: no conjugation, no absolute value, so complex steps and balls
  pass through.

To give one's own field: an object with ``dimension``, ``parameters``, ``__call__(z, theta, s)`` and
``linearize(z, theta, s)``, the latter returning a `Linearization`; `Dense` builds one from arrays
of derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scoreproof.objects.logistic_field import LogisticField
from scoreproof.objects.tanh_network import TanhNetwork

__all__ = ["Dense", "Linearization", "LogisticField", "TanhNetwork", "basis_rows"]


class Linearization(Protocol):
    """What the adjoint asks of a field at one point (or a batch of points)."""

    def jvp(self, v: Any) -> Any: ...

    def vjp(self, a: Any) -> Any: ...

    def vjp_theta(self, a: Any) -> Any: ...

    def quad(self, u: Any, v: Any) -> Any: ...

    def quad_z(self, u: Any, v: Any) -> Any: ...

    def quad_theta(self, u: Any, v: Any) -> Any: ...


def basis_rows(like: Any) -> list[Any]:
    """The unit vectors e_1 … e_D in the arithmetic and shape of ``like (..., D)``."""
    rows = []
    for i in range(like.shape[-1]):
        e = like * 0
        e[..., i] = e[..., i] + 1
        rows.append(e)
    return rows


@dataclass(frozen=True)
class Dense:
    """A linearization by arrays in any arithmetic (object arrays hold balls or polynomials).

    ``jacobian (..., D, D)``, ``parameter_jacobian (..., D, P)``, ``hessian[..., i, j, k] =
    ∂²f_i/∂z_j∂z_k``, ``mixed[..., i, j, p] = ∂²f_i/∂z_j∂θ_p``.

    >>> J, units = np.array([[1.0, 2.0], [3.0, 4.0]]), np.eye(2)
    >>> d = Dense(J, np.ones((2, 1)), np.zeros((2, 2, 2)), np.ones((2, 2, 1)))
    >>> d.vjp(units[0]).tolist(), float(d.quad(units[0], units[1]))
    ([1.0, 2.0], 2.0)
    """

    jacobian: np.ndarray
    parameter_jacobian: np.ndarray
    hessian: np.ndarray
    mixed: np.ndarray

    def jvp(self, v: Any) -> Any:
        return (self.jacobian * v[..., None, :]).sum(axis=-1)

    def vjp(self, a: Any) -> Any:
        return (a[..., :, None] * self.jacobian).sum(axis=-2)

    def vjp_theta(self, a: Any) -> Any:
        return (a[..., :, None] * self.parameter_jacobian).sum(axis=-2)

    def quad(self, u: Any, v: Any) -> Any:
        return (u * self.jvp(v)).sum(axis=-1)

    def quad_z(self, u: Any, v: Any) -> Any:
        return (
            ((u[..., :, None] * v[..., None, :])[..., None] * self.hessian)
            .sum(axis=-2)
            .sum(axis=-2)
        )

    def quad_theta(self, u: Any, v: Any) -> Any:
        return (
            ((u[..., :, None] * v[..., None, :])[..., None] * self.mixed).sum(axis=-2).sum(axis=-2)
        )
