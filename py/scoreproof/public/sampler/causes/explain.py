"""The cause of a refuted sampler: from its forward process to its last step, the plainest first.

Conventions: a cause is claimed only if it explains the measured steps to their precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes import (
    begin,
    churn,
    combined,
    drift,
    forward,
    last,
    narrow,
    readings,
    scaled,
    tables,
    told,
    words,
)
from scoreproof.public.sampler.causes.again import MODELS, Judge, with_another_model
from scoreproof.public.sampler.causes.etas import right
from scoreproof.public.sampler.causes.likely import eta_given, likely
from scoreproof.public.sampler.causes.matching import found
from scoreproof.public.sampler.causes.parts import Part, nearest
from scoreproof.public.sampler.causes.question import question
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.swaps import swaps
from scoreproof.public.sampler.causes.tableau import Tableau, measured, never_asked, steps_looked_at
from scoreproof.public.sampler.words import hint as hint_of

__all__ = ["cause_of", "earlier", "explained", "read"]

#: of arithmetic in double precision
FINE = float(np.finfo(float).eps)


def explained(evidence: Evidence, job: Job, eps: float, judge: Judge) -> Evidence:
    """A refutation with its cause; ``eps``: of the coarsest numbers, ``judge``: the check without
    causes.
    """
    said = evidence.coverage is not None and set(evidence.coverage.asked) == {"draws"}
    said = said or evidence.diagnosis is not None
    if evidence.verdict != "refuted" or said:
        return evidence
    cause = safely(lambda: cause_of(job, eps, judge))
    hint = hint_of(evidence.sentence)
    if cause is None:
        return replace(evidence, notes=(*([hint] if hint else []), *evidence.notes))
    if not cause.names and hint:
        cause = replace(cause, sentence=f"{cause.sentence} {hint}")
    return evidence.with_diagnosis(cause)


def cause_of(job: Job, eps: float, judge: Judge) -> Diagnosis | None:
    """Why the chain is wrong, if it can be told."""
    wrong = forward.mistaken(job)
    if wrong:
        return _claimed("forward process", wrong)
    try:
        table = measured(job, steps_looked_at(job))
        if table is None and never_asked(job, steps_looked_at(job)):
            return _claimed("model", "the model is never called: x moves without it")
    except (CallableError, ArgumentError):
        return None
    steps = None if table is None else steps_of(table)
    rest = ""
    if table is not None and steps is not None:
        by_eps, fact = earlier(job, steps), ""
        for precision in dict.fromkeys((FINE, eps)):  # of tables of single precision the second
            for name, text in read(job, table, steps, precision, by_eps):
                if text and name == "right":
                    return Diagnosis.unknown(text if text.endswith("?") else f"{text}.")
                if text and name:
                    return _claimed(name, text)
                fact = fact or text
        if fact:
            return Diagnosis.unknown(f"{fact}.{narrow.said(job, steps)}")
        part = _part(job, steps, eps, by_eps)
        if part is not None and part.exact:
            return _claimed("step", part.text)
        rest = part.text if part is not None else ""
    text = with_another_model(job, judge)
    if text:
        return _claimed("model", text)
    if steps is None:
        return None
    text = f"No known slip explains all steps. By their numbers {rest}." if rest else ""
    return Diagnosis.unknown((text or last.described(steps)) + narrow.said(job, steps))


def earlier(job: Job, steps: Steps) -> Steps | None:
    """The steps where ε is prescribed, if they look back."""
    if not any(np.any(v != 0) for n, v in steps.coefficients.items() if n.startswith("x_next.o")):
        return None
    table = measured(job, steps_looked_at(job), "eps")
    return None if table is None else steps_of(table)


def _part(job: Job, steps: Steps, eps: float, by_eps: Steps | None) -> Part | None:
    i, _ = _coordinate(job, steps)
    q = question(job, steps, eps, i, by_eps)
    every = likely(job, steps, q)
    same = [f for f in every if f.kind == job.form.prediction]
    return nearest(same, q, eta_given(job)) if len(q.outs) == steps.stages else None


def _claimed(name: str, text: str) -> Diagnosis:
    end = "" if text.endswith("?") else "."
    return Diagnosis((name,), 0.0, None, f"Cause: {text.rstrip('.')}{end}")


def read(
    job: Job, table: Tableau, steps: Steps, eps: float, by_eps: Steps | None = None
) -> Iterator[tuple[str, str]]:
    """What may be wrong, in order."""
    i, uneven = _coordinate(job, steps)
    q = question(job, steps, eps, i, by_eps)
    if len(q.outs) != steps.stages:
        return
    yield "start", begin.started(job, table, eps)
    yield "noise", readings.stale(table, steps)
    yield "prediction", readings.lasting(steps)
    times = _times(job, steps)
    mistold = told.mistold(steps, times)
    every = likely(job, steps, q)
    same = [f for f in every if f.kind == job.form.prediction]
    given = eta_given(job)
    good = right(same, q, given)
    if not good:
        yield "time", churn.untold(job, steps, q, every)
        yield "order", readings.reversed(job, steps, eps, i, same, given)
        early = replace(q, inner=q.inner & (np.arange(steps.count) < steps.count - 1))
        if np.sum(early.inner) >= 2 and (known := right(same, early, given)):
            yield "last step", last.mistaken(job, steps, early, known, table)
    added = begin.added(steps, i, good)
    yield "renoised", readings.renoised(good)
    if good and added:
        yield "offset", f"the steps are those of {readings.name(*good[0])}, but {added}"
    if good:
        exact = [g for g in good if g[0].exact]
        if steps.short:
            end = steps.after[-1]
            yield (
                "last steps",
                f"the loop stops {steps.short} step{'s'[: steps.short > 1]} before the end of its"
                f" times: x is returned as it is at {words.place(end)}, with the noise of that"
                " level. Let it take all of them",
            )
        noisy = np.any(q.measured.get("x_next.z", np.zeros(1)) > 0)
        if noisy and any(g[0].name.startswith("EDM") for g in good):
            yield "churn", churn.stays(job, steps)
        else:
            seconds = readings.seconds(steps, q, good) if steps.stages > 1 else ()
            mistold = told.mistold(steps, times, seconds, sure=True)
            its = f"The steps themselves are those of {readings.name(*good[0])}"
            yield "time", mistold and f"{mistold}. {its}"
        if job.exact and not exact:
            yield "variance", readings.inexact(good[0][0])
        yield "last step", last.mistaken(job, steps, q, good, table)
        yield "right", readings.right(*good[0], job.order)
        return
    other = right([f for f in every if f.kind != job.form.prediction], q, given)
    if other:
        f, eta = other[0]
        yield (
            "model type",
            f"the model's output is {MODELS[job.form.prediction]}, but the steps take it for"
            f" {MODELS[f.kind]}: with such a model they are those of {readings.name(f, eta)}."
            f" Convert it first, or pass prediction={f.kind!r} if that is what the model returns",
        )
    answers = found(same, q, given, swaps(job, steps))
    without = drift.kept(steps, q, same)
    if answers and answers[0].factor is not None and answers[0].rank >= 5:
        yield "drift", without  # steps of one ratio make its drift a constant factor
    if answers:
        yield (
            "step",
            readings.said(answers, steps, q, uneven) + (f". Besides, {added}" if added else ""),
        )
    yield "drift", without
    yield "combination", combined.raw(job, steps, eps, same, steps_looked_at(job))
    yield "weights", combined.weights(q, same)
    yield "output", scaled.output(job, steps, q, same, eps, steps_looked_at(job))
    yield "second call", readings.asked_elsewhere(steps, q, same, given)
    yield "table", tables.another(job, steps, q) or tables.straight(job, steps, q)
    yield "step", readings.both(job, steps, q, same, given)
    yield "drift", drift.shared(steps, q, same)
    yield "", mistold and f"no known slip explains all steps, but {mistold}"


def _coordinate(job: Job, steps: Steps) -> tuple[int, str]:
    """The coordinate that is looked at, and in words if only some are wrong."""
    known = [np.nan_to_num(v) for v in steps.coefficients.values()]
    apart = [np.abs(v - np.median(v, axis=1, keepdims=True)) for v in known]
    size = max(float(np.max(a)) for a in apart)
    if size < 1e-9 or apart[0].shape[1] < 3:
        return 0, ""
    whole = np.max([a.max(axis=0) for a in apart], axis=0)
    odd = np.flatnonzero(whole > 1e-3 * size)
    if len(odd) == 0 or len(odd) > len(whole) / 2:
        return 0, ""
    where = [tuple(int(i) for i in np.unravel_index(k, job.shape)) for k in odd[:4]]
    listed = ", ".join(str(p if len(p) > 1 else p[0]) for p in where)
    return int(odd[0]), f" in coordinate {listed} only; the others are right"


def _times(job: Job, steps: Steps) -> tuple[float, ...]:
    return (*(v.when for v in steps.before), steps.after[-1].when)
