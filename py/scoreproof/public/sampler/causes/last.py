"""The last step, which leads to the data; and steps that no formula is known of, by their numbers.

Conventions: as in `steps`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.numbers import table_of
from scoreproof.public.sampler.causes.readings import name
from scoreproof.public.sampler.causes.steps import Steps
from scoreproof.public.sampler.causes.tableau import Tableau
from scoreproof.public.sampler.causes.words import place, summed
from scoreproof.public.sampler.data import Level

__all__ = ["described", "mistaken"]

SMALL = 1e-6


def mistaken(
    job: Job,
    steps: Steps,
    q: Question,
    good: Sequence[tuple[Formula, float | None]],
    table: Tableau,
) -> str:
    """What the last step does wrongly, where all before it are right."""
    k = steps.count - 1
    if q.inner[k]:  # compared, as the others
        return ""
    before, after = steps.before[k], steps.after[k]
    a, b, z = (_of(q.measured, n, k) for n in ("x_next.x", "x_next.c1", "x_next.z"))
    unit = max(before.sigma, 1e-12)
    if not np.all(np.isfinite([a, b, z])):
        return _lost(steps, table)
    head = f"all steps but the last are right; the last, from {place(before)},"
    off = max(abs(a * before.alpha + b - after.alpha), abs(abs(a) * before.sigma - after.sigma), z)
    if off <= SMALL * unit:
        return ""
    entry = _entry(job, abs(a) * before.sigma, a * before.alpha + b)
    if entry and z <= SMALL * unit:
        return f"{head} leads to {entry}"
    if table.calls < steps.count * steps.stages - (steps.stages - 1) or _kept(a, b, z):
        return (
            f"{head} is not taken: x is returned as it is there, with the noise of that level. Let"
            " the loop make the step to the data as well"
        )
    if z > SMALL * unit:
        noise = f"{head} adds noise of standard deviation {z:.4g}: add none in the last step"
        if abs(a * before.sigma) <= SMALL * unit:
            return noise
        return f"{noise}, and let it lead to the data, to x_0 itself"
    for f, eta in good:
        made = {n: v[k] for n, v in q.made(f.program, {"eta": eta}).items()}
        if all(abs(q.measured[n][k] - v) <= SMALL * (1 + abs(v)) for n, v in _end(made)):
            return _asked_at_the_data(job, steps, name(f, eta))
    signal, left = a * before.alpha + b, abs(a) * before.sigma
    for f, eta in good:
        scaled = _scaled(q, k, q.made(f.program, {"eta": eta}), after)
        if scaled:
            return f"{head} is right as well, but {scaled}"
    return (
        f"{head} leads to {summed([(signal, 'x_0'), (left, 'ε')])}, where {after.alpha:.4g} x_0 +"
        f" {after.sigma:.4g} ε is due"
    )


def _asked_at_the_data(job: Job, steps: Steps, of: str) -> str:
    """A last step that is the method's, with a call where there is no noise to be predicted."""
    first, *others = steps.told[-1]
    if job.form.prediction == "x0" or not first.sigma > 0 or not any(t.sigma == 0 for t in others):
        return ""
    return (
        f"the steps are those of {of}, and the last of them asks the model at σ = 0 as well, where"
        " x is the data and tells nothing of the ε that it came from: the mean of ε there is 0, and"
        " a part of the last noise stays in x. Take the last step with the call at its start only"
        " (a step of Euler's method), or let the times end at a small σ > 0"
    )


def _lost(steps: Steps, table: Tableau) -> str:
    """A last step that is no number."""
    before, after = steps.before[-1], steps.after[-1]
    text = f"all steps but the last are right; in the last, from {place(before)}, x becomes nan or"
    if after.sigma > 0:
        return f"{text} inf"
    if steps.stages > 1 and table.calls == steps.stages * steps.count:
        return (
            f"{text} inf: the second call is made there as well, at σ = 0, and its correction is"
            " divided by σ_next = 0. Take the last step without it (if i < n - 1)"
        )
    return (
        f"{text} inf: something is divided by σ_next = 0, or its logarithm is taken. Treat the step"
        " to the data apart: return the predicted x_0"
    )


