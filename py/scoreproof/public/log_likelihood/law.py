"""The laws of x_0 that log p is known of, at every level, in the user's own array library.

Conventions: x_t = α x_0 + σ ε with x_0 of a mixture of Gaussians; points are ``(…, d)``, α and σ
numbers or ``(…, 1)``. Only operations of the array's own library are used, so that it may be
traced, mapped or differentiated; nothing is divided by σ or α, either of which may be 0.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass, field
from typing import Any

import numpy as np

__all__ = ["OUT", "Law", "Parts", "gaussian", "library", "like", "mixture"]

#: what a coordinate's width is of x_0: the flow has to widen it, by about a nat
WIDTH = 0.45
#: standard deviations, of points that a clamp would reach
OUT = 6.0


@dataclass(frozen=True, eq=False)
class Parts:
    """E[x_0 | x], E[ε | x], ∇ log p and log p at points of one level."""

    x0: Any
    eps: Any
    score: Any
    log_p: Any


@dataclass(frozen=True, eq=False)
class Law:
    """``weights`` ``(k,)``, ``means`` ``(k, d)``; covariances ``axes diag(variances) axesᵀ``. Means
    and variances may be ``(n, k, d)``, of a law for every row.
    """

    name: str
    weights: np.ndarray
    means: np.ndarray
    axes: np.ndarray
    variances: np.ndarray
    _kept: dict[Any, Any] = field(default_factory=dict, init=False)

    @property
    def d(self) -> int:
        return int(self.means.shape[-1])

    def parts(self, x: Any, alpha: Any, sigma: Any, theta: Any = None) -> Parts:
        """``theta``: (shift ``(d,)``, log of a scale ``()``) of x_0, in the library of x."""
        lib = library(x)
        means, axes, back_axes, var, norm = self._constants(x)
        if theta is not None:
            means = lib.exp(theta[1]) * means + theta[0]
            var = lib.exp(2 * theta[1]) * var
        a, s = _up(alpha), _up(sigma)
        y = ((x[..., None, :] - a * means)[..., None, :] @ axes)[..., 0, :]
        total = a**2 * var + s**2
        whitened = y / total
        logs = norm - (y * whitened + lib.log(total)).sum(-1) / 2
        top = _most(logs)
        mass = lib.exp(logs - top[..., None])
        r = (mass / mass.sum(-1)[..., None])[..., None]

        def back(v: Any) -> Any:
            return (v[..., None, :] @ back_axes)[..., 0, :]

        pull = back(whitened)
        x0 = means + a * back(var * whitened)
        score = -(r * pull).sum(-2)
        return Parts((r * x0).sum(-2), -sigma * score, score, lib.log(mass.sum(-1)) + top)

    def _constants(self, x: Any) -> Any:
        kind = (library(x).__name__, str(x.dtype))
        found = self._kept.get(kind)
        if found is None:
            norm = np.log(self.weights) - self.d / 2 * np.log(2 * np.pi)
            back = np.ascontiguousarray(self.axes.swapaxes(-1, -2))
            found = tuple(like(v, x) for v in (self.means, self.axes, back, self.variances, norm))
            if kind[0] in ("torch", "numpy"):  # an array that JAX makes inside jit is of that trace
                self._kept[kind] = found
        return found

    def moved(self, theta: np.ndarray) -> Law:
        """For every row ``(n, d + 1)``: x_0 shifted by d numbers and scaled by exp of the last."""
        scale = np.exp(theta[:, -1])[:, None, None]
        means = scale * self.means + theta[:, None, :-1]
        return Law(self.name, self.weights, means, self.axes, scale**2 * self.variances)

    def log_density(self, x: np.ndarray, alpha: Any, sigma: Any) -> np.ndarray:
        return np.asarray(self.parts(x, alpha, sigma).log_p)

    def divergences(
        self, x: np.ndarray, alpha: float, sigma: float
    ) -> tuple[np.ndarray, np.ndarray]:
        """Of E[x_0 | x] and of the score at NumPy's rows, at one level: ``(n,)`` each."""
        total = alpha**2 * self.variances + sigma**2
        y = np.einsum("nkd,kde->nke", x[:, None] - alpha * self.means, self.axes)
        logs = np.log(self.weights) - 0.5 * (y**2 / total + np.log(total)).sum(-1)
        r = np.exp(logs - logs.max(axis=1)[:, None])
        r /= r.sum(axis=1)[:, None]
        scores = -np.einsum("nke,kde->nkd", y / total, self.axes)
        x0 = self.means + alpha * np.einsum("nke,kde->nkd", self.variances * y / total, self.axes)
        # what the weights of the components change by
        turn = scores - np.einsum("nk,nkd->nd", r, scores)[:, None]
        of_x0 = (alpha * self.variances / total).sum(-1) + (turn * x0).sum(-1)
        of_score = -(1 / total).sum(-1) + (turn * scores).sum(-1)
        return (r * of_x0).sum(-1), (r * of_score).sum(-1)

    def points(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n points of x_0, of every component in turn."""
        k = np.arange(n) % len(self.weights)
        z = rng.standard_normal((n, self.d)) * np.sqrt(self.variances[k])
        return np.asarray(self.means[k] + np.einsum("ne,nde->nd", z, self.axes[k]))

    def far(self, n: int) -> np.ndarray:
        """n points of the first component in its tails: `OUT` standard deviations out, on either
        side along its axes in turn.
        """
        k = np.arange(n) % self.d
        sign = np.where(np.arange(n) // self.d % 2 == np.arange(n) % 2, 1.0, -1.0)
        steps = sign * OUT * np.sqrt(self.variances[0][k])
        return np.asarray(self.means[0] + steps[:, None] * self.axes[0].T[k])


def gaussian(d: int) -> Law:
    """Correlated, not centred, another width in each coordinate."""
    mean, cov = _moments(d)
    return _law("a Gaussian", [1.0], [mean], [cov])


def mixture(d: int) -> Law:
    """Two Gaussians that overlap."""
    mean, cov = _moments(d)
    aside = WIDTH * np.cos(np.arange(d) + 0.2) / d**0.5
    other = 0.6 * np.diag(np.diag(cov))
    return _law("a mixture of two", [0.4, 0.6], [mean - 2 * aside, mean + 1.5 * aside],
                [cov, other])  # fmt: skip


def _law(name: str, weights: list[float], means: list[Any], covs: list[Any]) -> Law:
    values, axes = np.linalg.eigh(np.stack(covs))
    return Law(name, np.array(weights), np.stack(means), axes, values)


def _moments(d: int) -> tuple[np.ndarray, np.ndarray]:
    k = np.arange(d)
    widths = WIDTH * (1 + 0.3 * np.sin(2.0 * k + 0.5))
    correlation = 0.4 ** np.abs(k[:, None] - k)
    return 0.5 * np.cos(1.3 * k + 0.4), correlation * np.outer(widths, widths)


def library(x: Any) -> Any:
    """numpy, torch or jax.numpy, whichever the array is of."""
    package = type(x).__module__.split(".")[0]
    if package == "torch":
        return sys.modules["torch"]
    return sys.modules["jax"].numpy if package in ("jax", "jaxlib") else np


def like(value: Any, x: Any) -> Any:
    """``value`` as an array of the library and type of x."""
    lib = library(x)
    if lib is np:
        kind = getattr(x, "dtype", None)
        value = np.asarray(value)
        return value.astype(kind) if kind is not None and kind.kind == "f" else value
    if lib.__name__ == "torch":
        return lib.as_tensor(np.array(value), dtype=x.dtype, device=x.device)
    return lib.asarray(value, dtype=x.dtype)


def _up(v: Any) -> Any:
    return v[..., None] if np.ndim(v) else v


def _most(x: Any) -> Any:
    lib = library(x)
    if lib is np:
        return x.max(-1)
    if lib.__name__ == "torch":
        return x.detach().amax(-1)
    return sys.modules["jax"].lax.stop_gradient(x.max(-1))
