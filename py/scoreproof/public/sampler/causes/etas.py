"""The η of a step, and the formulas that the steps are as they should be.

Conventions: as in `coefficients`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scoreproof.numerics.minimum import least
from scoreproof.public.sampler.causes.coefficients import Question
from scoreproof.public.sampler.causes.formulas import Formula

__all__ = ["etas", "halves", "right"]


def etas(formula: Formula, q: Question, given: float | None) -> list[float | None]:
    """The η that the formula may have been meant with."""
    if not formula.free:
        return [None]
    if given is not None:
        return [given]
    z = "x_next.z"
    if z not in q.measured:
        return [1.0]
    made = q.made(formula.program, {"eta": 1.0})[z]
    with np.errstate(all="ignore"):
        ratio = (q.measured[z] / made)[q.inner]
        ratio = ratio[np.isfinite(ratio)]
    found: list[float | None] = [1.0]  # its noise may be forgotten, then
    if ratio.size and 0 < ratio[0] <= 1 + 1e-9 and np.ptp(ratio) <= 1e-6 * np.max(ratio):
        found = [float(ratio[0]), 1.0]
    mean, noise = halves(q)
    by_mean = _of_half(formula, mean)
    if by_mean is None and len(found) == 1 and not _linear(formula, q, made):
        by_mean = _of_half(formula, noise)
    return [by_mean] if by_mean else found


def _linear(formula: Formula, q: Question, made: np.ndarray) -> bool:
    """Whether the noise of the steps is η times what it is with η = 1."""
    half = q.made(formula.program, {"eta": 0.5})["x_next.z"]
    return bool(np.allclose(half[q.inner], made[q.inner] / 2, equal_nan=True))


def _of_half(formula: Formula, half: Question) -> float | None:
    """The η that the mean of the steps, or their noise, has."""

    def off(eta: float) -> float:
        value = half.worst(half.off(half.made(formula.program, {"eta": eta})))
        return value if np.isfinite(value) else 1e300

    grid = np.linspace(0.02, 1.0, 50)
    best = grid[int(np.argmin([off(e) for e in grid]))]
    near = round(least(off, max(best - 0.02, 1e-3), min(best + 0.02, 1.0), 1e-14), 6)
    return float(near) if off(near) <= half.tolerance else None


def right(
    formulas: Sequence[Formula], q: Question, given: float | None
) -> list[tuple[Formula, float | None]]:
    """The formulas that all compared steps are, as they should be."""
    return [
        (f, eta)
        for f in formulas
        if (own := q.of(f)) is not None and 2 * np.sum(own.inner) >= max(4, np.sum(q.inner))
        for eta in etas(f, own, given)
        if own.worst(own.off(own.made(f.program, {"eta": eta}))) <= q.tolerance
    ]


def halves(q: Question) -> tuple[Question, Question]:
    """The question about the mean of a step, and that about its noise."""
    noises = {n: v for n, v in q.measured.items() if n.split(".")[1] in ("z", "z_2")}
    mean = {n: v for n, v in q.measured.items() if n not in noises}
    return replace(q, measured=mean), replace(q, measured=noises)
