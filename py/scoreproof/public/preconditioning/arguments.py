"""What `check_preconditioning` was given, validated."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float
from scoreproof.public.arguments import accepted, sample_shape
from scoreproof.public.preconditioning.forms import COEFFICIENTS, FORMS, Form

__all__ = ["Job", "Request", "validate"]

#: where EDM's own schedules run, and beyond
SIGMAS = tuple(np.geomspace(0.002, 80.0, 12))


@dataclass(frozen=True, eq=False)
class Request:
    """The arguments as they were given."""

    precondition: Any
    form: str
    sigma_data: Any
    data: Any
    data_within: float
    c_noise: Any
    sigmas: Any
    shape: Any
    inner: str | None
    tolerance: float | None
    framework: str
    dtype: Any


@dataclass(frozen=True, eq=False)
class Job:
    """``sigma_data``: what is declared (``None``: whatever all coefficients agree on); ``spread``:
    the standard deviation of the data, if they are known.
    """

    form: Form
    name: str
    sigma_data: float | None
    spread: float | None
    within: float
    c_noise: Callable[[np.ndarray], np.ndarray] | None
    sigmas: np.ndarray
    shape: tuple[int, ...]
    tolerance: float | None


def validate(given: Request) -> Job:
    """Raises ``ArgumentError``."""
    if given.form not in FORMS:
        raise ArgumentError(
            "form", f"one of {', '.join(FORMS)}", repr(given.form), "name the preconditioning"
        )
    form = FORMS[given.form]
    declared = None if given.sigma_data is None else _positive("sigma_data", given.sigma_data)
    spread = None if given.data is None else _spread(given.data)
    sigmas = np.sort(np.ravel(to_float("sigmas", SIGMAS if given.sigmas is None else given.sigmas)))
    if len(sigmas) < 3 or np.any(sigmas <= 0) or np.any(np.diff(sigmas) <= 0):
        raise ArgumentError(
            "sigmas",
            "three noise levels or more, all > 0 and different",
            f"{len(sigmas)} from {sigmas[0]:g}" if len(sigmas) else "none",
            "a fault that one σ hides another shows; leave out a trailing 0",
        )
    return Job(
        form,
        given.form,
        declared,
        spread,
        _positive("data_within", given.data_within),
        _told(given.c_noise, form),
        sigmas,
        sample_shape(given.shape),
        accepted(given.tolerance),
    )


def _told(c_noise: Any, form: Form) -> Callable[[np.ndarray], np.ndarray] | None:
    if isinstance(c_noise, str) and c_noise == "any":
        return None
    if isinstance(c_noise, str) and c_noise == "sigma":
        return lambda s: s
    if callable(c_noise):
        return lambda s: np.array([float(c_noise(float(v))) for v in s])
    if c_noise is not None:
        raise ArgumentError(
            "c_noise",
            "'any', 'sigma' or a function of σ",
            repr(c_noise),
            "leave it out for the form's own",
        )
    formula = form.c_noise
    return None if formula is None else lambda s: formula(s, 1.0)


def _positive(name: str, value: Any) -> float:
    if not (isinstance(value, Real) and np.isfinite(float(value)) and float(value) > 0):
        raise ArgumentError(name, "finite and > 0", value, "it is a standard deviation, or a part")
    return float(value)


def _spread(data: Any) -> float:
    values = to_float("data", data)
    if values.size < 2 or float(np.std(values)) == 0:
        raise ArgumentError(
            "data",
            "an array of data that are not all alike",
            f"{values.size} numbers",
            "σ_data is their standard deviation over all entries",
        )
    return float(np.std(values))


def is_functions(given: Any) -> bool:
    """Whether it is a mapping of coefficients to functions of σ; raises on unknown names."""
    if not isinstance(given, Mapping):
        return False
    unknown = [k for k in given if k not in COEFFICIENTS]
    if unknown or not given:
        raise ArgumentError(
            "precondition",
            f"a mapping of {', '.join(COEFFICIENTS)} to functions of σ",
            f"{', '.join(map(str, unknown)) or 'an empty mapping'}",
            "leave out what you do not have",
        )
    return True
