"""Which list of σ this is, if it is not that of its form: another parameter, other ends, a power
left out, another form.

Conventions: clauses after "they …"; the simplest first. σ fall.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scoreproof.public.schedule.forms import SIGMA_FORMS, made

__all__ = ["ends", "sigmas_instead"]

Likely = Iterator[tuple[str, np.ndarray]]


def sigmas_instead(form: str, options: Mapping[str, Any], values: np.ndarray) -> Likely:
    """What they may be, in words, with the values."""
    with np.errstate(all="ignore"):
        due = made(form, options, values, True)[0][1]
        rho = float(options.get("rho", 7.0))
        name = f"the form {form!r}"
        if form in ("karras", "polyexponential"):
            yield (
                f"are the {rho:g}-th root of {name}: the outer power ρ is missing",
                due ** (1 / rho),
            )
            yield f"are {name} to the power 1/ρ, twice", due ** (1 / rho**2)
        yield f"are the square root of {name}", np.sqrt(due)
        yield f"are the square of {name}", due**2
        yield f"are the logarithm of {name}", np.log(due)
        yield f"are 1/σ of {name}, reversed", 1 / due[::-1]
        yield f"are 1/σ of {name}", 1 / due
        yield f"are 1 - σ of {name}", 1 - due
        yield f"are σ/√(1 + σ²) of {name}", due / np.sqrt(1 + due**2)
        yield f"are σ/(1 + σ) of {name}", due / (1 + due)
        longer = made(form, options, np.append(values, values[-1]), True)[0][1]
        if "sigma_min" in options or "sigma_max" in options:
            yield (
                f"are {name} of one step more, without its last: they do not reach σ_min",
                longer[:-1],
            )
            yield (
                f"are {name} of one step more, without its first: they start below σ_max",
                longer[1:],
            )
        for other in SIGMA_FORMS:
            for words, likely in made(other, {}, values, True):
                yield f"have the form {other!r}{words}{ends(values, options)}", likely


def ends(values: np.ndarray, options: Mapping[str, Any]) -> str:
    """From where to where they run, if that is not what is asked for."""
    high, low = (options.get(n) for n in ("sigma_max", "sigma_min"))
    if (high is None or abs(values[0] / high - 1) < 1e-6) and (
        low is None or abs(values[-1] / low - 1) < 1e-6
    ):
        return ""
    text = f" from {values[0]:.6g} to {values[-1]:.6g}"
    if high is None or low is None:
        return text
    found = [_closed(float(v), float(high), float(low)) for v in (values[0], values[-1])]
    named = [f"{v:.6g} = {w}" for v, w in zip((values[0], values[-1]), found, strict=True) if w]
    more = f" ({', '.join(named)})" if named else ""
    return f"{text}{more}, not from {high:.6g} to {low:.6g}"


def _closed(value: float, high: float, low: float) -> str:
    """A number in σ_max and σ_min."""
    with np.errstate(all="ignore"):
        for words, likely in (
            ("σ_max", high),
            ("σ_min", low),
            ("σ_max²", high**2),
            ("σ_min²", low**2),
            ("√σ_max", high**0.5),
            ("√σ_min", low**0.5),
            ("σ_min²/σ_max", low**2 / high),
            ("σ_min/σ_max", low / high),
            ("σ_max²/σ_min", high**2 / low),
            ("σ_max/σ_min", high / low),
            ("σ_max - σ_min", high - low),
            ("σ_max σ_min", high * low),
            ("1/σ_max", 1 / high),
            ("1/σ_min", 1 / low),
            ("log σ_max", np.log(high)),
            ("log σ_min", np.log(low)),
        ):
            if abs(value - likely) <= 1e-6 * abs(likely):
                return words
    return ""
