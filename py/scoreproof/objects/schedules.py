"""Noise schedules as practitioners write them: as ``(f, g)`` of an SDE, and as the marginal they
declare.

Conventions
-----------
- ``dX = f(X, t) dt + g(t) dW`` with ``f = rate(t)·x``; time runs forward from 0 (data) to
  ``horizon`` (noise).
- ``marginal(x0, t) -> (mean, std)``: a *standard deviation*. ``alpha(t)``, ``sigma(t)``: ``X_t = α
  X_0 + σ ε``.
- The two halves are written independently (``rate`` and ``diffusion`` from β or σ', ``alpha`` and
  ``sigma`` from closed forms), so that a check may compare them as opaque callables.
- ``initial_std`` is the convention a class carries silently: the declared marginal is that of the
  SDE when the data are first blurred by this much (0 for all but `VE`, whose declared σ(0) is
  σ_min).
- ``breaks``: times inside (0, horizon) where f or g has a kink. Times may be floats or arrays; x
  and x0 are rows ``(n, d)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = ["EDM", "SCHEDULES", "VE", "FlowMatching", "Schedule", "SubVP", "VPCosine", "VPLinear"]


def _positive(**values: float) -> None:
    for name, value in values.items():
        if not (np.isfinite(value) and value > 0):
            raise ArgumentError(
                name, "finite and > 0", value, "pass the parameter itself, not its logarithm"
            )


class Schedule:
    """What all schedules share: ``drift``, ``marginal`` and the time derivatives of α and σ from
    ``rate``, ``diffusion``, ``alpha``, ``sigma``.
    """

    horizon: float
    initial_std: float = 0.0
    breaks: tuple[float, ...] = ()

    def rate(self, t: Any) -> Any:
        """The coefficient of x in the drift."""
        raise NotImplementedError

    def diffusion(self, t: Any) -> Any:
        """g(t), per square root of time; its square is the rate of variance."""
        raise NotImplementedError

    def alpha(self, t: Any) -> Any:
        """The factor of X_0 in X_t."""
        raise NotImplementedError

    def sigma(self, t: Any) -> Any:
        """The declared standard deviation of X_t given X_0."""
        raise NotImplementedError

    def drift(self, x: Any, t: Any) -> Any:
        """f(x, t) = rate(t)·x."""
        return self.rate(t) * x

    def marginal(self, x0: Any, t: Any) -> tuple[Any, Any]:
        """Mean (shape of x0) and standard deviation (shape of t) that the schedule declares for X_t
        given X_0 = x0.
        """
        return self.alpha(t) * x0, self.sigma(t)

    def derivatives(self, t: Any) -> tuple[Any, Any]:
        """``(dα/dt, dσ/dt)``, from the SDE: α' = rate·α and (σ²)' = 2 rate σ² + g². Needs σ(t) > 0."""
        rate, sigma = self.rate(t), self.sigma(t)
        return rate * self.alpha(t), rate * sigma + self.diffusion(t) ** 2 / (2 * sigma)


@dataclass(frozen=True)
class VE(Schedule):
    """Variance exploding, geometric: σ(t) = σ_min (σ_max/σ_min)^t on [0, 1] (Song et al. 2021,
    ``VESDE``).

    >>> ve = VE()
    >>> float(ve.sigma(0.0)), bool(np.isclose(ve.sigma(1.0), 50.0))
    (0.01, True)
    """

    sigma_min: float = 0.01
    sigma_max: float = 50.0
    horizon: float = 1.0

    def __post_init__(self) -> None:
        _positive(sigma_min=self.sigma_min, sigma_max=self.sigma_max, horizon=self.horizon)
        if self.sigma_max <= self.sigma_min:
            raise ArgumentError(
                "sigma_max", f"> sigma_min = {self.sigma_min}", self.sigma_max, "σ must increase"
            )

    @property
    def initial_std(self) -> float:  # type: ignore[override]
        return self.sigma_min

    def rate(self, t: Any) -> Any:
        return 0.0 * np.asarray(t)

    def diffusion(self, t: Any) -> Any:
        return (
            self.sigma_min
            * (self.sigma_max / self.sigma_min) ** np.asarray(t)
            * np.sqrt(2 * (np.log(self.sigma_max) - np.log(self.sigma_min)))
        )

    def alpha(self, t: Any) -> Any:
        return 1.0 + 0.0 * np.asarray(t)

    def sigma(self, t: Any) -> Any:
        return self.sigma_min * (self.sigma_max / self.sigma_min) ** np.asarray(t)


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
        _positive(beta_min=self.beta_min, beta_max=self.beta_max, horizon=self.horizon)

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
        _positive(
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


@dataclass(frozen=True)
class EDM(Schedule):
    """σ(t) = t: f = 0, g = √(2t) (Karras et al. 2022); variance exploding with σ(0) = 0."""

    horizon: float = 80.0

    def __post_init__(self) -> None:
        _positive(horizon=self.horizon)

    def rate(self, t: Any) -> Any:
        return 0.0 * np.asarray(t)

    def diffusion(self, t: Any) -> Any:
        return np.sqrt(2 * np.asarray(t))

    def alpha(self, t: Any) -> Any:
        return 1.0 + 0.0 * np.asarray(t)

    def sigma(self, t: Any) -> Any:
        return 1.0 * np.asarray(t)


@dataclass(frozen=True)
class FlowMatching(Schedule):
    """The straight path X_t = (1-t) X_0 + t ε as an SDE: f = -x/(1-t), g² = 2t/(1-t). Times stay
    below 1, where f is infinite.
    """

    horizon: float = 0.999

    def __post_init__(self) -> None:
        _positive(horizon=self.horizon)
        if self.horizon >= 1:
            raise ArgumentError("horizon", "< 1", self.horizon, "the drift is infinite at t = 1")

    def rate(self, t: Any) -> Any:
        return -1 / (1 - np.asarray(t))

    def diffusion(self, t: Any) -> Any:
        return np.sqrt(2 * np.asarray(t) / (1 - np.asarray(t)))

    def alpha(self, t: Any) -> Any:
        return 1 - np.asarray(t)

    def sigma(self, t: Any) -> Any:
        return 1.0 * np.asarray(t)


#: One of each, with the parameters of the papers.
SCHEDULES: dict[str, Schedule] = {
    "VE geometric": VE(),
    "VP linear": VPLinear(),
    "VP cosine, clipped": VPCosine(),
    "sub-VP": SubVP(),
    "EDM": EDM(),
    "flow matching": FlowMatching(),
}
