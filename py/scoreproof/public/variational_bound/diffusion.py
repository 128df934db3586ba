"""The diffusion loss of variational diffusion models, in continuous time.

Conventions: ``½ γ'(t) (ε - ε̂)²`` an entry or, of T steps, ``½ T (exp(γ(t) - γ(s)) - 1) (ε - ε̂)²``
with s = t - 1/T: an estimate of the sum over t with t uniform. Nats.
"""

from __future__ import annotations

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, diagnose, safely
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import Asking, batch_of
from scoreproof.public.variational_bound.between import between_steps
from scoreproof.public.variational_bound.candidates import nearest
from scoreproof.public.variational_bound.choosing import in_other_units
from scoreproof.public.variational_bound.continuous import Clock
from scoreproof.public.variational_bound.endpoint import judge_end
from scoreproof.public.variational_bound.rates import COMMON, Weight, weight_of_steps, weights_of
from scoreproof.public.variational_bound.reading import Reading, layouts, reduced
from scoreproof.public.variational_bound.sights import (
    Sight,
    moved_by_rounding,
    sight,
    sights_drawn,
)
from scoreproof.public.variational_bound.words import reasons
from scoreproof.public.variational_bound.words_other import DIFFUSION

__all__ = ["judge_diffusion"]

#: of the horizon: where it is looked at
TIMES = (0.04, 0.15, 0.35, 0.5, 0.7, 0.85, 0.96)
MANY = 16.0
#: of the horizon, or of a step: times that are no other
SAME = 1e-3


def judge_diffusion(job: Job) -> Evidence:
    """Of what goes in with t in continuous time."""
    clock = job.clock
    assert clock is not None
    asking = Asking(job, None, batch_of(job))
    if job.term == "L_T":
        return judge_end(job, asking, clock)
    times = np.array(TIMES) * clock.horizon
    if job.steps:
        times = np.maximum(np.round(times * job.steps / clock.horizon), 1) / job.steps
        times = times * clock.horizon
    if "t" not in job.roles:
        found = sights_drawn(job, asking, clock)
        if isinstance(found, str):
            text = f"{job.name}: {found}"
            return Evidence.undecided("float", text, cost={"calls": asking.calls})
        seen = found
    else:
        seen = _over(job, asking, clock, times)
    wrong = next((v.elsewhere for v in seen if v.elsewhere), None) or _told(job, clock, seen)
    if wrong is not None:
        name, text = wrong
        return Evidence(
            "float",
            "refuted",
            1.0,
            0.0,
            f"{job.name}: {text}",
            cost={"calls": asking.calls},
            diagnosis=Diagnosis.cause(name, f"Cause: {text}."),
            coverage=Coverage({"times": len(times)}),
        )
    evidence = _judged(job, asking, clock, seen)
    if evidence.verdict == "holds" and job.steps and "xt" not in job.roles and "t" in job.roles:
        doubt = between_steps(job, asking, clock, times)
        if doubt is not None:
            text = f"{job.name}: {doubt}"
            return Evidence.undecided("float", text, cost={"calls": asking.calls})
    return evidence


def _told(job: Job, clock: Clock, seen: list[Sight]) -> tuple[str, str] | None:
    """The name and what is wrong with the time that the model is told, if it is t's own."""
    told = [(v.t, v.label) for v in seen if v.label is not None and v.label.shape == v.t.shape]
    if not told:
        return None
    t, label = (np.concatenate([np.ravel(p[k]) for p in told]).astype(float) for k in (0, 1))
    if len(np.unique(np.round(t, 6))) < 3:
        return None
    ways = {f"{clock.horizon:g} - t": clock.horizon - t}
    if job.steps:
        gap = clock.horizon / job.steps
        ways |= {"s = t - 1/T": t - gap, "t + 1/T": t + gap}
    for words, other in ways.items():
        if np.all(np.abs(label - other) < SAME * clock.horizon / (job.steps or 1)):
            return "told_another_time", f"its model is told {words} where it is asked at x_t"
    return None


def _over(job: Job, asking: Asking, clock: Clock, times: np.ndarray) -> list[Sight]:
    """Each time for a whole batch and, where that can be, all in one."""
    rows = len(asking.batch.x0)
    seen = [sight(job, asking, clock, np.full(rows, t)) for t in times]
    if not asking.alone:
        seen.append(sight(job, asking, clock, np.resize(times, rows)))
    return seen


