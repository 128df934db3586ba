"""Which way a function of two SDEs is judged: path by path, or by what its mean tends to."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence
from scoreproof.public.path_kl.alongside import Alongside, alongside
from scoreproof.public.path_kl.arguments import Job
from scoreproof.public.path_kl.asking import Unseen, User
from scoreproof.public.path_kl.causes import cause_of
from scoreproof.public.path_kl.curved import curved
from scoreproof.public.path_kl.limits import Limit, limits
from scoreproof.public.path_kl.looks import STEPS, Look, looked, sampling
from scoreproof.public.path_kl.means import cause_of_mean
from scoreproof.public.path_kl.weights import weights
from scoreproof.public.path_kl.words import title
from scoreproof.public.rule import compared

__all__ = ["judge"]

#: c of c ∫ u·dW that is 0 or 1 is no note
ROUND = 1e-6


def judge(job: Job) -> Evidence:
    """The function under judgement."""
    user = User(job)
    looks = looked(user)
    if any(user.still):  # with drifts that do not change, once more
        job = replace(job, still=(user.still[0], user.still[1]))
        user = User(job, calls=user.calls)
        looks = looked(user)
    evidence = _judged(user, looks)
    other = None
    if evidence.verdict == "refuted" and not _named(evidence):
        other = safely(lambda: _otherwise(user))
    if other is not None:
        evidence = replace(evidence, diagnosis=other)
    return replace(evidence, cost={"calls": user.calls})


def _named(evidence: Evidence) -> bool:
    return evidence.diagnosis is not None and bool(evidence.diagnosis.names)


def _otherwise(user: User) -> Diagnosis | None:
    """A control that enters the other way, of which it is right."""
    job = user.job
    if job.kind != "control":
        return None
    way = {"noise": "drift", "drift": "noise"}[str(job.said["control"])]
    other = User(replace(job, said={**job.said, "control": way}))
    found = alongside(looked(other), other.eps)
    user.calls += other.calls
    if found is None or not (found.right or found.rule()):
        return None
    words = {
        "noise": 'is multiplied by the diffusion, dX = (b + g u) dt + g dW: pass control="noise"',
        "drift": 'is added to the drift, dX = (b + u) dt + g dW: pass control="drift"',
    }
    return Diagnosis.cause(
        "control_enters_otherwise",
        f"Cause: it is right for a control that {words[way]}, if that is meant.",
    )


def _judged(user: User, looks: list[Look]) -> Evidence:
    job = user.job
    notes = dict.fromkeys(n for k in looks for n in k.answer.notes)
    if notes and job.framework != "torch":  # torchsde takes its seeds from there
        return _open(
            f"{job.name} {next(iter(notes))}, which cannot be replaced: let it take an argument rng"
        )
    found = alongside(looks, user.eps)
    cause = None
    if found is not None:
        ways = [found, *_sampled(looks, user.eps)]
        for way in ways:
            rule = None if way.right else way.rule()
            if way.right or rule is not None:
                return _right(way, rule)
        for way in ways:
            cause = safely(partial(cause_of, way))
            if cause is not None and cause.names:
                found = way
                break
        if job.ratio or (cause is not None and cause.names):
            return _along(found, cause)
        read = weights(user, looks, user.eps)
        if read is not None and not read.a_rule:
            told = Diagnosis.cause("weighed", f"Cause: {read.words()}.")
            return _along(found, cause if read.alike else told)
        if read is not None and read.coarse:
            return _open(
                f"{job.name}: it is not Euler's sum along its paths, and how it weighs each step is"
                ' lost in rounding: use float64, dtype="float64"'
            )
    if job.ratio:
        return _open(
            f"{job.name}: the paths that it makes are not known from its draws (standard normal,"
            " one of the shape of x a step, or all at once): return the paths as well, or take x"
        )
    try:
        seen = limits(user)
    except Unseen as why:
        return _open(f"{job.name} {why}: its mean is not seen")
    evidence = _limit(job, seen, cause)
    return curved(user, seen[0].pace, evidence) if evidence.verdict == "holds" else evidence


def _sampled(looks: list[Look], eps: float) -> list[Alongside]:
    """With log p0 - log q0 of each start for its mean, where that is added."""
    first = looks[0]
    if first.track is None or not np.any(sampling(first.job, first.problem, first.track.x[0])):
        return []
    way = alongside([replace(k, sampled=True) for k in looks], eps)
    return [] if way is None else [way]


def _open(text: str) -> Evidence:
    return Evidence.undecided("float", text)


def _right(found: Alongside, rule: str | None) -> Evidence:
    job = found.looks[0].job
    notes = []
    if rule is not None:
        notes.append(
            f"the integral over time is taken by {rule}: it differs from the sum over Euler's steps"
            " by what goes away with smaller ones"
        )
    if not job.ratio and abs(found.c) > ROUND:
        part = "" if abs(found.c - 1) < ROUND else f"{found.c:.4g} times "
        notes.append(f"it adds {part}the stochastic integral ∫ u·dW, whose mean under P is 0")
    error = np.zeros_like(found.error) if rule is not None else found.error
    if found.looks[0].sampled:
        notes.append(
            "the law at the start enters by log p0 - log q0 of each start, whose mean is KL(p0‖q0)"
        )
    return _compared(found, error, notes=tuple(notes))


def _along(found: Alongside, cause: Diagnosis | None) -> Evidence:
    return _compared(found, found.error, diagnosis=cause)


def _compared(found: Alongside, error: np.ndarray, **more: Any) -> Evidence:
    job = found.looks[0].job
    size = np.abs(found.energy) + np.abs(found.ends) + (np.abs(found.ito) if job.ratio else 0.0)
    worst = int(np.argmax(error / found.blur))
    text = title(job, 0)
    if np.any(error > found.blur):
        text += f": {found.returned[worst]:.6g} where {found.due[worst]:.6g} is due"
    return compared(
        error / size,
        found.blur / size,
        text,
        coverage=_coverage(found),
        resolution=found.seen,
        tolerance=job.tolerance,
        remedy='use float64, dtype="float64"',
        **more,
    )


def _coverage(found: Alongside) -> Coverage:
    looks = found.looks
    noise = looks[0].problem.noise
    follows = ", that follows x," if noise in ("diagonal", "full") else ""
    still = looks[0].job.still
    clock = " and do not change with time" if still[0] else ""
    noise = f"{noise} noise" + (" that does not change with time" if still[1] else "")
    d = looks[0].problem.d
    span = (
        f"{len(looks)} pairs of drifts that are not affine{clock}, {d} coordinates,"
        f" {noise}{follows} of sizes down to 0.001"
    )
    return Coverage({"paths": sum(k.n for k in looks), "steps": STEPS}, (), span)


def _looked_at(job: Job, steps: str) -> str:
    """On which problems a limit is looked at."""
    follows = job.noise in ("diagonal", "full")
    if not job.simulates:
        noise = " and noise that follows x" if follows else ""
        return f"drifts that are not affine{noise}, {steps}, along smooth curves"
    noise = " and noise that does not follow x" if follows else ""
    return f"affine drifts{noise}, {steps}, the mean over the noise is exact"


def _limit(job: Job, seen: list[Limit], cause: Diagnosis | None) -> Evidence:
    value, due, error = (np.array([getattr(s, n) for s in seen]) for n in ("value", "due", "error"))
    resolution = max(2 * s.error / abs(p) for s in seen for p in s.parts)
    worst = int(np.argmax(np.abs(value - due) / error))
    text = title(job, 1)
    off = np.abs(value - due)
    if np.any(off > error):
        text += f": {value[worst]:.6g} where {due[worst]:.6g} is due"
        cause = safely(lambda: cause_of_mean(job, seen))
    evidence = compared(
        off / np.abs(due),
        error / np.abs(due),
        text,
        coverage=Coverage(
            {"problems": len(seen), "grids": len(seen[0].values)},
            (),
            _looked_at(job, seen[0].pace.words),
        ),
        resolution=resolution,
        tolerance=job.tolerance,
        remedy="use fixed steps of equal width, or float64",
        kind="convergent",
        diagnosis=cause if np.any(off > error) else None,
    )
    return replace(evidence, order=min(s.order for s in seen))
