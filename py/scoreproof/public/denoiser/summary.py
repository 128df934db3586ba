"""The verdict on a network, from those at its noise levels: the table, the picture, one sentence.

Conventions: a level at which the data and the tolerance could not tell right from wrong is named
and not counted, if the check chose it; of one that the caller asked for, the verdict is undecided.
"""

from __future__ import annotations

from dataclasses import replace

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence
from scoreproof.public.denoiser.across import across
from scoreproof.public.denoiser.extras import by_options, other_half
from scoreproof.public.denoiser.retimed import retimed
from scoreproof.public.denoiser.retold import retold
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.denoiser.sweep_words import (
    curves_of,
    place,
    read_as,
    shares,
    size_of,
    size_of_movement,
    span_of,
    table_of,
    when,
    where,
)
from scoreproof.public.denoiser.words import extent, rounded
from scoreproof.public.posterior.judging import remedy
from scoreproof.public.rule import weakest
from scoreproof.words import enumerated

__all__ = ["summary"]

#: levels that must be judged for a verdict on a sweep that the check chose
LEAST = 3
#: the part of the levels that may be lost to rounding in the network's type
BLURRED = 0.25


def summary(sweep: Sweep) -> Evidence:
    """The evidence of the whole sweep."""
    judged, apart = _judged(sweep)
    evidence = weakest([a.evidence for a in judged]) if judged else sweep.at[0].evidence
    worst = next((a for a in sweep.at if a.evidence is evidence), sweep.at[0])
    evidence = replace(
        evidence,
        cost={"calls": sweep.calls},
        table=table_of(sweep),
        curves=curves_of(sweep),
        labels=("noise level σ/α", "relative error"),
        coverage=_coverage(sweep, judged, apart),
        notes=_notes(sweep),
    )
    if evidence.verdict == "refuted":
        return _refuted(evidence, sweep)
    if sweep.single and evidence.verdict == "holds":
        middle = sweep.at[len(sweep.at) // 2]
        read = read_as(sweep).rstrip(",")
        text = f"the network{read}: {sweep.single}, {when(middle, sweep)}"
        return replace(evidence, verdict="refuted", sentence=text)
    if sweep.among and evidence.verdict == "holds":
        text = f"the network{read_as(sweep)} {sweep.among.text}"
        whole = replace(evidence, verdict="refuted", sentence=text)
        return whole.with_diagnosis(sweep.among.cause)
    if evidence.verdict == "undecided" or _too_few(judged, apart, sweep):
        return _undecided(evidence, worst, judged, sweep)
    largest = max(judged, key=lambda a: a.largest)
    text = (
        f"the network{read_as(sweep)} against E[x_0 | x] at {span_of(judged, sweep)};"
        f" the largest error is {size_of_movement(largest.largest)}, {when(largest, sweep)}, the"
        f" largest rms over draws of x {size_of(max(a.rms for a in judged))}"
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
    """The levels that count, and those that say nothing."""
    if sweep.chosen:
        return list(sweep.at), []
    return [a for a in sweep.at if not a.idle], [a for a in sweep.at if a.idle]


def _too_few(judged: list[AtLevel], apart: list[AtLevel], sweep: Sweep) -> bool:
    """Whether what is judged does not stand for the sweep: levels at which rounding would explain
    an error that is seen there are no more than a quarter of it.
    """
    blurred = sum("rounding" in a.idle for a in apart)
    return len(judged) < min(LEAST, len(sweep.at)) or blurred > BLURRED * len(sweep.at)


def _refuted(evidence: Evidence, sweep: Sweep) -> Evidence:
    wrong = [a for a in sweep.at if a.evidence.verdict == "refuted"]
    worst = max(wrong, key=lambda a: a.largest)
    which = (
        f"at {len(wrong)} of {len(sweep.at)} noise levels"
        if len(wrong) < len(sweep.at)
        else f"at all {len(wrong)} noise levels"
    )
    text = (
        f"the network{read_as(sweep)} is not E[x_0 | x] {which}{where(wrong, sweep)};"
        f" the largest error is {size_of_movement(worst.largest)}, {when(worst, sweep)}"
    )
    cause = safely(lambda: _cause(sweep, wrong))
    notes = [place(worst, sweep), *rounded(worst.answers, worst.request, worst.eps)]
    inside = extent(worst.answers, worst.request, worst.eps)
    if inside:
        notes.insert(1, f"At that level it is wrong {inside}, and right elsewhere.")
    if cause is None or not cause.names:
        notes.insert(0, shares(sweep))
    return replace(
        evidence,
        value=worst.largest,
        sentence=text,
        notes=(*notes, *evidence.notes),
        diagnosis=cause,
    )


def _cause(sweep: Sweep, wrong: list[AtLevel]) -> Diagnosis | None:
    found = other_half(sweep, wrong) or retold(sweep, wrong)
    found = found or across(sweep, wrong, lambda: retimed(sweep, wrong))
    if found is not None and found.names:
        return found
    return by_options(sweep, wrong) or found


def _undecided(evidence: Evidence, worst: AtLevel, judged: list[AtLevel], sweep: Sweep) -> Evidence:
    if judged and evidence.verdict == "undecided":
        text = f"{when(worst, sweep)}: {worst.evidence.sentence}"
    else:
        idle = [a for a in sweep.at if a.idle]
        reasons = enumerated(sorted({a.idle for a in idle}))
        helps = remedy(idle[0].request.problem, idle[0].eps)
        text = (
            f"of {len(sweep.at)} noise levels {len(judged)} can be judged; at the others {reasons}:"
            f" {helps}, or name levels= at which it can be"
        )
    return replace(evidence, verdict="undecided", sentence=text)


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
    if sweep.among is None and not sweep.steady:
        notes.append(
            "It takes a time for each row, but a row's answer depends on the times of other rows:"
            " in training each row has its own. It was told one time for the whole batch."
        )
    elif not sweep.network.form.by_row:
        notes.append(
            f"The network was told one time for the whole batch, {sweep.network.form}: it does not"
            " take one for each row."
        )
    if sweep.network.halved:
        notes.append(
            "It returns twice the channels; the second half (a learned variance) was not looked at."
        )
    return tuple(notes)
