"""Which list these values are, if they are not the one they are to be: another form, or the same
with another parameter.

Conventions: as in `forms`. A list is another one if every entry agrees to 1e-4.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scoreproof.public.schedule.forms import BETA_FORMS, SIGMA_FORMS, made, rescaled

__all__ = ["instead", "recognised"]

CLOSE = 1e-4
#: the parameter of a σ form that is looked for, and between what
FREE = {
    "karras": ("rho", "ρ", 0.02, 50.0),
    "polyexponential": ("rho", "ρ", 0.02, 50.0),
    "shifted": ("shift", "shift", 1e-3, 1e3),
}


def recognised(values: np.ndarray, sigmas: bool) -> str | None:
    """The form, with its usual parameters, that these values have.

    >>> recognised(np.linspace(1e-4, 0.02, 100), False)
    'linear'
    """
    falling = values[:-1] if sigmas and values[-1] == 0 else values
    if len(falling) < 3:
        return None
    for form in SIGMA_FORMS if sigmas else BETA_FORMS:
        if any(_same(falling, likely) for _, likely in made(form, {}, falling, sigmas)):
            return form
    return None


def instead(form: str, options: Mapping[str, Any], values: np.ndarray, sigmas: bool) -> str:
    """A clause that says what they are, empty if nothing is known."""
    if len(values) < 3:
        return ""
    if other := _parameter(form, options, values) if sigmas else "":
        return other
    if not _same(values, made(form, options, values, sigmas)[0][1]):
        for text, likely in _sigmas(values) if sigmas else _betas(form, options, values):
            if _same(values, likely):
                return text
    return ""


def _same(values: np.ndarray, likely: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(values - likely) <= CLOSE * np.abs(likely)))


def _sigmas(values: np.ndarray) -> Iterator[tuple[str, np.ndarray]]:
    for form in SIGMA_FORMS:
        for words, likely in made(form, {}, values, True):
            yield f"it has the form {form!r}{words}", likely


def _betas(
    form: str, options: Mapping[str, Any], values: np.ndarray
) -> Iterator[tuple[str, np.ndarray]]:
    for words, due in made(form, options, values, False):
        yield f"it is the square root of the form {form!r}{words}", np.sqrt(due)
        yield f"it is the form {form!r}{words}, reversed", due[::-1]
        yield f"it is ᾱ of the form {form!r}{words}, not β", np.cumprod(1 - due)
    for other in BETA_FORMS:
        for words, likely in made(other, {}, values, False):
            if other != form or options:
                yield f"it has the form {other!r}{words}", likely
            yield (
                f"it has the form {other!r}{words}, rescaled to zero terminal SNR",
                rescaled(likely),
            )
    ends = {"beta_start": float(values[0]), "beta_end": float(values[-1])}
    for other in ("linear", "scaled_linear"):
        text = f"it has the form {other!r} from {values[0]:.6g} to {values[-1]:.6g}"
        yield text, made(other, ends, values, False)[0][1]
    for text, wrong in (
        ("s = 0, without the offset", {"s": 0.0}),
        ("no clipping", {"max_beta": 1.0}),
    ):
        yield f"it has the form 'cosine' with {text}", made("cosine", wrong, values, False)[0][1]
    t = np.arange(len(values) + 1) / len(values)
    bar = np.maximum(np.cos((t + 0.008) / 1.008 * np.pi / 2), 0.0)
    yield "ᾱ is the cosine, not its square", np.minimum(1 - bar[1:] / bar[:-1], 0.999)


def _parameter(form: str, options: Mapping[str, Any], values: np.ndarray) -> str:
    """The ρ, or the shift, with which the form has these values."""
    if form not in FREE:
        return ""
    name, symbol, low, high = FREE[form]
    rest = {k: v for k, v in options.items() if k not in (name, "mu")}
    middle = len(values) // 2

    def gap(parameter: float) -> float:
        with np.errstate(all="ignore"):
            return float(made(form, {**rest, name: parameter}, values, True)[0][1][middle])

    # the entry in the middle is monotone in the parameter
    a, b = np.log(low), np.log(high)
    rising = gap(high) > gap(low)
    for _ in range(80):
        mid = (a + b) / 2
        a, b = (mid, b) if (gap(float(np.exp(mid))) < values[middle]) == rising else (a, mid)
    found = float(np.exp((a + b) / 2))
    if not _same(values, made(form, {**rest, name: found}, values, True)[0][1]):
        return ""
    asked = options.get(name, np.exp(options["mu"]) if "mu" in options else None)
    due = float(asked if asked is not None else 7.0 if form == "karras" else 3.0)
    if form == "polyexponential" and asked is None:
        due = 1.0
    if "mu" in options and abs(found / options["mu"] - 1) < 1e-3:
        return f"they have shift = {found:.6g}: μ itself, where e^μ is due"
    for text, likely in (
        (f"1 / {due:g}, inverted", 1 / due),
        (f"{due:g}², applied twice", due**2),
        ("not shifted" if form == "shifted" else "straight", 1.0),
    ):
        if form != "polyexponential" and abs(found / likely - 1) < 1e-3 and due != 1:
            return f"they have {symbol} = {found:.6g} ({text})"
    return f"they have {symbol} = {found:.6g}"
