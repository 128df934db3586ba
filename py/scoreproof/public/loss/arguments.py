"""What `check_loss` was given, validated."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float
from scoreproof.public.arguments import (
    a_function,
    a_library,
    accepted,
    one_of,
    sample_shape,
    seeded,
)
from scoreproof.public.loss.process import Process, process_of
from scoreproof.public.loss.takes import Takes, takes_of
from scoreproof.public.loss.weights import NAMED, Levels

__all__ = ["KINDS", "Job", "Request", "validate"]

KINDS = ("eps", "x0", "v", "score", "F", "flow", "velocity")
#: rows of a batch, odd and unlike what people's shapes are; a NumPy loss is called for each entry
ROWS = {"numpy": 11, "torch": 17, "jax": 17}


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments as they were given."""

    loss: Any
    process: Any
    prediction: str
    weight: Any
    times: Any
    label: Any
    takes: Any
    shape: Any
    sigma_data: Any
    encode: Any
    learned_variance: bool
    matching: str | None
    tolerance: float | None
    framework: str | None
    dtype: Any
    seed: int


@dataclass(frozen=True, eq=False)
class Job:
    """``weight``: a name, a function of t, or ``None``: any that is positive."""

    loss: Callable[..., Any]
    takes: Takes
    process: Process
    prediction: str
    weight: str | Callable[[float], float] | None
    times: np.ndarray | None
    label: Callable[[float], float] | None
    shape: tuple[int, ...]
    sigma_data: float
    encode: Callable[[np.ndarray], np.ndarray] | None
    learned_variance: bool
    matching: str | None
    tolerance: float | None
    framework: str
    dtype: Any
    seed: int

    @property
    def d(self) -> int:
        return int(np.prod(self.shape))

    @property
    def rows(self) -> int:
        return ROWS[self.framework]

    @property
    def draws_times(self) -> bool:
        """Whether the loss draws t itself."""
        return "t" not in [r for r, _ in self.takes]

    def levels(self, times: np.ndarray) -> Levels:
        return Levels(times, self.process, self.prediction, self.sigma_data)


def validate(given: Request) -> Job:
    """Raises ``ArgumentError``."""
    a_function("loss", given.loss, "callable", "pass lambda model, x0, t, noise: …")
    one_of("prediction", given.prediction, KINDS, "it is what the model returns")
    framework = a_library(given.framework, given.loss, "loss")
    shape = sample_shape(given.shape)
    if int(np.prod(shape)) < 3:
        raise ArgumentError(
            "shape", "of three entries or more", shape, "x_0 and ε are told apart by their entries"
        )
    process = process_of(given.process)
    _velocity(given.prediction, process)
    return Job(
        given.loss,
        takes_of(given.loss, given.takes),
        process,
        given.prediction,
        _weight(given.weight, process),
        None if given.times is None else _times(given.times, process),
        _function("label", given.label),
        shape,
        _positive("sigma_data", given.sigma_data),
        _function("encode", given.encode),
        bool(given.learned_variance),
        _matching(given.matching),
        accepted(given.tolerance),
        framework,
        given.dtype,
        seeded(given.seed),
    )


def _matching(value: Any) -> str | None:
    if value not in (None, "denoising", "implicit"):
        raise ArgumentError(
            "matching",
            "'denoising' or 'implicit'",
            repr(value),
            "'implicit' for losses with the model's derivative in x; leave it out to be recognised",
        )
    return value if value is None else str(value)


def _velocity(prediction: str, process: Process) -> None:
    if prediction == "velocity" and process.level_of(process.high).rates is None:
        raise ArgumentError(
            "prediction",
            "another than 'velocity' for a process whose dα/dt and dσ/dt are not known",
            repr(prediction),
            "say 'flow' (ε - x_0) or 'v' (α ε - σ x_0), or pass functions alpha(t) and sigma(t)",
        )


def _weight(value: Any, process: Process) -> Any:
    if value is None or callable(value):
        return value
    names = ["uniform", *NAMED]
    if value not in names:
        raise ArgumentError(
            "weight",
            f"one of {', '.join(names)}, or a function of t",
            repr(value),
            "it is the weight that you mean the loss to have; leave it out to have it read",
        )
    if value == "likelihood" and process.g2 is None:
        raise ArgumentError(
            "weight",
            "another than 'likelihood' for a process without diffusion(t)",
            repr(value),
            "pass a process with diffusion(t), or the weight as a function of t",
        )
    if value == "velocity":
        _velocity("velocity", process)
    return value


def _times(value: Any, process: Process) -> np.ndarray:
    times = np.unique(to_float("times", value).ravel())
    if len(times) < 3:
        raise ArgumentError(
            "times",
            "three or more different times",
            len(times),
            "a fault that one hides, another shows",
        )
    for t in times:
        sigma = process.level_of(float(t)).sigma
        if not sigma > 0:
            raise ArgumentError(
                "times", "where σ > 0", f"t = {t:g} with σ = {sigma:g}", "leave out t without noise"
            )
    return times


def _function(name: str, value: Any) -> Any:
    if value is not None and not callable(value):
        raise ArgumentError(name, "a function", type(value).__name__, "see the docstring")
    return value


def _positive(name: str, value: Any) -> float:
    if not (isinstance(value, Real) and np.isfinite(float(value)) and float(value) > 0):
        raise ArgumentError(name, "finite and > 0", value, "it is a standard deviation")
    return float(value)
