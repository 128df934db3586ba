"""The arguments of `check_reverse_sampler`, validated once.

Conventions: λ ≤ 1; the span is ``(t_min, t_max)`` with 0 < t_min; a callable's last argument is λ
or η = √(1-λ), if it takes one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.interop.signatures import needed, parameters
from scoreproof.public import sweep
from scoreproof.public.arguments import a_function, accepted, count, seeded
from scoreproof.public.reverse_sampler.process import agrees_on, dimension_of
from scoreproof.public.reverse_sampler.targets import PREDICTIONS, gaussian

__all__ = ["Job", "Request", "validate"]

#: dimensions judged where neither the caller nor the process says which
DIMENSIONS = (1, 2, 3)


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_reverse_sampler` as they were given."""

    sampler: Any
    process: Any
    lambdas: Any
    form: str | None
    prediction: str
    parameter: str
    clock: str
    times: Any
    at: Any
    horizon: float | None
    dimension: int | None
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request; ``form`` is ``"sde"`` or ``"step"``. ``model``: makes the model that the
    sampler is handed from (target, x, t); the exact one if it is ``None``.
    """

    call: Guarded
    form: str
    process: Any
    lambdas: tuple[float, ...]
    span: tuple[float, float]
    at: sweep.Sweep | None
    horizon: float
    dimensions: tuple[int, ...]
    prediction: str
    parameter: str
    sign: float
    passes_lam: bool
    tolerance: float | None
    seed: int
    model: Callable[[Any, np.ndarray, float], Callable[[Any, Any], Any]] | None = None

    def last(self, lam: float) -> tuple[float, ...]:
        """The trailing argument of the user's callable, if it takes one."""
        return ((1 - lam) ** 0.5 if self.parameter == "eta" else lam,) if self.passes_lam else ()


def validate(given: Request) -> Job:
    """The request as a job; raises ``ArgumentError``."""
    lambdas = _lambdas(given)
    _choices(given)
    sampler, form, passes_lam = _form(given)
    if not passes_lam and len(lambdas) > 1:
        raise ArgumentError(
            "lambdas",
            "one value for a sampler that takes no λ",
            "none" if given.lambdas is None else f"{len(lambdas)} values",
            "name the λ it implements, e.g. lambdas=(1.0,) for an ODE",
        )
    if form == "step" and hasattr(given.process, "timesteps"):
        raise ArgumentError(
            "process",
            "continuous for a step, of which the limit of short steps is judged",
            f"a table ({type(given.process).__name__})",
            "use check_sampler(step, process, times=timesteps), which judges whole chains",
        )
    dimension = dimension_of(given.process) if given.dimension is None else given.dimension
    dimensions = (
        DIMENSIONS
        if dimension is None
        else (count("dimension", int(dimension), 1, "it is the number of coordinates"),)
    )
    probe = gaussian(given.process, dimensions[0], given.horizon)
    span, at = _times(given, probe.horizon)
    if span[0] < span[1]:
        agrees_on(probe, *span)
    return Job(
        call=guarded(sampler, "sampler", given.framework, given.dtype),
        form=form,
        process=given.process,
        lambdas=lambdas,
        span=span,
        at=at,
        horizon=probe.horizon,
        dimensions=dimensions,
        prediction=given.prediction,
        parameter=given.parameter,
        sign=1.0 if given.clock == "t" else -1.0,
        passes_lam=passes_lam,
        tolerance=accepted(given.tolerance),
        seed=seeded(given.seed),
    )


def _lambdas(given: Request) -> tuple[float, ...]:
    if given.lambdas is None:
        # η = √2 is beyond what a DDIM step can do
        return (0.0, 0.5, 1.0) if given.parameter == "eta" else (-1.0, 0.0, 0.5, 1.0)
    values = np.atleast_1d(np.asarray(given.lambdas, dtype=float)).ravel()
    if values.size == 0 or not np.all(np.isfinite(values)):
        raise ArgumentError(
            "lambdas", "one or more finite numbers", given.lambdas, "e.g. lambdas=(0.0, 1.0)"
        )
    if np.any(values > 1):
        raise ArgumentError(
            "lambdas",
            "<= 1",
            float(values.max()),
            "beyond 1 the noise √(1-λ) g is imaginary; DDIM's η is λ = 1 - η²",
        )
    return tuple(values.tolist())


def _choices(given: Request) -> None:
    for name, allowed in (
        ("prediction", PREDICTIONS),
        ("parameter", ("lambda", "eta")),
        ("clock", ("t", "s")),
        ("form", (None, "sde", "step")),
    ):
        value = getattr(given, name)
        if value not in allowed:
            raise ArgumentError(
                name,
                f"one of {', '.join(str(a) for a in allowed)}",
                repr(value),
                "see the docstring of check_reverse_sampler",
            )


def _form(given: Request) -> tuple[Any, str, bool]:
    """The sampler as one callable, its form, and whether it takes λ."""
    if isinstance(given.sampler, tuple):
        return _pair(given.sampler), "sde", True
    taken = _arity(given.sampler)
    form = given.form or {3: "sde", 4: "sde", 5: "step", 6: "step"}.get(taken)
    if form is None:
        raise ArgumentError(
            "sampler",
            "drift_and_noise(x, t, model, lam) or step(x, t, t_next, noise, model, lam)",
            f"a function of {taken} arguments" if taken else "a function of *args",
            'say which of the two it is by form="sde" or form="step"',
        )
    return given.sampler, form, taken not in (3, 5)


def _times(given: Request, horizon: float) -> tuple[tuple[float, float], sweep.Sweep | None]:
    """The span, and the times that the caller named in it."""
    at = None if given.at is None else sweep.named("at", given.at, high=horizon)
    if given.times is not None:
        span = tuple(given.times) if isinstance(given.times, Sequence | np.ndarray) else ()
        if len(span) != 2 or not 0 < span[0] < span[1] <= horizon:
            raise ArgumentError(
                "times",
                f"(t_min, t_max) with 0 < t_min < t_max <= {horizon:g}",
                given.times,
                "t runs from t_max down to t_min; single times are named by at=",
            )
    else:
        # a model that is asked for t in single precision is asked for the same t
        span = (float(np.float32(0.1 * horizon)), float(np.float32(0.9 * horizon)))
        if at is not None:
            span = (min(span[0], at.low), max(span[1], at.high))
    if at is not None and not span[0] <= at.low <= at.high <= span[1]:
        raise ArgumentError(
            "at",
            f"inside times = ({span[0]:g}, {span[1]:g})",
            f"from {at.low:g} to {at.high:g}",
            "widen times",
        )
    return (float(span[0]), float(span[1])), at


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
    a_function(
        "sampler",
        sampler,
        "callable",
        "pass a function drift_and_noise(x, t, model, lam) or a step",
    )
    inside = sampler.function if isinstance(sampler, Guarded) else sampler
    return 4 if parameters(inside) is None else len(needed(inside))
