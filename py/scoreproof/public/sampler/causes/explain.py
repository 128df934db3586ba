"""The cause of a refuted sampler: from its forward process to its last step, the plainest first.

Conventions: a cause is claimed only if it explains the measured steps to their precision.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes import forward, last, told, words
from scoreproof.public.sampler.causes.again import Judge, with_another_model
from scoreproof.public.sampler.causes.formulas import Formula, formulas
from scoreproof.public.sampler.causes.matching import Found, Question, etas, found, halves, plain, right
from scoreproof.public.sampler.causes.parts import Part, nearest
from scoreproof.public.sampler.causes.question import question, shape_of, swaps
from scoreproof.public.sampler.causes.steps import Steps, relevelled, steps_of
from scoreproof.public.sampler.causes.tableau import Tableau, measured

__all__ = ["cause_of", "earlier", "read"]

#: of arithmetic in double precision
FINE = float(np.finfo(float).eps)
#: steps that are looked at
MOST = 60
MODELS = {
    "eps": "the noise ε",
    "x0": "the denoised x_0",
    "v": "v = α ε - σ x_0",
    "score": "the score",
    "flow": "the velocity ε - x_0",
    "velocity": "the velocity",
    "F": "EDM's raw network F",
}


def cause_of(job: Job, eps: float, judge: Judge) -> Diagnosis | None:
    """Why the chain is wrong, if it can be told; ``judge``: the check without causes."""
    wrong = forward.mistaken(job)
    if wrong:
        return _claimed("forward process", wrong)
    try:
        table = measured(job, _count(job))
    except (CallableError, ArgumentError):
        return None
    steps = None if table is None else steps_of(table)
    rest = ""
    if table is not None and steps is not None:
        by_eps, fact = earlier(job, steps), ""
        for precision in dict.fromkeys((FINE, eps)):  # of tables of single precision the second
            for name, text in read(job, table, steps, precision, by_eps):
                if text and name:
                    return _claimed(name, text)
                fact = fact or text
        if fact:
            return Diagnosis((), math.nan, None, f"{fact}.")
        part = _part(job, steps, eps, by_eps)
        if part is not None and part.exact:
            return _claimed("step", part.text)
        rest = part.text if part is not None else ""
    text = with_another_model(job, () if table is None else table.levels, judge)
    if text:
        return _claimed("model", text)
    if rest:
        return Diagnosis(
            (), math.nan, None, f"No known slip explains all steps. By their numbers {rest}."
        )
    text = "" if steps is None else last.described(steps)
    return Diagnosis((), math.nan, None, text) if text else None


def earlier(job: Job, steps: Steps) -> Steps | None:
    """The steps where ε is prescribed, if they look back."""
    if not any(np.any(v != 0) for n, v in steps.coefficients.items() if n.startswith("x_next.o")):
        return None
    table = measured(job, _count(job), by_eps=True)
    return None if table is None else steps_of(table)


def _part(job: Job, steps: Steps, eps: float, by_eps: Steps | None) -> Part | None:
    i, _ = _coordinate(steps)
    q = question(job, steps, eps, i, by_eps)
    discrete = job.kind == "scheduler" or job.form.grid.whole
    every = _ordered(job, formulas(shape_of(steps), steps.stages, discrete), q)
    same = [f for f in every if f.kind == job.form.prediction]
    return nearest(same, q, _eta(job)) if len(q.outs) == steps.stages else None


def _eta(job: Job) -> float | None:
    given = job.form.options.get("eta")
    return float(given) if isinstance(given, int | float) else None


def _count(job: Job) -> int:
    n = int(job.steps)
    if job.kind != "scheduler":
        return n
    return n if n <= MOST else next((k for k in (50, 40, 60, 25) if n % k == 0), 50)


def _claimed(name: str, text: str) -> Diagnosis:
    return Diagnosis((name,), 0.0, None, f"The cause: {text.rstrip('.')}.")


def read(
    job: Job, table: Tableau, steps: Steps, eps: float, by_eps: Steps | None = None
) -> Iterator[tuple[str, str]]:
    """What may be wrong, in order."""
    i, uneven = _coordinate(steps)
    q = question(job, steps, eps, i, by_eps)
    if len(q.outs) != steps.stages:
        return
    yield "noise", _stale(table, steps)
    times = _times(job, steps)
    mistold = told.mistold(steps, times)
    shape = shape_of(steps)
    stages, discrete = steps.stages, job.kind == "scheduler" or job.form.grid.whole
    every = _ordered(job, formulas(shape, stages, discrete), q)
    same = [f for f in every if f.kind == job.form.prediction]
    given = _eta(job)
    good = right(same, q, given)
    if not good:
        yield "time", _churned(job, steps, q, every)
        yield "order", _reversed(job, steps, eps, i, same, given)
        early = replace(q, inner=q.inner & (np.arange(steps.count) < steps.count - 1))
        if np.sum(early.inner) >= 2 and (known := right(same, early, given)):
            yield "last step", last.mistaken(job, steps, q, known, table)
    added = _added(steps, i, good)
    if good and added:
        yield "offset", f"the steps are those of {_name(*good[0])}, but {added}"
    if good:
        exact = [g for g in good if g[0].exact]
        if steps.short:
            end = steps.after[-1]
            yield (
                "last steps",
                f"the loop stops {steps.short} step{'s'[: steps.short > 1]} before the end of its"
                f" times: x is returned as it is at {words.place(end)}, with the noise of that level",
            )
        if steps.stages > 1:
            mistold = told.mistold(steps, times, _seconds(steps, q, good))
        if mistold and not any(g[0].name == "EDM" for g in good):
            yield "time", f"{mistold}. The steps themselves are those of {_name(*good[0])}"
        if job.exact and not exact:
            yield "variance", _inexact(good[0][0])
        yield "last step", last.mistaken(job, steps, q, good, table)
        yield "right", ""
        return
    other = right([f for f in every if f.kind != job.form.prediction], q, given)
    if other:
        f, eta = other[0]
        yield (
            "model type",
            f"the model's output is {MODELS[job.form.prediction]}, but the steps take it for"
            f" {MODELS[f.kind]}: with such a model they are those of {_name(f, eta)}. Convert it"
            f" first, or pass prediction={f.kind!r} if that is what the model returns",
        )
    answers = found(same, q, given, swaps(job, steps))
    if answers:
        yield "step", _said(answers, steps, q, uneven) + (f". Besides, {added}" if added else "")
    yield "step", _both(job, steps, q, same, given)
    yield "", mistold and f"no known slip explains all steps, but {mistold}"


def _added(steps: Steps, i: int, good: Sequence[tuple[Formula, float | None]]) -> str:
    """A constant that each step adds: data or outputs in other units."""
    offset, x_0 = steps.offset[:, i], steps.coefficients["x_next.c1"][:, i]
    unit = np.array([max(v.sigma, 1e-3) for v in steps.after])
    if not np.max(np.abs(np.nan_to_num(offset)) / unit) > 1e-6:
        return ""
    k = int(np.argmax(np.abs(np.nan_to_num(offset)) / unit))
    with np.errstate(all="ignore"):
        shift = (offset / x_0)[np.abs(x_0) > 1e-9]
    text = f"a constant is added to x ({offset[k]:.4g} in the step from {words.place(steps.before[k])})"
    if shift.size > 2 and np.ptp(shift) <= 1e-6 * abs(shift[0]):
        text += (
            f", as if {words.constant(float(shift[0]))} were added to the predicted x_0 in every step:"
            " are data and outputs mapped to another range, 2·x - 1 or (x + 1)/2, in one place only?"
        )
    return text


def _reversed(
    job: Job, steps: Steps, eps: float, i: int, same: Sequence[Formula], given: float | None
) -> str:
    """Steps that run through the grid from its other end."""
    turned = relevelled(steps, steps.after[::-1], steps.before[::-1])
    told_so = all(
        abs(c[0].sigma * v.alpha - v.sigma * c[0].alpha) <= 1e-6 * v.sigma * c[0].alpha
        for c, v in zip(steps.told, turned.before, strict=True)
        if c and v.sigma > 0
    )
    if job.kind != "sample" or not told_so or not right(same, question(job, turned, eps, i), given):
        return ""
    one, two = steps.before[0], steps.after[-1]
    return (
        f"it runs through its times in reversed order, from {two.when:.4g} to {one.when:.4g}, while"
        f" it is handed them from {one.when:.4g} to {two.when:.4g}: take them as they come"
    )


def _seconds(
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


def _churned(job: Job, steps: Steps, q: Question, every: list[Formula]) -> str:
    """EDM's steps whose model is told the level before the churn."""
    x = q.measured["x_next.x"]
    with np.errstate(all="ignore"):
        hat = q.names["sigma_next"] / x
    if not np.any(q.measured["x_next.z"] > 0) or np.allclose(hat, q.names["sigma_t"], rtol=1e-6):
        return ""
    hat[-1] = q.names["sigma_t"][-1] * hat[-2] / q.names["sigma_t"][-2]
    after = np.append(hat[1:], q.names["sigma_next"][-1])
    own = replace(q, names={**q.names, "sigma_hat": hat, "sigma_hat_next": after})
    edm = [f for f in every if f.name == "EDM" and f.kind == "x0"]
    if job.form.prediction != "x0" or not right(edm, own, None):
        return ""
    k = int(np.argmax(hat / q.names["sigma_t"]))
    return (
        "the model is told σ, while the churn has taken x to σ̂: the steps are EDM's with"
        f" σ̂ = {hat[k] / q.names['sigma_t'][k]:.4g} σ, but at step {k} the model is told"
        f" {steps.told[k][0].sigma:.4g} where x is at σ̂ = {hat[k]:.4g}: tell it σ̂"
    )


