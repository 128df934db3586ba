"""Gaussian processes in d dimensions with closed-form moments, and the moments of a reverse chain
read off a subject.

Conventions
-----------
- `Rotating`: f = ((log α)' I + S) x with S antisymmetric, g² = α² w', X_0 ~ N(m, V): mean α e^{St}
  m, covariance α² (e^{St} V e^{-St} + w I). The drift matrix is neither symmetric nor diagonal nor
  traceless.
- Rows are points: ``drift(x, t)`` is (n, d); ``density`` is (n, 1).
- A subject is read off by injection: at x = 0 it gives β, at the unit vectors the columns of B, and
  b(x) = B x + β.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import numpy as np

from scoreproof.numerics.collocation import integrate

__all__ = ["Moments", "Rotating", "Scaled", "read_off", "reverse_moments", "rotating"]


@dataclass(frozen=True, eq=False)
class Rotating:
    mean0: np.ndarray
    cov0: np.ndarray
    spin: np.ndarray
    log_alpha: tuple[float, float] = (0.35, 0.15)
    growth: tuple[float, float] = (0.8, 1.3)
    horizon: float = 1.0
    _known: dict[float, tuple[np.ndarray, np.ndarray]] = field(default_factory=dict, repr=False)

    @property
    def dimension(self) -> int:
        return self.mean0.size

    def alpha(self, t: float) -> float:
        return float(np.exp(-(self.log_alpha[0] * t + self.log_alpha[1] * t * t)))

    def _w(self, t: float) -> float:
        return self.growth[0] * t + self.growth[1] * t * t

    def propagator(self, t: float) -> np.ndarray:
        """E[X_t | X_0] = propagator @ X_0."""
        speeds, modes = self._modes
        return self.alpha(t) * np.real((modes * np.exp(-1j * speeds * t)) @ modes.conj().T)

    @cached_property
    def _modes(self) -> tuple[np.ndarray, np.ndarray]:
        return np.linalg.eigh(1j * self.spin)

    def moments(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        if t not in self._known:  # every subject is asked at the same times
            p = self.propagator(t)
            self._known[t] = (
                p @ self.mean0,
                p @ self.cov0 @ p.T + self.alpha(t) ** 2 * self._w(t) * np.eye(self.dimension),
            )
        return self._known[t]

    def drift(self, x: np.ndarray, t: float) -> np.ndarray:
        return -(self.log_alpha[0] + 2 * self.log_alpha[1] * t) * x + x @ self.spin.T

    def diffusion(self, t: float) -> float:
        return self.alpha(t) * float(np.sqrt(self.growth[0] + 2 * self.growth[1] * t))

    def score(self, x: np.ndarray, t: float) -> np.ndarray:
        mean, cov = self.moments(t)
        return -np.linalg.solve(cov, (x - mean).T).T

    def density(self, x: np.ndarray, t: float) -> np.ndarray:
        mean, cov = self.moments(t)
        r = x - mean
        exponent = -0.5 * (r * np.linalg.solve(cov, r.T).T).sum(axis=1, keepdims=True)
        return np.exp(exponent) / np.sqrt(np.linalg.det(2 * np.pi * cov))


@dataclass(frozen=True, eq=False)
class Scaled:
    """The same process with its score multiplied by ``factor``: a score network that is wrong by
    that factor.
    """

    process: Any
    factor: float

    def __getattr__(self, name: str) -> Any:
        return getattr(self.process, name)

    def score(self, x: Any, t: Any) -> Any:
        return self.factor * self.process.score(x, t)


@lru_cache(maxsize=32)
def _cached(dimension: int, seed: int, point_mass: bool) -> Rotating:
    rng = np.random.default_rng(seed)
    root = rng.normal(size=(dimension, dimension)) / np.sqrt(dimension)
    spin = np.triu(rng.normal(size=(dimension, dimension)), 1) / np.sqrt(dimension)
    cov = (
        np.zeros((dimension, dimension))
        if point_mass
        else 0.3 * np.eye(dimension) + root @ root.T / 2
    )
    return Rotating(rng.uniform(0.5, 1.5, dimension), cov, spin - spin.T)


def rotating(dimension: int, rng: np.random.Generator, *, point_mass: bool = False) -> Rotating:
    """A random process of that dimension; with ``point_mass`` it starts from one point."""
    return _cached(dimension, int(rng.integers(2**31)), point_mass)


@dataclass(frozen=True)
class Moments:
    """Mean, covariance and E-propagator (X̄_t depends on X̄_T through ``link @ X̄_T``) of a reverse
    process at one time.
    """

    mean: np.ndarray
    cov: np.ndarray
    link: np.ndarray

    @property
    def packed(self) -> np.ndarray:
        return np.concatenate([self.mean[:, None], self.cov], axis=1)


def read_off(
    subject: Any, process: Any, t: float, lam: float, dimension: int
) -> tuple[np.ndarray, np.ndarray, float]:
    """``(B, β, c²)`` of the subject at one time, from one call on origin and unit vectors."""
    b, c2 = subject(process, np.concatenate([np.zeros((1, dimension)), np.eye(dimension)]), t, lam)
    return (b[1:] - b[0]).T, b[0], float(np.ravel(c2)[0])


def reverse_moments(
    subject: Any,
    process: Any,
    lam: float,
    start: float,
    end: float,
    steps: int,
    begin: tuple[np.ndarray, np.ndarray],
    *,
    stages: int = 4,
) -> Moments:
    """Moments at ``end < start`` of ``dX̄ = (B X̄ + β) dt + c dW̄`` with ``begin`` = (mean,
    covariance) at ``start``.
    """
    mean, cov = begin
    d = mean.size
    eye = np.eye(d)

    def prepare(times: np.ndarray) -> Any:
        parts = [read_off(subject, process, float(t), lam, d) for t in times]
        slope, offset = np.stack([p[0] for p in parts]), np.stack([p[1] for p in parts])
        noise = np.array([p[2] for p in parts])[:, None, None] * eye

        def rhs(y: np.ndarray) -> np.ndarray:
            moved = slope @ y
            v = moved[:, :, 1 : d + 1]
            # dt < 0: the noise adds covariance while t falls, hence the minus
            return np.concatenate(
                [
                    moved[:, :, :1] + offset[:, :, None],
                    v + v.swapaxes(1, 2) - noise,
                    moved[:, :, d + 1 :],
                ],
                axis=2,
            )

        return rhs

    y = integrate(
        prepare, np.concatenate([mean[:, None], cov, eye], axis=1), start, end, steps, stages=stages
    )
    return Moments(y[:, 0], y[:, 1 : d + 1], y[:, d + 1 :])
