"""From a function and its options to a verdict: batches, answers, what is due, what explains it.

Conventions: as in `widest`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.errors import ArgumentError, CallableError
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
from scoreproof.public.kl.given import Given
from scoreproof.public.kl.infinite import where_infinite
from scoreproof.public.kl.objects import methods_of, taking
from scoreproof.public.kl.reduced import as_returned
from scoreproof.public.kl.returned import Reduced, Unsummed
from scoreproof.public.kl.truth import Due, due
from scoreproof.public.kl.verdict import Found, digits_lost, judged, places
from scoreproof.public.kl.where import place
from scoreproof.public.kl.widest import readings_of, said, widest
from scoreproof.streams import stream

__all__ = ["Job", "judge"]


#: laws that are too few for a number to be read off them
FEW = 4


@dataclass(frozen=True)
class Job:
    """How the function is called and judged."""

    framework: str | None
    dtype: Any
    tolerance: Any
    seed: Any


def judge(kl: Callable[..., Any], given: Given, job: Job) -> Evidence:
    """The verdict: of the widest form that the function takes, where none is said, of the laws in
    the order that their names leave open, and of what came back where nobody said what that is.
    """
    try:
        return _of_any_library(kl, given, job)
    except (Reduced, Unsummed) as error:
        evidence = as_returned(lambda other: _of_any_library(kl, other, job), given, error)
        if evidence is None:
            raise
        return evidence


def _of_any_library(kl: Callable[..., Any], given: Given, job: Job) -> Evidence:
    library = job.framework or library_of(kl)
    try:
        return _of_library(kl, given, replace(job, framework=library))
    except CallableError as error:
        other = methods_of(error) if job.framework is None and library == "numpy" else None
        if other is None:
            raise
        return _of_library(kl, given, replace(job, framework=other))


def _of_library(kl: Callable[..., Any], given: Given, job: Job) -> Evidence:
    function, framework, given = taking(kl, given, str(job.framework))
    job = replace(
        job, framework=framework, tolerance=accepted(job.tolerance), seed=seeded(job.seed)
    )
    guard = guarded(function, "kl", framework, job.dtype)
    before = guard.calls

    def of(options: Options, explain: bool) -> Evidence:
        return _judged(guard, options, job, explain)

    evidence = widest(of, function, given)
    for other, words in readings_of(function, given):
        if evidence.verdict == "refuted" and other is not given:
            with contextlib.suppress(CallableError, ArgumentError):
                second = widest(of, function, other)
                if second.verdict == "holds":
                    evidence = said(second, words)
        elif other is given:
            evidence = said(evidence, words)
    return replace(evidence, cost={"calls": guard.calls - before})


def _judged(guard: Guarded, options: Options, job: Job, explain: bool) -> Evidence:
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

    def beyond() -> Diagnosis | None:
        if batches is extremes:
            return None
        with contextlib.suppress(CallableError):
            more = [a for b in extremes(options, precision, rng) for a in ask(guard, b, options)]
            wider = [*dues, *(due(a, options, guard.eps, rounds, rng) for a in more)]
            every = [*answers, *more]
            there = places(every, wider, options)
            named = safely(lambda: diagnosis(there, every, wider, options, precision()))
            return named if named is not None and named.names else None
        return None

    def nearer() -> Diagnosis | None:
        return safely(lambda: diagnosis(found, answers, dues, options, precision()))

    if evidence.verdict == "refuted":
        evidence = replace(evidence, sentence=place(found, answers, options, job.tolerance))
    if evidence.verdict == "refuted" and not explain:
        return evidence
    if evidence.verdict == "refuted":
        cause = safely(lambda: asked_again(guard, first, options))
        # a clamp that is reached once or twice: wide scales reach both of its ends
        rare = batches is asked and int(np.sum(found.beyond(job.tolerance) > 1)) < FEW
        for look in (beyond, nearer) if rare else (nearer, beyond):
            if cause is None or not cause.names:
                cause = look() or cause
        evidence = evidence.with_diagnosis(cause)
    else:
        evidence = replace(evidence, notes=digits_lost(answers, options, guard.eps))
        evidence = where_infinite(guard, options, rng, evidence)
    return replace(
        evidence,
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
