"""β, or a list of σ, against the formula of that name.

Conventions: errors are relative to the entry that is due.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.schedule import words
from scoreproof.public.schedule.alternatives import functions
from scoreproof.public.schedule.arguments import Formula, Given
from scoreproof.public.schedule.conditioning import roundings
from scoreproof.public.schedule.forms import DIFFERENCES, made
from scoreproof.public.schedule.likeness import instead
from scoreproof.public.schedule.rounded import irregular, rounded
from scoreproof.public.schedule.rounding import split
from scoreproof.public.schedule.shapes import FAR, LEAST, few, shaped

__all__ = ["betas_form", "sigmas_form"]

#: roundings of a formula's entry: powers, exponentials, cosines
ROUNDINGS = 64


def betas_form(given: Given) -> Evidence | None:
    """β against its formula, in the reading that is nearest."""
    base, asked = given.base, given.betas_form
    if asked is None or base is None:
        return None
    derived = given.source != "betas" or bool(asked.options.get("rescale_betas_zero_snr"))
    return _against(given, asked, base.betas, base.eps, "betas", derived=derived)


def sigmas_form(given: Given) -> Evidence | None:
    """The list of σ, without its trailing 0, against its formula; a rising one from its end."""
    asked, values = given.sigmas_form, given.sigmas
    if asked is None or values is None:
        return None
    falling = values if values[0] > values[-1] else values[::-1]
    falling = falling[:-1] if falling[-1] == 0 else falling
    evidence = _against(given, asked, falling, given.sigmas_eps, "sigmas", derived=False)
    if evidence.verdict == "holds" and falling[0] != values[0]:
        text = f"{evidence.sentence}, rising: a sampler needs it reversed"
        return replace(evidence, sentence=text)
    return evidence


def _against(
    given: Given, asked: Formula, values: np.ndarray, eps: float, what: str, *, derived: bool
) -> Evidence:
    sigmas = what == "sigmas"
    readings = made(asked.form, asked.options, values, sigmas)
    errors = [np.abs(values - due) / np.abs(due) for _, due in readings]
    best = min(range(len(readings)), key=lambda k: float(np.median(errors[k])))
    (reading, due), error = readings[best], errors[best]
    text = f"{what} have the form {asked.form!r}{reading}"
    if sigmas and (own := _own_ends(asked, due)):
        text += own
    judged = np.ones(len(due), bool)
    judged[list(_spared(asked).values()) if sigmas else []] = False
    derived = derived or reading in DIFFERENCES.get(asked.form, ()) and not sigmas
    if derived:
        rounding = eps * _of_differences(asked, reading, due)
    elif sigmas:
        rounding = eps * roundings(asked.form, asked.options, values, eps)
    else:
        rounding = eps * np.full(len(due), float(ROUNDINGS))
    if asked.form == "vp":  # e^… - 1
        rounding = rounding * (1 + 1 / due**2)
    bound, excuse = split(error, rounding, eps)
    evidence = compared(
        error[judged],
        bound[judged],
        text if np.any(judged) else f"{what} are their ends alone: name sigma_max and sigma_min",
        excuse=excuse[judged],
        coverage=Coverage({"tables": 1, "entries": int(judged.sum())}),
        tolerance=given.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    limit = bound + excuse + (given.tolerance or 0.0)
    wrong = error > limit
    k = int(np.argmax(np.where(wrong & judged, error, 0.0)))
    text = (
        f"{what}[{k}] = {values[k]:.6g} where the form {asked.form!r}{reading} has {due[k]:.6g},"
        f" {words.entries(wrong)}"
    )
    off = _Off(values, due, bound + (given.tolerance or 0.0), wrong)
    at = replace(evidence, sentence=text, value=float(error[k]), bound=float(limit[k]))
    return at.with_diagnosis(_cause(asked, off, sigmas))


def _spared(asked: Formula) -> dict[str, int]:
    """The ends of a list of σ that are its own: all but those that are named."""
    ends = {"sigma_max": 0, "sigma_min": -1}
    return {} if asked.form == "vp" else {n: k for n, k in ends.items() if n not in asked.options}


def _own_ends(asked: Formula, due: np.ndarray) -> str:
    """What is not seen, since the ends are those of the list."""
    spared = _spared(asked)
    if not spared:
        return ""
    has = " and ".join(f"{due[k]:.6g}" for k in spared.values())
    unseen = "other ends are not seen"
    if asked.form == "shifted":
        unseen += f", nor ends that were shifted twice: name {' and '.join(spared)}"
    return f" between their own {'ends' if len(spared) == 2 else 'end'}, {has} ({unseen})"


@dataclass(frozen=True, eq=False)
class _Off:
    """A list that is wrong, what is due, to what it was held, and where it is off."""

    values: np.ndarray
    due: np.ndarray
    bound: np.ndarray
    wrong: np.ndarray


def _cause(asked: Formula, off: _Off, sigmas: bool) -> Diagnosis:
    """What they are instead, or what is done to them."""
    values, due, wrong = off.values, off.due, off.wrong
    allowed = np.maximum(4 * off.bound, 1e-6)
    if text := instead(asked.form, asked.options, values, sigmas, allowed):
        return Diagnosis.cause("other_form", f"Cause: {text}.")
    if wrong.sum() < LEAST and len(values) > LEAST:
        if np.min((np.abs(values / due - 1) / off.bound)[wrong]) <= FAR:
            return _none(asked)
        return Diagnosis.cause("few_entries", f"Cause: {few(wrong)}.")
    if known := rounded(values, due, wrong, sigmas=sigmas):
        return Diagnosis.cause(known[0], f"Cause: {known[1]}.")
    shape = shaped(values, due, allowed, wrong)
    if shape is not None:
        more = f" the form {asked.form!r}" if shape[0] == "factor" else ""
        return Diagnosis.cause(shape[0], f"Cause: {shape[1]}{more}.")
    for other in functions(due):
        if where := words.agrees(values, other.values, due, allowed, wrong):
            text = f"{where.lstrip()}it is {other.words}, where the form {asked.form!r} is due"
            return Diagnosis.cause("other_function", f"Cause: {text}.")
    return _none(asked, irregular(values, due, wrong))


def _none(asked: Formula, more: str = "") -> Diagnosis:
    known = ", ".join(f"{k} = {v:.6g}" for k, v in asked.options.items())
    text = f" with {known}" if known else ""
    return Diagnosis.unknown(
        f"No known cause explains it; the form {asked.form!r}{text} is due{more}."
    )


def _of_differences(asked: Formula, reading: str, betas: np.ndarray) -> np.ndarray:
    """Relative roundings of β = 1 - ᾱ_t / ᾱ_{t-1}, where ᾱ is a function of t in [0, 1].

    A rounding of t moves log ᾱ by its slope, T times -log(1 - β); a sigmoid's ᾱ, and √ᾱ that is
    made to end at 0, are differences of numbers of size 1.
    """
    with np.errstate(divide="ignore"):
        slope = len(betas) * -np.log(np.maximum(1 - betas, 1e-300))
    of_bar = ROUNDINGS + 8 * slope
    left = np.maximum(np.cumprod(1 - betas), 1e-300)
    if asked.form == "sigmoid" and reading:
        of_bar = of_bar + 8 / left
    if asked.options.get("rescale_betas_zero_snr"):
        of_bar = of_bar + 16 / np.sqrt(left)
    return of_bar * np.maximum(1 - betas, 1e-3) / np.minimum(betas, 1.0) + ROUNDINGS
