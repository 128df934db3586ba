"""The data that a sampler is run on, and the exact model for them.

Conventions: ``x = α x_0 + σ ε``; σ is a standard deviation. The data are Gaussian with another mean
and width in each coordinate, or stand at one point (all widths 0); rows are flat ``(n, d)``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.objects.parameterizations import convert

__all__ = ["Data", "Level", "gaussian", "point", "rates_of"]

#: mean and width: what a step predicts for x_0 stays in [-1, 1], where clipping does nothing
MEAN, WIDTH = 0.1, 0.5
#: relative: two rows of samples so near are the same
SAME = 1e-6


@dataclass(frozen=True)
class Level:
    """α and σ of the forward process at ``when``: what the model is told (a timestep, t, or σ);
    ``rates``: dα/dt and dσ/dt, where a velocity needs them.
    """

    when: float
    alpha: float
    sigma: float
    rates: tuple[float, float] | None = field(default=None, compare=False, repr=False)

    @property
    def snr(self) -> float:
        """α/σ; infinite at the data."""
        return self.alpha / self.sigma if self.sigma > 0 else np.inf


@dataclass(frozen=True, eq=False)
class Data:
    """Means and standard deviations ``(d,)`` of x_0."""

    mean: np.ndarray
    width: np.ndarray

    @property
    def spread_out(self) -> bool:
        """Whether they are more than one point."""
        return bool(np.any(self.width > 0))

    def moments(self, level: Level) -> tuple[np.ndarray, np.ndarray]:
        """Mean and standard deviation of x at that level, both ``(d,)``."""
        return level.alpha * self.mean, np.hypot(level.alpha * self.width, level.sigma)

    def denoised(self, x: np.ndarray, alpha: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """E[x_0 | x], rows ``(n, d)``; α and σ as columns."""
        total = (alpha * self.width) ** 2 + sigma**2
        with np.errstate(invalid="ignore", divide="ignore"):
            gain = np.where(total > 0, alpha * self.width**2 / total, 0.0)
            moved = self.mean + gain * (x - alpha * self.mean)
        # without noise x is α x_0
        return np.where(sigma > 0, moved, x / np.where(alpha > 0, alpha, 1.0))

    def denoises(self, x: np.ndarray, level: Level, out: np.ndarray) -> bool:
        """Whether ``out`` is E[x_0 | x] at that level."""
        due = self.denoised(x, np.array([[level.alpha]]), np.array([[level.sigma]]))
        return bool(np.max(np.abs(out - due)) <= SAME * (1 + np.max(np.abs(due))))

    def predicted(
        self, x: np.ndarray, alpha: np.ndarray, sigma: np.ndarray, kind: str, **more: Any
    ) -> np.ndarray:
        """What an exact model of that ``kind`` answers for the rows x."""
        x0 = self.denoised(x, alpha, sigma)
        if kind == "flow":  # the straight path (1 - σ) x_0 + σ ε, whatever its scale
            return (x - (alpha + sigma) * x0) / np.where(sigma > 0, sigma, 1.0)
        if kind == "v":  # of x at unit length: a network sees it so
            norm = np.hypot(alpha, sigma)
            eps = self.noise(x, x0, alpha, sigma)
            return (alpha * eps - sigma * x0) / norm
        if kind == "eps":
            return self.noise(x, x0, alpha, sigma)
        if kind == "score":
            return -self.noise(x, x0, alpha, sigma) / np.where(sigma > 0, sigma, 1.0)
        return np.asarray(convert(x0, x, "x0", kind, alpha, sigma, **more))

    @staticmethod
    def noise(x: np.ndarray, x0: np.ndarray, alpha: np.ndarray, sigma: np.ndarray) -> np.ndarray:
        """E[ε | x]; 0 where there is no noise."""
        return np.where(sigma > 0, (x - alpha * x0) / np.where(sigma > 0, sigma, 1.0), 0.0)


def rates_of(levels: Sequence[Level]) -> dict[str, np.ndarray]:
    """dα/dt and dσ/dt as columns, by the names that a conversion of velocities takes."""
    rates = np.array([v.rates or (np.nan, np.nan) for v in levels])
    return {"alpha_dot": rates[:, :1], "sigma_dot": rates[:, 1:]}


def gaussian(d: int) -> Data:
    """Another mean and width in each coordinate, so that none stands for its neighbour."""
    uneven = 1 + 0.4 * np.sin(2.0 * np.arange(d)) if d > 1 else np.ones(1)
    return Data(MEAN * uneven[::-1], WIDTH * uneven)


def point(d: int) -> Data:
    """All data at one point."""
    law = gaussian(d)
    return Data(law.mean, np.zeros(d))
