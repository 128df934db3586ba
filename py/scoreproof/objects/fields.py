"""Vector fields f(z, θ, s) with the derivatives that an adjoint needs, and a way to give one's own.

Conventions
-----------
- Points are rows ``z (..., D)``, parameters a flat vector ``theta (P,)`` (or ``(..., P)``, one per point), ``s`` a number
  or an array that broadcasts to the leading axes of ``z``.
- ``J[i, j] = ∂f_i/∂z_j``; ``a`` is a row (a gradient), ``vjp(a) = a J``, ``jvp(v) = J v``.
- ``quad(u, v) = uᵀ J v``; ``quad_z`` and ``quad_theta`` are its gradients in z and θ with u and v held fixed.
- Everything is analytic in z and θ: no conjugation, no absolute value, so complex steps and balls pass through.

To give one's own field: an object with ``dimension``, ``parameters``, ``__call__(z, theta, s)`` and
``linearize(z, theta, s)``, the latter returning a `Linearization`; `Dense` builds one from arrays of derivatives.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.numerics import functions as fn

__all__ = ["Dense", "Linearization", "LogisticField", "TanhNetwork", "VectorField", "basis_rows"]


class Linearization(Protocol):
    """What the adjoint asks of a field at one point (or a batch of points)."""

    def jvp(self, v: Any) -> Any: ...

    def vjp(self, a: Any) -> Any: ...

    def vjp_theta(self, a: Any) -> Any: ...

    def quad(self, u: Any, v: Any) -> Any: ...

    def quad_z(self, u: Any, v: Any) -> Any: ...

    def quad_theta(self, u: Any, v: Any) -> Any: ...


class VectorField(Protocol):
    """A right side of ``z' = f(z, θ, s)`` with its linearization."""

    dimension: int
    parameters: int

    def __call__(self, z: Any, theta: Any, s: Any) -> Any: ...

    def linearize(self, z: Any, theta: Any, s: Any) -> Linearization: ...


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

    ``jacobian (..., D, D)``, ``parameter_jacobian (..., D, P)``, ``hessian[..., i, j, k] = ∂²f_i/∂z_j∂z_k``,
    ``mixed[..., i, j, p] = ∂²f_i/∂z_j∂θ_p``.

    >>> d = Dense(np.array([[1.0, 2.0], [3.0, 4.0]]), np.ones((2, 1)), np.zeros((2, 2, 2)), np.ones((2, 2, 1)))
    >>> d.vjp(np.array([1.0, 0.0])).tolist(), float(d.quad(np.array([1.0, 0.0]), np.array([0.0, 1.0])))
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
        return ((u[..., :, None] * v[..., None, :])[..., None] * self.hessian).sum(axis=-2).sum(axis=-2)

    def quad_theta(self, u: Any, v: Any) -> Any:
        return ((u[..., :, None] * v[..., None, :])[..., None] * self.mixed).sum(axis=-2).sum(axis=-2)


# -- tanh networks ------------------------------------------------------------------------------


