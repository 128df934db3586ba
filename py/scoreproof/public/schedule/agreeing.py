"""Whether a candidate is what a table holds, and which of several that are near it is.

Conventions: as in `words`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.schedule.alternatives import Alternative
from scoreproof.public.schedule.asides import around
from scoreproof.public.schedule.shapes import LEAST, most_of_it, span

__all__ = ["Found", "agrees", "close", "explains"]

#: a formula that agrees, where, and what it leaves
Found = tuple[Alternative, str, float]
#: times further off than the best that a simpler formula may be, and what is no misfit in any type
NEARER, ROUNDED = 4.0, 1e-6


def close(
    first: Iterator[Alternative],
    then: Iterator[Alternative],
    known: tuple[str, np.ndarray] | None,
    values: np.ndarray,
    due: np.ndarray,
    allowed: np.ndarray,
    wrong: np.ndarray,
) -> tuple[list[Found], list[Found]]:
    """Those of the first and then of the second kind that agree, the simplest first, without those
    that are much further off than the best: a coarse type's bound lets in what is merely near.
    """
    kinds: tuple[list[Found], list[Found]] = ([], [])
    for kind, others in zip(kinds, (first, then), strict=True):
        for other in others:
            if where := agrees(values, other.values, due, allowed, wrong):
                kind.append((other, where, _misfit(other.values, values, wrong)))
    found = [f[2] for kind in kinds for f in kind]
    if known is not None:
        found.append(_misfit(known[1], values, wrong))
    most = max(NEARER * min(found, default=0.0), ROUNDED)
    plain_ones, others_found = ([f for f in kind if f[2] <= most] for kind in kinds)
    return plain_ones, others_found


def _misfit(candidate: np.ndarray, values: np.ndarray, wrong: np.ndarray) -> float:
    """The median of what is left, relative, where the values are wrong."""
    with np.errstate(all="ignore"):
        left = np.abs(values / candidate - 1)[wrong]
    left = left[np.isfinite(left)]
    return float(np.median(left)) if left.size else np.inf


def explains(candidate: np.ndarray, values: np.ndarray, due: np.ndarray, wrong: np.ndarray) -> bool:
    """Whether what is left is a small part of the deviation."""
    return most_of_it(np.abs(values - candidate), values - due, np.isfinite(due) & wrong)


def agrees(
    values: np.ndarray,
    candidate: np.ndarray,
    due: np.ndarray,
    allowed: np.ndarray,
    wrong: np.ndarray,
) -> str:
    """``" "`` if the candidate is what the values are, a clause that says from where to where if it
    is so only where they are wrong, empty if it is not.
    """
    with np.errstate(all="ignore"):
        seen = np.isfinite(candidate) & np.isfinite(values)
        left = np.abs(values - candidate)
        off = left <= allowed * np.maximum(np.abs(candidate), 1e-12)
    # what it explains has to be most of what is wrong
    if np.sum(seen & wrong) < LEAST or not np.all(off[seen & wrong]):
        return ""
    # an infinite due leaves no part
    far = np.isfinite(due) & wrong & seen
    if np.any(far) and not most_of_it(left, values - due, far):
        return ""
    if np.all(off[seen]):
        return " "
    if np.sum(seen & wrong) < 2 * LEAST:
        return ""
    # where the two differ by less than the bound, it is the candidate as well
    return f"{span(around(wrong, off & seen))} "
