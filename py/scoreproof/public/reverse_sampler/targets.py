"""What a sampler is run against: a process started from laws whose marginals are known exactly.

Conventions
-----------
- ``X_t | X_0 ~ N(α X_0 + shift, σ² I)``; σ is a standard deviation; points are rows ``(n, d)``.
- From the plane up the laws of X_0 have another width along each axis (and, up to 16 dimensions,
  axes
  that are tilted): a rotation, a drift of one coordinate or noise shared by several changes them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.objects.parameterizations import PREDICTIONS
from scoreproof.public.reverse_sampler.process import consistent, horizon_of, level

__all__ = ["PREDICTIONS", "Diffused", "diffused", "gaussian", "mixture"]

#: up to this dimension the axes are tilted (beyond, a score would cost n d² operations)
TILTED = 16


@dataclass(frozen=True, eq=False)
class Diffused:
    """The process started from a Gaussian mixture: ``drift``, ``diffusion``, ``score``,
    ``density``, ``moments``. Component k has the variances ``widths[k]`` along the columns of
    ``axes[k]`` (along the coordinates where ``axes`` is ``None``).
    """

    process: Any
    weights: np.ndarray
    means: np.ndarray
    widths: np.ndarray
    axes: np.ndarray | None
    horizon: float
    exact_level: Callable[[float], tuple[float, np.ndarray, float]]  # t -> (α, shift, σ²)
    _known: dict[Any, Any] = field(default_factory=dict, repr=False)

    @property
    def dimension(self) -> int:
        return self.means.shape[1]

    def level(self, t: float) -> tuple[float, np.ndarray, float]:
        """``(α, shift, σ²)`` at t."""
        if ("level", t) not in self._known:  # a sampler is asked at the same times for every λ
            self._known["level", t] = self.exact_level(t)
        return self._known["level", t]

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        return np.broadcast_to(np.asarray(self.process.drift(x, t), dtype=float), x.shape)

    def diffusion(self, t: float) -> float:
        if ("g", t) not in self._known:
            self._known["g", t] = float(np.ravel(self.process.diffusion(t))[0])
        return self._known["g", t]

    def rate(self, t: float) -> float:
        """The coefficient of x in the forward drift."""
        if ("rate", t) not in self._known:
            one = np.ones((1, self.dimension))
            self._known["rate", t] = float((self.drift(one, t) - self.drift(0 * one, t))[0, 0])
        return self._known["rate", t]

    def moments(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Mean and covariance of X_t."""
        if ("moments", t) not in self._known:
            alpha, shift, var = self.level(t)
            means, eye = alpha * self.means + shift, np.eye(self.dimension)
            q = eye[None] if self.axes is None else self.axes
            covs = (q * (alpha**2 * self.widths + var)[:, None, :]) @ q.swapaxes(1, 2)
            mean = self.weights @ means
            r = means - mean
            cov = np.einsum("k,kij->ij", self.weights, covs) + (self.weights * r.T) @ r
            self._known["moments", t] = (mean, cov)
        return self._known["moments", t]

    def spread(self, t: float) -> np.ndarray:
        """The standard deviation of each coordinate of X_t."""
        return np.sqrt(np.diag(self.moments(t)[1]))

    def _components(self, t: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Means ``(k, 1, d)``, variances along the axes ``(k, 1, d)``, and log of weight over √det
        2πC.
        """
        if ("components", t) not in self._known:
            alpha, shift, var = self.level(t)
            scale = alpha**2 * self.widths + var
            const = np.log(self.weights) - 0.5 * np.sum(np.log(2 * np.pi * scale), axis=1)
            means = alpha * self.means + shift
            self._known["components", t] = (means[:, None], scale[:, None], const[:, None])
        return self._known["components", t]

    def _logs(self, x: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
        """Log of weight times density, and C⁻¹(x - mean) along the axes, for each component."""
        means, scale, const = self._components(t)
        u = x - means
        if self.axes is not None:
            u = u @ self.axes
        v = u / scale
        return const - 0.5 * (u * v).sum(axis=2), v

    def score(self, x: np.ndarray, t: float) -> np.ndarray:
        logs, v = self._logs(x, t)
        if len(v) > 1:
            share = np.exp(logs - logs.max(axis=0))
            v *= (share / share.sum(axis=0))[:, :, None]
        if self.axes is not None:
            v = v @ self.axes.swapaxes(1, 2)
        return -v.sum(axis=0)

    def density(self, x: np.ndarray, t: float) -> np.ndarray:
        return np.exp(self._logs(x, t)[0]).sum(axis=0)[:, None]

    def sample(self, rng: np.random.Generator, n: int, t: float) -> np.ndarray:
        """``n`` draws of X_t."""
        alpha, shift, var = self.level(t)
        which = rng.choice(len(self.weights), size=n, p=self.weights)
        u = rng.standard_normal((n, self.dimension)) * np.sqrt(alpha**2 * self.widths + var)[which]
        if self.axes is not None:
            u = np.einsum("nij,nj->ni", self.axes[which], u)
        return alpha * self.means[which] + shift + u


def diffused(
    process: Any, weights: Any, means: Any, widths: Any, axes: Any, horizon: float | None
) -> Diffused:
    """``process`` (a linear SDE, or an object with ``alpha``, ``sigma``, ``drift``, ``diffusion``)
    started from a mixture.
    """
    known = (
        ("drift", "diffusion", "transition")
        if hasattr(process, "transition")
        else ("drift", "diffusion", "alpha", "sigma")
    )
    missing = [n for n in known if not callable(getattr(process, n, None))]
    if missing:
        raise ArgumentError(
            "process",
            "an object with drift(x, t), diffusion(t), alpha(t) and sigma(t), or a LinearSDE",
            f"{type(process).__name__} without {', '.join(missing)}",
            "see scoreproof.objects.schedules",
        )
    means = np.asarray(means, dtype=float)
    target = Diffused(
        process,
        np.asarray(weights, dtype=float),
        means,
        np.broadcast_to(np.asarray(widths, dtype=float), means.shape),
        axes,
        horizon_of(process) if horizon is None else float(horizon),
        level(process, means.shape[1]),
    )
    consistent(target)
    return target


def _uneven(dimension: int) -> np.ndarray:
    """Factors between 0.6 and 1.4, another for each coordinate and none a multiple of its
    neighbour.
    """
    return 1 + 0.4 * np.sin(2.0 * np.arange(dimension)) if dimension > 1 else np.ones(1)


def _tilted(dimension: int, count: int) -> np.ndarray | None:
    """Orthogonal axes for ``count`` components, the same in every process; ``None``: the
    coordinates.
    """
    if dimension == 1 or dimension > TILTED:
        return None
    rng = np.random.default_rng(dimension)
    return np.stack(
        [np.linalg.qr(rng.standard_normal((dimension, dimension)))[0] for _ in range(count)]
    )


def mixture(process: Any, dimension: int, horizon: float | None) -> Diffused:
    """Two Gaussian humps of unequal weight and width."""
    uneven = _uneven(dimension)
    # in many dimensions two humps this far apart would not overlap: one would be all that is seen
    apart = min(1.0, 2.0 / np.sqrt(dimension))
    return diffused(
        process,
        [0.6, 0.4],
        np.stack([-1.0 * apart * uneven[::-1], 1.2 * apart * uneven]),
        np.stack([0.2 * uneven, 0.35 * uneven[::-1]]),
        _tilted(dimension, 2),
        horizon,
    )


def gaussian(
    process: Any, dimension: int, horizon: float | None, *, point_mass: bool = False
) -> Diffused:
    """One Gaussian with mean 0.4 and variances about 0.3 (or the point 0.4)."""
    return diffused(
        process,
        [1.0],
        np.full((1, dimension), 0.4),
        (0.0 if point_mass else 0.3) * _uneven(dimension)[None],
        None if point_mass else _tilted(dimension, 1),
        horizon,
    )
