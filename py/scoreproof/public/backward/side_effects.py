"""What a user's own rule does besides returning a gradient: it writes into the one that arrives, or
keeps its values outside of its call.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import ScoreproofError
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Program

__all__ = ["side_effect", "side_effects"]


def side_effects(program: Program, rng: np.random.Generator) -> Diagnosis | None:
    """The first of them among the user's own rules."""
    for v, node in enumerate(program.nodes):
        if node.custom and node.slots and (found := side_effect(program, v, rng)):
            return found
    return None


def side_effect(program: Program, v: int, rng: np.random.Generator) -> Diagnosis | None:
    """Seen by asking the rule twice, and once more after a forward at other arguments."""
    node = program.nodes[v]
    if not node.custom:
        return None
    try:
        local = program.local(v)
        g = local.value.like(rng.standard_normal(local.value.size))
        first, again = local.pull(g), local.pull(g)
        if node.name in program.overwrites:
            return Diagnosis.cause(
                "gradient_overwritten",
                f"Cause: the backward of [{node.shown}] writes into the gradient that arrives"
                " (grad_output), in place; other paths that share it get what was written: write"
                " into a new tensor (g * …, or g.clone() first).",
            )
        if not _same(first, again):
            return None
        local.elsewhere([x.like(1.1 * x.flat() + 0.3) for x in local.arguments])
        if _same(first, local.pull(g)):
            return None
    except ScoreproofError:  # it cannot be asked there
        return None
    return Diagnosis.cause(
        "state_outside_of_the_call",
        f"Cause: the backward of [{node.shown}] uses what the last forward left, not what its own"
        " call saw (an attribute of the class, a global): called twice in a function, the first"
        " call gets the values of the second. Keep them in ctx (ctx.save_for_backward).",
    )


def _same(one: Sequence[Leaves], two: Sequence[Leaves]) -> bool:
    return all(np.array_equal(a.flat(), b.flat()) for a, b in zip(one, two, strict=True))
