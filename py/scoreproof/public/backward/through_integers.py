"""What of a value's change passes through integers, where no gradient does: the bits of a float.

Conventions: as in `verdict`. An index, a comparison or a rounding stays as it is when the sources
move by a little, up to jumps; bits move with every step, and the value in proportion to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Program

__all__ = ["Passed", "through_integers"]

#: steps in spacings of the type, each twice the last; how far from proportional a change may be
STEPS, LIKE = (2.0**14, 2.0**15, 2.0**16), 0.2
#: roundings of the value that a change is more than
ROUNDINGS = 64.0


@dataclass(frozen=True)
class Passed:
    """The node that makes integers of floats, the rate at which the value changes through them
    along a direction, and the rounding of that rate.
    """

    node: int
    rate: float
    rounding: float


def through_integers(program: Program, seed: Leaves, rng: np.random.Generator) -> Passed | None:
    """The first node whose integers move the value in proportion to the step of the sources."""
    for v in _makers(program):
        found = [_passed(program, seed, v, rng) for _ in range(2)]
        if all(found):
            return found[0]
    return None


def _makers(program: Program) -> list[int]:
    """Nodes with floating arguments that depend on a source, and no floating value."""
    reached = set(program.sources)
    found = []
    for v, node in enumerate(program.nodes):
        if reached.isdisjoint(node.where):
            continue
        reached.add(v)
        if program.values[v].size == 0 and any(program.values[u].size for u in node.where):
            found.append(v)
    return found if program.v_out in reached else []


def _passed(program: Program, seed: Leaves, v: int, rng: np.random.Generator) -> Passed | None:
    point = program.point()
    value = seed.flat() * program.values[program.v_out].flat()
    rounding = ROUNDINGS * program.unit * float(np.sum(np.abs(value)))
    steps = [x.like(np.abs(x.flat()) * rng.standard_normal(x.size)) for x in point]
    changes = []
    for count in STEPS:
        h = count * program.unit
        moved = [x + h * t for x, t in zip(point, steps, strict=True)]
        integers = _forward(program, moved, {})[v]
        out = program.read(_forward(program, point, {v: integers})[program.v_out])
        changes.append(float(seed.flat() @ out.flat()) - float(np.sum(value)))
        if not abs(changes[-1]) > rounding:
            return None
    rates = np.array(changes) / np.array(STEPS) / program.unit
    rate = float(np.median(rates))
    if np.max(np.abs(rates - rate)) > LIKE * abs(rate):
        return None
    return Passed(v, rate, rounding / STEPS[-1] / program.unit)


def _forward(program: Program, point: Sequence[Leaves], held: Mapping[int, Any]) -> list[Any]:
    """The values of all nodes, integers among them, with some held."""
    natives = list(program.natives)
    for v, x in zip(program.sources, point, strict=True):
        natives[v] = program.write(natives[v], x)
    for v, node in enumerate(program.nodes):
        if v in held:
            natives[v] = held[v]
        elif node.run is not None and v not in program.sources:
            natives[v] = program.untaped(node, [natives[u] for u in node.where])
    return natives
