"""The level at a time: α, σ and their rates, of a flow, of σ itself, or of a process of the user's.

Conventions: x_t = α x_0 + σ ε, rates are d/dt. A flow goes straight from noise to data, on
``[0, span]``; its level is computed in the user's array library, that of a process in NumPy.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy
from scoreproof.public.log_likelihood.law import library, like
from scoreproof.public.log_likelihood.moments import level_of_sde
from scoreproof.public.log_likelihood.steps import last_of_table, level_of_table

__all__ = ["Clock", "clock_of", "flow", "noise_levels"]

Four = tuple[Any, Any, Any, Any]
#: relative to the span: the error of the five-point rule is near 1e-12 of a rate
STEP = 1e-3


@dataclass(frozen=True, eq=False)
class Clock:
    """``data`` and ``noise``: the times of either end. ``at``: α, σ, α', σ' at a NumPy time;
    ``native``: whether ``at`` takes the user's arrays as they are.
    """

    at: Callable[[Any], Four]
    data: float
    noise: float
    native: bool
    name: str
    #: whether the time of the data is a cutoff of the code's own, not said by the caller
    open: bool = True

    @property
    def span(self) -> float:
        return abs(self.noise - self.data)

    def levels(self, x: Any, t: Any) -> Four:
        """The same at the times t as the model was asked, for arrays like x: numbers, or columns
        ``(n, 1)``.
        """
        lib = library(t)
        size = int(np.prod(np.shape(t)))
        if self.native:
            if lib is np:
                t = like(np.asarray(t, float), x)
            t = t.reshape(()) if size == 1 else t.reshape(-1, 1)
            return self.at(t)
        if lib is not np and lib.__name__ != "torch" and _traced(t):
            return self._called_back(x, t, size)
        values = np.asarray(as_numpy(t), dtype=float).ravel()
        same = size == 1 or bool(np.all(values == values[0]))
        ends = self.at(values[0] if same else values.reshape(-1, 1))
        if same:
            a, b, c, e = (float(v) for v in ends)
        else:
            a, b, c, e = (like(np.broadcast_to(v, (size, 1)), x) for v in ends)
        if getattr(t, "requires_grad", False):
            by = (t - t.detach()).reshape(() if size == 1 else (-1, 1))
            rates = self.rates(values[0] if size == 1 else values.reshape(-1, 1))
            a, b, c, e = (v + like(r, x) * by for v, r in zip((a, b, c, e), rates, strict=True))
        return a, b, c, e

    def rates(self, t: Any) -> Four:
        """d/dt of the four, at NumPy times; of the last two by differences."""
        h = STEP * np.minimum(1.0, np.maximum(np.abs(t), 1e-12))
        ahead, back = (np.stack(self.at(t + s * h)[2:]) for s in (1, -1))
        far, least = (np.stack(self.at(t + 2 * s * h)[2:]) for s in (1, -1))
        bends = (8 * (ahead - back) - (far - least)) / (12 * h)
        a, b = self.at(t)[2:]
        return a, b, bends[0], bends[1]

    def _called_back(self, x: Any, t: Any, size: int) -> Four:
        """Of a time that JAX traces."""
        jax = sys.modules["jax"]
        kind = np.dtype(x.dtype)
        t = t.reshape(()) if size == 1 else t.reshape(-1, 1)
        out = jax.ShapeDtypeStruct(t.shape, kind)

        def called(at: Callable[[Any], Four], t: Any) -> Any:
            def run(time: Any) -> tuple[np.ndarray, ...]:
                time = np.asarray(time, float)
                return tuple(np.broadcast_to(np.asarray(v), time.shape).astype(kind)
                             for v in at(time))  # fmt: skip

            t = jax.lax.stop_gradient(t)
            return jax.pure_callback(run, (out,) * 4, t, vmap_method="expand_dims")

        def levels(t: Any) -> Any:
            return tuple(called(self.at, t))

        def slopes(primals: Any, tangents: Any) -> Any:
            rates = called(self.rates, primals[0])
            return levels(primals[0]), tuple(r * tangents[0].astype(kind) for r in rates)

        if np.dtype(t.dtype).kind == "f":
            function = jax.custom_jvp(levels)
            function.defjvp(slopes)
            a, b, c, e = function(t)
        else:
            a, b, c, e = levels(t)
        return a, b, c, e


def _traced(t: Any) -> bool:
    jax = sys.modules.get("jax")
    return jax is not None and isinstance(t, jax.core.Tracer)


def flow(data_at: float, span: float) -> Clock:
    """(1 - s) x_0 + s ε, s = t/span where the data are at 0 and 1 - t/span where they are not."""

    def at(t: Any) -> Four:
        s = t / span if data_at == 0 else 1 - t / span
        rate = 1 / span if data_at == 0 else -1 / span
        return 1 - s, s, -rate, rate

    data, noise = (0.0, span) if data_at == 0 else (span, 0.0)
    return Clock(at, data, noise, True, "the straight path (1 - s) x_0 + s ε", False)


def noise_levels(least: float, most: float) -> Clock:
    """The time is σ, and x = x_0 + σ ε."""

    def at(t: Any) -> Four:
        return 1.0, t, 0.0, 1.0

    return Clock(at, least, most, True, "x = x_0 + σ ε at time σ")


def clock_of(process: Any, framework: str, t_min: float | None, t_max: float | None) -> Clock:
    """Of an object with ``alpha(t)`` and ``sigma(t)``, ``marginal_prob(x, t)`` or ``sde(x, t)``."""
    value = _of_alpha(process) or _of_marginal(process, framework)
    value = value or level_of_sde(process, framework) or level_of_table(process)
    if value is None:
        raise ArgumentError(
            "process",
            "an object with alpha(t) and sigma(t), with marginal_prob(x, t) or sde(x, t), or a"
            " table of betas or alphas_cumprod",
            type(process).__name__,
            "see scoreproof.objects.schedules, e.g. VPLinear(0.1, 20.0)",
        )
    level = value
    first = next((getattr(process, n) for n in ("horizon", "T") if hasattr(process, n)), 1.0)
    if callable(getattr(process, "alpha", None)) or (last := last_of_table(process)) is None:
        last = float(first)
    noise = last if t_max is None else t_max
    data = 0.0 if t_min is None else t_min
    if level(np.array(0.0))[1] > level(np.array(noise))[1]:
        data, noise = noise, data  # the data are at the end of its clock

    own = getattr(process, "derivatives", None)

    def rated(t: np.ndarray) -> Four:
        h = STEP * np.minimum(1.0, np.maximum(np.abs(t), 1e-12))
        if callable(own):
            with np.errstate(all="ignore"):
                rates = [np.asarray(v, float) for v in own(t)]
            if all(np.all(np.isfinite(v)) for v in rates):
                alpha, sigma = level(t)
                return alpha, sigma, rates[0], rates[1]
        (a, a2, a1, a_1, a_2), (s, s2, s1, s_1, s_2) = level(
            np.stack([t, t + 2 * h, t + h, t - h, t - 2 * h])
        )
        alpha_dot, sigma_dot = (
            (8 * (p - m) - (q - n)) / (12 * h) for p, m, q, n in ((a1, a_1, a2, a_2),
                                                                  (s1, s_1, s2, s_2))
        )  # fmt: skip
        return a, s, alpha_dot, sigma_dot

    @lru_cache(maxsize=4096)
    def of_number(t: float) -> Four:
        with np.errstate(all="ignore"):  # rates at an end, which are not finite
            a, b, c, e = (float(v) for v in rated(np.array(t)))
        return a, b, c, e

    def at(t: Any) -> Four:
        t = np.asarray(t, dtype=float)
        return of_number(float(t)) if t.ndim == 0 else rated(t)

    return Clock(at, data, noise, False, type(process).__name__, t_min is None)


def _of_alpha(process: Any) -> Callable[[np.ndarray], list[np.ndarray]] | None:
    if not all(callable(getattr(process, n, None)) for n in ("alpha", "sigma")):
        return None

    def level(t: np.ndarray) -> list[np.ndarray]:
        def one(f: Any) -> np.ndarray:
            flat = [float(np.ravel(as_numpy(f(float(v))))[0]) for v in np.ravel(t)]
            return np.reshape(flat, np.shape(t))

        return [one(process.alpha), one(process.sigma)]

    return level


def _of_marginal(process: Any, framework: str) -> Callable[[np.ndarray], list[np.ndarray]] | None:
    if not callable(getattr(process, "marginal_prob", None)):
        return None

    def level(t: np.ndarray) -> list[np.ndarray]:
        flat = np.ravel(t)
        one: Any = np.ones((len(flat), 1, 1, 1))
        when: Any = flat
        if framework == "torch":
            torch = sys.modules["torch"]
            one, when = (torch.as_tensor(v, dtype=torch.float64) for v in (one, flat))
        elif framework == "jax":
            jnp = sys.modules["jax"].numpy
            one, when = jnp.asarray(one), jnp.asarray(flat)
        mean, std = process.marginal_prob(one, when)
        alpha = np.ravel(as_numpy(mean)).astype(float)
        sigma = np.broadcast_to(np.ravel(as_numpy(std)).astype(float), alpha.shape)
        return [alpha.reshape(np.shape(t)), sigma.reshape(np.shape(t))]

    return level
