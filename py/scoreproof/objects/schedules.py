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
from scoreproof.objects.preserving_schedules import SubVP, VPCosine, VPLinear
from scoreproof.objects.schedule import Schedule, positive

__all__ = ["EDM", "SCHEDULES", "VE", "FlowMatching", "Schedule", "SubVP", "VPCosine", "VPLinear"]


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
        positive(sigma_min=self.sigma_min, sigma_max=self.sigma_max, horizon=self.horizon)
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
class EDM(Schedule):
    """σ(t) = t: f = 0, g = √(2t) (Karras et al. 2022); variance exploding with σ(0) = 0."""

    horizon: float = 80.0

    def __post_init__(self) -> None:
        positive(horizon=self.horizon)

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
        positive(horizon=self.horizon)
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
