"""What a bound returned against what is due, and which mistake explains the rest."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.diagnosis import Diagnosis, diagnose, safely
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import ROWS, Asking, batch_of
from scoreproof.public.variational_bound.candidates import candidates
from scoreproof.public.variational_bound.choosing import Choice, Compared, best
from scoreproof.public.variational_bound.loops import of_the_whole
from scoreproof.public.variational_bound.models import asked_at
from scoreproof.public.variational_bound.observed import Observed, of_the_prior, of_the_steps
from scoreproof.public.variational_bound.tables import tables_of
from scoreproof.public.variational_bound.words import reasons
from scoreproof.public.variational_bound.words_other import OF_THE_WHOLE

__all__ = ["judge"]

DROWNED = "which is smaller than rounding in the sum: pass it alone"
GLOBAL = "global generator"
REMEDY = {
    "numpy": "use float64, for tables too, or say tolerance=",
    "torch": "use float64, for tables too, or say tolerance=",
    "jax": "use float64 (jax_enable_x64), for tables too, or say tolerance=",
}


def judge(job: Job) -> Evidence:
    """Of a table's terms."""
    assert job.table is not None
    tb = tables_of(job.table, job.variance)
    asking = Asking(job, tb, batch_of(job))
    estimate, wrong = False, None
    if job.term == "L_T":
        seen = [of_the_prior(job, asking, tb)]
    elif job.term == "total":
        whole = of_the_whole(job, asking, tb)
        lost = _lost(job, asking)
        if lost or whole.doubt:
            text = f"{job.name}: {lost or whole.doubt}"
            return Evidence.undecided("float", text, cost={"calls": asking.calls})
        seen, estimate, wrong = whole.observed, whole.estimate, whole.wrong
        if wrong is not None:
            return _refuted(job, asking, wrong[1], wrong[0])
    else:
        seen = of_the_steps(job, asking, tb)
    off = asked_at(job, tb, seen)
    if off is not None:
        lost = _lost(job, asking)
        if lost:
            text = f"{job.name}: {lost}"
            return Evidence.undecided("float", text, cost={"calls": asking.calls})
        return _refuted(job, asking, off[1], off[0])
    choice, found = best(job, seen, asking.eps, estimate)
    return _judged(job, asking, seen, choice, found)


def _lost(job: Job, asking: Asking) -> str | None:
    note = next((n for n in asking.notes if GLOBAL in n), None)
    if note is None or job.framework == "jax":
        return None
    return f"it {note}, which cannot be replaced: let it take an argument rng, or the noise"


def _refuted(job: Job, asking: Asking, text: str, name: str) -> Evidence:
    cause = Diagnosis.cause(name, f"Cause: {text}.")
    return Evidence(
        "float",
        "refuted",
        1.0,
        0.0,
        f"{job.name}: {text}",
        cost={"calls": asking.calls},
        diagnosis=cause,
        coverage=Coverage({"rows": len(asking.batch.x0)}),
    )


def _judged(
    job: Job, asking: Asking, seen: Sequence[Observed], choice: Choice, found: Compared
) -> Evidence:
    error = np.abs(found.value - found.due)
    # an answer made of parts has to be seen part by part: what a deviation of the smallest does
    size = np.abs(found.due)
    accepted = job.tolerance or 0.0
    with np.errstate(all="ignore"):
        over = error / (accepted * size + found.blur + found.excuse)
    k = int(np.argmax(np.where(np.isfinite(over), over, np.inf)))
    gain = found.gain
    left = found
    if job.tolerance and any(o.summed for o in seen):  # what is accepted is of the sum
        gain, left = size, replace(found, drowned=np.zeros(len(size), bool))
    resolution = 2 * np.max(found.blur / np.where(gain > 0, gain, np.nan), initial=0.0)
    evidence = compared(
        error,
        found.blur,
        _sentence(job, seen, choice, found, k, over[k] > 1),
        coverage=_coverage(seen, left),
        gain=size,
        excuse=found.excuse,
        resolution=float(resolution) if np.isfinite(resolution) else np.inf,
        tolerance=job.tolerance,
        remedy=REMEDY[job.framework],
        cost={"calls": asking.calls},
        along=None,
        labels=("term", "error"),
        notes=tuple(f"{n[0].upper()}{n[1:]}." for n in (choice.note,) if n),
    )
    if evidence.verdict != "refuted":
        return evidence
    evidence = replace(evidence, notes=())
    return evidence.with_diagnosis(safely(lambda: _cause(job, seen, choice, found, asking.eps)))


