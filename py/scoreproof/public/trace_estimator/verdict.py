"""Estimates at a given ν against νᵀJν or tr J, row by row.

Conventions: errors are relative to what is due at the row (or to ``Rows.least``, if larger).
An estimate g(ν) has mean tr J for every law with E[νν^T] = I iff g(ν) = νᵀBν + tr J - tr B for
some B: B = J is Hutchinson's, B = 0 the exact trace; any other B is judged by `designs`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.asking import Answers
from scoreproof.public.trace_estimator.rows import Rows

__all__ = ["REMEDY", "Judged", "against", "called", "judged"]

REMEDY = "use float64, or pass the tolerance that you accept, e.g. tolerance=0.1"


@dataclass(frozen=True, eq=False)
class Judged:
    """The rows of one dimension, what was answered and what is due, with its relative bound."""

    rows: Rows
    answers: Answers
    due: np.ndarray
    bound: np.ndarray

    @property
    def scale(self) -> np.ndarray:
        return np.maximum(np.abs(self.due), self.rows.least)

    @property
    def error(self) -> np.ndarray:
        return _over(np.abs(self.answers.values - self.due), self.scale)

    @property
    def worst(self) -> int:
        """The row with the largest error against its bound."""
        return int(np.argmax(_over(self.error, self.bound)))

    @property
    def off(self) -> np.ndarray:
        """Which rows are off by more than rounding."""
        return np.asarray(self.error > self.bound)

    @property
    def usual(self) -> np.ndarray:
        """Rows whose ν is neither stretched nor shrunk."""
        length = np.max(np.abs(self.rows.nu), axis=1)
        return (length > 1e-2) & (length < 1e2)

    def fits(self, tolerance: float | None) -> bool:
        limit = self.bound + (tolerance or 0.0) * self.rows.gain
        return bool(np.all(self.error <= limit))


def _over(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """``part / whole``, with 0/0 = 0 and x/0 = inf."""
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(part > 0, part / whole, 0.0)


def against(given: Given, rows: Rows, answers: Answers, form: str) -> Judged:
    """``form``: ``"νᵀJν"`` or ``"tr J"``."""
    trial = rows.trial
    due, size = trial.quadratic(rows.z, rows.nu) if form == "νᵀJν" else trial.trace(rows.z)
    # a sum of the row's live terms in any order, on top of the rounding of each
    live = np.count_nonzero(rows.z * rows.nu, axis=1)
    blur = given.eps * (trial.roundings + live / 2) * size
    scale = np.maximum(np.abs(due), rows.least)
    with np.errstate(divide="ignore", invalid="ignore"):
        return Judged(rows, answers, due, np.where(blur > 0, blur / scale, 0.0))


def called(given: Given) -> str:
    """What is judged, at the beginning of a sentence."""
    return "the estimates at given ν" if given.takes_nu else "the estimates"


def judged(given: Given, parts: list[Judged], form: str) -> Evidence:
    """One verdict over all rows of all dimensions."""
    error, bound, gain = (
        np.concatenate([getattr(p, name) if name != "gain" else p.rows.gain for p in parts])
        for name in ("error", "bound", "gain")
    )
    dimensions = dict.fromkeys(p.rows.dimension for p in parts)
    dims = " and ".join(map(str, dimensions))
    m, d = len(error), sum(dimensions)
    reach = max(float(np.max(np.abs(p.rows.z))) for p in parts)
    sizes = {int(n) for p in parts for n in np.diff((*p.answers.bounds, len(p.rows.z)))}
    coverage = Coverage(
        {"rows": m, "coordinates": d},
        span=f"D = {dims}, |z_k| up to {reach:.2g}, each row with its own ν, batches of"
        f" {_listed(sizes)} rows",
    )
    return compared(
        error,
        bound,
        f"{called(given)} against {form}, row by row (D = {dims})",
        coverage=coverage,
        gain=gain,
        tolerance=given.tolerance,
        remedy=REMEDY,
        curves=_curves(parts),
        labels=("row", "estimate"),
        cost={"calls": given.guard.calls},
    )


def _listed(sizes: set[int]) -> str:
    """``1, 2, 3 and 54``; a few of many."""
    ordered = [str(n) for n in sorted(sizes)]
    return ", ".join(ordered[:-1]) + f" and {ordered[-1]}" if len(ordered) > 1 else ordered[0]


def _curves(parts: list[Judged]) -> dict[str, tuple[list[int], list[float]]]:
    values = np.concatenate([p.answers.values for p in parts]).tolist()
    due = np.concatenate([p.due for p in parts]).tolist()
    index = list(range(len(due)))
    return {"estimate": (index, values), "due": (index, due)}
