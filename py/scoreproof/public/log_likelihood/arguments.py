"""The arguments of `check_log_likelihood`, validated once.

Conventions: log p in nats; a prior's width is a standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.arguments import (
    a_function,
    a_library,
    accepted,
    sample_shape,
    seeded,
)
from scoreproof.public.bits import Units
from scoreproof.public.log_likelihood.clocks import Clock, clock_of, flow, noise_levels
from scoreproof.public.log_likelihood.names import Taken, roles_of
from scoreproof.public.log_likelihood.predictions import kind_of
from scoreproof.public.log_likelihood.said import listed, mapping, time, units_said
from scoreproof.public.log_likelihood.variables import variables_of

__all__ = ["Job", "Request", "validate"]

#: kinds that are a field of their own, without a process
FIELDS = ("velocity", "flow", "field")
#: of σ as a time
SIGMA_MIN, SIGMA_MAX = 1e-2, 20.0
#: α of the noise's end where x_0 is there as it was; and α² + σ² beside 1
SPREAD, PRESERVED = 0.9, 1e-3


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
    gradients: Any
    options: Any
    tolerance: Any
    framework: Any
    dtype: Any
    seed: int


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request. ``prior``: of N(0, prior² I), or a function of z, or ``None`` for the
    exact law at the end; ``said``: the caller said which; ``gradients``: in what they are judged.
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
    gradients: tuple[str, ...]
    options: Mapping[str, Any]
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int
    #: nothing says what the model returns: it is taken for a score
    guessed: bool = False

    @property
    def d(self) -> int:
        return int(np.prod(self.shape))


def validate(given: Request) -> Job:
    """The request as a job; raises ``ArgumentError``."""
    a_function(
        "log_likelihood",
        given.function,
        "a function of a model and x",
        "pass log_likelihood(model, x), or a lambda around the method that computes it",
    )
    given = replace(
        given,
        framework=a_library(given.framework, given.function, "function"),
        options=mapping(given.options),
        given=listed(given.given),
    )
    taken = roles_of(given.function, given.given, given.options)
    _settled(given, taken)
    kind, guessed = kind_of(given.function, given.process, given.prediction)
    t_min = time("t_min", given.t_min)
    t_max = time("t_max", given.t_max)
    clock = _clock(given, kind, t_min, t_max, taken)
    shape = sample_shape(given.shape)
    prior, said = _prior(given, clock)
    return Job(
        given.function,
        str(getattr(given.function, "__name__", type(given.function).__name__)),
        taken,
        clock,
        given.process,
        kind,
        prior,
        said,
        units_said(given, int(np.prod(shape))),
        shape,
        variables_of(given.gradients, given.framework, taken, clock),
        dict(given.options),
        accepted(given.tolerance),
        given.framework,
        given.dtype,
        seeded(given.seed),
        guessed,
    )


def _settled(given: Request, taken: Taken) -> None:
    """``eps`` without a default is a cutoff of time or a probe: where nothing else says which."""
    if given.given is None and taken.of_two_minds and given.t_min is None:
        raise ArgumentError(
            "given",
            "said where an argument is named eps: it may be a probe ν, or the time of the data",
            ", ".join(taken.positional),
            'pass given=("model", "x", "nu", …) for a probe, given=("model", "x", "t_min", …) or'
            " t_min= for a time",
        )


def _clock(
    given: Request, kind: str, t_min: float | None, t_max: float | None, taken: Taken
) -> Clock:
    if given.data_at not in (None, 0, 1):
        raise ArgumentError(
            "data_at",
            "0 or 1",
            repr(given.data_at),
            "pass the end of its time at which a flow has the data: 1, or 0 of a rectified flow",
        )
    if given.process is not None:
        if given.data_at is not None:
            raise ArgumentError(
                "data_at",
                "left away with a process",
                given.data_at,
                "leave it away: the data are where sigma(t) is least",
            )
        return clock_of(given.process, given.framework, t_min, t_max)
    if kind in FIELDS:
        if t_min:
            raise ArgumentError(
                "t_min",
                "left away for a flow",
                t_min,
                "its time goes from 0 to t_max, 1 by default",
            )
        if t_max == 0:
            raise ArgumentError(
                "t_max", "> 0", t_max, "it is the whole time of a flow; data_at= turns it"
            )
        return flow(
            1.0 if given.data_at is None else float(given.data_at), 1.0 if t_max is None else t_max
        )
    if kind == "x0" or kind == "score" or kind == "eps":
        least, most = (
            SIGMA_MIN if t_min is None else t_min, SIGMA_MAX if t_max is None else t_max
        )  # fmt: skip
        if not least < most:
            raise ArgumentError(
                "t_max", f"> t_min = {least:g}", most, "the times are σ: of the data, of the noise"
            )
        return noise_levels(least, most)
    raise ArgumentError(
        "process",
        f"given for prediction={kind!r}",
        None,
        "pass an object with alpha(t) and sigma(t), e.g. VPLinear(0.1, 20.0)",
    )


def _prior(given: Request, clock: Clock) -> tuple[Any, bool]:
    value = given.prior
    if value is None:
        alpha, sigma = (float(v) for v in clock.at(clock.noise)[:2])
        # of α = 1 the noise is spread over the data; elsewhere, and wherever variances are
        # preserved, samples begin with N(0, I), however much signal is left
        preserved = abs(alpha**2 + sigma**2 - 1) < PRESERVED
        return (sigma if alpha > SPREAD and not preserved else 1.0), False
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