def _cause(
    job: Job, seen: Sequence[Observed], choice: Choice, found: Compared, eps: float
) -> Diagnosis | None:
    wrong = np.abs(found.value - found.due) > found.blur + found.excuse
    few = np.array([seen[k].rows <= ROWS for k in found.place])
    kept = few if np.any(wrong & few) else np.full(len(few), True)
    some = [o for o in seen if o.rows <= ROWS] if np.any(wrong & few) else list(seen)
    value, due = found.value[kept], found.due[kept]
    blur = (found.blur + found.excuse)[kept]
    # what is nothing to the tolerance needs no explanation
    limit = np.maximum(blur, (job.tolerance or 0.0) * np.abs(due))
    weight = 1 / np.maximum(np.abs(due), found.blur[kept])
    guesses = candidates(job, some, choice)
    if guesses:  # a mistake's numbers are rounded as they are large, not as those that are due
        near = min(
            guesses, key=lambda n: float(np.linalg.norm((guesses[n].value - value) * weight))
        )
        limit = np.maximum(limit, guesses[near].blur(job, some, eps))
    predictions = {n: g.value * weight for n, g in guesses.items()}

    def explained(more: dict[str, np.ndarray]) -> Diagnosis:
        return diagnose(
            value * weight,
            due * weight,
            predictions | more,
            limit=limit * weight,
            reasons=reasons(),
        )

    single = explained({})
    if single.names or job.decoder != "discretized" or job.term not in ("vb", "total"):
        return single
    # code that takes tanh for the cumulative function does so beside any other mistake
    beside = candidates(job, some, choice, tanh=True)
    return explained({f"{n} + tanh_cdf": g.value * weight for n, g in beside.items()})


def _coverage(seen: Sequence[Observed], found: Compared) -> Coverage:
    names = list(dict.fromkeys(o.name for o in seen))
    asked = {"terms": len(seen), "numbers": len(found.value)}
    left: tuple[Omission, ...] = ()
    if np.any(found.drowned):
        asked["parts"] = 2
        left = (Omission("parts", 1, DROWNED, "L_T", wished=True),)
    drawn = {int(t) for o in seen if o.name == "estimate" for t in o.parts[-1].problem.g.t}
    if drawn:
        steps = seen[0].parts[-1].problem.tb.steps
        names.append(f"{len(drawn)} of {steps} timesteps were drawn")
    return Coverage(asked, left, ", ".join(names))


def _sentence(
    job: Job, seen: Sequence[Observed], choice: Choice, found: Compared, k: int, wrong: bool
) -> str:
    o = seen[found.place[k]]
    reading = choice.reading
    if not wrong:
        names = " and ".join(dict.fromkeys(p.name for p in seen))
        but = " (but for L_T, too small to be seen beside them)" if np.any(found.drowned) else ""
        if job.tolerance and any(o.summed for o in seen):
            but = OF_THE_WHOLE
        return f"{job.name}: {names} in {reading.words}, against the exact terms{but}"
    first = found.place.index(found.place[k])
    row = f", row {k - first}" if found.place.count(found.place[k]) > 1 else ""
    at = f" at {o.where}" if o.where else ""
    return (
        f"{job.name}: {o.name}{at}{row} is {found.value[k]:.6g} where {found.due[k]:.6g} is due, in"
        f" {reading.words}"
    )
