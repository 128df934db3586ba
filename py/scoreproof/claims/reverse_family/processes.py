"""Processes with closed-form marginals in one dimension, for any arithmetic: floats, balls, power
series of either.

Conventions
-----------
- ``drift(x, t)``, ``diffusion(t)`` (g, not g²), ``density(x, t)``, ``score(x, t)``, ``horizon`` (T,
  an exact rational or a float). ``x`` may be a number, an array or a `Jet`; ``t`` a number or a
  `Jet`.
- `AffineMixture`: f = (log α)'(t) x, g² = α² w', start = Gaussian mixture; then X_t | X_0 ~ N(α
  X_0, α² w) exactly, for any α > 0 with α(0) = 1 and increasing w with w(0) = 0. Here log α = -(a₁
  t + a₂ t²), w = w₁ t + w₂ t².
- `Benes`: f = g² tanh x, g² = τ'(t), start = points (at t = 0); the density is cosh x / cosh x_0 ·
  e^{-τ/2} N(x; x_0, τ).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.numerics import functions as fn
from scoreproof.numerics.jets import Jet

__all__ = ["AffineMixture", "Benes", "Closed"]


def _differentiate(y: Jet) -> Jet:
    return Jet([k * c for k, c in enumerate(y.coefficients)][1:])


class Closed:
    """A process whose density is a closed form; the score is the density's derivative, by power
    series.
    """

    def density(self, x: Any, t: Any) -> Any:
        raise NotImplementedError

    def score(self, x: Any, t: Any) -> Any:
        """``∂_x log p`` at ``x``: a number or array, or a jet ``x + ε`` (to the same order)."""
        jet = isinstance(x, Jet)
        order = x.order if jet else 0
        series = self.density(Jet.variable(x.coefficients[0] if jet else x, order + 1), t)
        quotient = _differentiate(series) / Jet(series.coefficients[: order + 1])
        return quotient if jet else quotient.coefficients[0]


@dataclass(frozen=True)
class AffineMixture(Closed):
    """Linear SDE with time-dependent drift and diffusion, started from a Gaussian mixture
    (variances may be 0 for t > 0).
    """

    weights: Sequence[Any]
    means: Sequence[Any]
    variances: Sequence[Any]
    log_alpha: tuple[Any, Any]
    growth: tuple[Any, Any]
    horizon: Any

    def alpha(self, t: Any) -> Any:
        return fn.exp(-(self.log_alpha[0] * t + self.log_alpha[1] * (t * t)))

    def rate(self, t: Any) -> Any:
        """The coefficient of x in the drift, (log α)'."""
        return -(self.log_alpha[0] + 2 * self.log_alpha[1] * t)

    def noise_variance(self, t: Any) -> Any:
        a = self.alpha(t)
        return a * a * (self.growth[0] * t + self.growth[1] * (t * t))

    def drift(self, x: Any, t: Any) -> Any:
        return x * self.rate(t)

    def diffusion(self, t: Any) -> Any:
        return self.alpha(t) * fn.sqrt(self.growth[0] + 2 * self.growth[1] * t)

    def components(self, t: Any) -> list[tuple[Any, Any, Any]]:
        """``(weight, mean, variance)`` of each component at time ``t``."""
        a = self.alpha(t)
        return [
            (w, a * m, a * a * v + self.noise_variance(t))
            for w, m, v in zip(self.weights, self.means, self.variances, strict=True)
        ]

    def density(self, x: Any, t: Any) -> Any:
        total: Any = 0
        for w, m, v in self.components(t):
            r = x - m
            total = total + w / fn.sqrt(2 * fn.pi_like(v) * v) * fn.exp(-(r * r) / (2 * v))
        return total


class Floating(AffineMixture):
    """The same in float arrays, with a score that survives the far tails (softmax of the
    components).
    """

    def score(self, x: Any, t: Any) -> Any:
        if isinstance(x, Jet):
            return super().score(x, t)
        w, m, v = (np.array(c, dtype=float) for c in zip(*self.components(t), strict=True))
        r = np.asarray(x, dtype=float)[..., None] - m
        logs = np.log(w) - 0.5 * np.log(v) - r * r / (2 * v)
        weights = np.exp(logs - logs.max(axis=-1, keepdims=True))
        return -(weights * r / v).sum(axis=-1) / weights.sum(axis=-1)

    def distribution(self, x: np.ndarray, t: float) -> np.ndarray:
        """P(X_t ≤ x)."""
        from scipy.special import ndtr

        return sum(w * ndtr((x - m) / np.sqrt(v)) for w, m, v in self.components(t))


@dataclass(frozen=True)
class Benes(Closed):
    """The nonlinear drift g² tanh x with g² = τ', τ = τ₁ t + τ₂ t², from weighted points."""

    weights: Sequence[Any]
    points: Sequence[Any]
    clock: tuple[Any, Any]
    horizon: Any

    def drift(self, x: Any, t: Any) -> Any:
        g = self.diffusion(t)
        return fn.tanh(x) * (g * g)

    def diffusion(self, t: Any) -> Any:
        return fn.sqrt(self.clock[0] + 2 * self.clock[1] * t)

    def density(self, x: Any, t: Any) -> Any:
        tau = self.clock[0] * t + self.clock[1] * (t * t)
        total: Any = 0
        for w, x0 in zip(self.weights, self.points, strict=True):
            r = x - x0
            heat = fn.exp(-(r * r) / (2 * tau)) / fn.sqrt(2 * fn.pi_like(tau) * tau)
            total = total + w / fn.cosh(x0) * heat
        return total * fn.cosh(x) * fn.exp(-tau / 2)