def _both(job: Job, steps: Steps, q: Question, same: list[Formula], given: float | None) -> str:
    """Two mistakes, one in the mean and one in the noise."""
    mean, noise = halves(q)
    for f in same:
        parts = []
        for eta in etas(f, q, given):
            for half in (mean, noise):
                if right([f], half, eta):
                    parts.append("")
                    continue
                told = found([f], half, eta, swaps(job, steps))
                if told and told[0].rank < 4 and plain(told[0], [f])[0] == 0:
                    parts.append(words.mistaken(told[0])[0])
            if len(parts) == 2 and all(parts):
                return f"the steps are those of {_name(f, eta)}, except that {parts[0]}, and {parts[1]}"
            parts = []
    return ""


def _coordinate(steps: Steps) -> tuple[int, str]:
    """The coordinate that is looked at, and in words if only some are wrong."""
    apart = [np.abs(v - np.median(v, axis=1, keepdims=True)) for v in steps.coefficients.values()]
    size = max(float(np.max(a)) for a in apart)
    if size < 1e-9 or apart[0].shape[1] < 3:
        return 0, ""
    whole = np.max([a.max(axis=0) for a in apart], axis=0)
    odd = np.flatnonzero(whole > 1e-3 * size)
    if len(odd) > len(whole) / 2:
        return int(odd[0]), ""
    listed = ", ".join(map(str, odd[:4]))
    return int(odd[0]), f" in coordinate {listed} only; the others are right"


