"""The laws that a kernel is run on, with their exact score and log density in the kernel's library.

Conventions: points are rows ``(n, d)``, or arrays ``(…, *shape)`` as the kernel holds them; the
score is ∇ log p. Widths are standard deviations. What is asked of it may be traced by JAX or
differentiated by PyTorch: only operations of the array's own library are used.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scoreproof.objects.mixtures import GaussianMixture

__all__ = ["Target", "gaussian", "like", "mixture"]

#: of the coordinates' widths, and of the correlation of neighbours
UNEVEN, CORRELATED = 0.35, 0.4


@dataclass(frozen=True, eq=False)
class Target:
    """A mixture of Gaussians over samples of ``shape``."""

    law: GaussianMixture
    shape: tuple[int, ...]

    @property
    def d(self) -> int:
        return self.law.dimension

    @cached_property
    def mean(self) -> np.ndarray:
        return self.law.mean()

    @cached_property
    def covariance(self) -> np.ndarray:
        return self.law.covariance()

    @cached_property
    def root(self) -> np.ndarray:
        """L with L Lᵀ the covariance."""
        return np.linalg.cholesky(self.covariance)

    @cached_property
    def precision(self) -> np.ndarray:
        return np.linalg.inv(self.covariance)

    def widened(self, factor: float) -> Target:
        """The law of ``factor`` times X."""
        return Target(self.law.affine(factor * np.eye(self.d)), self.shape)

    def log_density(self, x: Any) -> Any:
        """``log p`` of an array ``(…, *shape)``: ``(…)``."""
        logs, _ = self._terms(x)
        top = _most(logs)
        return _log(_exp(logs - top[..., None]).sum(-1)) + top

    def score(self, x: Any) -> Any:
        """``∇ log p`` of an array ``(…, *shape)``, in its shape."""
        logs, scores = self._terms(x)
        weights = _exp(logs - _most(logs)[..., None])
        weights = weights / weights.sum(-1)[..., None]
        return (weights[..., None] * scores).sum(-2).reshape(x.shape)

    def _terms(self, x: Any) -> tuple[Any, Any]:
        law = self.law
        flat = x.reshape(tuple(x.shape[: x.ndim - len(self.shape)]) + (self.d,))
        centred = flat[..., None, :] - like(law.means, x)
        precisions = like(np.linalg.inv(law.covariances), x)
        scores = -(precisions * centred[..., None, :]).sum(-1)
        return like(_norms(law), x) + (centred * scores).sum(-1) / 2, scores


def _norms(law: GaussianMixture) -> np.ndarray:
    _, logdet = np.linalg.slogdet(law.covariances)
    norms: np.ndarray = np.log(law.weights) - 0.5 * (logdet + law.dimension * np.log(2 * np.pi))
    return norms


def gaussian(shape: tuple[int, ...]) -> Target:
    """Correlated, of no unit width, and not centred."""
    mean, root = _moments(int(np.prod(shape)))
    return Target(GaussianMixture.gaussian(mean, root @ root.T), shape)


def mixture(shape: tuple[int, ...]) -> Target:
    """Two Gaussians that overlap."""
    mean, root = _moments(int(np.prod(shape)))
    cov = root @ root.T
    other = np.diag(np.diag(cov)) * 0.6
    # apart by a fixed number of widths, however many coordinates there are
    aside = 1.2 * np.sqrt(np.diag(cov)) * np.cos(np.arange(len(mean))) / len(mean) ** 0.5
    law = GaussianMixture(
        np.array([0.4, 0.6]), np.stack([mean - 1.5 * aside, mean + aside]), np.stack([cov, other])
    )
    return Target(law, shape)


def _moments(d: int) -> tuple[np.ndarray, np.ndarray]:
    k = np.arange(d)
    widths = 1.3 * (1 + UNEVEN * np.sin(2.0 * k + 0.5))
    correlation = CORRELATED ** np.abs(k[:, None] - k)
    return 0.7 * np.cos(1.3 * k), np.linalg.cholesky(correlation * np.outer(widths, widths))


def _package(x: Any) -> str:
    return type(x).__module__.split(".")[0]


def like(value: np.ndarray, x: Any) -> Any:
    """``value`` as an array of the library and type of x."""
    package = _package(x)
    if package == "torch":
        return sys.modules["torch"].as_tensor(np.array(value), dtype=x.dtype, device=x.device)
    if package in ("jax", "jaxlib"):
        return sys.modules["jax"].numpy.asarray(value, dtype=x.dtype)
    kind = getattr(x, "dtype", None)
    return value.astype(kind) if kind is not None and kind.kind == "f" else value


def _exp(x: Any) -> Any:
    package = _package(x)
    if package in ("jax", "jaxlib"):
        return sys.modules["jax"].numpy.exp(x)
    return x.exp() if package == "torch" else np.exp(x)


def _log(x: Any) -> Any:
    package = _package(x)
    if package in ("jax", "jaxlib"):
        return sys.modules["jax"].numpy.log(x)
    return x.log() if package == "torch" else np.log(x)


def _most(x: Any) -> Any:
    if _package(x) == "torch":
        return x.detach().amax(-1)
    if _package(x) in ("jax", "jaxlib"):
        return sys.modules["jax"].lax.stop_gradient(x.max(-1))
    return x.max(-1)
