"""Latent laws p_Z of a flow: a log-density and its gradient, in any arithmetic.

Conventions: points are rows ``(..., D)``; the score is a row; the normalising constant is left out
where it needs a logarithm.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from scoreproof.objects.mixtures import GaussianMixture

__all__ = ["GaussianLatent", "Latent", "MixtureLatent"]


class Latent(Protocol):
    """What the adjoint asks of p_Z."""

    def log_density(self, z: Any) -> Any: ...

    def score(self, z: Any) -> Any: ...


@dataclass(frozen=True)
class GaussianLatent:
    """``-½ (z-m) Λ (z-m)ᵀ`` with a mean (D,) and a symmetric precision (D, D): floats, or object
    arrays of exact numbers.

    >>> GaussianLatent(np.zeros(1), np.eye(1)).score(np.array([[2.0]])).tolist()
    [[-2.0]]
    """

    mean: np.ndarray
    precision: np.ndarray

    def log_density(self, z: Any) -> Any:
        centred = z - self.mean
        return -((centred @ self.precision) * centred).sum(axis=-1) / 2

    def score(self, z: Any) -> Any:
        return -((z - self.mean) @ self.precision)


@dataclass(frozen=True)
class MixtureLatent:
    """A Gaussian mixture on rows with any leading axes."""

    mixture: GaussianMixture

    def log_density(self, z: np.ndarray) -> np.ndarray:
        return self.mixture.log_density(z.reshape(-1, z.shape[-1])).reshape(z.shape[:-1])

    def score(self, z: np.ndarray) -> np.ndarray:
        return self.mixture.score(z.reshape(-1, z.shape[-1])).reshape(z.shape)
