"""The cause of a refutation: what was measured is explained, cheapest first, and the sampler is
asked again with another model where that tells more.

Conventions: a cause is claimed only if it leaves no more of the deviation than the check can see;
what is said otherwise is where it is, and which part of the sampler is wrong.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.causes import explain_deviation
from scoreproof.public.reverse_sampler.clamps import clamped
from scoreproof.public.reverse_sampler.growing import part_wrong
from scoreproof.public.reverse_sampler.listening import heard
from scoreproof.public.reverse_sampler.retyping import asked_again, is_right, multiplied, retyped
from scoreproof.public.reverse_sampler.shrinking import shrinking, shrunk
from scoreproof.public.reverse_sampler.sweeping import Span
from scoreproof.public.reverse_sampler.terms import Told, told, within
from scoreproof.public.reverse_sampler.velocity import Found

__all__ = ["explained"]

#: times at which a cause is looked for, and members
TIMES, MEMBERS = 6, 4


def explained(job: Job, span: Span, worst: list[Found]) -> Diagnosis:
    """The cause, or the nearest that can be said."""
    target = span.target
    times = {f.t for f in worst}
    wrong = [row for row in span.places if row[0].t in times]
    places = [f for row in _some(wrong) for f in row[:MEMBERS]]
    step = job.form == "step"
    if step:
        powers = shrunk(target, worst[0], shrinking(job, target, worst[0]))
        if powers is not None:
            return _claimed([powers])
    asked = heard(job, target, places)
    if asked is not None and asked.calls == 0:
        return _claimed([Told("model_unused", "the model is never called")])
    found: list[Told] = []
    if asked is not None and asked.wrong:
        corrected = asked.corrected(job)
        again = asked_again(corrected, target, places)
        where = Told("model_argument", asked.words())
        if is_right(again, places):
            return _claimed([where], "with a model that answers for x and t it is right")
        if again is not None and not any(np.any(f.jumps) for f in again):
            found, job, before = [where], corrected, places
            places = again
            cause = _cause(job, span, places, wrong)
            if cause is not None:
                return _claimed([where, cause])
            job, places = job, before
    cause = _cause(job, span, places, wrong) if not found else None
    if cause is not None:
        return _claimed([cause])
    known = explain_deviation(target, wrong)
    if known.names and not found:
        return known
    if found:
        return _claimed(found, "it is not right with a model that answers for x and t either")
    return Diagnosis((), known.misfit, known.runner_up, part_wrong(job, target, places, known))


def _cause(
    job: Job, span: Span, places: list[Found], wrong: list[tuple[Found, ...]]
) -> Told | None:
    """One cause of what was found at these places."""
    target = span.target
    terms = within(target, places, job.parameter)
    if terms is not None:
        found = told(terms)
        if found is not None:
            return found
    off = [f for f in places if np.any((f.error > f.bound) & ~f.jumps)]
    few = off[:: max(1, len(off) // 6)][:6] or places[:6]
    found = retyped(job, target, few)
    if found is None:
        blur = max(float(np.max(f.bound)) for f in few)
        found = multiplied(job, target, few, 100 * blur)
    if found is None:
        found = clamped(target, [f for row in wrong for f in row])
    return found


def _some(rows: list[tuple[Found, ...]]) -> list[tuple[Found, ...]]:
    chosen = np.unique(np.linspace(0, len(rows) - 1, min(TIMES, len(rows))).astype(int))
    return [rows[k] for k in chosen]


def _claimed(causes: list[Told], tail: str = "") -> Diagnosis:
    text = "; and ".join(c.text for c in causes)
    sentence = f"{text[0].upper()}{text[1:]}" + (f": {tail}" if tail else "")
    return Diagnosis(tuple(c.name for c in causes), 0.0, None, f"{sentence.rstrip('.')}.")
