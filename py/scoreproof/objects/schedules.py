"""Noise schedules as practitioners write them: each as drift and diffusion, and as the marginal it declares.

Conventions
-----------
- ``dX = drift(x, t) dt + diffusion(t) dW``; ``diffusion`` is g, not g².
- ``marginal(x0, t) -> (mean, std)`` is what the class declares for X_t given X_0 = x0; ``std`` is a standard deviation.
- ``x_t = alpha(t) x_0 + sigma(t) ε`` with ``alpha, sigma`` read off the declared marginal.
- Drift and diffusion and the declared marginal are written separately, neither from the other: a check compares them.
- ``t`` runs over [0, ``end``]; data sit at t = 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = ["EDM", "SCHEDULES", "VPCosine", "Schedule", "SubVP", "VEGeometric", "VPLinear"]


class Schedule:
    """The methods every schedule has; ``alpha`` and ``sigma`` come from its declared marginal."""

    end: float = 1.0

    def drift(self, x: Any, t: Any) -> Any:
        """f(x, t), the shape of x."""
        raise NotImplementedError

    def diffusion(self, t: Any) -> Any:
        """g(t)."""
        raise NotImplementedError

    def marginal(self, x0: Any, t: Any) -> tuple[Any, Any]:
        """The declared mean (shape of x0) and standard deviation of X_t given X_0 = x0."""
        raise NotImplementedError

    def alpha(self, t: Any) -> Any:
        """The declared factor of x_0 in the mean."""
        return self.marginal(1.0, t)[0]

    def sigma(self, t: Any) -> Any:
        """The declared standard deviation."""
        return self.marginal(1.0, t)[1]


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise ArgumentError(name, "finite and > 0", value, "pass a standard deviation or a rate, not a log")


@dataclass(frozen=True)
class VEGeometric(Schedule):
    """Variance exploding, σ(t) = σ_min (σ_max/σ_min)^t.

    Its declared marginal has variance σ(t)², its SDE started at X_0 has σ(t)² - σ_min²: the declared one is right when the
    data are first blurred by σ_min (a jump of σ at 0⁺), and both conventions are in use.
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0

    def __post_init__(self) -> None:
        _positive(sigma_min=self.sigma_min, sigma_max=self.sigma_max)

    def drift(self, x: Any, t: Any) -> Any:
        return 0 * x

    def diffusion(self, t: Any) -> Any:
        ratio = self.sigma_max / self.sigma_min
        return self.sigma_min * ratio**t * np.sqrt(2 * np.log(ratio))

    def marginal(self, x0: Any, t: Any) -> tuple[Any, Any]:
        return x0, self.sigma_min * (self.sigma_max / self.sigma_min) ** t


@dataclass(frozen=True)
class VPLinear(Schedule):
    """Variance preserving with β(t) = β_min + (β_max - β_min) t."""

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        _positive(beta_min=self.beta_min, beta_max=self.beta_max)

    def drift(self, x: Any, t: Any) -> Any:
        return -0.5 * (self.beta_min + t * (self.beta_max - self.beta_min)) * x

    def diffusion(self, t: Any) -> Any:
        return np.sqrt(self.beta_min + t * (self.beta_max - self.beta_min))

    def marginal(self, x0: Any, t: Any) -> tuple[Any, Any]:
        log_mean = -0.25 * t**2 * (self.beta_max - self.beta_min) - 0.5 * t * self.beta_min
        return np.exp(log_mean) * x0, np.sqrt(-np.expm1(2 * log_mean))


@dataclass(frozen=True)
class VPCosine(Schedule):
    """Variance preserving with ᾱ(t) = cos²((t+s)/(1+s) π/2) / cos²(s/(1+s) π/2), β clipped at ``clip`` (0.999 a step, 1000 steps).

    From the time at which the clip acts, ᾱ decays at the rate ``clip``; the declared marginal honours that.
    """

    offset: float = 0.008
    clip: float = 999.0

    def __post_init__(self) -> None:
        _positive(offset=self.offset, clip=self.clip)

    def _angle(self, t: Any) -> Any:
        return (t + self.offset) / (1 + self.offset) * (np.pi / 2)

    @property
    def clip_time(self) -> float:
        """The time from which β is clipped."""
        return float(np.arctan(self.clip * (1 + self.offset) / np.pi) * 2 / np.pi * (1 + self.offset) - self.offset)

    def _beta(self, t: Any) -> Any:
        return np.minimum(np.pi / (1 + self.offset) * np.tan(self._angle(np.minimum(t, self.clip_time))), self.clip)

    def drift(self, x: Any, t: Any) -> Any:
        return -0.5 * self._beta(t) * x

    def diffusion(self, t: Any) -> Any:
        return np.sqrt(self._beta(t))

    def marginal(self, x0: Any, t: Any) -> tuple[Any, Any]:
        late = np.maximum(t - self.clip_time, 0.0)
        root = np.cos(self._angle(np.minimum(t, self.clip_time))) / np.cos(self._angle(0.0)) * np.exp(-0.5 * self.clip * late)
        return root * x0, np.sqrt((1 - root) * (1 + root))


@dataclass(frozen=True)
class SubVP(Schedule):
    """Sub-variance preserving: the drift of ``VPLinear`` with g² = β (1 - exp(-2∫β)), so that σ = 1 - exp(-∫β)."""

    beta_min: float = 0.1
    beta_max: float = 20.0

    def __post_init__(self) -> None:
        _positive(beta_min=self.beta_min, beta_max=self.beta_max)

    def drift(self, x: Any, t: Any) -> Any:
        return -0.5 * (self.beta_min + t * (self.beta_max - self.beta_min)) * x

    def diffusion(self, t: Any) -> Any:
        beta = self.beta_min + t * (self.beta_max - self.beta_min)
        return np.sqrt(beta * -np.expm1(-2 * self.beta_min * t - (self.beta_max - self.beta_min) * t**2))

    def marginal(self, x0: Any, t: Any) -> tuple[Any, Any]:
        log_mean = -0.25 * t**2 * (self.beta_max - self.beta_min) - 0.5 * t * self.beta_min
        return np.exp(log_mean) * x0, -np.expm1(2 * log_mean)


@dataclass(frozen=True)
class EDM(Schedule):
    """σ(t) = t and no drift: time is the noise level."""

    end: float = 80.0

    def drift(self, x: Any, t: Any) -> Any:
        return 0 * x

    def diffusion(self, t: Any) -> Any:
        return np.sqrt(2 * t)

    def marginal(self, x0: Any, t: Any) -> tuple[Any, Any]:
        return x0, t


#: The schedules with their usual constants, by the names people use.
SCHEDULES: dict[str, Schedule] = {
    "VE geometric": VEGeometric(),
    "VP linear": VPLinear(),
    "VP cosine": VPCosine(),
    "sub-VP": SubVP(),
    "EDM": EDM(),
}
