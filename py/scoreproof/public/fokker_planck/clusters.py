"""Boxes around the mass of a density, where that fills a small part of the box that was named.

Conventions: as in `asking`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.modes import modes

__all__ = ["clusters"]

#: a box that is wider than this many standard deviations of the mass is cut down to it
WIDE, REACH = 24.0, 7.0
#: log p on the sides of a box around mass is less than the largest by so much
FAINT = 20.0


def clusters(s: Subject, box: Box, seed: int) -> list[Box]:
    """The box itself, or boxes around its mass where that fills only a small part of it."""
    times = np.linspace(*box.times, 3)
    found = [m for t in times for m in modes(s, box, float(t), seed)]
    if not found:
        return [box]
    sides = box.sides
    reach = [
        (
            m.mean - REACH * np.sqrt(np.diag(m.covariance)),
            m.mean + REACH * np.sqrt(np.diag(m.covariance)),
        )
        for m in found
        if np.all((m.mean > sides[:, 0]) & (m.mean < sides[:, 1]))
    ]
    widths = [float(np.max((sides[:, 1] - sides[:, 0]) / (high - low))) for low, high in reach]
    if not reach or max(widths) < WIDE / (2 * REACH):
        return [box]
    top = max(m.log for m in found)
    boxes: list[tuple[np.ndarray, np.ndarray]] = []
    for low, high in sorted(reach, key=lambda r: float(r[0][0])):
        low, high = _widened(s, low, high, sides, times, top)
        for k, (a, b) in enumerate(boxes):
            if np.all(low < b) and np.all(a < high):
                boxes[k] = (np.minimum(a, low), np.maximum(b, high))
                break
        else:
            boxes.append((low, high))
    moving = any(
        not any(np.all((m.mean > low) & (m.mean < high)) for m in modes(s, box, float(t), seed))
        for low, high in boxes
        for t in times[[0, -1]]
    )
    if moving:  # mass that wanders needs one box for all times
        boxes = [(np.min([a for a, _ in boxes], axis=0), np.max([b for _, b in boxes], axis=0))]
    return [
        Box(box.times, tuple((float(a), float(b)) for a, b in zip(low, high, strict=True)))
        for low, high in boxes
    ]


def _widened(
    s: Subject, low: np.ndarray, high: np.ndarray, sides: np.ndarray, times: np.ndarray, top: float
) -> tuple[np.ndarray, np.ndarray]:
    """The box, made wider until there is next to nothing on its sides, or they are the caller's."""
    middle, half = (low + high) / 2, (high - low) / 2
    for _ in range(30):
        low, high = np.maximum(middle - half, sides[:, 0]), np.minimum(middle + half, sides[:, 1])
        u = np.linspace(0, 1, 17)
        open_ = False
        for i in range(len(low)):
            for side, wall in ((low, sides[:, 0]), (high, sides[:, 1])):
                if side[i] == wall[i]:
                    continue
                face = low + u[:, None] * (high - low)
                face[:, i] = side[i]
                seen = [s.change(face, float(t), np.zeros(17)) for t in times]
                open_ |= bool(np.nanmax([np.nanmax(v) for v in seen]) > top - FAINT)
        if not open_:
            break
        half = half * 1.5
    return low, high
