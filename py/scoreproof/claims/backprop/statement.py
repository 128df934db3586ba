"""The two backward passes over a computation graph.

Conventions
-----------
- Gradients are rows: ``grad[w] @ partial`` with ``partial`` the Jacobian (outputs × inputs) of one
  argument slot.
- Edges carry one partial per slot (a multigraph): ``u * u`` has two. ``order`` is a linear
  topological order.
- The loops change ``grad`` (a list) in place, as printed; they use ``+`` and ``@`` only, so words,
  residues, balls, floats and pullbacks all run through the same lines.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scoreproof.core import Statement
from scoreproof.objects.graphs import BackwardPass

__all__ = ["STATEMENT", "TRUTH", "Loops", "formula", "prepare", "pull", "push", "scaled"]

Sweep = Callable[[BackwardPass, list[Any]], list[Any]]


def prepare(run: BackwardPass, grad: list[Any]) -> list[Any]:
    """``zero_grad``, then ``v_out.grad = 1``."""
    for v in run.order:
        grad[v] = run.zeros[v]
    grad[run.v_out] = run.one
    return grad


def pull(run: BackwardPass, grad: list[Any]) -> list[Any]:
    """Version 1: each node pulls from its successors."""
    for v in reversed(run.order):
        for w, slot in run.successors[v]:
            grad[v] = grad[v] + grad[w] @ run.partials[slot]
    return grad


def push(run: BackwardPass, grad: list[Any]) -> list[Any]:
    """Version 2: each node pushes to its predecessors."""
    for v in reversed(run.order):
        for u, slot in run.predecessors[v]:
            grad[u] = grad[u] + grad[v] @ run.partials[slot]
    return grad


@dataclass(frozen=True)
class Loops:
    """A subject of this claim: what happens before the loops, and the two loops."""

    prepare: Sweep = prepare
    pull: Sweep = pull
    push: Sweep = push


def formula() -> Loops:
    """Both versions as printed."""
    return Loops(prepare, pull, push)


TRUTH = formula()


def scaled(*, partial: Any = 1, seed: Any = 1) -> Loops:
    """The truth with every partial, or the seed, multiplied by a factor (the sharpness probes)."""

    def scale(run: BackwardPass) -> BackwardPass:
        return BackwardPass(
            run.order,
            run.successors,
            run.predecessors,
            [partial * p for p in run.partials],
            run.zeros,
            run.v_out,
            seed * run.one,
        )

    return Loops(
        lambda r, g: prepare(scale(r), g),
        lambda r, g: pull(scale(r), g),
        lambda r, g: push(scale(r), g),
    )


STATEMENT = Statement(
    name="backprop",
    title="Equivalence of the two graph-form backward passes",
    formula=(
        "pulling grad[v] += grad[w] @ ∂w/∂v from successors = pushing it to predecessors = Σ over"
        " paths v → v_out of the product of the partials"
    ),
    latex=(
        r"g(v) \mathrel{+}= \sum_{v \to w} g(w)\, \partial w/\partial v \quad\text{and}\quad g(u)"
        r" \mathrel{+}= g(v)\, \partial v/\partial u"
        r"\quad\text{both end with}\quad g(v) = \sum_{u} g_0(u) \sum_{\text{paths } v \to u} \prod"
        r" \partial"
    ),
    source="Homework 1, problem 4 (generative models, spring 2024)",
    hypotheses=(
        (
            "the graph is a directed acyclic graph, and both loops run over it in a reversed linear"
            " topological order (each may use its own)"
        ),
        (
            "each edge carries a map M_w → M_v between the gradient spaces of its ends that is"
            " additive and keeps 0 (for the two loops alone any map does); the spaces are"
            " commutative monoids"
        ),
        (
            "edges are a set with total partials, or a multigraph with one partial per slot: one of"
            " the two, throughout"
        ),
    ),
    errata=(
        (
            "Both listings start from grad = 0 and v_out.grad = 1. Not needed: they agree from any"
            " one start."
        ),
        (
            "The source asks for the equivalence only; that both equal the sum over paths has to be"
            " shown apart, or a mistake made in both is missed."
        ),
        "The source writes v → w without saying whether u * u is one edge or two.",
    ),
    blind_spots=(
        (
            "Comparing the two versions with one another sees no mistake made in both: operands"
            " swapped, order not reversed, seed missing."
        ),
        (
            "Scalar (commuting) partials hide swapped operands; a chain or a tree hides = in place"
            " of +=."
        ),
        "A graph without repeated arguments hides the treatment of u * u.",
        "A start from zero hides a missing zero_grad.",
    ),
    not_covered=(
        (
            "Graphs with more nodes than were enumerated, as a theorem: there the evidence is"
            " random partials over two large prime fields."
        ),
        (
            "That the partials are the derivatives of the node functions, except in the check that"
            " differentiates them (jacobians)."
        ),
        "That no bit differs on other graphs than the one random graph of bitwise.",
    ),
    conventions=(
        (
            "The result is exact; in floating point sums are reordered. The versions agree bit for"
            " bit when version 1 visits successors in reverse topological order."
        ),
    ),
)
