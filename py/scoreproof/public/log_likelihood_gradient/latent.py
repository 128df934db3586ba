"""The latent law p_Z of a flow: its log density and score at rows.

Conventions: rows z ``(n, D)``; log densities ``(n,)``, scores ``(n, D)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.interop.frameworks import guarded, require
from scoreproof.numerics import complex_step
from scoreproof.public.black_box_field import stencil

__all__ = ["Normal", "UserLatent", "latent_of"]


@dataclass(frozen=True)
class UserLatent:
    """The user's log p_Z; its gradient by complex steps, or by an eighth-order stencil where those
    do not work.
    """

    log_p: Guarded

    def log_density(self, z: np.ndarray) -> np.ndarray:
        return np.real(self.log_p(z, shape=z.shape[:1]))

    def score(self, z: np.ndarray) -> np.ndarray:
        if self.log_p.framework != "numpy":
            by_itself = self._differentiated(z)
            if by_itself is not None:
                return by_itself
        n, d = z.shape
        rows, axes = np.tile(z, (d, 1)), np.repeat(np.eye(d), n, axis=0)
        real = stencil(lambda t: self.log_density(rows + t * axes), 0.005).reshape(d, n).T
        try:
            exact = complex_step.gradient(lambda q: self.log_p(q), z)
        except Exception:  # not written for complex numbers
            return real
        return exact if np.max(np.abs(exact - real)) <= 1e-6 * (1 + np.max(np.abs(real))) else real

    def _differentiated(self, z: np.ndarray) -> np.ndarray | None:
        """By the framework's reverse mode; ``None`` where it cannot."""
        guard, framework = self.log_p, self.log_p.framework
        ad = require("torch").func if framework == "torch" else require("jax")
        assert guard.prepare is not None
        try:
            found = ad.grad(lambda q: guard.function(q).sum())(guard.prepare(z))
        except Exception:  # it leaves the framework on its way
            return None
        return guard.accept(as_numpy(found), z.shape)


def latent_of(law: Any, framework: str, dtype: Any, x: np.ndarray) -> UserLatent:
    """The user's law, in double precision where it takes that: a stencil divides its rounding."""
    if framework == "torch" and dtype is not None:
        wide = guarded(law, "log_latent", framework, "float64")
        try:
            wide(x, shape=x.shape[:1])
            return UserLatent(wide)
        except CallableError:  # numbers of its own, in another type
            pass
    # jax follows the setting that it is called under
    return UserLatent(guarded(law, "log_latent", framework, None if framework == "jax" else dtype))


class Normal:
    """The standard normal law."""

    def log_density(self, z: np.ndarray) -> np.ndarray:
        return -(z * z).sum(axis=-1) / 2 - z.shape[-1] * np.log(2 * np.pi) / 2

    def score(self, z: np.ndarray) -> np.ndarray:
        return -z
