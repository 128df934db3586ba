"""The laws that known mistakes lead to, given drift and diffusion: what a marginal would look like.

Conventions
-----------
- Slots: *rate* (the law that the marginal's author had in mind; mistakes in drift, diffusion and α
  live here), *clock* (its time), *start* (what σ_0 does to the variance), *output* (how the
  variance is returned), *mean* (the factor that is returned). Mistakes of different slots compose.
- A mistake may contain σ_0, which drift and diffusion do not tell: the variance is then ``V_0 + σ_0
  V_1 + σ_0² V_2``.
- One coordinate at m times: arrays ``(m,)``; σ_0 may be ``(k, 1)``.
- Names that are also names of the claim's faults mean the same mistake.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from scoreproof.numerics.affine_moments import Moments

__all__ = ["MEANS", "OUTPUTS", "SLOTS", "STARTS", "Array", "Context"]

Array = np.ndarray


@dataclass(eq=False)
class Context:
    """One coordinate of the quadrature's result, and the integrals that explanations need."""

    moments: Moments
    coordinate: int = 0
    _known: dict[tuple[str | None, str], Any] = field(default_factory=dict)

    def _pick(self, values: Array) -> Array:
        return values[..., [self.coordinate]]

    @cached_property
    def t(self) -> Array:
        return self.moments.times

    @property
    def end(self) -> float:
        return float(self.t[-1])

    @cached_property
    def M(self) -> Array:
        return np.exp(self.moments.log_mean[:, self.coordinate])

    @cached_property
    def V(self) -> Array:
        return self.moments.variance[:, self.coordinate]

    @cached_property
    def log_nodes(self) -> Array:
        return self._pick(self.moments.log_at_nodes)

    @cached_property
    def g2(self) -> Array:
        return self._pick(self.moments.g2)

    def total(self, values: Array, t: Array | None = None) -> Array:
        """``∫_0^t`` of values at the nodes."""
        return self.moments.integral(values, self.t if t is None else t)[:, 0]

    def log_at(self, t: Array) -> Array:
        return self.moments.at(t)[:, self.coordinate]

    def g2_at(self, t: Array) -> Array:
        return self.moments.value(self.g2, t)[:, 0]

    def under(self, u: Array, power: float = 1.0, g2: Array | None = None) -> tuple[Array, Array]:
        """M and V at the times u if the drift were ``power`` times what it is (and g² what is
        given).
        """
        m = np.exp(power * self.log_at(u))
        return m, m**2 * self.total(
            np.exp(-2 * power * self.log_nodes) * (self.g2 if g2 is None else g2), u
        )

    def times(self, clock: str) -> Array:
        """t, T - t, or T at every time."""
        return {
            "now": self.t,
            "mirror": np.maximum(self.end - self.t, 0.0),
            "end": np.full_like(self.t, self.end),
        }[clock]

    def law(self, rate: str | None, clock: str) -> tuple[Array, tuple[Array, Any, Any]]:
        """M and (V_0, V_1, V_2) under a mistake of the rate slot, at one of the three clocks; each
        is computed once.
        """
        if (rate, clock) not in self._known:
            m, v = (
                RATES[rate](self, self.times(clock))
                if rate is not None
                else self.under(self.times(clock))
            )
            self._known[rate, clock] = m, (v if isinstance(v, tuple) else (v, 0.0, 0.0))
        return self._known[rate, clock]


def _reversed(c: Context, u: Array) -> tuple[Array, Array]:
    """Drift and diffusion at T - t."""
    weighted, end = np.exp(2 * c.log_nodes) * c.g2, np.array([c.end])
    behind = np.maximum(c.end - u, 0.0)
    return np.exp(c.log_at(end) - c.log_at(behind)), np.exp(-2 * c.log_at(behind)) * (
        c.total(weighted, end) - c.total(weighted, behind)
    )


def _rate_reversed(c: Context, u: Array) -> tuple[Array, Array]:
    """The diffusion at T - t, where there is no drift."""
    return np.exp(c.log_at(u)), c.total(c.g2, np.array([c.end])) - c.total(
        c.g2, np.maximum(c.end - u, 0.0)
    )


def _times(c: Context, u: Array, factor: Callable[[Array], Array]) -> tuple[Array, Array]:
    m, v = c.under(u)
    return m, v * factor(m)


def _increment(c: Context, u: Array, values: Array) -> tuple[Array, Any]:
    """σ = σ_0 + ∫values, so σ² - σ_0² = ∫² + 2 σ_0 ∫."""
    increment = c.total(values, u)
    return np.exp(c.log_at(u)), (increment**2, 2 * increment, 0.0)


