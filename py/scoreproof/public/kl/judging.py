"""From a function and its options to a verdict: batches, answers, what is due, what explains it.

Conventions: where no form is said, the one that the names suggest, or isotropic laws, come first.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.diagnosis import safely
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.interop.library import library_of
from scoreproof.public.arguments import accepted, seeded
from scoreproof.public.kl.again import asked_again
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.asking import Answer, ask, passed
from scoreproof.public.kl.batches import asked, extremes
from scoreproof.public.kl.diagnosing import diagnosis
from scoreproof.public.kl.given import Given, options_of
from scoreproof.public.kl.infinite import where_infinite
from scoreproof.public.kl.objects import taking
from scoreproof.public.kl.truth import Due, due
from scoreproof.public.kl.verdict import Found, digits_lost, judged, places
from scoreproof.public.kl.where import place
from scoreproof.streams import stream

__all__ = ["Job", "judge"]

#: names of causes that are the same for laws of every form
WHOLE = (
    *("times_", "half_of", "twice_", "minus_", "zero_", "bits_", "nats_", "random", "rounds_"),
    *("mean_over", "sum_over", "sum_for", "mean_for"),
)


NARROW = 'Scales were (n, 1), one for all coordinates: pass form="diagonal" if they are (n, d).'


@dataclass(frozen=True)
class Job:
    """How the function is called and judged."""

    framework: str | None
    dtype: Any
    tolerance: Any
    seed: Any


def judge(kl: Callable[..., Any], given: Given, job: Job) -> Evidence:
    """The verdict; of diagonal laws where no form was said and it is right of them alone."""
    function, framework, given = taking(kl, given, job.framework or library_of(kl))
    options = options_of(function, given)
    job = replace(
        job, framework=framework, tolerance=accepted(job.tolerance), seed=seeded(job.seed)
    )
    guard = guarded(function, "kl", framework, job.dtype)
    before = guard.calls
    if given.form is not None or options.form == "full" or options.sides is not None:
        return _judged(guard, options, job, before)
    evidence = failed = None
    try:
        evidence = _judged(guard, options, job, before)
    except CallableError as error:
        failed = error
    if evidence is not None and (evidence.verdict != "refuted" or _whole(evidence)):
        return _narrow(evidence, options)
    other = "diagonal" if options.form == "isotropic" else "isotropic"
    try:
        options = options_of(function, replace(given, form=other))
        second = _judged(guard, options, job, before, explain=False)
    except CallableError:
        second = None
    if second is not None and second.verdict == "holds":
        note = f'It is right of {other} laws: pass form="{other}" to have these judged alone.'
        return replace(second, notes=(*second.notes, note))
    if evidence is None:
        assert failed is not None
        raise failed
    return evidence


def _narrow(evidence: Evidence, options: Options) -> Evidence:
    """With a note that scales were one number a law, though nobody said so."""
    if evidence.verdict != "holds" or options.form != "isotropic" or options.layout.axes:
        return evidence
    return replace(evidence, notes=(*evidence.notes, NARROW))


def _whole(evidence: Evidence) -> bool:
    """A cause that no other form would mend."""
    names = evidence.diagnosis.names if evidence.diagnosis is not None else ()
    return bool(names) and names[0].startswith(WHOLE)


def _judged(
    guard: Guarded, options: Options, job: Job, before: int, explain: bool = True
) -> Evidence:
    rng = stream(job.seed, "check_kl")
    given = passed(guard, np.ones(1))[1]

    def precision() -> float:
        return max(guard.eps, given)

    answers: list[Answer] = []
    dues: list[Due] = []
    first: list[Answer] = []
    for batches in (asked, extremes):
        more = []
        for laws in batches(options, precision, rng):
            more += ask(guard, laws, options)
            first = first or list(more)
        answers += more
        # of numbers that the function knows itself the last digits may be others
        rounds = guard.eps > given or bool(options.layout.fixed)
        dues += [due(a, options, guard.eps, rounds, rng) for a in more]
        found = places(answers, dues, options)
        evidence = judged(found, answers, options, job.tolerance)
        if evidence.verdict == "refuted":
            break
    if evidence.verdict == "refuted" and not explain:
        return evidence
    if evidence.verdict == "refuted":
        evidence = replace(
            evidence, sentence=place(found, answers, options, job.tolerance)
        ).with_diagnosis(
            safely(
                lambda: (
                    asked_again(guard, first, options)
                    or diagnosis(found, answers, dues, options, precision())
                )
            )
        )
    else:
        evidence = replace(evidence, notes=digits_lost(answers, options, guard.eps))
        evidence = where_infinite(guard, options, rng, evidence)
    return replace(
        evidence,
        cost={"calls": guard.calls - before},
        curves=_curves(found),
        labels=(f"{'divergence' if options.wanted.kl else 'value'} that is due", "relative error"),
    )


def _curves(found: Found) -> dict[str, tuple[list[float], list[float]]]:
    """The error and what rounding explains of it, in the order of the divergence; where the laws
    nearly agree relative to the sum of the terms.
    """
    order = np.argsort(found.value)
    order = order[found.value[order] > 0]
    unit = np.where(found.sharp, found.value, found.size)[order]
    due, error = found.value[order], np.abs(found.returned - found.value)[order]
    return {
        "error": (due.tolist(), (error / unit).tolist()),
        "bound": (due.tolist(), (found.rounding[order] / unit).tolist()),
    }
