"""Jumps of the density where there is no noise: allowed, if they move with the flow of the drift.

Conventions: as in `breaks`. Without noise log p changes along a path of ``x' = f`` by -∇·f only, so
that two paths on both sides of a jump keep it.
"""

from __future__ import annotations

import numpy as np

from scoreproof.numerics.pieces import Breaks
from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import Subject

__all__ = ["NOT_CARRIED", "left_behind"]

NOT_CARRIED = "without noise a jump moves with the drift, and this one does not"
#: how far the two paths start from the jump, in parts of the line, and how long they are followed,
#: in parts of the span of time
BESIDE, AHEAD = 1e-6, 2e-3
#: log p that jumps by less is taken for a bend, which needs nothing
LEAST = 1e-3
#: jumps of one time that are followed
MOST = 8


def left_behind(
    s: Subject, t: float, box: Box, lines: tuple[np.ndarray, np.ndarray], found: Breaks
) -> list[tuple[tuple[float, ...], float]]:
    """Where on the lines a jump does not move with the flow, and by how much log p jumps there."""
    (a, b), (first, last), out = lines, box.times, []
    for k, low, high in list(zip(found.which, found.low, found.high, strict=True))[:MOST]:
        sides = np.array([low - BESIDE, high + BESIDE])
        if high - low > BESIDE or sides[0] < 0 or sides[1] > 1:
            continue
        ends = a[k] + sides[:, None] * (b - a)[k]
        jump, moves = _kept(s, t, last - first, ends, 1.0 if 2 * t < first + last else -1.0)
        if not moves:
            out.append((tuple(float(c) for c in ends.mean(axis=0)), jump))
    return out


def _kept(s: Subject, t: float, span: float, ends: np.ndarray, inward: float) -> tuple[float, bool]:
    """The jump between the two points ``ends`` ``(2, d)``, and whether it is still between them a
    little later (``inward`` = 1) or earlier (-1).

    Calls: 16 of the drift, two of the density.
    """

    def jump(x: np.ndarray, when: float) -> float:
        low, high = s.change(x, when, np.zeros(2))
        if np.isnan(low) or np.isnan(high):
            return float("nan")
        if np.isinf(low) or np.isinf(high):
            return 0.0 if low == high else float(np.sign(high - low)) * np.inf
        return float(high - low)

    before = jump(ends, t)
    if np.isnan(before) or abs(before) < LEAST:
        return 0.0, True
    x, now, h = ends, t, inward * AHEAD * span / 4
    for _ in range(4):
        a = s.drift(x, now)
        b = s.drift(x + h / 2 * a, now + h / 2)
        c = s.drift(x + h / 2 * b, now + h / 2)
        e = s.drift(x + h * c, now + h)
        x, now = x + h / 6 * (a + 2 * b + 2 * c + e), now + h
    after = jump(x, now)
    if np.isnan(after):
        return before, True
    if np.isinf(before) or np.isinf(after):
        return before, before == after
    return before, abs(after - before) < 0.5 * abs(before)
