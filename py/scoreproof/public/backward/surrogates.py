"""Straight-through rules: a gradient for a function that does not change with its argument."""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.interop.traced import Local, Program
from scoreproof.public.backward.expressions import form_of

__all__ = ["surrogate"]

FAR = 64.0
STEPS = 60
FLAT = "the function is flat there (rounding, a sign, a step), so 0 is due: "


def surrogate(program: Program, v: int, k: int, local: Local) -> tuple[str, str]:
    """``(name, words)`` of what is returned in place of 0."""
    x, y = local.arguments[k], local.value
    name = "straight_through"
    ones = y.like(np.ones(y.size))
    r = local.pull(ones)[k].flat()
    if x.size != y.size:
        return name, f"a gradient: {FLAT}a straight-through estimator"
    if np.all(r == 1):
        return (
            name,
            f"the gradient as it arrives: {FLAT}a straight-through estimator",
        )
    if np.all((r == 0) | (r == 1)):
        where = _window(program, v, k, local)
        return (
            name,
            f"the gradient as it arrives {where}, and 0 elsewhere: {FLAT}a straight-through"
            " estimator with a window",
        )
    form = form_of(r, x.flat(), y.flat(), 1e-9)
    shown = f"the gradient times {form.text} (x is that argument)" if form else "a gradient"
    return name, f"{shown}: {FLAT}a surrogate gradient, a straight-through estimator"


def _window(program: Program, v: int, k: int, local: Local) -> str:
    """Between which numbers the gradient passes, by bisection; of a rule entry by entry."""
    x = local.arguments[k]
    inside = [
        float(a) for a, r in zip(x.flat(), _passes(program, v, k, local, None), strict=True) if r
    ]
    if not inside:
        return "nowhere"
    start = inside[0]

    def passes(t: float) -> bool:
        return bool(_passes(program, v, k, local, t)[0])

    ends: list[float | None] = []
    for far in (-FAR, FAR):
        if passes(far):
            ends.append(None)
            continue
        low, high = start, far
        for _ in range(STEPS):
            middle = (low + high) / 2
            low, high = (middle, high) if passes(middle) else (low, middle)
        ends.append((low + high) / 2)
    low_end, high_end = ends
    if low_end is None and high_end is None:
        return "at some entries"
    if low_end is None:
        return f"where x ≤ {number(float(high_end or 0.0), 1e-9)}"
    if high_end is None:
        return f"where x ≥ {number(low_end, 1e-9)}"
    if abs(low_end + high_end) < 1e-9 * FAR:
        return f"where |x| ≤ {number(high_end, 1e-9)}"
    return f"where {number(low_end, 1e-9)} ≤ x ≤ {number(high_end, 1e-9)}"


def _passes(program: Program, v: int, k: int, local: Local, value: float | None) -> np.ndarray:
    """Where the rule passes on a gradient of ones, with all entries of the argument one value."""
    moved = list(local.arguments)
    if value is not None:
        moved[k] = moved[k].like(np.full(moved[k].size, value))
    at = program.local(v, moved)
    return np.asarray(at.pull(at.value.like(np.ones(at.value.size)))[k].flat() != 0)
