"""What a refutation of estimates at given ν says: how much, where, why, and what would mend it.

Conventions: as in `verdict`; calls of the estimator here come after the verdict.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial

import numpy as np

from scoreproof.causes.places import beyond
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.asking import asked, same_alone
from scoreproof.public.trace_estimator.causes import explained
from scoreproof.public.trace_estimator.differences import by_differences
from scoreproof.public.trace_estimator.fields import Mirrored
from scoreproof.public.trace_estimator.rows import Rows
from scoreproof.public.trace_estimator.verdict import Judged, called
from scoreproof.words import MANY, part_of, percent

__all__ = ["refuted"]

#: an error below this looks like that of differences
BY_DIFFERENCES = 1e-2
#: exponents of |ν| this near are the same, in so large a part of the rows
POWER, MOST_ROWS = 1e-3, 0.9
#: an error beyond this, in what is due, is no longer counted
BEYOND = 100.0


def refuted(
    given: Given, evidence: Evidence, by_form: dict[str, list[Judged]], form: str
) -> Evidence:
    """``evidence``, judged in ``form``, with its sentence and its cause."""
    if evidence.verdict != "refuted":
        return evidence
    parts = by_form[form]
    flicker = max(p.answers.flicker for p in parts)
    if flicker > 0 and flicker > float(np.max(np.abs(parts[0].due)) * np.max(parts[0].bound)):
        ignored = Diagnosis.cause(
            "nu_ignored",
            f"Cause: it does not use the ν that it is given: two calls with the same ν differ by"
            f" {flicker:.2g} (nu_ignored). Use the argument nu, or, if it is to draw its own, give"
            " it the two arguments f and z only.",
        )
        return replace(evidence, sentence=_sentence(given, parts, form)).with_diagnosis(ignored)
    found = explained(parts, given.eps, given.tolerance or 0.0, given.takes_nu)
    cause: Diagnosis | None = None
    if found is not None:
        cause, meant = found
        if meant in by_form:
            parts, form = by_form[meant], meant
    else:
        for name, judged_so in by_form.items():
            cause = cause or safely(partial(by_differences, given, judged_so, name))
        near_trace = float(np.median(np.concatenate([p.error for p in by_form["tr J"]]))) < 0.1
        cause = cause or safely(lambda: _unexplained(given, parts, near_trace))
    notes = list(evidence.notes)
    usual = max(float(np.max(p.error[p.usual], initial=0.0)) for p in parts)
    if 0 < usual <= BY_DIFFERENCES and given.tolerance is None:
        notes.append(
            "If the estimate takes differences, pass the relative error that you accept, e.g. "
            f"tolerance={max(0.01, float(f'{2 * usual:.0e}')):g}."
        )
    sentence = _sentence(given, parts, form)
    return replace(evidence, sentence=sentence, notes=tuple(notes)).with_diagnosis(cause)


def _sentence(given: Given, parts: list[Judged], form: str) -> str:
    """How many rows are off, by how much, which one for example, and what they have in common."""
    off = np.concatenate([p.off for p in parts])
    error = np.concatenate([p.error for p in parts])
    dims = " and ".join(dict.fromkeys(str(p.rows.dimension) for p in parts))
    shown = max(parts, key=lambda p: _worth(p)[1])
    i = _worth(shown)[0]
    usual = np.concatenate([p.usual for p in parts]) & off
    middle = float(np.median(error[usual] if np.any(usual) else error[off]))
    size = percent(middle) if middle < MANY else part_of(middle, "what is due")
    if middle > BEYOND:
        size = f"more than {BEYOND:g} times what is due"
    where = _where(parts, off)
    mirrored = " of -f" if isinstance(shown.rows.trial, Mirrored) else ""
    long = np.max(np.abs(shown.rows.nu[i]))
    nu = "" if shown.usual[i] else f", at a ν as long as {long:.2g}"
    return (
        f"{called(given)} against {form} (D = {dims}): {int(off.sum())} of {off.size} rows are"
        f" off, by {size} in the median{where}; e.g. {shown.answers.values[i]:.6g}"
        f" where {form}{mirrored} = {shown.due[i]:.6g} is due, in a batch of {_batch_of(shown, i)}"
        f"{nu}"
    )


def _worth(part: Judged) -> tuple[int, float]:
    """A row to show: of usual ν if one is off, the farthest off in its own size."""
    # rows of a usual ν come before those of a stretched one, however far off these are
    value = np.where(part.off, np.minimum(part.error, 1e9), -1.0)
    cancels = np.abs(part.due) < 0.05 * np.median(np.abs(part.due))
    value = np.where(part.usual & ~cancels & part.off, 1e12 + np.minimum(value, 1e9), value)
    i = int(np.argmax(value))
    return i, float(value[i])


def _where(parts: list[Judged], off: np.ndarray) -> str:
    if np.all(off):
        return ""
    lengths = [np.diff((*p.answers.bounds, len(p.rows.z))) for p in parts]
    along = {
        "the number of rows": np.concatenate([np.repeat(n, n) for n in lengths]),
        "D": np.concatenate([np.full(len(p.rows.z), p.rows.dimension) for p in parts]),
        "|ν|": np.concatenate([np.linalg.norm(p.rows.nu, axis=1) for p in parts]),
        "what is due": np.concatenate([p.due for p in parts]),
    }
    for k in range(min(3, min(p.rows.dimension for p in parts))):
        along[f"z[:, {k}]"] = np.concatenate([p.rows.z[:, k] for p in parts])
        along[f"ν[:, {k}]"] = np.concatenate([p.rows.nu[:, k] for p in parts])
    at = beyond(off, along)
    return f", all of them {at}" if at else ""


def _batch_of(part: Judged, i: int) -> str:
    cuts = (*part.answers.bounds, len(part.rows.z))
    size = next(b - a for a, b in zip(cuts, cuts[1:], strict=False) if a <= i < b)
    return f"{size} row{'' if size == 1 else 's'} with D = {part.rows.dimension}"


def _unexplained(given: Given, parts: list[Judged], near_trace: bool) -> Diagnosis:
    """What is known where nothing explains the estimates. ``near_trace``: they are nearly tr J."""
    rows, answers = parts[0].rows, parts[0].answers
    rng = np.random.default_rng(given.seed)
    try:
        other = rng.permutation(rows.nu, axis=1) * rng.choice([-1.0, 1.0], rows.nu.shape) * 1.5
        moved = asked(given, Rows(rows.trial, rows.z, given.rounded(other), rows.gain, rows.least))
        alone = same_alone(given, rows, answers)
    except CallableError:
        return Diagnosis.unknown("No known fault explains it.")
    still = np.array_equal(moved.values, answers.values)
    if still and near_trace:
        return Diagnosis.unknown(
            "No known fault explains it; it does not use ν, and is nearly the exact trace."
        )
    if given.takes_nu and still:
        return Diagnosis.cause(
            "nu_ignored",
            "Cause: the ν that it is given is ignored: asked with another ν it returns the same,"
            " and that is not the trace either, as of a ν of its own that is kept (nu_ignored). Use"
            " the argument nu; a buffer of it is to be set anew at each call.",
        )
    text = "No known fault explains it"
    if not alone:
        text += "; a row's estimate depends on the other rows of its batch: rows are mixed"
    power = _power(given, rows, answers.values)
    if power is not None and abs(power - 2) > POWER:
        text += f"; with ν twice as long it is {2**power:.3g} times as large, where νᵀJν is 4 times"
    return Diagnosis.unknown(f"{text}.")


def _power(given: Given, rows: Rows, values: np.ndarray) -> float | None:
    """The exponent of |ν| with which the estimates of nearly all rows grow, if there is one."""
    turned = Rows(rows.trial, rows.z, given.rounded(2 * rows.nu), rows.gain, rows.least)
    try:
        doubled = asked(given, turned).values
    except CallableError:
        return None
    there = (values != 0) & (doubled != 0)
    if np.sum(there) < 8:
        return None
    powers = np.log2(np.abs(doubled[there] / values[there]))
    middle = float(np.median(powers))
    return middle if np.mean(np.abs(powers - middle) <= POWER) >= MOST_ROWS else None