def _scaled(q: Question, k: int, made: dict[str, np.ndarray], after: Level) -> str:
    """A factor in front of what is returned."""
    parts = [
        (float(q.measured[n][k]), float(v)) for n, v in _end({n: v[k] for n, v in made.items()})
    ]
    parts = [p for p in parts if abs(p[1]) > SMALL]
    if not parts or not np.all(np.isfinite(parts)):
        return ""
    c = parts[0][0] / parts[0][1]
    if any(abs(a - c * b) > SMALL * abs(c * b) for a, b in parts):
        return ""
    unit = np.hypot(1, after.sigma)
    known = f" = 1/√(1 + σ²), the scaling to unit length at σ = {after.sigma:.4g}"
    known = known if abs(c * unit - 1) < SMALL and after.sigma > 0 else ""
    return f"what is returned is {c:.6g}{known} times the x that is due: return x as it is"


def _of(values: Mapping[str, np.ndarray], key: str, k: int) -> float:
    return float(values[key][k]) if key in values else 0.0


def _end(made: Mapping[str, Any]) -> list[tuple[str, Any]]:
    """What x after the step is made of."""
    return [(n, v) for n, v in made.items() if n.startswith("x_next.")]


def _kept(a: float, b: float, z: float) -> bool:
    return abs(a - 1) < SMALL and abs(b) < SMALL and z < SMALL


def _entry(job: Job, left: float, signal: float) -> str:
    """The entry of the table that the last step leads to."""
    bar = table_of(job)
    if bar is None or signal <= 0:
        return ""
    snr = (left / signal) ** 2
    at = np.flatnonzero(np.abs((1 - bar) / bar - snr) <= 1e-6 * snr)
    if len(at) == 0:
        return ""
    return (
        f"the level of ᾱ_{at[0]} = {bar[at[0]]:.6g}, not to the data, where ᾱ = 1: the ᾱ before the"
        f" first (alphas_cumprod_prev[0], final_alpha_cumprod) is ᾱ_{at[0]} where 1 is due"
    )


def described(steps: Steps) -> str:
    """The first step that does not keep the law, in numbers."""
    signal = _signal(steps)
    due = np.array([[v.alpha] for v in steps.after])
    noise = _noise(steps)
    need = np.array([[v.sigma] for v in steps.after])
    unit = np.array(
        [[max(v.sigma, 1e-3 * u.sigma)] for u, v in zip(steps.before, steps.after, strict=True)]
    )
    off = [np.abs(signal - due) / unit, np.abs(noise - need) / unit]
    worst = int(np.argmax(np.maximum(*(np.nan_to_num(o[:-1], nan=0.0).max(axis=1) for o in off))))
    i = int(np.argmax(np.maximum(off[0][worst], off[1][worst])))
    before, after = steps.before[worst], steps.after[worst]
    said = {"x": "x", "c1": "x_0", "c2": "x_0 of the second call", "o1": "the x_0 before", "z": "z"}
    parts = summed(
        (float(v[worst, i]), said[n.split(".")[1]])
        for n, v in steps.coefficients.items()
        if n.startswith("x_next.") and n.split(".")[1] in said and v[worst, i] != 0
    )
    which = "signal" if off[0][worst, i] > off[1][worst, i] else "noise"
    size = float(max(o[worst, i] for o in off))
    said_of = (
        "; that is right for data at one point, as all steps before the last are: look at the last"
        f" step, from {place(steps.before[-1])}, and at what the model is asked and told"
        if size <= 1e-4
        else f"; mainly its {which} is wrong"
    )
    made = f"the signal {signal[worst, i]:.4g} x_0 (due {after.alpha:.4g})"
    left = f"the noise {noise[worst, i]:.4g} (due {after.sigma:.4g})"
    return (
        "No known slip explains all steps. Read off with the exact model, the step that is"
        f" farthest off leads from {place(before)} to {place(after)} by x_next = {parts}: of"
        f" x = α x_0 + σ ε it makes {made} and {left}{said_of}."
    )


def _signal(steps: Steps) -> np.ndarray:
    alpha, c = np.array([[v.alpha] for v in steps.before]), steps.coefficients
    predicted = [v for n, v in c.items() if n[:8] in ("x_next.c", "x_next.o")]
    return np.asarray(sum(predicted, c["x_next.x"] * alpha))


def _noise(steps: Steps) -> np.ndarray:
    sigma, c = np.array([[v.sigma] for v in steps.before]), steps.coefficients
    squares = [v**2 for n, v in c.items() if n in ("x_next.z", "x_next.z_2")]
    return np.asarray(np.sqrt(sum(squares, (c["x_next.x"] * sigma) ** 2)))
