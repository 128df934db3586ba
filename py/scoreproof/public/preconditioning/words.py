"""Why a preconditioning is wrong, in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.preconditioning.arguments import Job
from scoreproof.public.preconditioning.causes import (
    SIGN,
    cause_of,
    coarser,
    follows,
    of_another_level,
)
from scoreproof.public.preconditioning.forms import COEFFICIENTS, FORMS
from scoreproof.public.preconditioning.standin import Found
from scoreproof.words import enumerated, part_of

__all__ = ["MIXED", "data_apart", "named", "size_of"]

#: relative: a coefficient of another row's σ is off by more, as neighbouring levels are
MIXED = 1e-2
#: relative: a coefficient that differs more between the entries of a batch is none
VARIES = 1e-2


def named(
    evidence: Evidence,
    found: Found,
    due: dict[str, np.ndarray],
    wrong: dict[str, np.ndarray],
    job: Job,
    spread: float,
) -> Evidence:
    """The refutation with each wrong coefficient, where, and what it is instead."""
    s, parts, causes = job.sigmas, [], []
    rows = [n for n, gap in found.mixed.items() if gap > MIXED]
    if rows:
        parts.append(
            f"asked with a σ for each sample, {enumerated(rows)} of a sample"
            f" {'depends' if len(rows) == 1 else 'depend'} on the σ of others in the batch"
        )
    for name, bad in wrong.items():
        if not np.any(bad):
            continue
        value = found.values[name]
        off = np.abs(value - due[name])
        gap = off / np.maximum(np.abs(due[name]), 1e-300)
        # the place is that of the error that is stated
        k = int(np.argmax(np.where(bad, off / size_of(name, due[name], s, spread), -1.0)))
        where = _where(bad, s)
        if gap[k] <= 4 * found.eps[name] and np.any(found.uneven[name] > 0):
            what = "x" if name != "c_out" else "the network's answer"
            parts.append(f"{name} differs between the entries of a sample, by {what}, {where}")
            continue
        if np.max(found.uneven[name]) > VARIES and found.clip is None:
            part = part_of(float(found.uneven[name][k]), "itself")
            parts.append(
                f"{name} is no number: it differs by up to {part} between the entries of a batch at"
                f" σ = {s[k]:.4g}, so that it depends on x ({where})"
            )
            continue
        parts.append(
            f"{name} is {value[k]:.6g} at σ = {s[k]:.4g} where {due[name][k]:.6g} is due ({where})"
        )
        cause = cause_of(name, found, due, job, spread)
        if cause is not None:
            causes.append((name, cause[1]))
    if not parts:
        k = int(np.argmax(found.apart))
        rest = part_of(found.apart[k], "it")
        parts.append(f"at σ = {s[k]:.4g} D is not c_skip x + c_out F: {rest} are left")
    sentence = "; ".join(parts)
    whole = _other_form(found, job)
    rounded = coarser(found, due)
    level = of_another_level(found, due, wrong, job, spread)
    diagnosis = None
    if [c for _, c in causes] == [SIGN] and len(parts) == 1:
        # with its sign turned it may be another form's as well: that is no other mistake
        name = causes[0][0]
        diagnosis = Diagnosis.cause(name, f"Cause: {name}: {SIGN}{_turned(whole, name, job)}.")
    elif whole:
        text = f"Cause: all are those of form={whole!r}."
        diagnosis = Diagnosis.cause(f"form_{whole}", text)
    elif found.clip is not None:
        text = f"Cause: it clips its answer to ±{found.clip:.4g}: look at it without."
        diagnosis = Diagnosis.cause("clipped", text)
    elif rounded:
        diagnosis = Diagnosis.cause("coarser_type", f"Cause: {rounded}.")
    elif level and (len(causes) != 1 or len(parts) > 1):
        off = enumerated([n for n, bad in wrong.items() if np.any(bad)])
        diagnosis = Diagnosis.cause("level", f"Cause: in {off}, {level}.")
    elif causes:
        told = "; ".join(f"{n}: {t}" for n, t in causes)
        if len(causes) > 1 and len({t for _, t in causes}) == 1:
            told = f"in {enumerated([n for n, _ in causes])} {causes[0][1]}"
        if pair := _exchanged(found, due, wrong):
            told = f"{pair[0]} and {pair[1]} are exchanged (are they returned in another order?)"
        diagnosis = Diagnosis.cause(" + ".join(n for n, _ in causes), f"Cause: {told}.")
    elif rows:
        text = (
            "Cause: the σ of the samples are mixed; it is right for one σ in the whole batch."
            " Reshape σ to (B, 1, …) before it meets x, and use it row by row."
        )
        diagnosis = Diagnosis.cause("rows_mixed", text)
    return replace(evidence, sentence=sentence, diagnosis=diagnosis)


def size_of(name: str, due: np.ndarray, s: np.ndarray, spread: float) -> np.ndarray:
    """What an error of a coefficient is relative to."""
    if name == "c_skip":
        return np.asarray(spread / np.hypot(s, spread))
    return np.maximum(np.abs(due), 1.0 if name == "c_noise" else 1e-300)


def _turned(whole: str, name: str, job: Job) -> str:
    """What the network answers with such a sign, and the form whose sign it is."""
    answer = {"v": "v", "eps": "ε"}.get(job.name)
    if name != "c_out" or answer is None:
        return ""
    of = f" (EDM's has this sign, with σ_data = {_spread_of(job):g})" if whole == "edm" else ""
    return f", as for a network that answers with -{answer}; for {answer} it is negative{of}"


def _exchanged(
    found: Found, due: Mapping[str, np.ndarray], wrong: Mapping[str, np.ndarray]
) -> tuple[str, str] | None:
    """The two coefficients that are each the other, if nothing else is wrong."""
    off = [n for n, bad in wrong.items() if np.any(bad) and n in found.values]
    if len(off) != 2:
        return None
    one, other = off
    each = ((one, due[other]), (other, due[one]))
    same = all(follows(found.values[n], v, found.eps[n]) for n, v in each)
    return (one, other) if same else None


def _where(bad: np.ndarray, s: np.ndarray) -> str:
    """At which levels, and from where on if they are those of one end."""
    if np.all(bad):
        return f"at every level, σ from {s[0]:.4g} to {s[-1]:.4g}"
    count = f"at {int(np.sum(bad))} of {len(s)} levels"
    at = np.flatnonzero(bad)
    if np.array_equal(at, np.arange(len(at))):
        return f"{count}, from σ = {s[at[-1]]:.4g} down"
    if np.array_equal(at, np.arange(len(s) - len(at), len(s))):
        return f"{count}, from σ = {s[at[0]]:.4g} up"
    return count


def _other_form(found: Found, job: Job) -> str:
    """Another published form that all of the first three coefficients follow."""
    have = [n for n in COEFFICIENTS[:3] if n in found.values]
    for name, form in FORMS.items():
        if name == job.name or len(have) < 2:
            continue
        spread = _spread_of(job)
        due = [f(job.sigmas, spread) for n in have if (f := form.of(n)) is not None]
        if all(follows(found.values[n], d, found.eps[n]) for n, d in zip(have, due, strict=True)):
            return name
    return ""


def _spread_of(job: Job) -> float:
    return job.sigma_data or job.spread or 0.5


def data_apart(evidence: Evidence, job: Job, spread: float) -> Evidence:
    """Refuted where σ_data is not the data's own standard deviation."""
    assert job.spread is not None
    off = abs(spread - job.spread) / job.spread
    if off <= job.within:
        note = f"The data's standard deviation is {job.spread:.4g}."
        return replace(evidence, notes=(*evidence.notes, note))
    length = float(np.hypot(job.sigmas[0], job.spread) / np.hypot(job.sigmas[0], spread))
    text = (
        f"σ_data is {spread:.4g}, but the data's standard deviation is {job.spread:.4g}:"
        f" {part_of(off, 'that')} apart; at σ = {job.sigmas[0]:g} the network's input has standard"
        f" deviation {length:.3g}, not 1"
    )
    instead = _instead(spread, job.spread)
    remedy = f"Set sigma_data = {job.spread:.4g}, or scale the data to {spread:.4g}."
    told = f"Cause: {instead}. {remedy}" if instead else remedy
    cause = Diagnosis.cause("sigma_data", told)
    return replace(
        evidence, verdict="refuted", value=off, bound=job.within, sentence=text, diagnosis=cause
    )


def _instead(spread: float, own: float) -> str:
    """What σ_data is, if it is not the data's standard deviation."""
    for words, value in (
        ("the variance of the data, where its root is due", own**2),
        ("the root of the data's standard deviation", own**0.5),
        ("one over the data's standard deviation", 1 / own),
        ("twice the data's standard deviation", 2 * own),
        ("half the data's standard deviation", own / 2),
    ):
        if abs(spread / value - 1) <= 2e-3:
            return f"σ_data is {words}, {spread:.4g} for {own:.4g}"
    return (
        "σ_data is 0.5, EDM's default (is your own passed on?)" if abs(spread - 0.5) < 1e-6 else ""
    )
