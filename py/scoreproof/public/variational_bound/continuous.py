"""A process in continuous time, as variational diffusion models have it: γ(t) = -log SNR(t).

Conventions: ``x_t = α x_0 + σ ε`` with ``γ = log(σ² / α²)``; of gamma(t) alone α² = sigmoid(-γ),
σ² = sigmoid(γ). t rises from data to noise, on [0, horizon], whose end is
``horizon`` or ``T`` of a process.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.of_marginal_prob import of_marginals

__all__ = ["Clock", "clock_of"]

#: of t, relative to the horizon, of the coarser of two five-point rules
STEP = 1e-3
#: a T from here on may be a number of steps
MANY = 10


@dataclass(frozen=True, eq=False)
class Clock:
    """``gamma(t)``, and α, σ at t."""

    gamma: Callable[[float], float]
    level: Callable[[float], tuple[float, float]]
    horizon: float = 1.0

    def rate(self, t: float) -> float:
        """dγ/dt."""
        coarse, fine = self._rules(t)
        return fine + (fine - coarse) / 15

    def off(self, t: float, eps: float) -> float:
        """Absolute: what the derivative may be off by; the better of two rules is extrapolated,
        and granted the worse one's part of its own error.
        """
        coarse, fine = self._rules(t)
        size = 1 + abs(self.gamma(t)) + abs(t * fine)  # γ and its argument are rounded
        return abs(fine - coarse) / 15 + 16 * eps * size / (STEP * self.horizon)

    def _rules(self, t: float) -> tuple[float, float]:
        """Five points each, of error h⁴."""
        found = []
        for h in (STEP * self.horizon, STEP * self.horizon / 2):
            near, far = (self.gamma(t + k * h) - self.gamma(t - k * h) for k in (1, 2))
            found.append((8 * near - far) / (12 * h))
        return found[0], found[1]


def clock_of(source: Any, steps: Any = None) -> Clock | None:
    """``None`` for what is no process in continuous time; ``steps``: the T of a loss of steps.
    Raises ``ArgumentError``.
    """
    if callable(getattr(source, "gamma", None)):
        gamma = _number(source.gamma)

        def level(t: float) -> tuple[float, float]:
            g = gamma(t)
            return float((1 + np.exp(g)) ** -0.5), float((1 + np.exp(-g)) ** -0.5)

        return Clock(gamma, level, _horizon(source, steps))
    tabled = any(hasattr(source, n) for n in ("betas", "alphas_cumprod"))  # score_sde's have both
    levels = of_marginals(source) if _named(source, "marginal_prob") and not tabled else source
    if _named(levels, "alpha", "sigma"):
        alpha, sigma = _number(levels.alpha), _number(levels.sigma)
        return Clock(
            lambda t: _log_ratio(sigma(t), alpha(t)),
            lambda t: (alpha(t), sigma(t)),
            _horizon(source, steps),
        )
    return None


def _named(source: Any, *names: str) -> bool:
    return all(callable(getattr(source, n, None)) for n in names)


def _horizon(source: Any, steps: Any) -> float:
    """Where its clock ends: ``horizon``, or ``T`` where it is no number of steps, or 1."""
    for name in ("horizon", "T"):
        value: Any = getattr(source, name, None)
        if not isinstance(value, Real) or float(value) <= 0 or (name == "T" and value == steps):
            continue
        if name == "horizon" or float(value) < MANY:
            return float(value)
        raise ArgumentError(
            "process",
            "one that says where its clock ends",
            f"T = {value}, which may be that or a number of steps",
            f"give it an attribute horizon (1.0, or {value}), or pass steps={value}",
        )
    return 1.0


def _log_ratio(sigma: float, alpha: float) -> float:
    """log(σ²/α²), infinite without noise or signal; no number where one of them is negative."""
    with np.errstate(all="ignore"):
        return float(2 * (np.log(sigma) - np.log(alpha)))


def _number(function: Callable[[Any], Any]) -> Callable[[float], float]:
    def at(t: float) -> float:
        try:
            value = function(t)
        except (TypeError, AttributeError):  # written for arrays
            import sys

            torch = sys.modules.get("torch")
            if torch is None:
                value = function(np.array([t]))
            else:
                value = function(torch.tensor([t], dtype=torch.float64))
        return float(np.ravel(as_numpy(value))[0])

    return at
