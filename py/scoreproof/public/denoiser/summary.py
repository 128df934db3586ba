"""The verdict on a network, from those at its noise levels: the table, the picture, one sentence.

Conventions: a level at which the data and the tolerance could not tell right from wrong is named
and not counted, if the check chose it and it lies at an end of the sweep; else it is undecided.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.denoiser.retold import retold
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.denoiser.verdict import measured
from scoreproof.public.denoiser.words import explained
from scoreproof.public.rule import weakest
from scoreproof.public.words import enumerated, percent
from scoreproof.tabular import Table

__all__ = ["summary"]

#: levels that must be judged for a verdict on a sweep that the check chose
LEAST = 3


def summary(sweep: Sweep) -> Evidence:
    """The evidence of the whole sweep."""
    judged, apart = _judged(sweep)
    evidence = weakest([a.evidence for a in judged]) if judged else sweep.at[0].evidence
    worst = next((a for a in sweep.at if a.evidence is evidence), sweep.at[0])
    evidence = replace(
        evidence,
        cost={"calls": sweep.calls},
        table=_table(sweep),
        curves=_curves(sweep),
        labels=("noise level σ/α", "relative error"),
        coverage=_coverage(sweep, judged, apart),
        notes=_notes(sweep),
    )
    if evidence.verdict == "refuted":
        return _refuted(evidence, worst, sweep)
    if evidence.verdict == "undecided" or (not sweep.chosen and len(judged) < LEAST):
        return _undecided(evidence, worst, judged, sweep)
    largest = max(judged, key=lambda a: a.largest)
    text = (
        f"the network{_read(sweep)} against E[x_0 | x] at {_range(judged, sweep)}; the"
        f" largest error is {_size(largest.largest)}, {_when(largest, sweep)}, the largest rms"
        f" over draws of x {_size(max(a.rms for a in judged))}"
    )
    resolution = max(a.evidence.resolution or 0.0 for a in judged)
    return replace(
        evidence,
        sentence=text,
        resolution=resolution,
        value=largest.evidence.value,
        bound=largest.evidence.bound,
    )


def _judged(sweep: Sweep) -> tuple[list[AtLevel], list[AtLevel]]:
    """The levels that count, and those at the ends of the sweep that say nothing."""
    at = list(sweep.at)
    if sweep.chosen:
        return at, []
    telling = [k for k, a in enumerate(at) if not a.idle]
    if not telling:
        return [], at
    first, last = telling[0], telling[-1]
    return at[first : last + 1], [*at[:first], *at[last + 1 :]]


def _refuted(evidence: Evidence, worst: AtLevel, sweep: Sweep) -> Evidence:
    wrong = [a for a in sweep.at if a.evidence.verdict == "refuted"]
    worst = max(wrong, key=lambda a: a.largest)
    which = (
        f"at {len(wrong)} of {len(sweep.at)} noise levels"
        if len(wrong) < len(sweep.at)
        else f"at all {len(wrong)} noise levels"
    )
    text = (
        f"the network{_read(sweep)} is not E[x_0 | x] {which}{_where(wrong, sweep)};"
        f" the largest error is {_size(worst.largest)}, {_when(worst, sweep)}"
    )
    known = _explained(worst)
    return replace(
        evidence,
        value=worst.largest,
        sentence=text,
        notes=(_place(worst, sweep), *known.notes[1:], *evidence.notes),
        diagnosis=retold(sweep, wrong) or _of_all(known.diagnosis, worst, wrong, sweep),
    )


def _explained(a: AtLevel) -> Evidence:
    return explained(a.evidence, a.answers, a.request, a.eps)


def _of_all(
    found: Diagnosis | None, worst: AtLevel, wrong: list[AtLevel], sweep: Sweep
) -> Diagnosis | None:
    """What explains the worst level, with that level named where it does not explain another."""
    at = wrong.index(worst)
    other = wrong[0] if at > len(wrong) // 2 else wrong[-1]
    if found is None or not found.names or other is worst:
        return found
    there = _explained(other).diagnosis
    if there is not None and set(found.names) & set(there.names):
        return found
    return replace(found, sentence=f"Only {_when(worst, sweep)}: {found.sentence}")


def _undecided(evidence: Evidence, worst: AtLevel, judged: list[AtLevel], sweep: Sweep) -> Evidence:
    if judged and evidence.verdict == "undecided":
        text = f"{_when(worst, sweep)}: {worst.evidence.sentence}"
    else:
        reasons = sorted({a.idle for a in sweep.at if a.idle})
        text = (
            f"of {len(sweep.at)} noise levels {len(judged)} can be judged with these data; at the"
            f" others {enumerated(reasons)}: name levels=, other data, or another tolerance"
        )
    return replace(evidence, verdict="undecided", sentence=text)


def _read(sweep: Sweep) -> str:
    return "" if sweep.prediction == "x0" else f", read as {sweep.prediction},"


def _size(error: float) -> str:
    """In percent of how far E[x_0 | x] moves, or in multiples of that."""
    return percent(error) if error < 10 else f"{error:.3g} times as large as E[x_0 | x] moves"


def _when(a: AtLevel, sweep: Sweep) -> str:
    name, t = sweep.levels.name, a.level.when
    return f"at {name} {t:g}" if sweep.levels.whole else f"at {name} = {t:.3g}"


def _range(judged: list[AtLevel], sweep: Sweep) -> str:
    name = sweep.levels.name
    times = sorted(a.level.when for a in judged)
    ratio = [a.level.ratio for a in judged]
    of = f" (σ/α from {min(ratio):.3g} to {max(ratio):.3g})" if name != "σ" else ""
    return f"{len(judged)} noise levels, {name} {times[0]:.4g} to {times[-1]:.4g}{of}"


def _where(wrong: list[AtLevel], sweep: Sweep) -> str:
    """Which levels, where they are a stretch of all."""
    at = list(sweep.at)
    which = [at.index(a) for a in wrong]
    if len(wrong) == len(at):
        return ""
    names = [f"{a.level.when:.4g}" for a in wrong]
    if len(which) > 1 and which == list(range(which[0], which[-1] + 1)):
        if which[0] == 0:
            return f", all with σ/α up to {wrong[-1].level.ratio:.3g}"
        if which[-1] == len(at) - 1:
            return f", all with σ/α from {wrong[0].level.ratio:.3g} on"
        return f", σ/α from {wrong[0].level.ratio:.3g} to {wrong[-1].level.ratio:.3g}"
    return f" ({sweep.levels.name} {', '.join(names[:6])}{', …' if len(names) > 6 else ''})"


def _place(a: AtLevel, sweep: Sweep) -> str:
    measure = measured(a.answers, a.request, a.eps)
    k, j = np.unravel_index(int(np.argmax(measure.error / measure.size)), measure.error.shape)
    shape = sweep.network.shape
    entry = f"coordinate {j}"
    if len(shape) > 1:
        index = ", ".join(str(int(i)) for i in np.unravel_index(int(j), shape))
        entry = f"entry ({index}) of a sample of shape {shape}"
    alpha = a.request.problem.alpha
    due = a.answers.due.mean[a.answers.answers.which[k], j] / alpha
    found = a.answers.found[k, j] / alpha
    return (
        f"Worst at {_kind(a)}, {entry}: E[x_0 | x] would be {found:.6g} where {due:.6g} is due"
        f" (off by {abs(found - due):.3g})."
    )


def _kind(a: AtLevel) -> str:
    between = f"a point between two {a.request.problem.kind}"
    return {"between": between, "far": "a draw far out"}.get(a.where, "a draw of x")


def _table(sweep: Sweep) -> Table:
    name = sweep.levels.name
    head = ("σ",) if name == "σ" else (name, "σ/α")
    rows = []
    for a in sweep.at:
        where = (a.level.when,) if name == "σ" else (a.level.when, a.level.ratio)
        said = a.idle and f"not judged: {a.idle}" or a.evidence.verdict
        rows.append((*where, a.largest, _kind(a), a.rms, a.shared, said))
    shared = f"{sweep.at[0].request.problem.kind} within reach"
    return Table((*head, "largest error", "at", "rms over draws", shared, "verdict"), tuple(rows))


def _curves(sweep: Sweep) -> dict[str, tuple[list[float], list[float]]]:
    along = [a.level.ratio for a in sweep.at]
    found = {
        "largest error": (along, [a.largest for a in sweep.at]),
        "rms over draws of x": (along, [a.rms for a in sweep.at]),
    }
    tolerance = sweep.at[0].request.problem.tolerance
    if tolerance:
        found["accepted"] = (along, [tolerance] * len(along))
    return found


def _coverage(sweep: Sweep, judged: list[AtLevel], apart: list[AtLevel]) -> Coverage:
    seen = Coverage.together(
        [a.evidence.coverage for a in judged if a.evidence.coverage is not None],
        "",
        shared=("coordinates", "data", "components"),
    )
    span = f"shape {sweep.network.shape}, told {sweep.network.form}"
    if apart:
        names = ", ".join(f"{a.level.when:.4g}" for a in apart)
        reasons = enumerated(sorted({a.idle for a in apart}))
        span += f"; at {sweep.levels.name} {names} nothing is claimed: {reasons}"
    silent = sweep.levels.silent()
    if silent and not sweep.chosen:
        span += f"; without signal at {sweep.levels.name} {silent[0]:g}: not looked at"
    return Coverage({"levels": len(judged), **seen.asked}, seen.left_out, span)


def _notes(sweep: Sweep) -> tuple[str, ...]:
    notes = [f"At one level more it could not be asked: {e}." for e in sweep.failed[:1]]
    if not sweep.steady:
        notes.append(
            f"A row's answer depends on the times of other rows (time as {sweep.network.form}): in"
            " training each row has its own."
        )
    if not sweep.network.form.by_row:
        notes.append(
            f"The network was told one time for the whole batch, {sweep.network.form}: it does not"
            " take one for each row."
        )
    if sweep.network.halved:
        notes.append(
            "It returns twice the channels; the second half (a learned variance) was not looked at."
        )
    return tuple(notes)
