"""The diffusion loss of variational diffusion models, in continuous time.

Conventions: ``½ γ'(t) (ε - ε̂)²`` an entry or, of T steps, ``½ T (exp(γ(t) - γ(s)) - 1) (ε - ε̂)²``
with s = t - 1/T: an estimate of the sum over t with t uniform. Nats.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import diagnose, safely
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import Asking, Run, batch_of
from scoreproof.public.variational_bound.candidates import nearest
from scoreproof.public.variational_bound.choosing import in_other_units
from scoreproof.public.variational_bound.continuous import Clock
from scoreproof.public.variational_bound.endpoint import judge_end
from scoreproof.public.variational_bound.rates import COMMON, Weight, weight_of_steps, weights_of
from scoreproof.public.variational_bound.reading import Reading, layouts, picked, reduced
from scoreproof.public.variational_bound.words import DIFFUSION, reasons

__all__ = ["judge_diffusion"]

#: of the horizon: where it is looked at
TIMES = (0.04, 0.15, 0.35, 0.5, 0.7, 0.85, 0.96)
MANY = 16.0
FAR = 1e-3


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
    rows = len(asking.batch.x0)
    runs = [_run(job, asking, clock, np.full(rows, t)) for t in times]
    if not asking.alone:
        runs.append(_run(job, asking, clock, np.resize(times, rows)))
    wrong = next((w for w in (_elsewhere(r) for r in runs) if w), None)
    if wrong is not None:
        return Evidence(
            "float",
            "refuted",
            1.0,
            0.0,
            f"{job.name}: {wrong}",
            cost={"calls": asking.calls},
            coverage=Coverage({"times": len(times)}),
        )
    return _judged(job, asking, clock, runs, weights_of(clock, job.steps))


def _run(job: Job, asking: Asking, clock: Clock, t: np.ndarray) -> Run:
    batch = asking.batch
    a, s = (np.array(v)[:, None] for v in zip(*(clock.level(float(v)) for v in t), strict=True))
    noise = batch.noise[0]
    # in what the model is said to predict, off by a known amount
    hat = noise + batch.moves
    x = a * batch.x0 + s * noise
    out = {
        "eps": hat,
        "x0": (x - s * hat) / a,
        "v": a * hat - s * (x - s * hat) / a,
        "score": -hat / s,
    }.get(job.prediction)
    script = asking.script(None)
    script.moves = out if out is not None else hat
    values = {"x0": batch.x0, "t": t, "noise": noise, "xt": x, "out": script.moves}
    try:
        run = asking.at(values, script)
    except CallableError:
        if asking.calls > 1 or "t" not in job.roles or asking.alone:
            raise
        asking.alone = True
        run = asking.at(values, script)
    value = picked(run.value, "")
    if value is None:
        raise CallableError(
            "bound", "return numbers", f"it returned {type(run.value).__name__}", "return the term"
        )
    return replace(run, value=value)


def _elsewhere(run: Run) -> str | None:
    """Where the model is asked, if that is not x_t."""
    if not run.script.calls or run.xt is None:
        return None
    off = np.linalg.norm(run.script.calls[-1].x - run.xt) / np.linalg.norm(run.xt)
    return None if off < FAR else f"its model is not asked at α x_0 + σ ε (off by {off:.2g})"


def _judged(
    job: Job, asking: Asking, clock: Clock, runs: list[Run], weights: dict[str, Weight]
) -> Evidence:
    square = asking.batch.moves**2
    readings: dict[Reading, None] = {}
    for r in runs:
        readings |= dict.fromkeys(layouts(job, r.value.shape, len(square)))

    def predicted(weight: Weight, reading: Reading) -> np.ndarray:
        each = []
        for r in runs:
            assert r.t is not None
            column = np.array([weight(float(v)) for v in r.t])[:, None]
            each.append(reduced(column * square, reading))
        return np.concatenate(each)

    value = np.concatenate([r.value.ravel() for r in runs])
    fits = {reading: predicted(weights[""], reading) for reading in readings}
    reading = min(fits, key=lambda r: float(np.median(np.abs(value / fits[r] - 1))))
    due = fits[reading]
    # ε̂ is known to rounding of ε and x; a rate is a difference
    steepness = _steepness(job, clock, runs)
    conversions = 1.0 if job.prediction == "eps" else _conversion(clock, runs)
    blur = MANY * asking.eps * (conversions + steepness) * np.abs(due)
    if not job.steps:
        blur = blur + np.abs(predicted(lambda t: 0.5 * clock.off(t, asking.eps), reading))
    names = f"the diffusion loss in {reading.words}"
    over = np.abs(value - due) / blur
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
        coverage=Coverage({"times": len(TIMES), "numbers": len(value)}, span="0.04 to 0.96 of t"),
        gain=np.abs(due),
        tolerance=job.tolerance,
        cost={"calls": asking.calls},
    )
    if evidence.verdict != "refuted":
        return evidence
    pairs = [(n, predicted(w, r)) for r in readings for n, w in weights.items() if n]
    for name, other in in_other_units(reading).items():
        mine = due * other if isinstance(other, float) else predicted(weights[""], other)
        pairs.append((name, mine))
    if not job.steps:
        pairs += [
            ("steps_not_declared", predicted(weight_of_steps(clock, T), r))
            for r in readings
            for T in COMMON
        ]
    size = 1 / np.abs(due)
    return evidence.with_diagnosis(
        safely(
            lambda: diagnose(
                value * size,
                due * size,
                {n: v * size for n, v in nearest(pairs, value).items()},
                limit=np.maximum(blur * size, 1e-9),
                reasons=reasons() | DIFFUSION,
            )
        )
    )


def _steepness(job: Job, clock: Clock, runs: list[Run]) -> float:
    """How much rounding of γ is in the weight, relative to it."""
    times = [float(t) for r in runs if r.t is not None for t in r.t]
    size = max(abs(clock.gamma(t)) for t in times)
    if not job.steps:
        return 1 + size
    gap = clock.horizon / job.steps
    return 1 + size / min(abs(clock.gamma(t) - clock.gamma(t - gap)) for t in times)


def _conversion(clock: Clock, runs: list[Run]) -> float:
    """How much larger what is subtracted may be than what is left."""
    times = [float(t) for r in runs if r.t is not None for t in r.t]
    levels = [clock.level(t) for t in times]
    return max(4 * (1 + a / s) * (1 + s / a) for a, s in levels)
