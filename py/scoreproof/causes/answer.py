"""An answer that is wrong, and what explains it.

Conventions
-----------
- ``found`` and ``due`` are arrays of one shape; of two axes, rows come first and coordinates last.
- ``limit`` is what the check cannot tell from nothing, entry by entry: a reading explains only if
  it leaves no more anywhere. Each reading is asked for at least two more entries than it has free
  numbers; a single number is read by its closed form alone.
- Clauses without a full stop.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

__all__ = ["Answer", "Reading"]

#: roundings that a limit never goes below, relative to an entry, and to the largest
FLOOR, EPS = 64 * float(np.finfo(float).eps), 8 * float(np.finfo(float).eps)


@dataclass(frozen=True, slots=True)
class Reading:
    """One explanation: ``words`` says what the answer is, ``remedy`` what would make it right."""

    name: str
    words: str
    remedy: str
    factor: float | None = None


@dataclass(frozen=True)
class Answer:
    """What was found and what is due. ``known``: numbers of the problem by their symbols."""

    found: np.ndarray
    due: np.ndarray
    limit: np.ndarray
    known: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        found: np.ndarray,
        due: np.ndarray,
        limit: np.ndarray | float,
        known: Mapping[str, float] | None = None,
    ) -> Answer:
        """Of what is finite; the limit is raised to a few roundings."""
        found, due = np.atleast_1d(np.asarray(found)), np.atleast_1d(np.asarray(due))
        blur = np.broadcast_to(np.asarray(limit, float), found.shape)
        if found.shape != due.shape:
            return cls(found, due, blur, known or {})
        rounding = FLOOR * np.maximum(np.abs(due), np.abs(found))
        floor = rounding + EPS * np.max(np.abs(due), initial=0.0)
        return cls(found, due, np.maximum(blur, floor), known or {})

    def explained(self, value: np.ndarray, scale: float | np.ndarray = 1.0) -> bool:
        """``value`` is the answer to the limit, times ``scale`` where it was multiplied."""
        with np.errstate(all="ignore"):
            gap = np.abs(self.found - value)
            return bool(np.all(gap <= np.maximum(1.0, scale) * self.limit))

    @property
    def within(self) -> float:
        """The relative error to which a factor of the whole is known."""
        size = float(np.linalg.norm(self.due.ravel()))
        return float(np.linalg.norm(self.limit.ravel())) / size if size else np.inf

    @property
    def told(self) -> int:
        """How many entries say something: sizes above the limit, each value counted once."""
        sure = np.abs(self.due) > 3 * self.limit
        return len(
            np.unique(np.round(self.due[sure] / np.max(np.abs(self.due), initial=1e-300), 9))
        )
