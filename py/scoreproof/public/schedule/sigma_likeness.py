"""Which list of σ this is, if it is not that of its form: another parameter, other ends, a power
left out, another form.

Conventions: clauses after "they …"; the simplest first. σ fall.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from scoreproof.public.schedule.ends import told_ends
from scoreproof.public.schedule.forms import SIGMA_FORMS, made
from scoreproof.public.schedule.ramps import of_a_ramp, of_an_integral

__all__ = ["ends", "sigmas_instead"]

NAMES = ("sigma_max", "sigma_min")
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
            ramp = np.linspace(1, 0, len(values)) ** rho
            words = "are σ_min + r^ρ (σ_max - σ_min): the ramp r is raised to ρ, and not σ^(1/ρ)"
            yield words, values[-1] + ramp * (values[0] - values[-1])
            yield from of_a_ramp(form, options, values, rho)
        if form == "vp":
            yield from of_an_integral(options, values, due)
        if form == "shifted":
            by = _shift(options)
            yield f"are {name}, shifted once more by {by:g}", by * due / (1 + (by - 1) * due)
            plain = due / (by - (by - 1) * due)
            of = f"where {by:g} σ/(1 + {by - 1:g} σ) is due"
            yield (
                f"are {by:g} σ/(1 + {by:g} σ), {of}: the -1 is missing",
                by * plain / (1 + by * plain),
            )
            yield f"are {by:g} σ, {of}: it is not divided", by * plain
            yield (
                f"are σ/({by:g} - {by - 1:g} σ), {of}: the inverse shift",
                plain / (by - (by - 1) * plain),
            )
            yield f"are not shifted by {by:g}", plain
            yield f"are 1 - σ of {name}, not reversed", 1 - due
            twice = {
                n: by * options[n] / (1 + (by - 1) * options[n]) for n in NAMES if n in options
            }
            words = "σ_max and σ_min are kept after a shift, and shifted again"
            if twice:
                yield (
                    f"are {name} of ends that were shifted before: {words}",
                    made(form, {**options, **twice}, values, True)[0][1],
                )
        yield f"are the square root of {name}", np.sqrt(due)
        yield f"are the square of {name}", due**2
        yield f"are 1/σ of {name}, reversed", 1 / due[::-1]
        yield f"are 1 - σ of {name}, reversed", 1 - due[::-1]
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


def _shift(options: Mapping[str, Any]) -> float:
    return float(np.exp(options["mu"])) if "mu" in options else float(options.get("shift", 3.0))


def ends(values: np.ndarray, options: Mapping[str, Any]) -> str:
    """From where to where they run, if that is not what is asked for."""
    high, low = (options.get(n) for n in ("sigma_max", "sigma_min"))
    if (high is None or abs(values[0] / high - 1) < 1e-6) and (
        low is None or abs(values[-1] / low - 1) < 1e-6
    ):
        return ""
    if high is None or low is None:
        return f" from {values[0]:.6g} to {values[-1]:.6g}"
    found = float(values[0]), float(values[-1])
    asked = {"σ_max": float(high), "σ_min": float(low)}
    return f" {told_ends(found, asked)}, not from {high:.6g} to {low:.6g}"