def _from_mean(
    c: Context, u: Array, power: float, variance: Callable[[Array], Array]
) -> tuple[Array, Array]:
    """The mean factor to a power, and a variance that is a function of it."""
    m = np.exp(power * c.log_at(u))
    return m, variance(m)


RATES: dict[str | None, Callable[[Context, Array], tuple[Array, Any]]] = {
    "rate_no_two": lambda c, u: _times(c, u, lambda m: 2.0 + 0 * m),
    "rate_twice": lambda c, u: _times(c, u, lambda m: 0.5 + 0 * m),
    "rate_slope": lambda c, u: _increment(c, u, c.g2),
    "rate_slope_squared": lambda c, u: _increment(c, u, np.sqrt(c.g2)),
    "rate_over_t": lambda c, u: (np.exp(c.log_at(u)), (c.g2_at(u) * u, 0.0, -1.0)),
    "rate_sigma_squared": lambda c, u: (np.exp(c.log_at(u)), c.g2_at(u) - c.g2_at(np.zeros(1))),
    "rate_squared_again": lambda c, u: c.under(u, 1.0, np.sqrt(c.g2)),
    "rate_reversed": _rate_reversed,
    "coefficients_reversed": _reversed,
    "drift_no_half": lambda c, u: c.under(u, 0.5),
    "drift_halved": lambda c, u: c.under(u, 2.0),
    "drift_sign": lambda c, u: c.under(u, -1.0),
    "drift_forgotten_in_variance": lambda c, u: (np.exp(c.log_at(u)), c.total(c.g2, u)),
    "drift_forgotten_in_marginal": lambda c, u: c.under(u, 0.0),
    "variance_over_alpha": lambda c, u: _times(c, u, lambda m: m**-2),
    "variance_times_alpha": lambda c, u: _times(c, u, lambda m: m**2),
    "half_missing_in_log_mean": lambda c, u: _from_mean(c, u, 2.0, lambda m: 1 - m**2),
    "half_twice_in_log_mean": lambda c, u: _from_mean(c, u, 0.5, lambda m: 1 - m**2),
    "preserving_std": lambda c, u: _from_mean(c, u, 1.0, lambda m: 1 - m**2),
    "preserving_std_of_root": lambda c, u: _from_mean(c, u, 1.0, lambda m: 1 - m),
    "sub_preserving_std": lambda c, u: _from_mean(c, u, 1.0, lambda m: (1 - m**2) ** 2),
}
CLOCKS = ("variance_reversed", "variance_remaining")
#: (M, V, σ_0) -> V
STARTS: dict[str, Callable[[Any, Any, Any], Any]] = {
    "sigma0_missing": lambda m, v, s: v + m**2 * s * s,
    "sigma0_added": lambda m, v, s: v + 2 * m**2 * s * s,
    "sigma0_not_squared": lambda m, v, s: v + m**2 * (s * s - s),
    "difference_squared": lambda m, v, s: (np.sqrt(v + m**2 * s * s) - m * s) ** 2,
}
#: name -> (contains σ_0, (M, V, σ_0) -> std)
OUTPUTS: dict[str, tuple[bool, Callable[[Any, Any, Any], Any]]] = {
    "exponent_no_half": (False, lambda m, v, s: np.sqrt(v / 2)),
    "std_as_variance": (True, lambda m, v, s: (v + m**2 * s * s) ** 0.25),
    "exponent_sigma": (True, lambda m, v, s: (v + m**2 * s * s) ** 0.25),
    "variance_for_std": (False, lambda m, v, s: v),
    "log_std": (False, lambda m, v, s: np.log(v) / 2),
    "log_variance": (False, lambda m, v, s: np.log(v)),
    "std_twice": (False, lambda m, v, s: 2 * np.sqrt(v)),
    "std_halved": (False, lambda m, v, s: np.sqrt(v) / 2),
    "std_negative": (False, lambda m, v, s: -np.sqrt(v)),
}
MEANS: dict[str, Callable[[Any, Any], Any]] = {
    "mean_shrunk": lambda m, v: m / (1 + v),
    "mean_not_scaled": lambda m, v: np.ones_like(m),
    "half_missing_in_mean": lambda m, v: m**2,
    "half_twice_in_mean": lambda m, v: m**0.5,
    "mean_inverted": lambda m, v: 1 / m,
    "mean_sign": lambda m, v: -m,
}
SLOTS: dict[str, str] = {
    **dict.fromkeys([str(n) for n in RATES], "rate"),
    **dict.fromkeys(CLOCKS, "clock"),
    **dict.fromkeys(STARTS, "start"),
    **dict.fromkeys(OUTPUTS, "output"),
    **dict.fromkeys(MEANS, "mean"),
}
