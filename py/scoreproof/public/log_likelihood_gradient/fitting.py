"""The one number for which another gradient is the one that was found: a secant that converges or
gives up.

Conventions: as in `flows`.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["fitted_number"]

#: rounds of a fit, and its first step
ROUNDS, STEP = 7, 0.02
#: the cosine of what a step does and what is to be explained, at least
ALIKE = 0.6


def fitted_number(
    gradient: Callable[[float], np.ndarray | None],
    begin: np.ndarray,
    found: np.ndarray,
    limit: np.ndarray,
    most: float,
) -> float | None:
    """The number, from 0 on and less than ``most``, for which ``gradient`` is what was found, to
    the limit. ``begin``: that of 0.
    """
    deviation = found - begin
    moved = STEP
    weight = 1 / limit
    known: list[tuple[float, float]] = [(0.0, 0.0)]
    for _ in range(ROUNDS):
        b = gradient(moved)
        if b is None:
            return None
        if np.all(np.abs(found - b) <= limit):
            return moved
        effect = (b - begin) * weight
        size = float(np.vdot(deviation * weight, deviation * weight))
        lengths = float(np.linalg.norm(effect)) * float(np.linalg.norm(deviation * weight))
        cosine = abs(float(np.vdot(effect, deviation * weight))) / (lengths or 1.0)
        if cosine < ALIKE:
            return None
        # how far along the deviation this step leads: 1 where it leads to what was found
        reached = float(np.vdot(effect, deviation * weight)) / size
        known.append((moved, reached))
        moved = _next(known)
        if not -0.95 < moved < most or abs(moved) < 1e-9:
            return None
    return None


def _next(known: list[tuple[float, float]]) -> float:
    """Where the fraction of the deviation reached is 1, by the last two."""
    (a, fa), (b, fb) = known[-2:]
    if fb == fa:
        return float("nan")
    step = (1 - fb) * (b - a) / (fb - fa)
    return b + float(np.clip(step, -1.0, 1.0))
