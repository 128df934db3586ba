"""How often a kernel draws, call by call: a judgement rests on draws that are always the same.

Conventions: a draw is known by its kind and shape, with n for the size of the batch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ScoreproofError
from scoreproof.interop.draws import Draw, Source

__all__ = ["MOST", "Counted", "Endless", "guarded"]

#: draws of one call beyond which it is taken to draw for ever
MOST = 20_000


class Endless(ScoreproofError):
    """It draws again and again: until something is accepted, say, which is never done here."""


@dataclass(frozen=True, eq=False)
class Counted:
    """The draws of a call."""

    draws: Counter[Any]

    @classmethod
    def of(cls, draws: Sequence[Draw], rows: int) -> Counted:
        return cls(Counter(_known(d, rows) for d in draws))

    @property
    def most(self) -> int:
        return 64 + 16 * sum(self.draws.values())

    def other(self, draws: Sequence[Draw], rows: int) -> str | None:
        """In words, how the draws of another call differ; ``None`` where they do not."""
        now = Counter(_known(d, rows) for d in draws)
        if now == self.draws:
            return None
        more = next((d for d in draws if now[_known(d, rows)] > self.draws[_known(d, rows)]), None)
        count = f"{sum(self.draws.values())} draws in one call and {len(draws)} in another"
        return count if more is None else f"{count} (one of {more.kind} numbers, {more.where})"


def guarded(script: Source, most: int, held: float | None) -> Source:
    """With an end to draws that have none, and with what is ``held`` for one number of a batch."""

    def served(draw: Draw) -> np.ndarray:
        if draw.index > most:
            raise Endless(f"it draws more than {most} times in one call")
        if held is not None and draw.kind == "uniform" and int(np.prod(draw.shape)) == 1:
            return np.full(draw.shape, held)
        return script(draw)

    return served


def _known(draw: Draw, rows: int) -> tuple[Any, ...]:
    batch = draw.shape[:1] == (rows,)
    return (draw.kind, *(("n", *draw.shape[1:]) if batch else draw.shape))
