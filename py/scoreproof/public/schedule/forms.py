"""Named forms of β and of σ lists, with the defaults that public code gives them.

Conventions: β rise with t; lists of σ fall, without the trailing 0.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = [
    "BETA_FORMS",
    "DIFFERENCES",
    "SIGMA_FORMS",
    "Reading",
    "made",
    "names",
    "rescaled",
    "usual_of",
]

#: the words for one reading of a form, and the list
Reading = tuple[str, np.ndarray]


def _linear(n: int, beta_start: float = 1e-4, beta_end: float = 0.02) -> np.ndarray:
    return np.linspace(beta_start, beta_end, n)


def _linear_in_length(n: int) -> np.ndarray:
    """The ends of 1000 steps, scaled so that as much noise is added by n."""
    return np.linspace(1e-4, 0.02, n) * 1000 / n


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


def _sigmoid_of_bar(
    n: int, start: float = -3.0, end: float = 3.0, tau: float = 1.0, max_beta: float = 0.999
) -> np.ndarray:
    """ᾱ is a sigmoid from 1 to 0, of which β are the steps."""

    def at(t: float) -> float:
        return 1 / (1 + math.exp(-t))

    low, high = at(start / tau), at(end / tau)
    return _of_bar(
        lambda t: (high - at((t * (end - start) + start) / tau)) / (high - low), n, max_beta
    )


def rescaled(betas: np.ndarray) -> np.ndarray:
    """Lin et al. 2024: √ᾱ is shifted and scaled so that it ends at 0 and starts where it did.

    >>> rescaled(np.array([0.1, 0.2, 0.5])).round(4).tolist()
    [0.1, 0.492, 1.0]
    """
    root = np.sqrt(np.cumprod(1 - betas))
    bar = ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2
    return 1 - bar / np.concatenate([[1.0], bar[:-1]])


def _karras(n: int, sigma_min: float, sigma_max: float, rho: float = 7.0) -> np.ndarray:
    return np.linspace(sigma_max ** (1 / rho), sigma_min ** (1 / rho), n) ** rho


def _exponential(n: int, sigma_min: float, sigma_max: float) -> np.ndarray:
    return np.exp(np.linspace(math.log(sigma_max), math.log(sigma_min), n))


def _polyexponential(n: int, sigma_min: float, sigma_max: float, rho: float = 1.0) -> np.ndarray:
    ramp = np.linspace(1, 0, n) ** rho
    return np.exp(ramp * (math.log(sigma_max) - math.log(sigma_min)) + math.log(sigma_min))


def _straight(n: int, sigma_min: float, sigma_max: float) -> np.ndarray:
    return np.linspace(sigma_max, sigma_min, n)


def _shifted(
    n: int, sigma_min: float, sigma_max: float, shift: float = 3.0, mu: float | None = None
) -> np.ndarray:
    """Flow matching: σ' = shift σ / (1 + (shift - 1) σ), of a straight list (the ends are σ');
    a dynamic shift is e^μ.
    """
    shift = shift if mu is None else math.exp(mu)
    back = [s / (shift - (shift - 1) * s) for s in (sigma_max, sigma_min)]
    s = np.linspace(back[0], back[1], n)
    return shift * s / (1 + (shift - 1) * s)


def _vp(
    n: int,
    sigma_min: float,
    sigma_max: float,
    beta_d: float = 19.9,
    beta_min: float = 0.1,
    eps_s: float = 1e-3,
) -> np.ndarray:
    """The continuous variance-preserving process at equal times; its ends follow from β."""
    t = np.linspace(1, eps_s, n)
    return np.sqrt(np.expm1(beta_d * t**2 / 2 + beta_min * t))


#: by name, each in the readings that public code has of it: words, formula
BETA_FORMS: dict[str, dict[str, Callable[..., np.ndarray]]] = {
    "linear": {"": _linear, ", its ends scaled by 1000 / T": _linear_in_length},
    "scaled_linear": {"": _scaled_linear},
    "cosine": {"": _cosine},
    "squaredcos_cap_v2": {"": _cosine},
    "exp": {"": _exp},
    "sigmoid": {"": _sigmoid, " of ᾱ": _sigmoid_of_bar},
}
#: β of these readings are differences of ᾱ, which are rounded first
DIFFERENCES = {
    "cosine": ("",),
    "squaredcos_cap_v2": ("",),
    "exp": ("",),
    "sigmoid": (" of ᾱ",),
}
SIGMA_FORMS: dict[str, Callable[..., np.ndarray]] = {
    "karras": _karras,
    "exponential": _exponential,
    "polyexponential": _polyexponential,
    "linear": _straight,
    "shifted": _shifted,
    "vp": _vp,
}


def made(form: str, parameters: Mapping[str, Any], like: np.ndarray, sigmas: bool) -> list[Reading]:
    """The list of that form, as long as ``like``, in each of its readings; the ends of a list of σ
    are its own, unless they are named. Raises ``ArgumentError``.
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
        readings = {"": SIGMA_FORMS[form]}
    else:
        readings = BETA_FORMS[form]
    zero = bool(given.pop("rescale_betas_zero_snr", False)) and not sigmas
    found: list[Reading] = []
    for words, formula in readings.items():
        try:
            values = formula(len(like), **given)
        except TypeError:
            continue
        except (ValueError, ZeroDivisionError, OverflowError) as error:
            raise ArgumentError(
                "form_options", f"parameters of {form!r}", given, str(error)
            ) from error
        found.append((words, rescaled(values) if zero else values))
    if not found:
        wanted = dict.fromkeys(n for f in readings.values() for n in _parameters(f))
        raise ArgumentError(
            "form_options",
            f"parameters of {form!r}: {', '.join(wanted) or 'none'}",
            sorted(parameters),
            "name them as there",
        )
    return found


def names() -> list[str]:
    """Of the forms of β, each formula once.

    >>> names()
    ['linear', 'scaled_linear', 'cosine', 'exp', 'sigmoid']
    """
    first = {tuple(f.items()): name for name, f in reversed(BETA_FORMS.items())}
    return [name for name in BETA_FORMS if name in first.values()]


def usual_of(form: str, reading: str) -> dict[str, float]:
    """The parameters that a reading of a form of β has by default.

    >>> usual_of("linear", "")
    {'beta_start': 0.0001, 'beta_end': 0.02}
    """
    named = inspect.signature(BETA_FORMS[form][reading]).parameters.values()
    return {p.name: p.default for p in named if p.default is not inspect.Parameter.empty}


def _parameters(formula: Callable[..., np.ndarray]) -> list[str]:
    return list(inspect.signature(formula).parameters)[1:]
