"""Which nodes were held constant: one, or two at once."""

from __future__ import annotations

from itertools import combinations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local
from scoreproof.public.backward.budget import Budget
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.tape import Tape
from scoreproof.words import enumerated

__all__ = ["held"]

MOST_HELD = 30  # nodes of which two are held at once


def held(tape: Tape, c: Compared, wrong: frozenset[int], budget: Budget) -> Diagnosis | None:
    """One node, or two, held constant: nothing goes back through them."""
    nodes = [
        v
        for v in sorted(tape.parts, reverse=True)
        if v != tape.program.v_out
        and any(tape.behind(v, k) for k in range(len(tape.parts[v])))
        and frozenset().union(*(tape.behind(v, k) for k in range(len(tape.parts[v]))))
        <= wrong | c.quiet
    ]

    def nothing(local: Local, _: Leaves) -> list[Leaves]:
        return [x.zeros() for x in local.arguments]

    pairs = combinations(nodes, 2) if len(nodes) <= MOST_HELD else ()
    for chosen in (*((v,) for v in nodes), *pairs):
        if budget.spent():
            return None
        effect = tape.effect({}, dict.fromkeys(chosen, nothing))
        if np.any(effect) and c.explained(c.all_due + effect):
            shown = enumerated([f"[{tape.program.nodes[v].shown}]" for v in chosen])
            verb, them = ("is", "it") if len(chosen) == 1 else ("are", "them")
            places = sorted(wrong)
            text = (
                f"Cause: {shown} {verb} held constant: the paths through {them} are missing (a"
                " detach, or a rule that takes a statistic for a number). Wrong by it:"
                f" {c.called(places)}.{c.rest(places)}"
            )
            return Diagnosis.cause("held_constant", text)
    return None
