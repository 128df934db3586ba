"""Mistakes of whole steps in words: of their times, their noise, their order, their data.

Conventions: clauses without a full stop; empty where there is no such mistake.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes import words
from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.etas import etas, halves
from scoreproof.public.sampler.causes.etas import right as right_ones
from scoreproof.public.sampler.causes.formulas import RENOISED, Formula
from scoreproof.public.sampler.causes.matching import Found, found, plain
from scoreproof.public.sampler.causes.question import question
from scoreproof.public.sampler.causes.steps import Steps, relevelled
from scoreproof.public.sampler.causes.swaps import swaps
from scoreproof.public.sampler.causes.tableau import Tableau

__all__ = [
    "asked_elsewhere",
    "both",
    "inexact",
    "lasting",
    "name",
    "renoised",
    "reversed",
    "said",
    "seconds",
    "stale",
]


def name(f: Formula, eta: float | None) -> str:
    return f.name + ("" if eta is None else f" (η = {eta:g})")


#: methods of another order than 1, as their names begin
ORDERS = {"RK4": 4, "PLMS": 4, "Heun": 2, "EDM's": 2, "DPM2": 2, "the midpoint": 2}


def right(f: Formula, eta: float | None, asked: float | None = None) -> str:
    """Steps without a mistake; ``asked``: the order that was asked for."""
    order = next((n for start, n in ORDERS.items() if f.name.startswith(start)), 1)
    order = 2 if "(2" in f.name else int(f.name[-1]) if f.name.startswith("LMS") else order
    if asked is None or asked <= order:
        return (
            f"Its steps, read off one by one at the times that it is given, are those of"
            f" {name(f, eta)}: why the laws are off all the same was not found. Do the steps depend"
            " on how many there are, or on x?"
        )
    return (
        f"Its steps, read off one by one, are those of {name(f, eta)}, a method of order {order},"
        " without a mistake"
    )


def renoised(good: Sequence[tuple[Formula, float | None]]) -> str:
    """Steps of consistency models, whose model returns a mean."""
    if not good or good[0][0].name != RENOISED:
        return ""
    return (
        "every step draws x anew from the predicted x_0, x_next = α_next·x_0 + σ_next·z, as"
        " consistency models are sampled: that is right for a model that returns a sample of the"
        " data, but this one returns their mean, E[x_0 | x], so that the spread of the data is"
        " lost. Where a step of DDIM was meant, fresh noise z stands where the predicted ε is due"
    )


def stale(table: Tableau, steps: Steps) -> str:
    if not steps.stale:
        return ""
    j = steps.stale[0]
    draw = table.draws[j]
    often = steps.stale.count(j) + 1
    text = f"the noise of draw {j} ({draw.where}) is used in {often} steps again and again"
    if often == 2:
        text = f"the noise of draw {j} ({draw.where}) is used again in a later step"
    return f"{text}, while each step needs noise of its own: draw z inside the loop"


def lasting(steps: Steps) -> str:
    """A prediction that later steps never replace."""
    if steps.lasting is None:
        return ""
    k = steps.lasting // steps.stages
    return (
        f"what the model predicted in step {k}, at {words.place(steps.before[k])}, enters every"
        " later step directly, in the place of the prediction of the step before: it is stored once"
        " and never replaced. Store the new one at the end of every step (d_old = d)"
    )


def inexact(f: Formula) -> str:
    if "with β" in f.name:
        return (
            "the noise of each step has the variance β_t where DDPM's posterior has"
            " β̃_t = (1 - ᾱ_prev)/(1 - ᾱ_t)·β_t: β for β̃. Both are right for ever more steps, with"
            " β̃ data at one point keep their law at any number"
        )
    return (
        f"the steps are those of {f.name} without a mistake, which keeps the laws only in the limit"
        " of many steps: leave exact=True away, or take a step of DDIM or DDPM"
    )


def said(answers: list[Found], steps: Steps, q: Question, uneven: str) -> str:
    best = answers[0]
    what, due = words.mistaken(best)
    wrong = best.wrong
    if words.of_the_churn(best):  # its noise stands behind the step before it
        wrong = np.append(False, wrong[:-1])
    place = words.where(steps, wrong, best.formula.start) + uneven
    text = (
        f"the steps are those of {name(best.formula, best.eta)}, except that {what}{place}; {due}"
    )
    if np.any(best.partly):
        odd = np.flatnonzero(best.partly)
        text += (
            f"; the step from {words.place(steps.before[odd[0]])} is wrong otherwise as well (is it"
            " treated apart?)"
        )
    others = [
        a
        for a in answers[1:]
        if (a.rank < 5 or a.factor == best.factor)
        and words.mistaken(a)[0] != what
        and plain(a, [a.formula])[0] < 3
    ]
    others.sort(key=lambda a: a.mistake is None or a.mistake.was != ("name", "out"))
    ordinary = best.rank < 3 or best.factor in (-1, 0)
    if others and not ordinary:
        text += f" (the same numbers, read otherwise: {words.mistaken(others[0])[0]})"
    text += words.reading(best)
    if re.search(r"\bout\b", text):
        text += "; out is what the model returns"
    if "x_next.z_2" in steps.coefficients and "z_2" not in text:
        text += ". (Two draws of noise enter each step; here they are taken together)"
    most = ", but for that one," if np.any(best.partly) else ""
    return f"{text}. With that mended all steps{most} agree with the formula, to rounding"


def asked_elsewhere(steps: Steps, q: Question, same: Sequence[Formula], given: float | None) -> str:
    """Right steps whose second call is made at another x than the one that is due."""
    if steps.stages != 2 or "mid.c1" not in q.measured:
        return ""
    ends = {n: v for n, v in q.measured.items() if n.startswith("x_next.")}
    made = {n: v for n, v in q.measured.items() if n.startswith("mid.")}
    good = right_ones(same, replace(q, measured=ends), given)
    if not good:
        return ""
    f, eta = good[0]
    due = replace(q, measured=made).made(f.program, {"eta": eta})
    k = int(np.argmax(q.inner))
    is_x = all(np.allclose(v[q.inner], float(n == "mid.x"), atol=1e-6) for n, v in made.items())
    size = words.summed((made[n][k], s) for n, s in (("mid.x", "x"), ("mid.c1", "x_0")))
    need = words.summed((due[n][k], s) for n, s in (("mid.x", "x"), ("mid.c1", "x_0")))
    what = "x itself, as the first call is" if is_x else f"{size} at step {k}"
    formula = next((words.shown(t) for n, t in f.program if n == "mid"), "")
    return (
        f"the second call of the model is made at {what}, where the predicted x is due, mid ="
        f" {formula} ({need} at step {k}): hand it mid. What is made of both calls is as in"
        f" {name(f, eta)}"
    )


def both(job: Job, steps: Steps, q: Question, same: list[Formula], given: float | None) -> str:
    """Two mistakes, one in the mean and one in the noise."""
    mean, noise = halves(q)
    others = swaps(job, steps)
    back = any(np.any(v != 0) for n, v in q.measured.items() if n.startswith("x_next.o"))
    for f in same:
        if f.start and not back:  # what looks back would have to forget it as well
            continue
        parts = []
        for eta in etas(f, q, given):
            for half in (mean, noise):
                if right_ones([f], half, eta):
                    parts.append("")
                    continue
                told = found([f], half, eta, others)
                if told and told[0].rank < 4 and plain(told[0], [f])[0] == 0:
                    parts.append(words.mistaken(told[0])[0])
            if len(parts) == 2 and all(parts):
                return (
                    f"the steps are those of {name(f, eta)}, except that {parts[0]}, and {parts[1]}"
                )
            parts = []
    return ""


def reversed(
    job: Job, steps: Steps, eps: float, i: int, same: Sequence[Formula], given: float | None
) -> str:
    """Steps that run through the grid from its other end."""
    turned = relevelled(steps, steps.after[::-1], steps.before[::-1])
    told_so = all(
        abs(c[0].sigma * v.alpha - v.sigma * c[0].alpha) <= 1e-6 * v.sigma * c[0].alpha
        for c, v in zip(steps.told, turned.before, strict=True)
        if c and v.sigma > 0
    )
    if (
        job.kind != "sample"
        or not told_so
        or not right_ones(same, question(job, turned, eps, i), given)
    ):
        return ""
    one, two = steps.before[0], steps.after[-1]
    return (
        f"it runs through its times in reversed order, from {two.when:.4g} to {one.when:.4g}, while"
        f" it is handed them from {one.when:.4g} to {two.when:.4g}: take them as they come"
    )


def seconds(
    steps: Steps, q: Question, good: Sequence[tuple[Formula, float | None]]
) -> list[np.ndarray]:
    """The times that the later calls of a step are due at."""
    now, after = (np.array([v.when for v in side]) for side in (steps.before, steps.after))
    middle = (now + after) / 2
    if steps.stages == 4:
        return [middle, middle, after]
    f, eta = good[0]
    if f.second in ("end", "sigma_next"):
        return [after]
    if f.second == "middle":
        return [middle]
    sigma = q.names["sigma_next"]
    if f.free and eta:  # √(σ σ_down)
        s = q.names["sigma_t"]
        with np.errstate(all="ignore"):
            up = eta * sigma * np.sqrt(s**2 - sigma**2) / s
            sigma = np.sqrt(sigma**2 - up**2)
    return [np.sqrt(q.names["sigma_t"] * sigma)]
