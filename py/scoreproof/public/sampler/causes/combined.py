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
from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.etas import right
from scoreproof.public.sampler.causes.formulas import Formula
from scoreproof.public.sampler.causes.question import question
from scoreproof.public.sampler.causes.readings import name
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import measured

__all__ = ["raw", "weights"]

#: Adams–Bashforth on steps of one width
KNOWN = {
    2: (3 / 2, -1 / 2),
    3: (23 / 12, -16 / 12, 5 / 12),
    4: (55 / 24, -59 / 24, 37 / 24, -9 / 24),
}
NEAR = 1e-6

WHOLE = (2, 12, 24)
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


def weights(q: Question, same: Sequence[Formula]) -> str:
    """Steps of a formula with a weighted sum of several outputs for the output, with weights that
    are the same in every step and not those of Adams and Bashforth.
    """
    for own, name_of in ((q.by_eps, "ε"), (q.by_out, "v")):
        if own is None:
            continue
        past = {m: v for m, v in own.measured.items() if m.startswith("x_next.o")}
        late = own.inner & (np.arange(len(own.inner)) >= len(past))
        if not past or np.sum(late) < 4:
            continue
        for f in same:
            if f.start or (mine := own.of(f)) is None or f.free:
                continue
            made = mine.made(f.program, {})
            with np.errstate(all="ignore"):
                every = [own.measured[n] / made["x_next.c1"] for n in ("x_next.c1", *past)]
            shares = np.array([v[late] for v in every])
            off = np.abs(own.measured["x_next.x"] - made["x_next.x"])[late]
            if (
                np.all(np.isfinite(shares))
                and np.max(off) < NEAR
                and np.max(np.ptp(shares, 1)) < NEAR
            ):
                return _told(tuple(shares[:, 0]), f, name_of)
    return ""


def _told(found: tuple[float, ...], f: Formula, of: str) -> str:
    found = found[: max((k for k, w in enumerate(found) if abs(w) > NEAR), default=0) + 1]
    due = KNOWN.get(len(found))
    if due is None or np.allclose(found, due, atol=NEAR):
        return ""
    whole = f", together {sum(found):.6g}, not 1" if abs(sum(found) - 1) > NEAR else ""
    return (
        f"the steps are those of {f.name} with a weighted sum of the last {len(found)} {of} in the"
        f" place of {of}: the weights, the newest first, are {_listed(found)}{whole}; for steps of"
        f" one width they have to be {_listed(due)}"
    )


def _listed(values: Sequence[float]) -> str:
    """As fractions of one denominator, where they are that."""
    for d in WHOLE:
        if np.allclose(np.multiply(values, d), np.round(np.multiply(values, d)), atol=1e-5):
            return f"({', '.join(str(round(v * d)) for v in values)})/{d}"
    return f"({', '.join(f'{v:.6g}' for v in values)})"
