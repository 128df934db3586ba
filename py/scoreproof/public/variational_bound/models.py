"""Where a bound asks its model, and which time it tells it.

Conventions: x_t as it was handed over, or made of the noise that was; labels are timesteps, or a
multiple of them.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.observed import Observed
from scoreproof.public.variational_bound.tables import Tables

__all__ = ["another_time", "asked_at"]

#: relative: an x that is so far from x_t is another one, whatever was rounded
FAR = 1e-3
#: steps of the clock that a network may be told beside t and t/T
SAME = 1e-4


def asked_at(job: Job, tb: Tables, seen: Sequence[Observed]) -> tuple[str, str] | None:
    """The cause's name and what is wrong, if it is."""
    for o in seen:
        run = o.run
        if run is None or run.xt is None or not run.script.calls:
            continue
        call = run.script.calls[-1]
        off = np.linalg.norm(call.x - run.xt) / np.linalg.norm(run.xt)
        if off > FAR:
            return _another_x(tb, o, call.x)
    return _another_time(tb, seen)


def _another_x(tb: Tables, o: Observed, x: np.ndarray) -> tuple[str, str]:
    run = o.run
    assert run is not None and run.t is not None
    x0, t = run.script.x0, run.t
    noise = (run.xt - tb.a[t][:, None] * x0) / tb.s[t][:, None] if run.xt is not None else x0
    k = 0
    basis = np.stack([x0[k], noise[k]], axis=1)
    (a, s), *_ = np.linalg.lstsq(basis, x[k], rcond=None)
    due = f"{tb.a[t[k]]:.4g} x_0 + {tb.s[t[k]]:.4g} ε"
    text = f"its model is asked at {a:.4g} x_0 + {s:.4g} ε at {o.where}, where x_t = {due} is due"
    exact = np.linalg.norm(basis @ [a, s] - x[k]) < 1e-6 * np.linalg.norm(x[k])
    known = {
        "bar_for_its_root": (tb.bar[t[k]], tb.s[t[k]], "x_0 is multiplied by ᾱ_t, not by its root"),
        "variance_for_std": (tb.a[t[k]], tb.rest[t[k]], "ε is multiplied by 1 - ᾱ_t, not its root"),
    }
    for name, (p, q, why) in known.items():
        if exact and abs(a - p) < 1e-6 and abs(s - q) < 1e-6:
            return name, f"{text}: {why}"
    return "another_x_t", text


def _another_time(tb: Tables, seen: Sequence[Observed]) -> tuple[str, str] | None:
    runs = [o.run for o in seen if o.run is not None]
    told = [
        (run.t, run.script.calls[-1].label)
        for run in runs
        if run.t is not None and run.script.calls
    ]
    return another_time(tb.steps, told)


def another_time(
    steps: int, told: Sequence[tuple[np.ndarray, np.ndarray | None]]
) -> tuple[str, str] | None:
    """t ± 1 or T - 1 - t where it would be t, perhaps held to the table; ``told``: the times of
    rows, and their labels.
    """
    pairs = [(t, label) for t, label in told if label is not None and label.shape == t.shape]
    if not pairs:
        return None
    t, label = (np.concatenate([np.ravel(p[k]) for p in pairs]).astype(float) for k in (0, 1))
    if len(np.unique(t)) < 3:
        return None
    for by in (1.0, -1.0):
        held, back = np.clip(t + by, 0, steps - 1), np.clip(label - by, 0, steps - 1)
        if any(np.array_equal(*p) for p in ((label, t + by), (label, held), (t, back))):
            text = f"its model is told t {'+' if by > 0 else '-'} 1 where it is asked at x_t"
            return "told_another_time", text
    if np.array_equal(label, steps - 1 - t):
        return "told_another_time", "its model is told T - 1 - t where it is asked at x_t"
    return None
