"""What a run of a sampler was: the law of each state with the level it should be at, and its draws.

Conventions: ``states`` in the order in which they were reached; the first is the start.
"""

from __future__ import annotations

from dataclasses import dataclass

from scoreproof.interop.draws import Draw
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.rows import Law
from scoreproof.public.sampler.start import Began

__all__ = ["Chain", "State"]


@dataclass(frozen=True, eq=False)
class State:
    """A law, the level of the forward process that it should have, and after which step."""

    level: Level
    law: Law
    step: int


@dataclass(frozen=True, eq=False)
class Chain:
    """One run of about ``n`` steps; ``end`` is the law of what was returned, due at ``last``
    (``None``: at the data); ``calls`` of the model, ``steps`` that were taken, ``rows`` a batch,
    ``parts`` the sizes of calls for less; ``eps``: the unit roundoff of the coarsest numbers that
    went into doubled arithmetic; ``began``: what noise of its own it starts from; ``told_last``:
    what the model is told at its last call; ``before``: the level that the last step begins at,
    of a function that is told its times.
    """

    n: int
    data: Data
    states: tuple[State, ...]
    end: Law
    last: Level | None
    draws: tuple[Draw, ...]
    calls: int
    steps: int
    rows: int
    parts: tuple[int, ...]
    doubled: bool
    eps: float
    notes: tuple[str, ...]
    began: Began | None = None
    told_last: Level | None = None
    before: Level | None = None
