"""Noise of steps that keep the law exactly, which is not η times DDPM's for one η.

Conventions: as in `causes.steps`. Every amount of noise up to DDPM's keeps the law of each level,
so that such steps hold; an η that differs from step to step is a slip all the same where one number
was meant, as a root that was forgotten in std = η·√var.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.sampler import words
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.numbers import table_of
from scoreproof.public.sampler.causes.question import LOOSE, TIGHT
from scoreproof.public.sampler.causes.steps import steps_of
from scoreproof.public.sampler.causes.tableau import measured, steps_looked_at
from scoreproof.public.sampler.convergence import errors_of
from scoreproof.public.sampler.runs import Runs

__all__ = ["with_its_eta"]


def with_its_eta(evidence: Evidence, job: Job, runs: Runs) -> Evidence:
    """With a note, where a table's sampler holds with such noise."""
    if evidence.verdict != "holds" or table_of(job) is None:
        return evidence
    one, near = runs.first(), max(TIGHT, LOOSE * runs.table)
    if not any(d.kind == "normal" for d in one.draws) or np.max(np.abs(errors_of(one))) > near:
        return evidence
    try:
        text = _said(job, near)
    except (CallableError, ArgumentError, ArithmeticError, LookupError):
        return evidence  # a note costs no verdict
    return replace(evidence, notes=(*evidence.notes, text)) if text else evidence


def _said(job: Job, near: float) -> str:
    table = measured(job, steps_looked_at(job))
    steps = None if table is None else steps_of(table)
    if steps is None or steps.stages != 1 or "x_next.z_2" in steps.coefficients:
        return ""
    z = steps.coefficients["x_next.z"][:, 0]
    (alpha, sigma), (signal, left) = (
        np.array([[v.alpha, v.sigma] for v in side]).T for side in (steps.before, steps.after)
    )
    due = left * np.sqrt(np.maximum(1 - (alpha * left / (signal * sigma)) ** 2, 0))
    kept = due > 0
    eta = z[kept] / due[kept]
    if len(eta) < 3 or np.ptp(eta) <= near * max(1.0, float(np.max(eta))):
        return ""
    levels = [v for v, k in zip(steps.before, kept, strict=True) if k]
    least, most = (
        f"{eta[k]:.3g} in the step from {words.at_level(levels[k])}"
        for k in (int(np.argmin(eta)), int(np.argmax(eta)))
    )
    return (
        "The noise of its steps is not η·√var, var the variance of DDPM's posterior, for one η: η"
        f" is {least}, and {most}. Any of these keeps the law of each level: where one η was meant,"
        " look at what the noise is multiplied by."
    )
