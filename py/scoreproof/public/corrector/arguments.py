"""The arguments of `check_corrector`, validated once.

Conventions: a step size is h of ``x + h · score(x) + √(2h) z``, t what the model is told.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.arguments import (
    a_function,
    a_library,
    accepted,
    one_of,
    sample_shape,
    seeded,
)
from scoreproof.public.corrector import names
from scoreproof.public.corrector.alphas import own_alpha
from scoreproof.public.corrector.names import positional, roles_of
from scoreproof.public.given_process import process_given
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.levels import level_of_sigma, levels_of_process

__all__ = ["STEP", "Job", "Request", "validate"]

PREDICTIONS = ("score", "eps", "x0", "v", "F")
STEP = 0.1
#: the noise level of a model without a process: no power of it is 2 or a half
SIGMA = 0.6


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments of `check_corrector` as they were given."""

    corrector: Any
    process: Any
    t: Any
    given: Any
    prediction: str
    step_size: Any
    snr: Any
    alpha: Any
    shape: Any
    options: Mapping[str, Any]
    tolerance: Any
    framework: str | None
    dtype: Any
    seed: int


@dataclass(frozen=True, eq=False)
class Job:
    """A validated request. ``roles``: what the positional arguments are. ``h``: the step size that
    is handed over first, ``None`` where the kernel takes none. ``rule``: the step size is to follow
    from ``snr``. ``level_of``: α and σ at a time.
    """

    function: Callable[..., Any]
    name: str
    roles: tuple[str, ...]
    positional: tuple[str, ...]
    level_of: Callable[[float], Level]
    t: float | int
    prediction: str
    h: float | None
    snr: float | None
    rule: bool
    alpha: float
    shape: tuple[int, ...]
    options: Mapping[str, Any]
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int
    #: not said by the caller
    any_t: bool = False
    any_alpha: bool = False
    #: 1 - β_t of the process, where it tells
    own_alpha: float | None = None

    @property
    def d(self) -> int:
        return int(np.prod(self.shape))

    @property
    def two(self) -> bool:
        """The state is x and v."""
        return "v" in self.roles

    @property
    def gaussians_only(self) -> bool:
        """It is told mean and covariance."""
        return any(r in names.OF_GAUSSIANS for r in self.roles)

    @property
    def exactly(self) -> bool:
        """Told mean and covariance alone, and no step size: its law has to be p_t as it is."""
        law = any(r in names.OF_THE_LAW for r in self.roles)
        return self.gaussians_only and not law and self.h is None


def validate(given: Request) -> Job:
    """The request as a job; raises ``ArgumentError``."""
    a_function(
        "corrector",
        given.corrector,
        "a function of a score and x",
        "pass corrector(score, x), or a lambda around the method that makes the step",
    )
    framework = a_library(given.framework, given.corrector, "corrector")
    one_of(
        "prediction",
        given.prediction,
        PREDICTIONS,
        "it is what the model returns that the corrector is handed",
    )
    roles = roles_of(given.corrector, given.given, given.options)
    level_of, t = _level(given)
    h = _positive("step_size", STEP if given.step_size is None else given.step_size)
    takes = "step_size" in roles
    if given.step_size is not None and not takes:
        raise ArgumentError(
            "step_size",
            "left away for a corrector that takes none",
            given.step_size,
            "let the corrector take an argument step_size, or name it by given=",
        )
    snr = None if given.snr is None else _positive("snr", given.snr)
    if "snr" in roles and snr is None:
        snr = 0.16
    return Job(
        given.corrector,
        str(getattr(given.corrector, "__name__", type(given.corrector).__name__)),
        roles,
        tuple(positional(given.corrector)[0]),
        level_of,
        t,
        given.prediction,
        h if takes else None,
        snr,
        given.snr is not None,
        1.0 if given.alpha is None else _positive("alpha", given.alpha),
        sample_shape(given.shape),
        dict(given.options),
        accepted(given.tolerance),
        framework,
        given.dtype,
        seeded(given.seed),
        given.t is None and not any(r in roles for r in ("t", "t_batch")),
        given.alpha is None and given.process is not None,
        own_alpha(given.process, t) if given.alpha is None else None,
    )


def _positive(name: str, value: Any) -> float:
    if not isinstance(value, Real) or isinstance(value, bool) or not 0 < float(value) < np.inf:
        raise ArgumentError(name, "a number > 0", repr(value), "e.g. 0.1")
    return float(value)


def _level(given: Request) -> tuple[Callable[[float], Level], Any]:
    t: Any = given.t
    if t is not None and (not isinstance(t, Real) or not np.isfinite(float(t)) or t < 0):
        raise ArgumentError("t", "a number >= 0", repr(t), "the time, timestep or σ of p_t")
    if given.process is None:
        return level_of_sigma, SIGMA if t is None else t
    process, _ = process_given(given.process)
    level_of = levels_of_process(process, False)
    if t is None:
        whole = getattr(process, "timesteps", None)
        length = getattr(process, "horizon", None)
        if whole is not None:
            t = int(np.ravel(whole)[-1]) // 2
        else:
            t = 0.5 * float(length if isinstance(length, Real) else 1.0)
    return level_of, t
