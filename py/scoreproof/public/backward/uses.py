"""How often each use of an array was counted in its gradient.

The gradient of an array is the sum of what the nodes that use it send back: the factors of these
contributions are solved for, array by array.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.backward.compared import Compared
from scoreproof.public.backward.tape import Tape
from scoreproof.words import enumerated

__all__ = ["used"]

SIMPLE = (0.0, 1.0, -1.0, 2.0, 0.5)
SHARP = 1e-6
SHOWN = 4


def used(tape: Tape, c: Compared) -> Diagnosis | None:
    """If in each wrong array some uses are missing, doubled or negated, and the rest is right."""
    told = []
    for p in c.wrong:
        factors = _factors(tape, c, p)
        if factors is None:
            return None
        told.append((p, factors))
    if not told:
        return None
    text = " ".join(_told(tape, c, p, factors) for p, factors in told)
    kinds = {f for _, factors in told for _, _, f in factors if f != 1}
    name = "uses_missing" if kinds == {0.0} else "uses_miscounted"
    return Diagnosis.cause(name, f"Cause: {text}{c.rest(c.wrong)}")


def _factors(tape: Tape, c: Compared, p: int) -> list[tuple[int, int, float]] | None:
    """``(node, slot, factor)`` of the uses of array p, or None."""
    u = tape.at[p]
    sites = [
        (v, k)
        for v in sorted(tape.parts)
        for k, w in enumerate(tape.program.nodes[v].arguments)
        if w == u and np.any(tape.parts[v][k].flat())
    ]
    if len(sites) < 2:
        return None
    columns = np.stack([tape.parts[v][k].flat() for v, k in sites], axis=1)
    target, limit = c.found[p].flat(), c.part(c.limit, p)
    distinct = np.unique(np.round(target / np.max(np.abs(target), initial=1e-300), 9)).size
    if target.size < len(sites) + 2 or distinct < 3:
        return None
    weights = 1 / np.maximum(limit, 1e-300)
    solution, _, rank, _ = np.linalg.lstsq(
        columns * weights[:, None], target * weights, rcond=1e-10
    )
    if rank < len(sites):
        return None
    simple = np.array(SIMPLE)
    factors = [float(simple[np.argmin(np.abs(simple - x))]) for x in solution]
    if np.max(np.abs(solution - factors)) > SHARP + np.max(limit) / np.max(np.abs(columns)):
        return None
    if np.any(np.abs(target - columns @ np.array(factors)) > 4 * limit):
        return None
    if 0.5 in factors and sum(f != 1 for f in factors) > 1:
        return None  # too many numbers of too many kinds
    return [(v, k, f) for (v, k), f in zip(sites, factors, strict=True)]


_WORDS = {
    0.0: "missing",
    -1.0: "counted with the wrong sign",
    2.0: "counted twice",
    0.5: "counted half",
}


def _told(tape: Tape, c: Compared, p: int, factors: list[tuple[int, int, float]]) -> str:
    parts = []
    for factor, words in _WORDS.items():
        nodes = [f"[{tape.program.nodes[v].shown}]" for v, _, f in factors if f == factor]
        if nodes:
            more = f" and {len(nodes) - SHOWN} more" if len(nodes) > SHOWN else ""
            verb = "is" if len(nodes) == 1 else "are"
            parts.append(f"what comes back from {enumerated(nodes[:SHOWN])}{more} {verb} {words}")
    return (
        f"`{c.names[p]}` is used {len(factors)} times, and its gradient is the sum over all uses:"
        f" {'; '.join(parts)}."
    )
