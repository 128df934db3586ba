"""What all noise schedules share: drift, marginal and derivatives from four functions of time.

Conventions: as in `schedules`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = ["Schedule", "positive"]


def positive(**values: float) -> None:
    """Raise ``ArgumentError`` unless every value is finite and > 0."""
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
        """``(dα/dt, dσ/dt)`` from the SDE: α' = rate·α, (σ²)' = 2 rate σ² + g². Needs σ(t) > 0."""
        rate, sigma = self.rate(t), self.sigma(t)
        return rate * self.alpha(t), rate * sigma + self.diffusion(t) ** 2 / (2 * sigma)
