"""α and σ of an SDE that only has its drift and diffusion, ``sde(x, t)``, as score_sde writes it.

Conventions: f(t) is the drift at x = 1, which has to be linear in x; α' = f α and
(σ²)' = 2 f σ² + g², from α = 1 and σ = 0 at t = 0.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.jax_program import in_x64

__all__ = ["level_of_sde"]

RTOL, ATOL = 1e-11, 1e-14
#: of the drift: what is left of f(2) - 2 f(1)
LINEAR = 1e-5


def level_of_sde(process: Any, framework: str) -> Callable[[np.ndarray], list[np.ndarray]] | None:
    """``None`` where it has no ``sde(x, t)``; raises ``ArgumentError`` of a drift not linear in x.

    >>> class Ou:
    ...     def sde(self, x, t):
    ...         return -x, np.sqrt(2.0) + 0 * t
    >>> level = level_of_sde(Ou(), "numpy")
    >>> alpha, sigma = level(np.array(0.5))
    >>> bool(abs(alpha - np.exp(-0.5)) < 1e-9), bool(abs(alpha**2 + sigma**2 - 1) < 1e-9)
    (True, True)
    """
    if not callable(getattr(process, "sde", None)):
        return None
    rates = _rates(process, framework)
    for t in (0.31, 0.73):
        (one, _), (two, _), (none, _) = (rates(t, x) for x in (1.0, 2.0, 0.0))
        if abs(none) > LINEAR or abs(two - 2 * one) > LINEAR * (1 + abs(one)):
            raise ArgumentError(
                "process",
                "an SDE whose drift is f(t) x",
                f"a drift of {none:.3g}, {one:.3g}, {two:.3g} at x = 0, 1, 2",
                "pass an object with marginal_prob(x, t), or with alpha(t) and sigma(t)",
            )
    solutions: dict[float, Any] = {}

    def solved(end: float) -> Any:
        from scipy.integrate import solve_ivp

        def rate(t: float, state: np.ndarray) -> list[float]:
            f, g = rates(t, 1.0)
            return [f, 2 * f * state[1] + g**2]

        return solve_ivp(rate, (0.0, end), [0.0, 0.0], "DOP853", rtol=RTOL, atol=ATOL,
                         dense_output=True).sol  # fmt: skip

    def level(t: np.ndarray) -> list[np.ndarray]:
        t = np.asarray(t, float)
        least, most = float(np.min(t, initial=0.0)), float(np.max(t, initial=0.0))
        if not solutions or most > max(solutions):
            solutions.clear()
            solutions[max(1.0, 1.01 * most)] = solved(max(1.0, 1.01 * most))
        log_alpha, variance = next(iter(solutions.values()))(np.ravel(np.maximum(t, min(least, 0))))
        alpha = np.exp(log_alpha)
        return [v.reshape(t.shape) for v in (alpha, np.sqrt(np.maximum(variance, 0.0)))]

    return level


def _rates(process: Any, framework: str) -> Callable[[float, float], tuple[float, float]]:
    """f x and g at one time, of a batch of one image."""

    def rates(t: float, x: float) -> tuple[float, float]:
        rows: Any = np.full((1, 1, 1, 1), x)
        when: Any = np.array([t])
        if framework == "jax":
            # rounding of float32 would have the solver look for ever
            with in_x64():
                jnp = sys.modules["jax"].numpy
                return _numbers(process.sde(jnp.asarray(rows), jnp.asarray(when)))
        if framework == "torch":
            torch = sys.modules["torch"]
            rows, when = (torch.as_tensor(v, dtype=torch.float64) for v in (rows, when))
        return _numbers(process.sde(rows, when))

    return rates


def _numbers(parts: Any) -> tuple[float, float]:
    drift, diffusion = (float(np.ravel(as_numpy(v))[0]) for v in parts)
    return drift, diffusion
