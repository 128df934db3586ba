"""A gradient by hand, asked again: does it add up over calls, and does it look at its arguments?"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import ScoreproofError
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.running import gradients
from scoreproof.public.backward.asking import asked
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.part_sums import parts_only
from scoreproof.public.backward.seen import Seen
from scoreproof.public.backward.whole import nearby_point
from scoreproof.words import enumerated

__all__ = ["adds_up", "looks_away"]

MOST_INPUTS = 8
MOVED = 1e-3  # a change of what is due that shows, relative


def _asked(seen: Seen, point: Sequence[Leaves] | None = None) -> np.ndarray | None:
    try:
        _, found = asked(seen.program, seen.question, seen.seed, point)
    except ScoreproofError:  # it fails at the second call, say
        return None
    return np.concatenate([np.zeros(0), *[x.flat() for x in found]])


def adds_up(seen: Seen, c: Compared) -> Diagnosis | None:
    """The same call again gives another answer. One call."""
    if seen.question.gradient is None:
        return None
    again = _asked(seen)
    if again is None or np.all(np.abs(again - c.all_found) <= c.limit):
        return None
    moved = [
        p
        for p in range(len(c.names))
        if np.any(np.abs(c.part(again - c.all_found, p)) > c.part(c.limit, p))
    ]
    steps = again - c.all_found
    if all(np.all(np.abs(c.part(steps - c.all_due, p)) <= 4 * c.part(c.limit, p)) for p in moved):
        text = (
            f"Cause: gradients are not cleared between calls: each call adds that of"
            f" {c.called(moved)} to what the calls before left (a second call with the same"
            " arguments returned the first answer plus what is due). Zero them at the start of each"
            f" call, or return new arrays.{c.rest(c.wrong)}"
        )
        return Diagnosis.cause("not_cleared", text)
    if parts_only(seen, c, [c.all_found, again]):
        text = (
            f"Cause: terms overwrite each other (= for +=): what is returned for {c.called(moved)}"
            " is the sum of a part of the terms that are due, and of another part at a second call:"
            " the nodes are walked in the order of a set, which changes. Add to .grad (+=)."
            f"{c.rest(c.wrong)}"
        )
        return Diagnosis.cause("assigns_in_the_order_of_a_set", text)
    text = (
        "Cause: the answer depends on earlier calls: a second call with the same arguments returned"
        f" another gradient of {c.called(moved)}: a buffer that is not cleared, an order that"
        f" changes (that of a set of nodes), or randomness.{c.rest(c.wrong)}"
    )
    return Diagnosis.cause("depends_on_earlier_calls", text)


def looks_away(seen: Seen, c: Compared, rng: np.random.Generator) -> Diagnosis | None:
    """The answer does not change with arguments that what is due depends on. One call an input."""
    if seen.question.gradient is None or len(c.names) > MOST_INPUTS:
        return None
    given = seen.program.point()
    point = nearby_point(seen.program, rng)
    if point is None:
        return None
    ignored = []
    for k in range(len(c.names)):
        moved = [point[p] if p == k else x for p, x in enumerate(given)]
        found = _asked(seen, moved)
        if found is None:
            return None
        _, due = gradients(seen.program, moved, seen.seed)
        changed = np.concatenate([x.flat() for x in due[: len(c.names)]]) - c.all_due
        if np.linalg.norm(changed) < MOVED * 1e-2 * np.linalg.norm(c.all_due):
            continue
        if np.array_equal(found, c.all_found):
            ignored.append(k)
    if not ignored:
        return None
    if len(ignored) == len(c.names):
        what = "the same numbers come back whatever the arguments are: they are stored"
    else:
        names = enumerated([f"`{c.names[k]}`" for k in ignored])
        what = f"{names} is not looked at: other numbers there give the same answer"
    text = (
        f"Cause: {what} (a buffer or a copy of parameters from an earlier call, say). Compute from"
        " the arguments that are passed."
    )
    return Diagnosis.cause("stale", text)
