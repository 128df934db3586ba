"""A tanh network as a vector field, with the derivatives that an adjoint needs in closed form.

Conventions: as in `objects.fields`; values go forward once, tangents forward and gradients backward
on demand.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = ["TanhNetwork"]


@dataclass(frozen=True)
class TanhNetwork:
    """``f(z, θ, s)``: layers of tanh on ``(z, s)``, the last one linear, all with biases.

    ``hidden``: the widths of the hidden layers. ``θ`` is the concatenation of ``W_1, b_1, W_2, b_2,
    …`` (row major).

    >>> net = TanhNetwork(2, (3,))
    >>> net.parameters, net(np.zeros((5, 2)), np.zeros(net.parameters), 0.5).shape
    (20, (5, 2))
    """

    dimension: int
    hidden: tuple[int, ...]

    def __post_init__(self) -> None:
        if self.dimension < 1 or not self.hidden or min(self.hidden) < 1:
            raise ArgumentError(
                "hidden",
                "a non-empty tuple of positive widths",
                self.hidden,
                "pass e.g. hidden=(16,)",
            )

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
            parts += [
                rng.standard_normal(o * i) * scale / np.sqrt(i),
                rng.standard_normal(o) * scale / 3,
            ]
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
        """Tangents of every layer's input and of every pre-activation, along v (the time does not
        move).
        """
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
        """Gradient of ``a f + uᵀ J v`` in z, or in θ: one reverse sweep over the values and their
        tangents along v.
        """
        ts, ys = self._tangents(v) if u is not None else ([], [])
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
