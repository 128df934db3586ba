"""Which list these values are, if they are not the one they are to be: another form, or the same
with another parameter.

Conventions: as in `forms`. A list is another one if every entry agrees to what its entries are
held to; a form is recognised to 1e-4.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from scoreproof.public.schedule.beta_likeness import betas_instead
from scoreproof.public.schedule.forms import BETA_FORMS, SIGMA_FORMS, made
from scoreproof.public.schedule.shapes import most_of_it
from scoreproof.public.schedule.sigma_likeness import sigmas_instead

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


def instead(
    form: str,
    options: Mapping[str, Any],
    values: np.ndarray,
    sigmas: bool,
    allowed: np.ndarray,
) -> str:
    """A clause that says what they are, empty if nothing is known; ``allowed``: relative, an
    entry.
    """
    if len(values) < 3:
        return ""
    due = made(form, options, values, sigmas)[0][1]
    if sigmas and (other := _parameter(form, options, values, due, allowed)):
        return f"they have {other}"
    likely = sigmas_instead if sigmas else betas_instead
    for text, candidate in likely(form, options, values):
        with np.errstate(all="ignore"):
            left = np.abs(values - candidate)
            same = np.all(left <= allowed * np.abs(candidate))
        if same and most_of_it(left, values - due, values != due):
            if sigmas:
                return f"they {text}"
            return f"it {'has' if text.startswith('the form') else 'is'} {text}"
    for other in FREE if sigmas else ():
        if other != form and (found := _parameter(other, {}, values, due, allowed)):
            return f"they have the form {other!r} with {found.split(',')[0].split(' (')[0]}"
    return ""


def _same(values: np.ndarray, likely: np.ndarray) -> bool:
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(values - likely) <= CLOSE * np.abs(likely)))


def _parameter(
    form: str,
    options: Mapping[str, Any],
    values: np.ndarray,
    due: np.ndarray,
    allowed: np.ndarray,
) -> str:
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
    left = np.abs(values - made(form, {**rest, name: found}, values, True)[0][1])
    close = np.all(left <= np.maximum(allowed, 1e-6) * np.abs(values))
    if not close or not most_of_it(left, values - due, values != due):
        return ""
    asked = options.get(name, np.exp(options["mu"]) if "mu" in options else None)
    usual = {"karras": 7.0, "polyexponential": 1.0}.get(form, 3.0)
    wanted = usual if asked is None else float(asked)
    if "mu" in options and abs(found / options["mu"] - 1) < 1e-3:
        return f"shift = {found:.6g}: μ itself, where e^μ is due"
    for text, other in (
        (f"1 / {wanted:g}, inverted", 1 / wanted),
        (f"{wanted:g}², applied twice", wanted**2),
        ("not shifted" if form == "shifted" else "straight", 1.0),
    ):
        if form != "polyexponential" and abs(found / other - 1) < 1e-3 and wanted != 1:
            return f"{symbol} = {found:.6g} ({text})"
    return f"{symbol} = {found:.6g}, not {wanted:.6g}"
