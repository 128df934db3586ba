"""The arguments of `check_log_likelihood`, validated once.

Conventions: log p in nats; a prior's width is a standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.frameworks import FRAMEWORKS, require
from scoreproof.public.arguments import accepted, one_of, sample_shape, seeded
from scoreproof.public.bits import Units, units_of
from scoreproof.public.log_likelihood.clocks import Clock, clock_of, flow, noise_levels
from scoreproof.public.log_likelihood.names import Taken, roles_of

__all__ = ["KINDS", "Job", "Request", "validate"]

KINDS = ("score", "eps", "x0", "v", "velocity", "flow", "field")
#: kinds that are a field of their own, without a process
FIELDS = ("velocity", "flow", "field")
#: of σ as a time
SIGMA_MIN, SIGMA_MAX = 1e-2, 20.0
VELOCITY_NAMES = ("velocity", "vf", "vector_field", "v_fn", "flow", "func", "f", "ode_func",
                  "odefunc", "field", "cnf", "drift", "node", "velocity_model", "velocity_fn",
                  "v", "u")  # fmt: skip


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_log_likelihood` as they were given."""

    function: Any
    process: Any
    given: Any
    prediction: Any
    prior: Any
    data_at: Any
    t_min: Any
    t_max: Any
    units: str
    data_range: Any
    levels: Any
    shape: Any
    gradients: bool
    options: Mapping[str, Any]
    tolerance: Any
    framework: str
    dtype: Any
    seed: int


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request. ``prior``: of N(0, prior² I), or a function of z, or ``None`` for the
    exact law at the end; ``said``: the caller said which.
    """

    function: Callable[..., Any]
    name: str
    taken: Taken
    clock: Clock
    process: Any
    kind: str
    prior: float | Callable[..., Any] | None
    said: bool
    units: Units
    shape: tuple[int, ...]
    gradients: bool
    options: Mapping[str, Any]
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int

    @property
    def d(self) -> int:
        return int(np.prod(self.shape))


def validate(given: Request) -> Job:
    """The request as a job; raises ``ArgumentError``."""
    if not callable(given.function):
        raise ArgumentError(
            "log_likelihood",
            "a function of a model and x",
            type(given.function).__name__,
            "pass log_likelihood(model, x), or a lambda around the method that computes it",
        )
    one_of("framework", given.framework, FRAMEWORKS, "name the library the function is written in")
    if given.framework != "numpy":
        require(given.framework)
    taken = roles_of(given.function, given.given, given.options)
    kind = given.prediction or _kind(given)
    one_of("prediction", kind, KINDS, "it is what the model returns that the function is handed")
    t_min = _time("t_min", given.t_min)
    t_max = _time("t_max", given.t_max)
    clock = _clock(given, kind, t_min, t_max, taken)
    shape = sample_shape(given.shape)
    prior, said = _prior(given, clock)
    if given.gradients and given.framework == "numpy":
        raise ArgumentError(
            "gradients",
            "asked for of torch or jax code",
            "framework='numpy'",
            "pass framework='torch' or 'jax': NumPy has no autograd",
        )
    return Job(
        given.function,
        str(getattr(given.function, "__name__", type(given.function).__name__)),
        taken,
        clock,
        given.process,
        kind,
        prior,
        said,
        _units(given, int(np.prod(shape))),
        shape,
        bool(given.gradients),
        dict(given.options),
        accepted(given.tolerance),
        given.framework,
        given.dtype,
        seeded(given.seed),
    )


def _kind(given: Request) -> str:
    import inspect

    if given.process is not None:
        return "score"
    try:
        names = list(inspect.signature(given.function).parameters)
    except (TypeError, ValueError):
        names = []
    if any(n in ("denoiser", "sigma_min", "sigma_max") for n in names):
        return "x0"
    if any(n in VELOCITY_NAMES for n in names):
        return "velocity"
    raise ArgumentError(
        "prediction",
        f"one of {', '.join(KINDS)}",
        None,
        "say what the model returns; a score, eps or v goes with process=, an object with alpha(t)"
        " and sigma(t)",
    )


def _clock(
    given: Request, kind: str, t_min: float | None, t_max: float | None, taken: Taken
) -> Clock:
    if given.data_at not in (None, 0, 1):
        raise ArgumentError(
            "data_at", "0 or 1", repr(given.data_at), "at which end of its time a flow has the data"
        )
    if given.process is not None:
        if given.data_at is not None:
            raise ArgumentError(
                "data_at", "left away with a process", given.data_at, "the process says it"
            )
        return clock_of(given.process, given.framework, t_min, t_max)
    if kind in FIELDS:
        return flow(1.0 if given.data_at is None else float(given.data_at), t_max or 1.0)
    if kind == "x0" or kind == "score" or kind == "eps":
        return noise_levels(
            SIGMA_MIN if t_min is None else t_min, SIGMA_MAX if t_max is None else t_max
        )
    raise ArgumentError(
        "process",
        f"given for prediction={kind!r}",
        None,
        "pass an object with alpha(t) and sigma(t), e.g. VPLinear(0.1, 20.0)",
    )


def _time(name: str, value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 <= float(value) < np.inf:
        raise ArgumentError(name, "a number >= 0", repr(value), "a time on the clock of the model")
    return float(value)


def _prior(given: Request, clock: Clock) -> tuple[Any, bool]:
    value = given.prior
    if value is None:
        alpha, sigma = (float(v) for v in clock.at(clock.noise)[:2])
        # of α near 1 the noise is spread over the data; of one near 0 the width is that of ε
        return (sigma if alpha > 0.5 else 1.0), False
    if value == "marginal":
        return None, True
    if callable(value):
        return value, True
    if isinstance(value, Real) and not isinstance(value, bool) and 0 < float(value) < np.inf:
        return float(value), True
    raise ArgumentError(
        "prior",
        "a standard deviation > 0, 'marginal', or a function log p(z)",
        repr(value),
        "1.0 for N(0, I), σ_max for N(0, σ_max² I)",
    )


def _units(given: Request, d: int) -> Units:
    units = units_of(given.units, given.data_range, given.levels, d)
    if units.data_range is not None and units.name != "bits_per_dim":
        raise ArgumentError(
            "data_range",
            "left away in nats",
            repr(given.data_range),
            "say units='bits_per_dim', which count the levels of the data",
        )
    return units
