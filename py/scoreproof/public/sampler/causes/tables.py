"""Steps of DDIM that are right but for their table of ᾱ: it is solved for, and named.

Conventions: as in `steps`; clauses without a full stop.
"""

from __future__ import annotations

from contextlib import suppress

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.steps import Steps

__all__ = ["another"]

#: the ᾱ that one step ends at and the next begins with are the same
SAME = 1e-5
#: and are an entry of a known table
NEAR = 1e-6
#: the length of the usual tables
LENGTH = 1000


def another(job: Job, steps: Steps, q: Question) -> str:
    """Which table the steps are made with, if it is not the process's; else empty."""
    if job.form.prediction not in ("eps", "x0") or steps.stages != 1:
        return ""
    if any(np.any(v != 0) for n, v in q.measured.items() if n.startswith(("x_next.o", "x_next.z"))):
        return ""
    bars = _solved(job, steps, q)
    if bars is None:
        return ""
    begin, end, inner = *bars, np.flatnonzero(q.inner)
    follows = np.flatnonzero(np.diff(inner) == 1)
    if len(follows) < 3 or not np.all(np.isfinite([begin, end])):
        return ""
    if np.any(np.abs(end[follows] - begin[follows + 1]) > SAME * (1 - begin[follows + 1])):
        return ""
    due = np.array([steps.before[k].alpha ** 2 for k in inner])
    when = np.array([steps.before[k].when for k in inner])
    k = int(np.argmax(np.abs(begin - due)))
    if abs(begin[k] - due[k]) < 1e-4:
        return ""
    beside = _beside(job, when, begin)
    if beside:
        return (
            f"the steps are those of DDIM with ᾱ from the entry {beside}: ᾱ = {begin[k]:.4g} at"
            f" t = {when[k]:.4g}, where {due[k]:.4g} is due"
        )
    known, is_due = _name(when, begin), _name(when, due)
    of = f", that of the {known} schedule," if known else ""
    right = f", that of the {is_due} schedule" if is_due else ""
    return (
        f"the steps are those of DDIM with another table of ᾱ{of} than the one of the process"
        f"{right}: ᾱ = {begin[k]:.4g} at t = {when[k]:.4g}, where {due[k]:.4g} is due; make both of"
        " the same betas"
    )


def _beside(job: Job, when: np.ndarray, bar: np.ndarray) -> str:
    """Whether they are the entries of the process's own table next to the timesteps'."""
    level_of = job.form.level_of
    if level_of is None or np.any(when != np.round(when)):
        return ""
    for shift, words in ((-1, "before the timestep (t - 1 for t)"), (1, "after it (t + 1 for t)")):
        with suppress(ArgumentError):  # beyond the table's ends
            entries = np.array([level_of(float(t) + shift).alpha ** 2 for t in when])
            if np.all(np.abs(entries - bar) < NEAR):
                return words
    return ""


def _solved(job: Job, steps: Steps, q: Question) -> tuple[np.ndarray, np.ndarray] | None:
    """ᾱ before and after each step, of x_next = √ᾱ' x_0 + √(1 - ᾱ') ε for what was measured."""
    a, c = (q.measured[n][q.inner] for n in ("x_next.x", "x_next.c1"))
    told = [t[0] for t, kept in zip(steps.told, q.inner, strict=True) if kept]
    alpha, sigma = (np.array([getattr(v, n) for v in told]) for n in ("alpha", "sigma"))
    with np.errstate(all="ignore"):
        if job.form.prediction == "x0":
            root = (1 - a**2 - c**2) / (2 * a * c)
            return root**2, (c + a * root) ** 2
        ratio, rest = a + c / alpha, -c * sigma / alpha
        noise = (1 - rest**2 - ratio**2) / (2 * rest * ratio)
        begin = 1 - noise**2
        return begin, ratio**2 * begin


def _name(when: np.ndarray, bar: np.ndarray) -> str:
    if np.any(when != np.round(when)) or np.any((when < 0) | (when >= LENGTH)):
        return ""
    return next(
        (n for n, t in _known().items() if np.all(np.abs(t[when.astype(int)] - bar) < NEAR)), ""
    )


def _known() -> dict[str, np.ndarray]:
    """ᾱ of the usual tables of 1000 steps."""
    found = {}
    for low, high in ((1e-4, 0.02), (0.00085, 0.012)):
        ends = f"(β from {low:g} to {high:g})"
        found[f"linear {ends}"] = np.cumprod(1 - np.linspace(low, high, LENGTH))
        roots = np.linspace(low**0.5, high**0.5, LENGTH)
        found[f"scaled_linear {ends}"] = np.cumprod(1 - roots**2)
    at = np.cos((np.arange(LENGTH + 1) / LENGTH + 0.008) / 1.008 * np.pi / 2) ** 2
    found["cosine"] = np.cumprod(1 - np.minimum(1 - at[1:] / at[:-1], 0.999))
    return found
