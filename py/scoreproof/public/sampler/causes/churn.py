"""The noise that EDM's samplers put in before a step, from σ to σ̂ = (1 + γ) σ: whether the model is
told σ̂, and whether γ falls as the steps become more.

Conventions: clauses without a full stop; empty where there is no such mistake.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.etas import right
from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import measured

__all__ = ["stays", "untold"]

NEAR = 1e-6
#: an amount of noise that falls by less than this does not fall
FALLS = 0.9
#: at most so many steps are taken to see whether it falls at last
FAR = 1200


def untold(job: Job, steps: Steps, q: Question, every: Sequence[Formula]) -> str:
    """EDM's steps whose model is told the level before the churn."""
    z, now, after = q.measured["x_next.z"], q.names["sigma_t"], q.names["sigma_next"]
    first = q.measured["mid.x" if steps.stages > 1 else "x_next.x"][0]
    if job.form.prediction != "x0" or not np.any(z > 0) or not first > 0:
        return ""
    hat = np.hypot(now, np.append(0.0, z[:-1]))
    hat[0] = after[0] / first
    if np.allclose(hat, q.names.get("sigma_hat", now), rtol=NEAR):
        return ""
    names = {**q.names, "sigma_hat": hat, "sigma_hat_next": np.append(hat[1:], after[-1])}
    edm = [f for f in every if f.name.startswith("EDM") and f.kind == "x0"]
    good = right(edm, replace(q, names=names), None)
    if not good:
        return ""
    k = int(np.argmax(hat / now))
    return (
        f"the model is told σ, while the churn has taken x to σ̂: the steps are those of"
        f" {good[0][0].name} with σ̂ = {hat[k] / now[k]:.4g} σ, but at step {k} the model is told"
        f" {steps.told[k][0].sigma:.4g} where x is at σ̂ = {hat[k]:.4g}: tell it σ̂"
    )


def stays(job: Job, steps: Steps) -> str:
    """A γ that is the same however many steps there are."""
    one, n = _gamma(steps), job.steps
    if not np.max(one) > NEAR:
        return ""
    counts, most = [steps.count], [float(np.max(one))]
    while len(counts) < 3 or (n := job.form.finer(n)) <= FAR:
        n = job.form.finer(n) if len(counts) < 3 else n
        more = measured(job, n)
        found = None if more is None else steps_of(more)
        if found is None:
            break
        counts.append(found.count)
        most.append(float(np.max(_gamma(found))))
    if len(counts) < 2 or most[-1] < FALLS * most[0]:
        return ""
    size = f"γ = {most[0]:.4g}"
    root = " = √2 - 1" if abs(most[0] - (np.sqrt(2) - 1)) < 1e-5 else ""
    return (
        f"before its steps noise is put in, from σ to (1 + γ) σ with {size}{root} at most, and γ"
        f" does not fall as the steps become more: it is the same with {counts[0]} and with"
        f" {counts[-1]} steps, so that every step renews as much noise however short it is. γ is"
        " min(S_churn/steps, √2 - 1), not max"
    )


def _gamma(steps: Steps) -> np.ndarray:
    told = [c[0].sigma if c else v.sigma for c, v in zip(steps.told, steps.before, strict=True)]
    sigma = np.array([v.sigma for v in steps.before])
    return np.asarray(np.array(told) / sigma - 1)
