"""A user's rule of one node with the right one, asked with one gradient.

Conventions: as in `own_rules`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local, Program
from scoreproof.public.backward.true_rules import TrueRule, right_of

__all__ = ["Rule", "rule_of"]

FINE = 1e-6  # relative to the argument's gradient, where differences are no coarser


@dataclass(frozen=True, eq=False)
class Rule:
    """The node's own rule and the right one, at its arguments, with one random gradient."""

    program: Program
    v: int
    own: Local
    right: Local
    truth: TrueRule
    g: Leaves
    found: list[Leaves]
    due: list[Leaves]

    @property
    def limit(self) -> float:
        return max(FINE, 20 * self.truth.error)

    def name(self, k: int) -> str:
        node = self.program.nodes[self.v]
        u = self.program.nodes[node.arguments[k]]
        return f"`{u.name}`" + (f" (argument {k + 1})" if len(node.arguments) > 1 else "")

    def known(self, k: int) -> bool:
        return self.truth.jacobians[k] is not None

    def wrong(self) -> list[int]:
        return [k for k in range(len(self.due)) if self.known(k) and not self.same(k, self.due[k])]

    def same(self, k: int, sent: Leaves, factor: float = 1.0) -> bool:
        gap = np.abs(self.found[k].flat() - factor * sent.flat())
        size = max(self.found[k].norm(), self.due[k].norm()) / max(gap.size, 1) ** 0.5
        return bool(np.all(gap <= self.limit * max(size, 1e-300)))

    def alike(self, k: int, sent: Leaves) -> bool:
        """Whether this is what is due."""
        gap = np.abs(self.due[k].flat() - sent.flat())
        size = self.due[k].norm() / max(gap.size, 1) ** 0.5
        return bool(np.all(gap <= self.limit * max(size, 1e-300)))


def rule_of(program: Program, v: int, own: Local, rng: np.random.Generator) -> Rule:
    """Node v, or a part of it, with a gradient drawn at random."""
    right, truth = right_of(own, program.unit)
    g = own.value.like(rng.standard_normal(own.value.size))
    return Rule(program, v, own, right, truth, g, own.pull(g), right.pull(g))