@dataclass(frozen=True)
class TanhNetwork:
    """``f(z, θ, s)``: layers of tanh on ``(z, s)``, the last one linear, all with biases.

    ``hidden``: the widths of the hidden layers. ``θ`` is the concatenation of ``W_1, b_1, W_2, b_2, …`` (row major).

    >>> net = TanhNetwork(2, (3,))
    >>> net.parameters, net(np.zeros((5, 2)), np.zeros(net.parameters), 0.5).shape
    (20, (5, 2))
    """

    dimension: int
    hidden: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.dimension < 1 or not self.hidden or min(self.hidden) < 1:
            raise ArgumentError("hidden", "a non-empty tuple of positive widths", self.hidden, "pass e.g. hidden=(16,)")

    @cached_property
    def _sizes(self) -> tuple[tuple[int, int], ...]:
        widths = (self.dimension + 1, *self.hidden, self.dimension)
        return tuple((widths[i + 1], widths[i]) for i in range(len(widths) - 1))

    @property
    def parameters(self) -> int:
        """P, the length of θ."""
        return sum(o * i + o for o, i in self._sizes)

    def initial(self, rng: np.random.Generator, scale: float = 1.0) -> np.ndarray:
        """Random parameters ``(P,)`` with entries of size ``scale / √(fan-in)``."""
        parts = []
        for o, i in self._sizes:
            parts += [rng.standard_normal(o * i) * scale / np.sqrt(i), rng.standard_normal(o) * scale / 3]
        return np.concatenate(parts)

    def _layers(self, theta: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
        theta, start, out = np.asarray(theta), 0, []
        for o, i in self._sizes:
            w = theta[..., start : start + o * i].reshape(*theta.shape[:-1], o, i)
            out.append((w, theta[..., start + o * i : start + o * i + o]))
            start += o * i + o
        return out

    def _input(self, z: np.ndarray, s: Any) -> np.ndarray:
        time = np.broadcast_to(np.asarray(s), z.shape[:-1])[..., None]
        return np.concatenate([z, time.astype(z.dtype)], axis=-1)

    def __call__(self, z: Any, theta: Any, s: Any) -> np.ndarray:
        x = self._input(np.asarray(z), s)
        layers = self._layers(theta)
        for n, (w, b) in enumerate(layers):
            y = _apply(w, x) + b
            x = y if n == len(layers) - 1 else np.tanh(y)
        return x

    def linearize(self, z: Any, theta: Any, s: Any) -> _TanhLinearization:
        return _TanhLinearization(self, np.asarray(z), theta, s)


def _apply(w: np.ndarray, x: np.ndarray) -> np.ndarray:
    return x @ w.T if w.ndim == 2 else (w @ x[..., None])[..., 0]


def _apply_transposed(w: np.ndarray, x: np.ndarray) -> np.ndarray:
    return x @ w if w.ndim == 2 else (np.swapaxes(w, -1, -2) @ x[..., None])[..., 0]


class _TanhLinearization:
    """Forward values once; tangents forward and gradients backward on demand."""

    def __init__(self, net: TanhNetwork, z: np.ndarray, theta: Any, s: Any) -> None:
        self.dimension = net.dimension
        self.layers = net._layers(theta)
        self.inputs, self.slopes = [net._input(z, s)], []
        for w, b in self.layers[:-1]:
            self.inputs.append(np.tanh(_apply(w, self.inputs[-1]) + b))
            self.slopes.append(1 - self.inputs[-1] ** 2)

    def _tangents(self, v: Any) -> tuple[list[Any], list[Any]]:
        """Tangents of every layer's input and of every pre-activation, along v (the time does not move)."""
        v = np.asarray(v)
        shape = np.broadcast_shapes(v.shape, (*self.inputs[0].shape[:-1], self.dimension))
        v = np.broadcast_to(v, shape)
        ts, ys = [np.concatenate([v, np.zeros((*shape[:-1], 1), dtype=v.dtype)], axis=-1)], []
        for n, (w, _) in enumerate(self.layers):
            ys.append(_apply(w, ts[-1]))
            if n < len(self.slopes):
                ts.append(self.slopes[n] * ys[-1])
        return ts, ys

    def _reverse(self, a: Any, u: Any, v: Any, *, want_theta: bool) -> Any:
        """Gradient of ``a f + uᵀ J v`` in z, or in θ: one reverse sweep over the values and their tangents along v."""
        ts, ys = self._tangents(v) if u is not None else (None, None)
        x_bar, t_bar, grads = a, u, []
        for n in reversed(range(len(self.layers))):
            w, _ = self.layers[n]
            if n == len(self.layers) - 1:
                y_bar, dy_bar = x_bar, t_bar
            else:
                slope = self.slopes[n]
                y_bar = slope * x_bar
                dy_bar = None
                if t_bar is not None:
                    # tanh'' = -2 tanh tanh'
                    y_bar = y_bar - 2 * self.inputs[n + 1] * slope * ys[n] * t_bar
                    dy_bar = slope * t_bar
            if want_theta:
                y_full = y_bar + self.inputs[n][..., :1] * 0
                outer = y_full[..., :, None] * self.inputs[n][..., None, :]
                if dy_bar is not None:
                    outer = outer + dy_bar[..., :, None] * ts[n][..., None, :]
                bias = np.broadcast_to(y_full, outer.shape[:-1])
                grads.append(np.concatenate([outer.reshape(*outer.shape[:-2], -1), bias], axis=-1))
            x_bar = _apply_transposed(w, y_bar)
            t_bar = _apply_transposed(w, dy_bar) if dy_bar is not None else None
        if want_theta:
            return np.concatenate(grads[::-1], axis=-1)
        return x_bar[..., : self.dimension]

    def jvp(self, v: Any) -> np.ndarray:
        return self._tangents(v)[1][-1]

    def vjp(self, a: Any) -> np.ndarray:
        return self._reverse(np.asarray(a), None, None, want_theta=False)

    def vjp_theta(self, a: Any) -> np.ndarray:
        return self._reverse(np.asarray(a), None, None, want_theta=True)

    def quad(self, u: Any, v: Any) -> np.ndarray:
        return (u * self.jvp(v)).sum(axis=-1)

    def quad_z(self, u: Any, v: Any) -> np.ndarray:
        return self._reverse(np.asarray(u) * 0, np.asarray(u), v, want_theta=False)

    def quad_theta(self, u: Any, v: Any) -> np.ndarray:
        return self._reverse(np.asarray(u) * 0, np.asarray(u), v, want_theta=True)


# -- logistic growth, conjugated ----------------------------------------------------------------


@dataclass(frozen=True)
class LogisticField:
    """``f(z, θ, s) = B g(B⁻¹ z, s)`` with ``g_k(y, s) = (1 + ramp·s) r_k y_k (1 - y_k/K_k)`` and ``θ = (r, K)``.

    The flow and its log-derivative are closed forms, while J = ∂f/∂z is full, not symmetric, and varies with z, θ and s.
    ``basis`` is B and ``inverse`` its inverse, as float arrays or object arrays of exact numbers. ``B⁻¹z`` should stay
    between 0 and K.

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
        """``log ∂y_k(end)/∂y_k(start) = ∫ ∂g_k/∂y_k ds`` along the solution with ``z(start) = z``: ``(..., D)``."""
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
