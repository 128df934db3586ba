"""What is judged: the velocity of the marginals that a drift and a noise imply, and what is due.

Conventions: b is the drift for dt < 0 and C the noise's covariance per unit of time; the marginals
p_t are kept when ∇·(p w) = 0 for the excess w = b + ½ C ∇log p - (f - ½ g² ∇log p), so when w = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = ["Around", "Found", "around"]


@dataclass(frozen=True, eq=False)
class Found:
    """What a sampler does at the points ``x`` at one t and λ.

    ``excess``: (n, d), the velocity found minus the one due. ``open``: (n,), how much of it
    rounding and extrapolation may explain. ``jumps``: (n,), whether a row does not tend to itself
    as the step gets shorter, and ``clipped`` whether such rows have the same image; ``bent``: the
    variance that normal draws come out with, as a part of that of unit noise, where the step is not
    linear in its noise; ``uneven``: whether its noise differs from point to point.
    """

    x: np.ndarray
    t: float
    lam: float
    b: np.ndarray
    cov: np.ndarray
    excess: np.ndarray
    open: np.ndarray
    size: np.ndarray
    jumps: np.ndarray
    bent: float | None = None
    clipped: bool = False
    uneven: bool = False

    @property
    def error(self) -> np.ndarray:
        """Relative deviation of each row."""
        return np.max(np.abs(self.excess), axis=1) / self.size

    @property
    def bound(self) -> np.ndarray:
        """What of it may be explained."""
        return self.open / self.size


@dataclass(frozen=True, eq=False)
class Around:
    """What the verdict needs of the process at points and a time, evaluated once."""

    x: np.ndarray
    f: np.ndarray
    g2: float
    score: np.ndarray
    size: np.ndarray
    var: float

    @property
    def due(self) -> np.ndarray:
        """f - ½ g² ∇log p, the velocity of the marginals."""
        return self.f - self.g2 / 2 * self.score

    def implied(self, b: np.ndarray, cov: np.ndarray) -> np.ndarray:
        """b + ½ C ∇log p, the velocity that drift and noise imply."""
        return b + self.score @ (cov / 2)

    def rounded(self, lam: float, count: int) -> np.ndarray:
        """What ``count`` roundings of the terms of a drift may come to in each row, in units of
        eps.
        """
        return self.size * (1 + abs(lam)) * count

    def subtracted(self) -> np.ndarray:
        """The same for a score that is found from x_0, as (α x0 - x)/σ²: operands and product."""
        return 4 * self.g2 * (np.max(np.abs(self.x), axis=1) + 1) / self.var


def around(target: Diffused, x: np.ndarray, t: float) -> Around:
    """``size``, what a relative deviation is relative to in each row, is the larger entries of f
    and g² ∇log p there, and no less than what they are within a standard deviation.
    """
    f, g2, score = target.drift(x, t), target.diffusion(t) ** 2, target.score(x, t)
    spread = float(np.min(target.spread(t)))
    least = abs(target.rate(t)) * spread + g2 / spread
    size = np.max(np.abs(f) + g2 * np.abs(score), axis=1) + least
    return Around(x, f, g2, score, size, target.level(t)[2])
