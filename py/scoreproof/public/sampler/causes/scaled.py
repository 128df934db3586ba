"""A model whose output is multiplied by a constant, in methods that use it in several steps or at
several calls, where no coefficient of one step tells it.

Conventions: clauses without a full stop; empty where there is no such mistake.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.etas import right
from scoreproof.public.sampler.causes.formulas import Formula, formulas
from scoreproof.public.sampler.causes.question import question, shape_of
from scoreproof.public.sampler.causes.readings import name
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import measured
from scoreproof.public.sampler.causes.words import constant

__all__ = ["output"]

NEAR = 1e-6


def output(job: Job, steps: Steps, q: Question, same: Sequence[Formula], eps: float, n: int) -> str:
    """The constant in front of the model's output, read off the first step, with which all steps
    are those of a formula.
    """
    back = any(np.any(v != 0) for m, v in q.measured.items() if m.startswith("x_next.o"))
    if steps.stages > 1 or not back:
        return ""
    single = [f for f in formulas(shape_of(steps), 1, False) if f.kind == job.form.prediction]
    tried: list[float] = []
    for c in _of_the_first(single, q):
        if any(abs(c - v) < NEAR for v in tried) or abs(c - 1) < NEAR:
            continue
        tried.append(c)
        table = measured(job, n, scale=1 / c)
        by_eps = measured(job, n, "eps", 1 / c)
        own = None if table is None else steps_of(table)
        other = None if by_eps is None else steps_of(by_eps)
        if own is None:
            continue
        good = right(same, question(job, own, eps, 0, other), None)
        if good:
            return (
                f"what the model returns is multiplied by {constant(c)} in every step: the steps"
                f" are those of {name(*good[0])} with it. Use it as it is"
            )
    return ""


def _of_the_first(single: Sequence[Formula], q: Question) -> Iterator[float]:
    """The factors that make the first step, which looks back at nothing, one of a formula."""
    first = np.arange(len(q.inner)) == 0
    u, w = q.outs[0]
    for f in single:
        own = q.of(f)
        if own is None or f.start:
            continue
        own = replace(own, inner=first)
        none, one = (
            replace(own, outs=((c * u, c * w),)).made(f.program, {"eta": 0.0}) for c in (0.0, 1.0)
        )
        keys = [k for k in own.measured if k in ("x_next.x", "x_next.c1")]
        change = np.array([one[k][0] - none[k][0] for k in keys])
        due = np.array([own.measured[k][0] - none[k][0] for k in keys])
        if not np.all(np.isfinite([change, due])) or not np.any(change):
            continue
        c = float(change @ due / (change @ change))
        if np.max(np.abs(due - c * change)) <= NEAR * np.max(np.abs(due)) and c != 0:
            yield c
