"""What a sampler does with x before its steps, with its model's input, and what it adds to x.

Conventions: clauses without a full stop; empty where there is no such mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes import words
from scoreproof.public.sampler.causes.etas import right
from scoreproof.public.sampler.causes.formulas import Formula, formulas
from scoreproof.public.sampler.causes.question import question, shape_of
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import Tableau

__all__ = ["added", "started"]


def started(job: Job, table: Tableau, eps: float) -> str:
    """An x that is scaled before the first step."""
    if job.kind != "sample":
        return ""
    factor = float(table.asked[0][0][0])
    if not abs(factor - 1) > 1e-6:
        return ""
    if factor == 0:
        return "x at the first call of the model has nothing to do with the x that is handed in"
    first = table.levels[0]
    known = {
        "σ of the first time": first.sigma,
        "1/σ of the first time": 1 / first.sigma,
        "1/√(1 + σ²)": 1 / np.hypot(1, first.sigma),
        "√(1 + σ²)": np.hypot(1, first.sigma),
    }
    scaled = (
        _of_the_input(job, table, eps) if abs(factor * np.hypot(1, first.sigma) - 1) < 1e-6 else ""
    )
    if scaled:
        return scaled
    form = next((f" = {n}" for n, v in known.items() if abs(factor / v - 1) < 1e-6), "")
    return (
        f"x is multiplied by {words.constant(factor)}{form} before the first step: what is handed"
        f" in has the noise of {words.place(first)} already"
    )


def _of_the_input(job: Job, table: Tableau, eps: float) -> str:
    """A model that is asked at x scaled as a network's input."""
    unit = np.array([np.hypot(v.alpha, v.sigma) for v in table.told])
    asked = table.asked * unit[:, None, None]
    steps = steps_of(replace(table, asked=asked))
    if steps is None:
        return ""
    every = formulas(shape_of(steps), steps.stages, False)
    same = [f for f in every if f.kind == job.form.prediction]
    at = question(job, steps, eps)
    outs = tuple((u / unit[: len(u)], w) for u, w in at.outs)
    if not right(same, replace(at, outs=outs), None) and not right(same, at, None):
        return ""
    return (
        "the model is asked at x/√(1 + σ²), not at x: that scaling belongs to a network's input"
        " (scale_model_input, c_in), the model that is handed in takes x itself"
    )


def added(steps: Steps, i: int, good: Sequence[tuple[Formula, float | None]]) -> str:
    """A constant that each step adds: data or outputs in other units."""
    offset, x_0 = steps.offset[:, i], steps.coefficients["x_next.c1"][:, i]
    unit = np.array([max(v.sigma, 1e-3) for v in steps.after])
    if not np.max(np.abs(np.nan_to_num(offset)) / unit) > 1e-6:
        return ""
    k = int(np.argmax(np.abs(np.nan_to_num(offset)) / unit))
    with np.errstate(all="ignore"):
        shift = (offset / x_0)[np.abs(x_0) > 1e-9]
        mean = offset[:-1] / steps.coefficients["x_next.z"][:-1, i]
    step = f"in the step from {words.place(steps.before[k])}"
    text = f"a constant is added to x ({offset[k]:.4g} {step})"
    if shift.size > 2 and np.ptp(shift) <= 1e-6 * abs(shift[0]):
        text += (
            f", as if {words.constant(float(shift[0]))} were added to the predicted x_0 in every"
            " step: are data and outputs mapped to another range, 2·x - 1 or (x + 1)/2, in one"
            " place only?"
        )
    elif np.all(np.isfinite(mean)) and len(mean) > 2 and np.ptp(mean) <= 1e-6 * abs(mean[0]):
        text += f", as if the noise z had the mean {words.constant(float(mean[0]))} in every step"
    return text
