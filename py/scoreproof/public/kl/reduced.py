"""What a function does over the batch and the coordinates, read off the shape that comes back.

Conventions: as in `given`; what is said goes before what is read.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.kl.given import Given
from scoreproof.public.kl.returned import Reduced
from scoreproof.public.kl.widest import said

__all__ = ["as_returned"]

RANKS = ("holds", "undecided", "refuted")
SUMMED = 'one number a batch is taken for a sum over it (reduction="sum")'
AVERAGED = 'one number a batch is taken for an average over it (reduction="mean")'
APART = 'what comes back is taken for one number a coordinate (dims="none")'


def as_returned(
    of: Callable[[Given], Evidence], given: Given, error: CallableError
) -> Evidence | None:
    """The verdict of the reading that speaks for the function most; ``None`` where it is said what
    is done, and something else comes back.
    """
    found: list[Evidence] = []
    for other, words in _readings(given, error):
        with contextlib.suppress(CallableError, ArgumentError):
            found.append(said(of(other), words))
            if found[-1].verdict == "holds":
                break
    if not found:
        return None
    calls = sum(e.cost.get("calls", 0) for e in found)
    return replace(min(found, key=_rank), cost={"calls": calls})


def _readings(given: Given, error: CallableError) -> list[tuple[Given, str]]:
    if isinstance(error, Reduced):
        if "reduction" not in given.unsaid:
            return []
        both = (("sum", SUMMED), ("mean", AVERAGED))
        return [(replace(given, reduction=name), words) for name, words in both]
    return [(replace(given, dims="none"), APART)] if "dims" in given.unsaid else []


def _rank(evidence: Evidence) -> tuple[int, int]:
    """Of two refutations the one with the plainer cause."""
    cause = evidence.diagnosis
    names = cause.names[0].count("+") + len(cause.names) if cause and cause.names else 9
    return RANKS.index(evidence.verdict), names
