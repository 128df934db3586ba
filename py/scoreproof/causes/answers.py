"""What an answer is instead of the right one: a factor, an offset, another order, clipped, rooted.

Conventions: as in `answer`. The first reading that explains is the one that is said.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.causes import batches, wholes
from scoreproof.causes.answer import Answer, Reading

__all__ = ["Answer", "Reading", "reading"]

READERS: tuple[Callable[[Answer], Reading | None], ...] = (
    wholes.nothing,
    wholes.factor,
    wholes.same_everywhere,
    wholes.offset,
    batches.exchanged,
    batches.rows_moved,
    batches.by_coordinate,
    wholes.mapped,
    wholes.clipped,
    batches.averaged,
    wholes.affine,
    batches.by_row,
    batches.linear,
)


def reading(answer: Answer) -> Reading | None:
    """The simplest reading that explains the answer to its limit.

    >>> due = np.array([[1.0, 2.0], [3.0, -1.0], [0.5, 4.0]])
    >>> reading(Answer.of(-due, due, 1e-12)).words
    'it is the negative of what is due'
    >>> reading(Answer.of(due[:, ::-1], due, 1e-12)).words
    'coordinates are exchanged: coordinate 0 of the answer is coordinate 1 of what is due, 1 is 0'
    >>> reading(Answer.of(due * [1, 0.5], due, 1e-12)).words
    'coordinate 1 of 2 is 0.5 = 1/2 times what is due, the rest is right'
    >>> reading(Answer.of(due**2 + due, due, 1e-12)) is None
    True
    """
    if answer.found.shape != answer.due.shape or not np.all(np.isfinite(answer.found)):
        return None
    if answer.explained(answer.due):  # nothing to explain
        return None
    found = (reader(answer) for reader in READERS)
    return next((r for r in found if r is not None), None)
