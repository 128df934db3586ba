"""Every table, list and function of a schedule against what the others say.

Conventions: errors are relative to the entry that is due (where that is 0, to the largest one).
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared, settled, weakest
from scoreproof.public.schedule import words
from scoreproof.public.schedule.answers import methods
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.clock import clock
from scoreproof.public.schedule.formula import betas_form, sigmas_form
from scoreproof.public.schedule.forward import forward, heard
from scoreproof.public.schedule.inference import last_step, terminal, timesteps
from scoreproof.public.schedule.likeness import recognised
from scoreproof.public.schedule.noise_levels import sigmas_at, start
from scoreproof.public.schedule.reading import base_of
from scoreproof.public.schedule.rounding import held
from scoreproof.public.schedule.tables import TABLES, due_of, named
from scoreproof.words import enumerated, listed

__all__ = ["judge"]

#: names that a sentence lists; the coverage lists all
NAMED = 3


def judge(given: Given) -> Evidence:
    """The verdict on all of it: the worst that does not hold, else all as one."""
    tables = [name for name in given.tables if name != given.source]
    judged = [_table(given, name) for name in tables]
    left: tuple[Omission, ...] = ()
    looks = (betas_form, sigmas_form, timesteps, sigmas_at, clock, terminal, last_step)
    judged += [e for e in (look(given) for look in looks) if e is not None]
    if not any(e.verdict == "refuted" for e in judged):
        told = heard(given)
        last = (start(given, told.kind if told is not None else None), forward(given, told))
        judged += [e for e in last if e is not None]
        answers, left = methods(given)
        judged += answers
    # an end or a start says nothing of the table
    if not any(set(e.coverage.asked) - {"ends", "starts"} for e in judged if e.coverage):
        spoken = [e for e in judged if e.verdict != "holds" or given.prediction or tables]
        if not spoken:
            return _alone(given)
    whole = weakest(judged)
    if whole.verdict != "holds":
        return _told(given, tables, judged, whole)
    looked = [e.coverage for e in judged if e.coverage is not None]
    if left:
        looked.append(Coverage({"methods": len(left)}, left))
    text = [e.sentence for e in judged[len(tables) :]]
    if tables:
        few = enumerated(tables) if len(tables) <= NAMED else f"{len(tables)} tables"
        follow = "follow" if len(tables) > 1 else "follows"
        text.insert(0, f"{few} {follow} from {given.source}")
    by = f"by {given.source or 'sigmas'}"
    return replace(
        whole,
        sentence=f"{given.name}: {'; '.join(text)}",
        coverage=Coverage.together(looked, f"{by}: {', '.join(tables)}" if tables else by),
        notes=tuple(n for e in judged for n in e.notes),
        curves={k: v for e in judged for k, v in e.curves.items()},
        labels=("timestep", "relative error of the table"),
    )


def _told(given: Given, tables: list[str], judged: list[Evidence], whole: Evidence) -> Evidence:
    """One refutation for all: of the first table that is wrong, for others may follow from it;
    or of the table that they are judged by, if the others agree without it.
    """
    wrong = [e for e in judged[: len(tables)] if e.verdict == "refuted"]
    if whole.verdict != "refuted" or not wrong:
        return whole
    names = [n for n, e in zip(tables, judged, strict=False) if e.verdict == "refuted"]
    named = [e for e in wrong if e.diagnosis is not None and e.diagnosis.names]
    first = whole if whole in named else (*named, whole)[0]
    if len(wrong) < 2:
        return first
    if (odd := _source(given)) is not None:
        return replace(odd, coverage=whole.coverage)
    return replace(
        first, sentence=f"{first.sentence}; {len(names)} tables are off: {listed(names, 6)}"
    )


def _source(given: Given) -> Evidence | None:
    """The table that all are judged by, against the others, if those agree."""
    rest = {n: table for n, table in given.tables.items() if n != given.source}
    try:
        base, source = base_of(rest)
    except ArgumentError:
        return None
    if base is None:
        return None
    other = replace(given, base=base, source=source)
    again = [_table(other, n) for n in rest if n != source]
    if not again or not all(e.verdict == "holds" for e in again):
        return None
    odd = _table(other, given.source)
    if odd.verdict != "refuted":
        return None
    text = f"{odd.sentence}; the {len(rest)} other tables agree with one another (see {source})"
    return replace(odd, sentence=text)


def _alone(given: Given) -> Evidence:
    """A table with nothing to compare it with."""
    values = given.base.betas if given.base is not None else given.sigmas
    assert values is not None
    form = recognised(values, given.base is None)
    known = f"; it has the form {form!r}" if form else ""
    text = (
        f"{len(values)} entries are in order{known}; there is nothing to compare them with: pass"
        " more tables, form=, timesteps= or add_noise="
    )
    seen = Coverage({"tables": 0})
    return settled(Evidence.undecided("float", text), resolution=np.inf, coverage=seen)


def _table(given: Given, name: str) -> Evidence:
    """One table against its formula."""
    base = given.base
    assert base is not None
    values, eps = given.tables[name]
    table = TABLES[named(name)]
    due = due_of(named(name), values, base)
    error, bound, excuse = held(values, due, max(eps, base.eps), table, base)
    evidence = compared(
        error,
        bound,
        f"{name} is {table.words}",
        excuse=excuse,
        coverage=Coverage({"tables": 1, "entries": len(due)}),
        tolerance=given.tolerance,
        remedy="keep the tables in float64",
        curves={name: (list(range(len(due))), error.tolist())},
        labels=("timestep", "relative error"),
    )
    if evidence.verdict != "refuted":
        return evidence
    limit = bound + excuse + (given.tolerance or 0.0)
    wrong = error > limit
    k = int(np.argmax(np.where(wrong, error, 0.0)))
    digits = 6 if error[k] > 1e-5 else 12
    text = (
        f"{name}[{k}] = {values[k]:.{digits}g} where {due[k]:.{digits}g} follows from"
        f" {given.source}, {words.entries(wrong)}"
    )
    cause = words.cause(name, values, base, bound + (given.tolerance or 0.0), wrong)
    # the error of the entry that is named, not of the one that is furthest beyond its bound
    at = replace(evidence, sentence=text, value=float(error[k]), bound=float(limit[k]))
    return at.with_diagnosis(cause)
