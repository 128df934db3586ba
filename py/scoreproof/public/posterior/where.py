"""Where an answer is wrong, in words: the point, the coordinate, and what the wrong places
share.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.places import beyond, indices
from scoreproof.public.posterior.asking import Answers

__all__ = ["mixed_rows", "place", "region"]


def place(answers: Answers, k: int, column: int, *, told: int = 4) -> str:
    """``point 12 (y = 0.31, -1.2, …), coordinate 3``."""
    point = int(answers.which[k])
    y = answers.points.y[point]
    shown = ", ".join(f"{v:.4g}" for v in y[:told]) + (", …" if len(y) > told else "")
    return f"point {point} (y = {shown}), coordinate {column}"


def region(bad: np.ndarray, y: np.ndarray) -> str:
    """Where it is wrong ``(points, coordinates)``, in a clause: in which coordinates, at which
    points, and beyond which value all of them lie.
    """
    m, d = bad.shape
    rows, columns = np.any(bad, axis=1), np.any(bad, axis=0)
    parts = []
    if np.sum(columns) < d and d > 1:
        parts.append(f"in {indices(columns, 'coordinate')}")
    if np.sum(rows) < m:
        parts.append(f"at {np.sum(rows)} of {m} points{_separated(rows, y)}")
    elif m > 1:
        parts.append(f"at all {m} points")
    return " ".join(parts)


def _separated(rows: np.ndarray, y: np.ndarray) -> str:
    """One threshold that the wrong points lie beyond and no right one does, if there is one."""
    if min(np.sum(rows), np.sum(~rows)) < 3:
        return ""
    along = {"|y|": np.linalg.norm(y, axis=1)}
    along |= {f"y[{j}]": y[:, j] for j in range(y.shape[1])}
    along |= {f"|y[{j}]|": np.abs(y[:, j]) for j in range(y.shape[1])}
    found = beyond(rows, along, least=3)
    return f", {found}" if found else ""


def mixed_rows(answers: Answers, allowed: np.ndarray, values: np.ndarray) -> str:
    """A sentence where the same row got two answers, further apart than ``allowed`` ``(m, d)``."""
    m = len(answers.values)
    gap = np.abs(values[m:] - values[answers.rows])
    over = gap - allowed[answers.rows]
    if not over.size or np.max(over) <= 0:
        return ""
    k, column = np.unravel_index(int(np.argmax(over)), over.shape)
    return (
        f"an answer depends on the rest of the batch: row {answers.rows[k]}, coordinate {column},"
        f" changes by {gap[k, column]:.3g} when it is asked among other rows"
    )