def _times(job: Job, steps: Steps) -> tuple[float, ...]:
    return (*(v.when for v in steps.before), steps.after[-1].when)


def _name(f: Formula, eta: float | None) -> str:
    return f.name + ("" if eta is None else f" (η = {eta:g})")


def _ordered(job: Job, every: Sequence[Formula], q: Question) -> list[Formula]:
    """What the sampler is called by goes first, then what draws noise if it does."""
    kinds = type(getattr(job.form, "scheduler", None)).__mro__
    called = " ".join([job.name, *(k.__name__ for k in kinds)]).lower()
    noisy = bool(np.any(q.measured["x_next.z"][q.inner] > 0)) if "x_next.z" in q.measured else False

    def rank(f: Formula) -> tuple[bool, bool, bool, bool]:
        named = f.name.lower().split()[0].removesuffix("'s") in called
        ddpm = f.name.startswith("DDPM") and noisy and "eta" not in job.form.options
        # a loop is written as in Ho et al., a library forms x_0 first
        posterior = any(target == "mean" for target, _ in f.program)
        return (
            0 if named else 1,
            0 if ddpm else 1,
            f.free != noisy,
            posterior == (job.kind == "sample"),
        )

    return sorted(every, key=rank)


def _stale(table: Tableau, steps: Steps) -> str:
    if not steps.stale:
        return ""
    j = steps.stale[0]
    draw = table.draws[j]
    often = steps.stale.count(j) + 1
    text = f"the noise of draw {j} ({draw.where}) is used in {often} steps again and again"
    if often == 2:
        text = f"the noise of draw {j} ({draw.where}) is used again in a later step"
    return f"{text}, while each step needs noise of its own: draw z inside the loop"


def _inexact(f: Formula) -> str:
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


def _said(answers: list[Found], steps: Steps, q: Question, uneven: str) -> str:
    best = answers[0]
    what, due = words.mistaken(best)
    place = words.where(steps, best.wrong, best.formula.start) + uneven
    text = (
        f"the steps are those of {_name(best.formula, best.eta)}, except that {what}{place}; {due}"
    )
    if np.any(best.partly):
        odd = np.flatnonzero(best.partly)
        text += (
            f"; the step from {words.place(steps.before[odd[0]])} is wrong otherwise as well (is it"
            " treated apart?)"
        )
    text += words.reading(best)
    others = [
        a
        for a in answers[1:]
        if (a.rank < 5 or a.factor == best.factor) and words.mistaken(a)[0] != what
    ]
    others.sort(key=lambda a: a.mistake is None or a.mistake.was != ("name", "out"))
    if others:
        text += f" (the same numbers, read otherwise: {words.mistaken(others[0])[0]})"
    if re.search(r"\bout\b", text):
        text += "; out is what the model returns"
    if "x_next.z_2" in steps.coefficients and "z_2" not in text:
        text += ". (Two draws of noise enter each step; here they are taken together)"
    left = f"{best.misfit:.0e}" if best.misfit > 1e-15 else "rounding"
    return (
        f"{text}. With that mended all steps agree with the formula, to {left} of what is wrong now"
    )
