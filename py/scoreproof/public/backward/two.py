"""Two mistakes at once: a wrong rule explains some arrays, and what is left is simple."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.backward.arrays import array_causes, late_causes
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.hits import Hit, told
from scoreproof.public.backward.sites import Site
from scoreproof.public.backward.tape import Tape
from scoreproof.public.backward.wrong_parts import GROUPS, wrong_parts

__all__ = ["two"]

MOST, ENTRIES = 600, 1e7
LEAST = 4  # distinct entries that the first mistake has to explain alone


def two(tape: Tape, c: Compared) -> Diagnosis | None:
    """The rule of one slot, and a reading of the arrays that it does not explain."""
    wrong = frozenset(c.wrong)
    if len(wrong) < 2:
        return None
    entries = sum(x.size for x in tape.program.values)
    budget = int(min(MOST, ENTRIES / max(entries, 1)))
    slots = [(v, k) for v, k in tape.slots if len(tape.behind(v, k) & wrong) > 0]
    for group in GROUPS:
        for v, k in slots:
            g = tape.grads[v]
            assert g is not None
            right = tape.slot_effect(v, k, tape.parts[v][k])
            for part in wrong_parts(Site(tape.program, v, k, tape.locals[v], g), group):
                budget -= 1
                if budget < 0:
                    return None
                moved = c.all_due - right + tape.slot_effect(v, k, part.sent)
                found = _rest(tape, c, Hit(v, k, part, 1.0, 1e-12), moved)
                if found is not None:
                    return found
    return None


def _rest(tape: Tape, c: Compared, hit: Hit, moved: np.ndarray) -> Diagnosis | None:
    """The reading of what is left once this rule is taken for the right one."""
    with np.errstate(all="ignore"):
        off = ~(np.abs(c.all_found - moved) <= c.limit)
        changed = np.abs(moved - c.all_due) > 4 * c.limit
    explained = [
        p
        for p in c.wrong
        if not np.any(c.part(off, p))
        and np.unique(np.round(c.part(moved, p)[c.part(changed, p)], 12)).size >= LEAST
    ]
    if not explained or len(explained) == len(c.wrong):
        return None
    cuts = np.cumsum([x.size for x in c.due])[:-1]
    due = tuple(x.like(part) for x, part in zip(c.due, np.split(moved, cuts), strict=True))
    rest = replace(c, due=due, bound=c.limit)
    second = array_causes(rest) or late_causes(rest)
    if second is None:
        return None
    only = replace(c, found=due)
    first = told(tape, only, [hit]).sentence.removeprefix("Cause: ")
    then = second.sentence.removeprefix("Cause: ")
    text = f"Cause: two mistakes. First, {first} Then, measured against that, {then}"
    return Diagnosis.cause(f"{hit.part.name} + {second.names[0]}", text)
