"""L_T of a process in continuous time: KL(q(x_T | x_0) ‖ N(0, I)) at its end.

Conventions: ``x_T = α x_0 + σ ε``; nats.
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
from scoreproof.public.variational_bound.asking import Asking
from scoreproof.public.variational_bound.candidates import nearest
from scoreproof.public.variational_bound.choosing import in_other_units
from scoreproof.public.variational_bound.continuous import Clock
from scoreproof.public.variational_bound.reading import layouts, picked, reduced
from scoreproof.public.variational_bound.words import reasons

__all__ = ["judge_end"]

MANY = 16.0


def judge_end(job: Job, asking: Asking, clock: Clock) -> Evidence:
    """KL(N(α x_0, σ²) ‖ N(0, I))."""
    batch = asking.batch
    a, s = clock.level(clock.horizon)
    last = np.full(len(batch.x0), clock.horizon)
    values = {"x0": batch.x0, "t": last, "noise": batch.noise[0], "xt": a * batch.x0}
    run = asking.at(values, asking.script(None))
    value = picked(run.value, "")
    if value is None:
        raise CallableError(
            "bound", "return numbers", f"it returned {type(run.value).__name__}", "return the term"
        )
    logvar = 2 * np.log(s)

    def entries(mean: float, variance: float, log: float) -> np.ndarray:
        return np.asarray(0.5 * ((mean * batch.x0) ** 2 + variance - 1 - log))

    right = entries(a, s**2, logvar)
    others = {
        "x0_not_scaled": entries(1.0, s**2, logvar),
        "x0_scaled_twice": entries(a**2, s**2, logvar),
        "variance_for_log_variance": entries(a, np.exp(s**2), s**2),
        "std_for_log_variance": entries(a, np.exp(s), s),
        "log_std_for_log_variance": entries(a, s, logvar / 2),
        "signal_for_variance": entries(a, a**2, 2 * np.log(a)),
        "one_missing": right + 0.5,
        "log_missing": entries(a, s**2, 0.0),
        "log_sign": entries(a, s**2, -logvar),
        "mean_missing": entries(0.0, s**2, logvar),
        "no_half": 2 * right,
        "mean_not_squared": entries(a**0.5, s**2, logvar),
        "log_halved": entries(a, s**2, logvar / 2),
        "variances_missing": 0.5 * (a * batch.x0) ** 2,
    }
    fits = layouts(job, value.shape, len(batch.x0))
    reading = min(fits, key=lambda r: float(np.max(np.abs(value.ravel() - reduced(right, r)))))
    due = reduced(right, reading)
    size = MANY * asking.eps * reduced(1 + (a * batch.x0) ** 2, replace(reading, factor=1.0))
    evidence = compared(
        np.abs(value.ravel() - due),
        size,
        f"{job.name}: L_T in {reading.words}, against KL(q(x_T | x_0) ‖ N(0, I))",
        coverage=Coverage({"rows": len(batch.x0)}),
        gain=np.abs(due),
        tolerance=job.tolerance,
        cost={"calls": asking.calls},
    )
    if evidence.verdict != "refuted":
        return evidence
    pairs = [(n, reduced(v, r)) for r in fits for n, v in others.items()]
    for name, other in in_other_units(reading).items():
        mine = due * other if isinstance(other, float) else reduced(right, other)
        pairs.append((name, mine))
    guesses = nearest(pairs, value.ravel())
    limit = np.maximum(size, 1e-9 * np.abs(due))
    return evidence.with_diagnosis(
        safely(lambda: diagnose(value.ravel(), due, guesses, limit=limit, reasons=reasons()))
    )
