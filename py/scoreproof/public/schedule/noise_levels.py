"""The list of σ that an inference uses: at its timesteps, inside of its table; where it starts.

Conventions: σ fall, with a trailing 0 or without.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.rule import COARSEST, compared, settled
from scoreproof.public.schedule import words
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.interpolation import interpolated, log_levels, unsettled
from scoreproof.public.schedule.levels import levels_instead
from scoreproof.public.schedule.rounding import split

__all__ = ["exactly", "rounded", "sigmas_at", "start", "used"]

#: how σ is found between two entries is a convention
BETWEEN = (
    "their timesteps lie between two entries of the table, and so do the σ, but by none of the"
    " known interpolations (log σ, σ, log ᾱ, ᾱ or √ᾱ straight between the two): pass whole"
    " timesteps"
)
SINGLE = 2.0**-23
#: a list's end is often written down to three digits
STANDS_WITHIN = 5e-3


def used(given: Given) -> np.ndarray:
    """The σ that are not the end of the last step, one a timestep where that is so."""
    assert given.sigmas is not None
    s = given.sigmas[given.sigmas > 0]
    return s[:-1] if given.timesteps is not None and len(s) == len(given.timesteps) + 1 else s


def sigmas_at(given: Given) -> Evidence | None:
    """The list of σ against the table's at these timesteps."""
    if given.sigmas is None or given.base is None or given.flow:
        return None
    logs, s, t = log_levels(given.base), used(given), given.timesteps
    if t is not None and len(t) == len(s):
        if way := rounded(given, s):
            return exactly(t, f"{len(t)} timesteps are those of the sigmas, {way}")
        way, due = interpolated(given.base, t, s)
        what = f"{len(s)} sigmas at the timesteps{way}"
    elif len(s) == len(logs):  # all of the table, in whichever order
        due = np.exp(logs if s[0] < s[-1] else logs[::-1])
        what = "sigmas are √((1 - ᾱ) / ᾱ) of the table"
    else:
        return _within(given, s, np.exp(logs))
    with np.errstate(all="ignore"):
        error = np.abs(s / due - 1)
    blur = max(given.sigmas_eps, given.base.eps)
    # t between two entries has been found from σ in the same type
    bound, excuse = split(error, blur * 64 * (len(logs) + 1 / due**2), blur)
    evidence = compared(
        error,
        bound,
        what,
        excuse=excuse,
        coverage=Coverage({"tables": 1, "entries": len(s)}),
        tolerance=given.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    half = not given.listed and len(s) % 2 == 1 and len(s) != len(logs)
    if half and np.all(error[::2] <= bound[::2]) and np.any(np.diff(s) == 0):
        # the midpoint's σ of a second-order step is kept elsewhere
        seen = Coverage({"tables": 1, "entries": len(s[::2])})
        text = f"{what}, every second"
        return compared(error[::2], bound[::2], text, coverage=seen, tolerance=given.tolerance)
    k = int(np.argmax(error / bound))
    wrong = error > bound + excuse
    text = (
        f"sigmas[{k}] = {s[k]:.6g} where {due[k]:.6g} follows from {given.source},"
        f" {words.entries(wrong)}"
    )
    cause = levels_instead(given, s, due, np.maximum(4 * bound, 1e-6), wrong)
    if not cause.names and t is not None and unsettled(given.base, t, s, wrong):
        seen = Coverage({"tables": 1, "entries": len(s)})
        return settled(
            Evidence.undecided("float", f"{text}; {BETWEEN}"), resolution=np.inf, coverage=seen
        )
    return replace(evidence, sentence=text).with_diagnosis(cause)


def rounded(given: Given, s: np.ndarray) -> str:
    """How the timesteps that follow from σ were made whole, if they are."""
    t, total = given.timesteps, float(given.total or 1000)
    if t is None or len(t) != len(s) or np.any(t != np.round(t)):
        return ""
    if not given.own and given.base is not None:
        return ""
    if given.base is None or given.flow:
        exact = total * s
    else:
        logs = log_levels(given.base)
        exact = np.interp(np.log(s), logs, np.arange(len(logs)))
    if np.all(np.abs(exact - np.round(exact)) < 1e-3):  # they have been there before
        return ""
    for way, likely in (("rounded", np.round(exact)), ("rounded down", np.floor(exact))):
        # where the last digits of σ decide, either will do
        tie = np.abs(exact - np.floor(exact) - (0.5 if way == "rounded" else 1)) < 1e-3
        if np.all((t == likely) | (tie & (np.abs(t - exact) < 1.001))):
            return way
    return ""


def exactly(t: np.ndarray, text: str) -> Evidence:
    seen = Coverage({"timesteps": len(t)})
    return settled(Evidence.measured(0.0, 0.0, text), resolution=0.0, coverage=seen)


def _within(given: Given, s: np.ndarray, train: np.ndarray) -> Evidence:
    """A list that is not said to belong to timesteps can leave the table's range."""
    low, high = train[0], train[-1]
    blur = STANDS_WITHIN + (given.tolerance or 0.0)
    off = max(s.max() / high - 1, low / s.min() - 1, 0.0)
    seen = Coverage({"ends": 2})
    text = (
        f"{len(s)} sigmas from {s.max():.6g} to {s.min():.6g}, inside of the table's {high:.6g} to"
        f" {low:.6g} (timesteps= or form= would say more)"
    )
    evidence = settled(
        Evidence.measured(off if off > blur else 0.0, blur, text),
        resolution=blur,
        coverage=seen,
        tolerance=given.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    which = s.max() if s.max() > high * (1 + blur) else s.min()
    text = (
        f"sigmas has {which:.6g}, outside of √((1 - ᾱ) / ᾱ) of the table, {low:.6g} to {high:.6g}"
    )
    return replace(evidence, sentence=text)


def _start(given: Given) -> Diagnosis:
    """What x_T is scaled by instead."""
    due = "it is to be the standard deviation of x at the first level"
    assert given.start is not None
    if given.sigmas is not None:
        top, low = float(np.max(given.sigmas)), float(np.min(given.sigmas[given.sigmas > 0]))
        for words, value in (
            ("σ_max², a variance", top**2),
            ("√σ_max", top**0.5),
            ("1 + σ_max²", 1 + top**2),
            ("1 + σ_max", 1 + top),
            ("1 / √(1 + σ_max²)", 1 / np.hypot(1, top)),
            ("1 / σ_max", 1 / top),
            ("the smallest σ, not the largest", low),
            ("1: x_T of a list of σ is not scaled", 1.0),
        ):
            if abs(given.start / value - 1) < 1e-5:
                return Diagnosis.cause("start", f"Cause: init_noise_sigma is {words}; {due}.")
    return Diagnosis.cause("start", f"Cause: init_noise_sigma; {due}.")


def start(given: Given, kind: str | None) -> Evidence | None:
    """What x_T is scaled by, against the law at the first level; ``kind``: what add_noise is."""
    if given.start is None:
        return None
    one, ve = {"1": 1.0}, {}
    if given.sigmas is not None:
        top = float(np.max(given.sigmas))
        ve = {"√(1 + σ_max²)": float(np.hypot(1, top)), "σ_max": top}
    options = one | ve if kind is None and given.base is not None else ve or one
    options = {"vp": one, "ve": ve or one, "flow": one}.get(kind or "", options)
    off = {name: abs(given.start / value - 1) for name, value in options.items()}
    name = min(off, key=lambda k: off[k])
    bound = 64 * max(given.sigmas_eps, SINGLE)
    seen = Coverage({"starts": 1})
    size = f"{options[name]:.6g}"
    text = f"x_T is scaled by {name}" + ("" if name == size else f" = {size}")
    due = ve.get("√(1 + σ_max²)", 1.0) if name == "σ_max" else options[name]
    evidence = compared(off[name], bound, text, coverage=seen, tolerance=given.tolerance)
    if evidence.verdict == "refuted":
        shown = {n: f"{v:.6g}" for n, v in options.items()}
        listed = " or ".join(n if n == v else f"{n} = {v}" for n, v in shown.items())
        text = f"x_T is scaled by init_noise_sigma = {given.start:.6g} where {listed} is due"
        return replace(evidence, sentence=text).with_diagnosis(_start(given))
    if 1 - given.start / due > (given.tolerance or COARSEST):
        text = (
            f"{text}, where {due:.6g} = √(1 + σ_max²) is due: x_0 of variance 1 is in x_T as well"
        )
        return settled(
            Evidence.measured(1 - given.start / due, COARSEST, text), resolution=0.0, coverage=seen
        )
    return evidence
