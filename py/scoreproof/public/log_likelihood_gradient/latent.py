"""The latent law p_Z of a flow: its log density and score at rows.

Conventions: rows z ``(n, D)``; log densities ``(n,)``, scores ``(n, D)``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.interop.callables import Guarded
from scoreproof.numerics import complex_step
from scoreproof.public.black_box_field import stencil

__all__ = ["Normal", "UserLatent"]


@dataclass(frozen=True)
class UserLatent:
    """The user's log p_Z; its gradient by complex steps, or by an eighth-order stencil where those
    do not work.
    """

    log_p: Guarded

    def log_density(self, z: np.ndarray) -> np.ndarray:
        return np.real(self.log_p(z, shape=z.shape[:1]))

    def score(self, z: np.ndarray) -> np.ndarray:
        n, d = z.shape
        rows, axes = np.tile(z, (d, 1)), np.repeat(np.eye(d), n, axis=0)
        real = stencil(lambda t: self.log_density(rows + t * axes), 0.005).reshape(d, n).T
        try:
            exact = complex_step.gradient(lambda q: self.log_p(q), z)
        except Exception:  # not written for complex numbers
            return real
        return exact if np.max(np.abs(exact - real)) <= 1e-6 * (1 + np.max(np.abs(real))) else real


class Normal:
    """The standard normal law."""

    def log_density(self, z: np.ndarray) -> np.ndarray:
        return -(z * z).sum(axis=-1) / 2 - z.shape[-1] * np.log(2 * np.pi) / 2

    def score(self, z: np.ndarray) -> np.ndarray:
        return -z
