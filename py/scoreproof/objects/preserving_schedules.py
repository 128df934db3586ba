"""Variance-preserving schedules and their kin: linear β, sub-VP, cosine.

Conventions: as in `schedules`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.objects.schedule import Schedule, positive

__all__ = ["SubVP", "VPCosine", "VPLinear"]


@dataclass(frozen=True)
class VPLinear(Schedule):
    """Variance preserving with β(t) = β_min + t (β_max - β_min) on [0, 1] (Song et al. 2021,
    ``VPSDE``; DDPM's limit).

    >>> vp = VPLinear()
    >>> bool(np.isclose(vp.alpha(0.3) ** 2 + vp.sigma(0.3) ** 2, 1.0))
    True
    """

    beta_min: float = 0.1
    beta_max: float = 20.0
    horizon: float = 1.0

    def __post_init__(self) -> None:
        positive(beta_min=self.beta_min, beta_max=self.beta_max, horizon=self.horizon)

    def beta(self, t: Any) -> Any:
        """The rate at which variance is replaced."""
        return self.beta_min + np.asarray(t) * (self.beta_max - self.beta_min)

    def log_mean_coefficient(self, t: Any) -> Any:
        """log α(t) = -½ ∫β."""
        t = np.asarray(t)
        return -0.25 * t**2 * (self.beta_max - self.beta_min) - 0.5 * t * self.beta_min

    def rate(self, t: Any) -> Any:
        return -0.5 * self.beta(t)

    def diffusion(self, t: Any) -> Any:
        return np.sqrt(self.beta(t))

    def alpha(self, t: Any) -> Any:
        return np.exp(self.log_mean_coefficient(t))

    def sigma(self, t: Any) -> Any:
        return np.sqrt(
            -np.expm1(2 * self.log_mean_coefficient(t))
        )  # 1 - exp(…) would lose its digits at small t


@dataclass(frozen=True)
class SubVP(VPLinear):
    """Sub-VP: the drift of `VPLinear` with less noise, g² = β (1 - e^{-2∫β}); the *standard
    deviation* is 1 - e^{-∫β}.
    """

    def diffusion(self, t: Any) -> Any:
        return np.sqrt(
            -self.beta(t)
            * np.expm1(
                -2 * self.beta_min * np.asarray(t)
                - (self.beta_max - self.beta_min) * np.asarray(t) ** 2
            )
        )

    def sigma(self, t: Any) -> Any:
        return -np.expm1(2 * self.log_mean_coefficient(t))


@dataclass(frozen=True)
class VPCosine(Schedule):
    """Cosine schedule ᾱ(t) = cos²(θ)/cos²(θ_0), θ = (t+s)/(1+s)·π/2 (Nichol and Dhariwal 2021), β
    clipped at ``clip``.

    The unclipped β = π/(1+s) tan θ is infinite at t = 1. Their clip of 0.999 a step at 1000 steps
    is ``clip = 999`` here: from ``clip_time`` on β is constant and α falls exponentially.
    ``clip=None`` leaves it out (then horizon must be < 1).

    >>> round(VPCosine().clip_time, 4)
    0.998
    """

    s: float = 0.008
    clip: float | None = 999.0
    horizon: float = 1.0

    def __post_init__(self) -> None:
        positive(
            s=self.s, horizon=self.horizon, **({} if self.clip is None else {"clip": self.clip})
        )
        if self.clip is None and self.horizon >= 1:
            raise ArgumentError(
                "horizon",
                "< 1 without a clip",
                self.horizon,
                "β is infinite at t = 1; pass clip=999.0 or a horizon such as 0.9946",
            )

    @property
    def clip_time(self) -> float:
        """Where β reaches the clip (infinity without one)."""
        return (
            np.inf
            if self.clip is None
            else float(
                np.arctan(self.clip * (1 + self.s) / np.pi) * 2 / np.pi * (1 + self.s) - self.s
            )
        )

    @property
    def breaks(self) -> tuple[float, ...]:  # type: ignore[override]
        return (self.clip_time,) if 0 < self.clip_time < self.horizon else ()

    def beta(self, t: Any) -> Any:
        """min(π/(1+s) tan θ, clip)."""
        t = np.asarray(t)
        capped = (
            np.pi
            / (1 + self.s)
            * np.tan((np.minimum(t, min(self.clip_time, 1.0)) + self.s) / (1 + self.s) * np.pi / 2)
        )
        return (
            capped
            if self.clip is None
            else np.where(t < self.clip_time, np.minimum(capped, self.clip), self.clip)
        )

    def _angles(self, t: Any) -> tuple[Any, float, Any]:
        """θ - θ_0 up to the clip, θ_0, and the ∫β gathered after the clip."""
        t, start = np.asarray(t), self.s / (1 + self.s) * np.pi / 2
        turned = np.minimum(t, min(self.clip_time, 1.0)) / (1 + self.s) * np.pi / 2
        after = 0.0 * t if self.clip is None else self.clip * np.maximum(t - self.clip_time, 0.0)
        return turned, start, after

    def rate(self, t: Any) -> Any:
        return -0.5 * self.beta(t)

    def diffusion(self, t: Any) -> Any:
        return np.sqrt(self.beta(t))

    def alpha(self, t: Any) -> Any:
        turned, start, after = self._angles(t)
        return np.cos(start + turned) / np.cos(start) * np.exp(-after / 2)

    def sigma(self, t: Any) -> Any:
        turned, start, after = self._angles(t)
        # cos²θ_0 - cos²θ = sin(θ-θ_0) sin(θ+θ_0): nothing cancels at small t
        before = np.sin(turned) * np.sin(turned + 2 * start) / np.cos(start) ** 2
        return np.sqrt(before - (1 - before) * np.expm1(-after))
