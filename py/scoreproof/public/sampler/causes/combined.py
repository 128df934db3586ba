"""Methods that look back and put together what the model returned at several times, where its
answers of different times are of different kinds: v, the score and F are not one quantity along a
step, ε and x_0 are.

Conventions: clauses without a full stop; empty where there is no such mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.etas import right
from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.question import question
from scoreproof.public.sampler.causes.readings import name
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import measured

__all__ = ["raw"]

KINDS = {"v": "v", "score": "scores", "F": "outputs F"}


def raw(job: Job, steps: Steps, eps: float, same: Sequence[Formula], n: int) -> str:
    """Whether the steps are those of a formula with a mean of several outputs for the output."""
    kind = job.form.prediction
    if kind not in KINDS or steps.stages > 1:
        return ""
    table = measured(job, n, "out")
    own = None if table is None else steps_of(table)
    if own is None or own.stages != 1:
        return ""
    q = question(job, own, eps)
    past = [v for m, v in q.measured.items() if m.startswith("x_next.o")]
    if not any(np.any(np.abs(v[q.inner]) > 1e-6) for v in past):
        return ""
    whole = {m: v for m, v in q.measured.items() if not m.startswith("x_next.o")}
    whole["x_next.c1"] = whole["x_next.c1"] + sum(past)
    one = np.ones(own.count)
    late = q.inner & (np.arange(own.count) > 0)
    plain = [f for f in same if not f.start]
    good = right(plain, replace(q, measured=whole, outs=((0 * one, one),), inner=late), None)
    if not good:
        return ""
    return (
        f"the {KINDS[kind]} of several steps are put together, and the sum is taken for the output"
        f" of this step (the steps are those of {name(*good[0])} with it): outputs of different"
        " times have different α and σ in them. Convert each of them to ε or x_0 at its own time,"
        " and put these together"
    )
