"""The right backward pass over a traced function, and what changes if some of its rules do.

Conventions
-----------
- ``flat`` vectors hold the entries of the asked gradients, one source after the other.
- Backward rules are linear in the gradient that comes in: a change runs through the rest of the
  pass on its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local, Program

__all__ = ["Rule", "Tape"]

#: (local, incoming gradient) -> what is sent to each slot
Rule = Callable[[Local, Leaves], list[Leaves]]


@dataclass
class Tape:
    """``grads``: the gradient of every node (None where none arrives); ``parts``: what each node
    sends through its slots; ``pulls`` counts the products that were taken.
    """

    program: Program
    at: tuple[int, ...]
    seed: Leaves
    grads: list[Leaves | None] = field(init=False)
    parts: dict[int, list[Leaves]] = field(init=False, default_factory=dict)
    locals: dict[int, Local] = field(init=False, default_factory=dict)
    pulls: int = 0

    def __post_init__(self) -> None:
        nodes = self.program.nodes
        self.grads = [None] * len(nodes)
        self.grads[self.program.v_out] = self.seed
        for v in reversed(range(len(nodes))):
            g = self.grads[v]
            if g is None or not nodes[v].slots:
                continue
            self.locals[v] = self.program.local(v)
            self.parts[v] = self._pull(v, g)
            for u, part in zip(nodes[v].arguments, self.parts[v], strict=True):
                old = self.grads[u]
                self.grads[u] = part if old is None else old + part

    def _pull(self, v: int, g: Leaves) -> list[Leaves]:
        self.pulls += 1
        return [g] if v in self.program.held else self.locals[v].pull(g)

    @property
    def slots(self) -> list[tuple[int, int]]:
        """``(node, k)``: the slots that a gradient runs through to a source."""
        return [
            (v, k)
            for v in sorted(self.parts, reverse=True)
            for k, u in enumerate(self.program.nodes[v].arguments)
            if self.reaches(u)
        ]

    def reaches(self, u: int) -> frozenset[int]:
        """Which asked sources (their places in ``at``) depend on what arrives at node u."""
        if not hasattr(self, "_reaches"):
            found: list[frozenset[int]] = []
            for v, node in enumerate(self.program.nodes):
                mine = frozenset(p for p, s in enumerate(self.at) if s == v)
                found.append(mine.union(*(found[w] for w in node.arguments)))
            self._reaches = found
        return self._reaches[u]

    def behind(self, v: int, k: int) -> frozenset[int]:
        """Which asked sources depend on what node v sends through its slot k."""
        return self.reaches(self.program.nodes[v].arguments[k])

    def flat(self, grads: Mapping[int, Leaves] | None = None) -> np.ndarray:
        """The asked gradients, or changes of them."""
        given = dict(enumerate(self.grads)) if grads is None else grads
        zeros = self.program.values
        parts = [(given.get(s) or zeros[s].zeros()).flat() for s in self.at]
        return np.concatenate([np.zeros(0), *parts])

    def effect(
        self, changes: Mapping[int, Leaves], rules: Mapping[int, Rule] | None = None
    ) -> np.ndarray:
        """How the asked gradients change if those of some nodes do, and the ``rules`` of some."""
        moved: dict[int, Leaves] = dict(changes)
        given = rules or {}
        nodes = self.program.nodes
        for v in reversed(range(len(nodes))):
            if v not in self.parts or (v not in moved and v not in given):
                continue
            if v in given:
                self.pulls += 1
                old = self.grads[v]
                assert old is not None
                sent = given[v](self.locals[v], old + moved[v] if v in moved else old)
                parts: Sequence[Leaves] = [
                    new - right for new, right in zip(sent, self.parts[v], strict=True)
                ]
            else:
                parts = self._pull(v, moved[v])
            for u, part in zip(nodes[v].arguments, parts, strict=True):
                if self.reaches(u):
                    moved[u] = moved[u] + part if u in moved else part
        return self.flat(moved)

    def slot_effect(self, v: int, k: int, sent: Leaves) -> np.ndarray:
        """What the asked gradients receive if node v sends this through its slot k, and nothing
        else.
        """
        return self.effect({self.program.nodes[v].arguments[k]: sent})
