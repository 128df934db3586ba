"""The arguments of `check_reverse_sampler`, validated once.

Conventions: λ ≤ 1; times are ``(t_min, t_max)`` with 0 < t_min; a callable's last argument is λ or
η = √(1-λ), if it takes one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.public.reverse_sampler.targets import PREDICTIONS, agrees_on, gaussian

__all__ = ["Job", "validate"]


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request."""

    call: Guarded
    process: Any
    lambdas: tuple[float, ...]
    times: tuple[float, float]
    horizon: float | None
    dimension: int
    prediction: str
    parameter: str
    sign: float
    passes_lam: bool
    seed: int

    def last(self, lam: float) -> tuple[float, ...]:
        """The trailing argument of the user's callable, if it takes one."""
        return ((1 - lam) ** 0.5 if self.parameter == "eta" else lam,) if self.passes_lam else ()

    def grid(self, count: int) -> list[float]:
        return np.linspace(self.times[0], self.times[1], count).tolist()


def validate(
    sampler: Any,
    process: Any,
    lambdas: Any,
    form: str | None,
    prediction: str,
    parameter: str,
    clock: str,
    times: Any,
    horizon: float | None,
    dimension: int | None,
    framework: str,
    dtype: Any,
    seed: int,
) -> tuple[Job, str]:
    values = np.atleast_1d(np.asarray(lambdas, dtype=float)).ravel()
    if values.size == 0 or not np.all(np.isfinite(values)):
        raise ArgumentError(
            "lambdas", "one or more finite numbers", lambdas, "e.g. lambdas=(0.0, 1.0)"
        )
    if np.any(values > 1):
        raise ArgumentError(
            "lambdas",
            "<= 1",
            float(values.max()),
            "beyond 1 the noise √(1-λ) g is imaginary; DDIM's η is λ = 1 - η²",
        )
    for name, value, allowed in (
        ("prediction", prediction, PREDICTIONS),
        ("parameter", parameter, ("lambda", "eta")),
        ("clock", clock, ("t", "s")),
        ("form", form, (None, "sde", "step")),
    ):
        if value not in allowed:
            raise ArgumentError(
                name,
                f"one of {', '.join(str(a) for a in allowed)}",
                repr(value),
                "see the docstring of check_reverse_sampler",
            )
    if isinstance(sampler, tuple):
        sampler, form, count = _pair(sampler), "sde", 4
    else:
        count = _arity(sampler)
    if form is None:
        form = {3: "sde", 4: "sde", 5: "step", 6: "step"}.get(count)
        if form is None:
            raise ArgumentError(
                "sampler",
                "drift_and_noise(x, t, model, lam) or step(x, t, t_next, noise, model, lam)",
                f"a callable of {count} arguments",
                'wrap it, and say form="sde" or form="step"',
            )
    passes_lam = count not in (3, 5)
    if not passes_lam and values.size > 1:
        raise ArgumentError(
            "lambdas",
            "one value for a sampler that takes no λ",
            f"{values.size} values",
            "name the λ it implements, e.g. lambdas=(1.0,) for an ODE",
        )
    d = int(dimension or getattr(process, "dimension", None) or 1)
    probe = gaussian(process, d, horizon)
    span = times if times is not None else (0.1 * probe.horizon, 0.9 * probe.horizon)
    if len(span) != 2 or not 0 < span[0] < span[1] <= probe.horizon:
        raise ArgumentError(
            "times",
            f"(t_min, t_max) with 0 < t_min < t_max <= {probe.horizon:g}",
            span,
            "t runs from t_max down to t_min",
        )
    agrees_on(probe, float(span[0]), float(span[1]))
    call = guarded(sampler, "sampler", framework, dtype)
    return (
        Job(
            call,
            process,
            tuple(values.tolist()),
            (float(span[0]), float(span[1])),
            probe.horizon,
            d,
            prediction,
            parameter,
            1.0 if clock == "t" else -1.0,
            passes_lam,
            int(seed),
        ),
        form,
    )


def _pair(pair: tuple[Any, ...]) -> Callable[..., Any]:
    if len(pair) != 2 or not all(callable(p) for p in pair):
        raise ArgumentError(
            "sampler",
            "a pair of callables (drift, noise)",
            f"{len(pair)} objects",
            "drift(x, t, model, lam) and noise(t, lam)",
        )
    drift, noise = pair
    return lambda x, t, model, lam: (drift(x, t, model, lam), noise(t, lam))


def _arity(sampler: Any) -> int:
    if not callable(sampler):
        raise ArgumentError(
            "sampler",
            "callable",
            type(sampler).__name__,
            "pass a function drift_and_noise(x, t, model, lam) or a step",
        )
    try:
        parameters = inspect.signature(
            getattr(sampler, "function", sampler) if isinstance(sampler, Guarded) else sampler
        ).parameters.values()
    except (TypeError, ValueError):
        return 4
    return sum(
        p.default is p.empty and p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
        for p in parameters
    )
