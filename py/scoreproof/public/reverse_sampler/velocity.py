"""What is judged: the velocity of the marginals that a drift and a noise imply, and what is due.

Conventions: b is the drift for dt < 0 and C the noise's covariance per unit of time; the marginals p_t
are kept when ∇·(p w) = 0 for the excess w = b + ½ C ∇log p - (f - ½ g² ∇log p), so when w = 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = ["Found", "amplified", "due", "implied", "sizes"]


@dataclass(frozen=True, eq=False)
class Found:
    """What a sampler does at the points ``x`` at one t and λ.

    ``excess``: (n, d), the velocity found minus the one due. ``open``: (n,), how much of it rounding
    and extrapolation may explain. ``jumps``: (n,), whether a row does not tend to itself as the step
    gets shorter, and ``clipped`` whether such rows have the same image; ``bent``: the variance that
    normal draws come out with, as a part of that of unit noise, where the step is not linear in its
    noise; ``uneven``: whether its noise differs from point to point.
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


def due(target: Diffused, x: np.ndarray, t: float) -> np.ndarray:
    """f - ½ g² ∇log p, the velocity of the marginals."""
    return target.drift(x, t) - target.diffusion(t) ** 2 / 2 * target.score(x, t)


def implied(
    target: Diffused, x: np.ndarray, t: float, b: np.ndarray, cov: np.ndarray
) -> np.ndarray:
    """b + ½ C ∇log p, the velocity that drift and noise imply."""
    return b + target.score(x, t) @ (cov / 2)


def sizes(target: Diffused, x: np.ndarray, t: float) -> np.ndarray:
    """What a relative deviation is relative to, for each row: the larger entries of f and g² ∇log p
    there, and no less than what they are within a standard deviation.
    """
    g2, spread = target.diffusion(t) ** 2, float(np.min(target.spread(t)))
    least = abs(target.rate(t)) * spread + g2 / spread
    terms = np.abs(target.drift(x, t)) + g2 * np.abs(target.score(x, t))
    return np.max(terms, axis=1) + least


def amplified(target: Diffused, x: np.ndarray, t: float, lam: float) -> np.ndarray:
    """The size, for each row, of what rounding is relative to."""
    g2, var = target.diffusion(t) ** 2, target.level(t)[2]
    # a sampler may find the score from x_0, as (α x0 - x)/σ²: that subtraction is its to make
    return sizes(target, x, t) * (1 + abs(lam)) + g2 * (np.max(np.abs(x), axis=1) + 1) / var