def _judged(job: Job, asking: Asking, clock: Clock, seen: list[Sight]) -> Evidence:
    weights = weights_of(clock, job.steps, job.prediction)
    readings: dict[Reading, None] = {}
    for v in seen:
        readings |= dict.fromkeys(layouts(job, v.value.shape, len(v.square)))

    def predicted(weight: Weight, reading: Reading) -> np.ndarray:
        each = []
        for v in seen:
            column = np.array([weight(float(t)) for t in v.t])[:, None]
            each.append(reduced(column * v.square, reading))
        return np.concatenate(each)

    value = np.concatenate([v.value.ravel() for v in seen])
    fits = {reading: predicted(weights[""], reading) for reading in readings}
    reading = min(fits, key=lambda r: float(np.median(np.abs(value / fits[r] - 1))))
    due = fits[reading]
    # ε̂ is known to rounding of ε and x; a rate is a difference
    steepness = _steepness(job, clock, seen)
    conversions = 1.0 if job.prediction == "eps" else _conversion(clock, seen)
    blur = MANY * asking.eps * (conversions + steepness) * np.abs(due)
    if not job.steps:
        blur = blur + np.abs(predicted(lambda t: 0.5 * clock.off(t, asking.eps), reading))
    if "t" not in job.roles:  # t is read off x_t, to rounding
        blur = blur + np.abs(predicted(moved_by_rounding(clock, weights[""], asking.eps), reading))
    names = f"the diffusion loss in {reading.words}"
    limit = blur + (job.tolerance or 0.0) * np.abs(due)
    over = np.abs(value - due) / limit
    k = int(np.argmax(np.where(np.isfinite(over), over, np.inf)))
    text = f"{job.name}: {names}, against " + (
        "½ T (exp(γ(t) - γ(s)) - 1) |ε - ε̂|²" if job.steps else "½ γ'(t) |ε - ε̂|²"
    )
    if over[k] > 1:
        text = f"{job.name}: {names} is {value[k]:.6g} where {due[k]:.6g} is due"
    evidence = compared(
        np.abs(value - due),
        blur,
        text,
        coverage=_coverage(clock, seen, len(value)),
        gain=np.abs(due),
        tolerance=job.tolerance,
        cost={"calls": asking.calls},
    )
    if evidence.verdict != "refuted":
        return evidence
    said = {reading, *(r for r in readings if r.dims == reading.dims)}
    size = 1 / np.abs(due)
    limit = np.maximum(limit * size, 1e-9)
    # what explains it as it was read is not told otherwise: half a sum may be twice a mean
    plain = [(n, predicted(w, r)) for r in said for n, w in weights.items() if n]
    enough = any(np.linalg.norm((v - value) * size) <= np.linalg.norm(limit) for _, v in plain)
    pairs = [(n, predicted(w, r)) for r in readings for n, w in weights.items() if n]
    pairs = plain if enough else pairs
    for name, other in in_other_units(reading).items():
        mine = due * other if isinstance(other, float) else predicted(weights[""], other)
        pairs.append((name, mine))
    if not (job.steps or enough):
        pairs += [
            ("steps_not_declared", predicted(weight_of_steps(clock, T), r))
            for r in readings
            for T in COMMON
        ]
    return evidence.with_diagnosis(
        safely(
            lambda: diagnose(
                value * size,
                due * size,
                {n: v * size for n, v in nearest(pairs, value).items()},
                limit=limit,
                reasons=reasons() | DIFFUSION,
            )
        )
    )


def _coverage(clock: Clock, seen: list[Sight], numbers: int) -> Coverage:
    times = np.unique(np.concatenate([v.t for v in seen]))
    return Coverage(
        {"times": len(times), "numbers": numbers}, span=f"t from {times[0]:.3g} to {times[-1]:.3g}"
    )


def _steepness(job: Job, clock: Clock, seen: list[Sight]) -> float:
    """How much rounding of γ is in the weight, relative to it."""
    times = [float(t) for v in seen for t in v.t]
    size = max(abs(clock.gamma(t)) for t in times)
    if not job.steps:
        return 1 + size
    gap = clock.horizon / job.steps
    return 1 + size / min(abs(clock.gamma(t) - clock.gamma(t - gap)) for t in times)


def _conversion(clock: Clock, seen: list[Sight]) -> float:
    """How much larger what is subtracted may be than what is left."""
    times = [float(t) for v in seen for t in v.t]
    levels = [clock.level(t) for t in times]
    return max(4 * (1 + a / s) * (1 + s / a) for a, s in levels)
