"""A path, what both SDEs say along it, and the terms of Girsanov's formula.

Conventions: ``x (K + 1, n, d)`` at times ``t (K + 1,)``; u = G⁻¹(a - b); dW is P's: G⁻¹(dx - a dt).
log dP/dQ is Σ u·dW + ½ Σ |u|² dt, with u at the left end of each step: it is the logarithm of the
ratio of both Euler schemes' densities, exactly.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoreproof.public.path_kl.problem import Problem

__all__ = ["Track", "euler", "solve"]


def solve(g: np.ndarray, v: np.ndarray) -> np.ndarray:
    """G⁻¹ v at each point."""
    return np.asarray(np.linalg.solve(g, v[..., None])[..., 0])


@dataclass(frozen=True, eq=False)
class Track:
    """``at``: another time at which drifts and noise are taken (default: t); ``along``: another
    path at which they are.
    """

    problem: Problem
    t: np.ndarray
    x: np.ndarray
    at: np.ndarray | None = None

    @cached_property
    def dt(self) -> np.ndarray:
        return np.diff(self.t)[:, None]

    @cached_property
    def dx(self) -> np.ndarray:
        return np.diff(self.x, axis=0)

    @cached_property
    def when(self) -> np.ndarray:
        return (self.t if self.at is None else self.at)[:, None, None]

    @cached_property
    def both(self) -> tuple[np.ndarray, np.ndarray]:
        """a and b at all K + 1 places."""
        return self.problem.drifts(self.x, self.when)

    @cached_property
    def g(self) -> np.ndarray:
        return self.problem.matrix(self.x, self.when)

    @cached_property
    def u(self) -> np.ndarray:
        return solve(self.g, self.both[0] - self.both[1])

    @cached_property
    def dw(self) -> np.ndarray:
        """P's noise in each step."""
        return solve(self.g[:-1], self.dx - self.both[0][:-1] * self.dt[..., None])

    @cached_property
    def energy(self) -> np.ndarray:
        """½|u|² dt of each step, ``(K, n)``."""
        return 0.5 * np.sum(self.u[:-1] ** 2, axis=-1) * self.dt

    @cached_property
    def ito(self) -> np.ndarray:
        """u·dW of each step."""
        return np.sum(self.u[:-1] * self.dw, axis=-1)

    @cached_property
    def raw(self) -> np.ndarray:
        """|G⁻¹| (|a| + |b|), what u is a difference of."""
        back = np.abs(np.linalg.inv(self.g[:-1]))
        drifts = np.abs(self.both[0][:-1]) + np.abs(self.both[1][:-1])
        return np.asarray(np.einsum("...ij,...j->...i", back, drifts))

    @property
    def count(self) -> float:
        """How often a product with G⁻¹ is rounded."""
        return 1.0 + self.problem.d if self.problem.noise in ("full", "matrix") else 1.0

    @cached_property
    def energy_size(self) -> np.ndarray:
        """What goes into ½ Σ|u|² dt alone, in absolute values, a row."""
        return np.asarray(self.count * np.sum(self.raw**2 * self.dt[..., None], axis=(0, 2)))

    @cached_property
    def direct_size(self) -> np.ndarray:
        """The same with Σ u·dW, where dW is at hand and no difference of places."""
        return np.asarray(
            self.energy_size + self.count * np.sum(self.raw * np.abs(self.dw), axis=(0, 2))
        )

    @cached_property
    def size(self) -> np.ndarray:
        """What goes through a float on the way to the sum, in absolute values, a row: the terms,
        or the logarithms of both densities, and the rounding of dx.
        """
        dt = self.dt[..., None]
        back = np.abs(np.linalg.inv(self.g[:-1]))
        drifts = np.abs(self.both[0][:-1]) + np.abs(self.both[1][:-1])
        raw = self.raw
        moved = np.abs(self.x[:-1]) + np.abs(self.x[1:]) + drifts * dt
        moved = np.einsum("...ij,...j->...i", back, moved)
        other = self.dw + self.u[:-1] * dt
        noise = np.abs(self.dw) + np.abs(other)
        terms = raw * raw * dt + raw * (moved + noise)
        terms = terms + 0.5 * (self.dw**2 + other**2) / dt + noise / dt * moved
        return np.asarray(self.count * np.sum(terms, axis=(0, 2)))


def euler(
    problem: Problem,
    t: np.ndarray,
    start: np.ndarray,
    z: np.ndarray,
    *,
    under: int = 0,
    scale: str = "root",
) -> Track:
    """The path that noise ``z (K, n, d)`` makes from rows ``start`` under P (0) or Q (1)."""
    x = [start]
    for k, dt in enumerate(np.diff(t)):
        drift = problem.drifts(x[-1], t[k])[under]
        by = {"root": np.sqrt(dt), "dt": dt, "one": 1.0}[scale]
        x.append(
            x[-1] + drift * dt + np.einsum("nij,nj->ni", problem.matrix(x[-1], t[k]), z[k]) * by
        )
    return Track(problem, t, np.array(x))
