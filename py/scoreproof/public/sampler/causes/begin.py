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
from scoreproof.public.sampler.data import Level

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
    scaled = _of_the_input(job, table, eps)
    if scaled:
        return scaled
    steps = steps_of(table)
    if steps is None or not _right(job, steps, eps, np.ones(len(table.told))):
        return ""  # it is not all that is wrong, or nothing is
    form = next((f" = {n}" for n, v in known.items() if abs(factor / v - 1) < 1e-6), "")
    return (
        f"x is multiplied by {words.constant(factor)}{form} before the first step: what is handed"
        f" in has the noise of {words.place(first)} already"
    )


def _of_the_input(job: Job, table: Tableau, eps: float) -> str:
    """A model that is asked at x times some factor, which is taken back in what comes of it."""
    alpha, sigma = (np.array([getattr(v, n) for v in table.told]) for n in ("alpha", "sigma"))
    first = table.asked[0][0][0]
    unit = np.hypot(alpha, sigma)
    whole = alpha == 1
    for due, over, said in (
        (
            unit,
            False,
            "x/√(1 + σ²), not at x: that scaling belongs to a network's input (scale_model_input,"
            " c_in), the model that is handed in takes x itself",
        ),
        (
            np.where(whole, unit, alpha),
            True,
            f"x/α, not at x (x/α is {first:.4g} x at the first time): the steps are made in the"
            " coordinates x/α, whose noise is σ/α. Take x back to them for the model, as"
            " scale_model_input does: x/α divided by √(1 + (σ/α)²) is x",
        ),
        (
            np.full(len(unit), 1 / first),
            False,
            f"{words.constant(float(first))}·x, not at x, in every step",
        ),
    ):
        if abs(first * due[0] - 1) > 1e-6 or not np.all(due > 0):
            continue
        steps = steps_of(replace(table, asked=table.asked * due[:, None, None]))
        if steps is not None and (
            _right(job, steps, eps, due) or (over and _over_alpha(job, table, eps))
        ):
            return f"the model is asked at {said}"
    return ""


def _over_alpha(job: Job, table: Tableau, eps: float) -> bool:
    """Whether these are steps of a formula for α = 1 in x/α, of a model that is asked there."""
    own = steps_of(table)
    ve = replace(table, told=_divided(table.told), levels=_divided(table.levels))
    steps = steps_of(ve)
    if own is None or steps is None:
        return False
    outs = question(job, own, eps).outs
    same = [f for f in formulas("VE", steps.stages, False) if f.kind == job.form.prediction]
    return bool(right(same, replace(question(job, steps, eps), outs=outs), None))


def _divided(levels: tuple[Level, ...]) -> tuple[Level, ...]:
    return tuple(Level(v.when, 1.0, v.sigma / v.alpha) for v in levels)


def _right(job: Job, steps: Steps, eps: float, due: np.ndarray) -> bool:
    """Whether these are steps of a known formula, of a model that is asked at x over ``due``."""
    every = formulas(shape_of(steps), steps.stages, job.form.grid.whole)
    same = [f for f in every if f.kind == job.form.prediction]
    at = question(job, steps, eps)
    if len(at.outs) != 1:
        return bool(right(same, at, None))
    outs = tuple((u / due[: len(u)], w) for u, w in at.outs)
    return bool(right(same, replace(at, outs=outs), None) or right(same, at, None))


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
