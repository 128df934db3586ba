"""Drift and noise of the caller at the places of a grid, and what is made of them.

Conventions: places are rows of the tensor product of axes, the last coordinate running fastest.
``D = g gᵀ``. Derivatives are central differences of the caller's functions: for the explanation of
what is wrong, and for the Stratonovich and the Fick reading.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.readings import Reading

__all__ = ["Local", "Process", "local"]

#: step of differences, as a part of the side of the box
STEP = 1e-5


@dataclass(frozen=True, eq=False)
class Process:
    """The caller's functions; ``shift``, ``clock``: another origin of x, and another clock, ``a t +
    b``, in which they are asked; ``stretch``: in a unit of x so many times as large, from
    ``origin`` on; ``turned``: with the coordinates exchanged.
    """

    subject: Subject
    reading: Reading
    shift: tuple[float, ...] = ()
    clock: tuple[float, float] = (1.0, 0.0)
    turned: bool = False
    stretch: float = 1.0
    origin: tuple[float, ...] = ()
    circle: tuple[tuple[float, float], ...] = ()

    def _place(self, x: np.ndarray) -> np.ndarray:
        z = x + np.asarray(self.shift) if self.shift else x
        if self.stretch != 1.0:
            z = self.origin + self.stretch * (z - self.origin)
        if self.circle:
            low, high = np.array(self.circle).T
            z = low + np.mod(z - low, high - low)
        return np.ascontiguousarray(z[:, ::-1]) if self.turned else z

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        a, b = self.clock
        f = a / self.stretch * self.subject.drift(self._place(x), a * t + b)
        return f[:, ::-1] if self.turned else f

    def noise(self, x: np.ndarray, t: float) -> np.ndarray:
        """g ``(n, d, d)``, times the root of the clock's rate."""
        a, b = self.clock
        g = self.subject.noise(self._place(x), a * t + b) * (np.sqrt(abs(a)) / self.stretch)
        return g[:, ::-1, ::-1] if self.turned else g

    @property
    def of_state(self) -> bool:
        return self.subject.of_state


@dataclass(frozen=True, eq=False)
class Local:
    """f ``(n, d)`` and g ``(n, d, d)`` at the places x of one time, and their derivatives."""

    process: Process
    x: np.ndarray
    t: float
    f: np.ndarray
    g: np.ndarray
    sides: np.ndarray

    @cached_property
    def D(self) -> np.ndarray:
        return np.einsum("nik,njk->nij", self.g, self.g)

    def slopes(self, of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """``∂_k`` of each entry, k last."""
        rows = []
        for k, side in enumerate(self.sides):
            h = STEP * side
            e = np.zeros(self.x.shape[1])
            e[k] = h
            low, high = of(self.x - e), of(self.x + e)
            rows.append((high - low) / (2 * h))
        return np.stack(rows, axis=-1)

    @cached_property
    def divergence(self) -> np.ndarray:
        """∇·f ``(n,)``."""
        return np.einsum("nii->n", self.slopes(lambda x: self.process.drift(x, self.t)))

    @cached_property
    def _dg(self) -> np.ndarray:
        if not self.process.of_state:
            return np.zeros((*self.g.shape, self.x.shape[1]))
        return self.slopes(lambda x: self.process.noise(x, self.t))

    @cached_property
    def fick(self) -> np.ndarray:
        """``½ ∂_j D_ij`` ``(n, d)``: what turns ½ ∂∂(D p) into ½ ∇·(D ∇p)."""
        return 0.5 * (
            np.einsum("nikj,njk->ni", self._dg, self.g)
            + np.einsum("nik,njkj->ni", self.g, self._dg)
        )

    @cached_property
    def stratonovich(self) -> np.ndarray:
        """``½ g_jk ∂_j g_ik`` ``(n, d)``."""
        return 0.5 * np.einsum("nikj,njk->ni", self._dg, self.g)

    @property
    def reading(self) -> np.ndarray:
        """What the reading adds to the drift of the Itô form ``(n, d)``."""
        read = self.process.reading
        if not self.process.of_state or not (read.alpha or read.fick):
            return np.zeros_like(self.f)
        return 2 * read.alpha * self.stratonovich + read.fick * self.fick


def local(process: Process, x: np.ndarray, t: float, sides: np.ndarray) -> Local:
    """Both functions, asked at once."""
    return Local(process, x, t, process.drift(x, t), process.noise(x, t), sides)
