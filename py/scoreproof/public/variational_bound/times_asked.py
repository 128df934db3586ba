"""Which timesteps a bound's calls of its model belong to, and which are missing.

Conventions: rows are flat ``(n, d)``; timesteps are 0 … T-1.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.variational_bound.standin import Call
from scoreproof.public.variational_bound.tables import Tables

__all__ = ["at_several_x", "missing", "nearest_time"]


def at_several_x(calls: list[Call]) -> list[Call]:
    """Of calls in a row at one x_t and time, as for self-conditioning, the last."""
    kept: list[Call] = []
    for call in calls:
        if kept and np.array_equal(kept[-1].x, call.x) and _same(kept[-1].label, call.label):
            kept.pop()
        kept.append(call)
    return kept


def _same(one: np.ndarray | None, other: np.ndarray | None) -> bool:
    return one is other is None or (
        one is not None and other is not None and np.array_equal(one, other)
    )


def nearest_time(
    tb: Tables, x0: np.ndarray, noise: np.ndarray, x: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The timestep of each row, and how far off the nearest is, relative."""
    # least squares of x in x_0 and ε, then the nearest (a, s) of the table
    off = np.empty((len(tb.a), len(x)))
    for k, (a, s) in enumerate(zip(tb.a, tb.s, strict=True)):
        off[k] = np.linalg.norm(x - a * x0 - s * noise, axis=1)
    t = np.argmin(off, axis=0)
    return t, off[t, np.arange(len(x))] / np.linalg.norm(x, axis=1)


def missing(one: np.ndarray, steps: int) -> tuple[str, str] | None:
    """Timesteps that the sum leaves out, or has twice."""
    counts = np.bincount(one, minlength=steps)
    none, twice = np.flatnonzero(counts == 0), np.flatnonzero(counts > 1)
    if len(none) == 0 and len(twice) == 0:
        return None
    if len(none):
        listed = ", ".join(str(t) for t in none[:3]) + (", …" if len(none) > 3 else "")
        many = "is" if len(none) == 1 else "are"
        return "a_time_is_missing", (
            f"t = {listed} {many} missing from the sum over t ({len(none)} of {steps} timesteps):"
            f" it runs from 0 to {steps - 1}"
        )
    return "a_time_twice", f"t = {twice[0]} is {counts[twice[0]]} times in the sum over t"
