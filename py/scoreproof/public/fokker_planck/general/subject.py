"""The caller's drift and density or score behind guards, with a noise of any kind.

Conventions: as in `asking` and `noise`; a score is ``∇_x log p``, ``(n, d)``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.general.curls import matrix
from scoreproof.public.fokker_planck.general.noise import Noise
from scoreproof.public.fokker_planck.readings import Reading

__all__ = ["General"]


@dataclass(frozen=True, eq=False)
class General(Subject):
    """``slopes``: the score, where one is given; without a density it stands as ``law`` too, and is
    not asked as one.
    """

    coefficient: Noise
    reading: Reading
    slopes: Guarded | None
    only_score: bool
    inside: np.ndarray

    @property
    def eps(self) -> float:
        return max(super().eps, self.slopes.eps if self.slopes is not None else 0.0)

    @property
    def isotropic(self) -> bool:
        return False

    @property
    def of_rows(self) -> list[tuple[str, Callable[[np.ndarray, float], np.ndarray]]]:
        out = [] if self.only_score else super().of_rows
        return out if self.slopes is None else [*out, ("the score", self.score)]

    @property
    def meaning(self) -> str:
        return self.coefficient.what

    def returned(self, g: np.ndarray) -> np.ndarray:
        if self.meaning == "g":
            return g
        return g @ np.swapaxes(g, 1, 2) / (2 if self.meaning == "diffusivity" else 1)

    @property
    def calls(self) -> dict[str, int]:
        out = {} if self.only_score else {"density": self.law.calls}
        if self.slopes is not None:
            out["score"] = self.slopes.calls
        return out | {"drift": self.f.calls, "diffusion": self.g.calls}

    def rho(self, t: float) -> float:
        """The root of the least eigenvalue of Σ at a point inside of the domain: what smooths a
        jump in any direction.
        """
        g = matrix(self.coefficient.value(self.inside, t))
        sigma = g @ np.swapaxes(g, 1, 2) if self.coefficient.is_g else g
        least, most = np.linalg.eigvalsh(sigma[0])[[0, -1]]
        return float(np.sqrt(least)) if least > 1e-12 * most else 0.0

    def noise(self, x: np.ndarray, t: float) -> np.ndarray:
        """g ``(n, d, m)``; of a Σ a root of it."""
        g = matrix(self.coefficient.value(x, t))
        if self.coefficient.is_g:
            return g
        if self.coefficient.value(x[:2], t).ndim == 2:
            return np.sqrt(g)
        weights, axes = np.linalg.eigh(g)
        return axes * np.sqrt(np.maximum(weights, 0))[:, None]

    def score(self, x: np.ndarray, t: float) -> np.ndarray:
        """∇log p ``(n, d)`` at real points, held to what a score must be."""
        assert self.slopes is not None
        value = self.slopes(x, self.clock(t), shape=x.shape)
        if np.iscomplexobj(value):
            raise CallableError(
                "score", "return real numbers", "they are complex", "return its real part"
            )
        return value

    def score_field(self, z: np.ndarray, t: complex) -> np.ndarray:
        """The same at complex points or times; nan where it cannot be asked."""
        assert self.slopes is not None
        return self._loose(self.slopes, z, self.clock(t), z.shape)
