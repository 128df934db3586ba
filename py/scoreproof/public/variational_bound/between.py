"""A loss of T steps, asked at times between them: what it makes of a t that it rounds.

Conventions: steps are t = k horizon/T, k from 1 to T. A loss that takes t as it is, or rounds it
up, is right where t is one of them.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.asking import Asking
from scoreproof.public.variational_bound.continuous import Clock
from scoreproof.public.variational_bound.rates import weight_of_steps
from scoreproof.public.variational_bound.reading import layouts, reduced
from scoreproof.public.variational_bound.sights import sight

__all__ = ["between_steps"]

#: of a step: how far before its end
BEFORE = 0.3
#: weights of two steps differ by more
SAME = 1e-6


def between_steps(job: Job, asking: Asking, clock: Clock, times: np.ndarray) -> str | None:
    """Why nothing can be said of a loss that rounds t down, or to the nearest."""
    assert job.steps is not None
    gap = clock.horizon / job.steps
    up = np.round(times / gap) * gap
    ways = {"up": (up, BEFORE), "not": (up - BEFORE * gap, BEFORE), "down": (up - gap, BEFORE)}
    for way, (at, before) in ways.items():
        try:
            fits = all(
                _is_of(job, asking, clock, float(a), float(u - before * gap))
                for a, u in zip(at, up, strict=True)
                if a > 0.5 * gap
            )
        except CallableError:  # it wants the steps themselves
            return None
        if fits:
            return _down(job) if way == "down" else None
    return None


def _is_of(job: Job, asking: Asking, clock: Clock, at: float, given: float) -> bool:
    """Whether it takes ``given`` for ``at``."""
    rows = len(asking.batch.x0)
    v = sight(job, asking, clock, np.full(rows, at), np.full(rows, given))
    if v.elsewhere is not None:
        return False
    due = weight_of_steps(clock, job.steps or 1)(at) * v.square
    fits = [reduced(due, r) for r in layouts(job, v.value.shape, rows)]
    return any(np.allclose(v.value.ravel(), f, rtol=SAME, atol=0) for f in fits)


def _down(job: Job) -> str:
    return (
        f"it is right at t = k/{job.steps}, but rounds a t between them down: called with t from"
        " all of [0, 1], it takes t = 0, and s = -1/T, for the first. Take t = ceil(t T)/T; if it"
        " is called with t = k/T alone, say so by lambda model, x0, t, noise: loss(model, x0,"
        " ceil(t T - 1e-6)/T, noise)"
    )
