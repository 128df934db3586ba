"""Named forms of β and of σ lists, with the defaults that public code gives them.

Conventions: β rise with t; lists of σ fall, without the trailing 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = ["BETA_FORMS", "SIGMA_FORMS", "made", "recognised"]


def _linear(n: int, beta_start: float = 1e-4, beta_end: float = 0.02) -> np.ndarray:
    return np.linspace(beta_start, beta_end, n)


def _scaled_linear(n: int, beta_start: float = 0.00085, beta_end: float = 0.012) -> np.ndarray:
    return np.linspace(beta_start**0.5, beta_end**0.5, n) ** 2


def _of_bar(bar: Callable[[float], float], n: int, max_beta: float) -> np.ndarray:
    return np.array([min(1 - bar((i + 1) / n) / bar(i / n), max_beta) for i in range(n)])


def _cosine(n: int, s: float = 0.008, max_beta: float = 0.999) -> np.ndarray:
    return _of_bar(lambda t: math.cos((t + s) / (1 + s) * math.pi / 2) ** 2, n, max_beta)


def _exp(n: int, rate: float = 12.0, max_beta: float = 0.999) -> np.ndarray:
    return _of_bar(lambda t: math.exp(-rate * t), n, max_beta)


def _sigmoid(n: int, beta_start: float = 1e-4, beta_end: float = 0.02) -> np.ndarray:
    return beta_start + (beta_end - beta_start) / (1 + np.exp(-np.linspace(-6, 6, n)))


def _karras(n: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> np.ndarray:
    return np.linspace(sigma_max ** (1 / rho), sigma_min ** (1 / rho), n) ** rho


def _exponential(n: int, sigma_min: float, sigma_max: float) -> np.ndarray:
    return np.exp(np.linspace(math.log(sigma_max), math.log(sigma_min), n))


def _polyexponential(n: int, sigma_min: float, sigma_max: float, rho: float = 1.0) -> np.ndarray:
    ramp = np.linspace(1, 0, n) ** rho
    return np.exp(ramp * (math.log(sigma_max) - math.log(sigma_min)) + math.log(sigma_min))


def _straight(n: int, sigma_min: float, sigma_max: float) -> np.ndarray:
    return np.linspace(sigma_max, sigma_min, n)


def _shifted(n: int, sigma_min: float, sigma_max: float, shift: float = 3.0) -> np.ndarray:
    """Flow matching: σ' = shift σ / (1 + (shift - 1) σ), of a straight list (the ends are σ')."""
    back = [s / (shift - (shift - 1) * s) for s in (sigma_max, sigma_min)]
    s = np.linspace(back[0], back[1], n)
    return shift * s / (1 + (shift - 1) * s)


BETA_FORMS: dict[str, Callable[..., np.ndarray]] = {
    "linear": _linear,
    "scaled_linear": _scaled_linear,
    "cosine": _cosine,
    "squaredcos_cap_v2": _cosine,
    "exp": _exp,
    "sigmoid": _sigmoid,
}
SIGMA_FORMS: dict[str, Callable[..., np.ndarray]] = {
    "karras": _karras,
    "exponential": _exponential,
    "polyexponential": _polyexponential,
    "linear": _straight,
    "shifted": _shifted,
}


def made(form: str, parameters: Mapping[str, Any], like: np.ndarray, sigmas: bool) -> np.ndarray:
    """The list of that form, as long as ``like``; the ends of a list of σ are its own, unless they
    are named. Raises ``ArgumentError``.
    """
    known = SIGMA_FORMS if sigmas else BETA_FORMS
    if form not in known:
        what = "sigmas" if sigmas else "betas"
        raise ArgumentError(
            "form", f"one of {', '.join(known)} for {what}", repr(form), "or leave it out"
        )
    given = dict(parameters)
    if sigmas:
        given = {"sigma_max": float(like[0]), "sigma_min": float(like[-1])} | given
    try:
        return known[form](len(like), **given)
    except TypeError as error:
        raise ArgumentError(
            "form_options",
            f"parameters of {form!r}",
            sorted(parameters),
            "see check_schedule's docstring",
        ) from error


def recognised(values: np.ndarray, sigmas: bool) -> str | None:
    """The form, with its usual parameters, that these values have."""
    falling = values[:-1] if sigmas and values[-1] == 0 else values
    for form in SIGMA_FORMS if sigmas else BETA_FORMS:
        likely = made(form, {}, falling, sigmas)
        with np.errstate(all="ignore"):
            if np.all(np.abs(falling - likely) <= 1e-4 * np.abs(likely)):
                return form
    return None
