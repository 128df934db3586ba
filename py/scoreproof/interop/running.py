"""Runs a program at other sources, backwards, and with every number moved by a rounding error."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from itertools import permutations
from typing import Any

import numpy as np

from scoreproof.interop.leaves import Leaves, SlotMap, noisy
from scoreproof.interop.output_rules import OutputRules
from scoreproof.interop.traced import Program, Pull
from scoreproof.objects.graphs import BackwardPass

__all__ = ["backward_pass", "evaluate", "gradients", "sum_length"]

#: The spacing of numbers at 1 in float32.
SINGLE = 2.0**-23
SMALL = 0.01


def evaluate(program: Program, sources: Sequence[Leaves]) -> Leaves:
    """The value of the whole graph at other sources."""
    natives: list[Any] = []
    replaced = dict(zip(program.sources, sources, strict=True))
    for v, node in enumerate(program.nodes):
        if node.run is None:
            old = program.natives[v]
            natives.append(program.write(old, replaced[v]) if v in replaced else old)
        else:
            natives.append(program.untaped(node, [natives[u] for u in node.where]))
    return program.read(natives[program.v_out])


def gradients(
    program: Program,
    sources: Sequence[Leaves],
    seed: Leaves,
    noise: tuple[float, float] | None = None,
) -> tuple[Leaves, list[Leaves]]:
    """``(value, gradients)`` of the whole graph at other sources, by the framework's products.

    ``noise``: ``(amplitude, salt)``: every argument of every node, and every gradient that comes
    back to it, is moved by a relative error of up to the amplitude (``noisy``), larger in long
    sums (``sum_length``). So is a node's output where its backward may be written in it.
    """
    replaced = dict(zip(program.sources, sources, strict=True))
    natives: list[Any] = []
    pulls: dict[int, tuple[Pull, float]] = {}
    outputs: dict[int, np.ndarray] = {}
    rules = _output_rules(program)
    move, salt = noise or (0.0, 0.0)
    for v, node in enumerate(program.nodes):
        if node.run is None:
            old = program.natives[v]
            natives.append(program.write(old, replaced[v]) if v in replaced else old)
            continue
        arguments = [natives[u] for u in node.where]
        if not node.slots:
            natives.append(program.untaped(node, arguments))
            continue
        amplitude = _amplitude(program, v, move)
        if noise:
            for k in node.slots:
                x = program.read(arguments[k])
                arguments[k] = program.write(arguments[k], _moved(x, amplitude, salt + v))
        value, pull = program.taped(node, arguments)
        natives.append(value)
        if noise and len(y := program.read(value).arrays) == 1:
            moves = rules.moves(v, arguments, y[0], amplitude, salt + 0.5 + v)
            if moves is not None:
                outputs[v] = moves
        pulls[v] = (_identity if v in program.held else pull), amplitude
    grads: dict[int, Leaves] = {program.v_out: seed}
    for v in reversed(range(len(program.nodes))):
        if v in grads and v in pulls:
            pull, amplitude = pulls[v]
            g = _moved(grads[v], amplitude, salt - v) if noise else grads[v]
            parts = pull(g)
            if noise and program.nodes[v].inner > 1:
                parts = _shaken(parts, amplitude, salt + v)
            if v in outputs:
                parts = [parts[0] + Leaves([g.arrays[0] * outputs[v]])]
            for u, part in zip(program.nodes[v].arguments, parts, strict=True):
                grads[u] = grads[u] + part if u in grads else part
    found = [grads.get(v, program.values[v].zeros()) for v in program.sources]
    return program.read(natives[program.v_out]), found


def _output_rules(program: Program) -> OutputRules:
    if program.rules is None:
        program.rules = OutputRules(program)
    return program.rules


def _amplitude(program: Program, v: int, unit: float) -> float:
    """Sums of many terms are rounded more often: by the square root of their number, in float32
    at least (coarser types accumulate in it).
    """
    node = program.nodes[v]
    unit *= max(node.eps or program.eps, program.floor) / program.eps
    length = _length(program, v)
    return max(unit, min(unit, SINGLE) * length**0.5) * node.inner**0.5


def _length(program: Program, v: int) -> float:
    """How many terms the sums of a node may have. A node that only selects numbers (a row of a
    table, a maximum) sums none, and its product with a gradient no more than it has entries.
    """
    if v not in program.lengths:
        value = program.values[v].flat()
        arguments = [program.values[u] for u in program.nodes[v].arguments]
        length = sum_length({x.size for x in arguments}, value.size)
        if length > value.size:
            numbers = np.concatenate([x.flat() for x in arguments])
            if np.all(np.isin(value, numbers)):
                length = max(value.size, 1)
        program.lengths[v] = length
    return program.lengths[v]


def backward_pass(program: Program, seed: Leaves, held: bool = False) -> BackwardPass:
    """The pass over the framework's products; ``held`` keeps detached nodes detached."""
    slots: list[SlotMap] = []
    for v, node in enumerate(program.nodes):
        if node.slots:
            pull = _last_kept(program.local(v).pull)
            if v in program.held and not held:
                pull = _identity
            slots += [SlotMap(_part(pull, k)) for k in range(len(node.slots))]
    zeros = [v.zeros() for v in program.values]
    return BackwardPass.of(program.graph, slots, zeros, program.v_out, seed)


def _identity(g: Leaves) -> list[Leaves]:
    return [g]


def _last_kept(pull: Pull) -> Pull:
    """The slots of one node are pulled one after the other with the same gradient."""
    last: list[Any] = [None, None]

    def kept(g: Leaves) -> list[Leaves]:
        if last[0] is not g:
            last[:] = [g, pull(g)]
        return list(last[1])

    return kept


def _part(pull: Pull, k: int) -> Callable[[Leaves], Leaves]:
    return lambda g: pull(g)[k]


def sum_length(arguments: Collection[int], value: int) -> float:
    """How many terms the sums of a node, or of its products, may have, read off the sizes: n for a
    sum of n numbers or a broadcast to n, k for a product of matrices with k in common.
    """
    sizes = [max(n, 1) for n in (*arguments, value)]
    length = max(max(a / sizes[-1], sizes[-1] / a) for a in sizes)
    for a, b, c in permutations(range(len(sizes)), 3):
        if a < b and len(sizes) - 1 in (a, b, c):
            length = max(length, (sizes[a] * sizes[b] / sizes[c]) ** 0.5)
    return length


def _moved(x: Leaves, amplitude: float, salt: float) -> Leaves:
    return Leaves([noisy(a, amplitude, salt) for a in x.arrays])


def _shaken(parts: Sequence[Leaves], amplitude: float, salt: float) -> list[Leaves]:
    """Gradients that many operations inside a node made: terms that cancelled there leave rounding
    of the size of the array's other entries, or of a hundredth of the node's other arrays.
    """
    sizes = [x.norm() / max(x.size, 1) ** 0.5 for x in parts]
    floor = SMALL * max(sizes, default=0.0)
    out = []
    for k, (x, size) in enumerate(zip(parts, sizes, strict=True)):
        index = np.sin(np.arange(x.size) * 1.618 + salt + k)  # in (0.5, 1) after shifting: no zeros
        moves = noisy(0.75 + 0.25 * index, 1.0, salt + k) - (0.75 + 0.25 * index)
        out.append(x + x.like(amplitude * max(size, floor) * moves))
    return out
