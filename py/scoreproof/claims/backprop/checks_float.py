"""Floating point: how far reordering the sums moves the gradients, and when the two versions agree
bit for bit.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from flint import fmpq, fmpq_mat

from scoreproof.claims.backprop.faults import COMMON
from scoreproof.claims.backprop.statement import Loops
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.flint_matrices import FlintMatrix
from scoreproof.objects.graphs import BackwardPass, Graph, power_sums, random_graph

__all__ = ["bitwise", "float_reassociation", "in_reverse_order", "rounding_bounds"]

UNIT = float(np.finfo(float).eps) / 2


def rounding_bounds(run: BackwardPass, unit: float = UNIT) -> tuple[list[float], list[Any]]:
    """For each node γ_K and the sum over paths of absolute values: ``|computed - exact| <= γ_K ·
    absolute``, entry by entry.

    A path's product is rounded at each of its edges at most d times in the product with the partial
    (d multiplications and additions per entry, d the columns of the gradient) and once per later
    addition at the node, of which there are at most as many as it has slots. So it ends multiplied
    by ``(1 + δ₁)…(1 + δ_K)``, |δ| <= unit, with K the largest total along a path, and ``γ_K = K
    unit / (1 - K unit)``. The sum of absolute values is itself computed in floats: ``(1 + γ_K)`` of
    it.
    """
    count = [len(links) for links in run.successors]
    absolute = [np.abs(z) for z in run.zeros]
    absolute[run.v_out] = np.abs(run.one)
    for v in reversed(run.order):
        for w, slot in run.successors[v]:
            partial = np.abs(run.partials[slot])
            count[v] = max(count[v], count[w] + partial.shape[0] + len(run.successors[v]))
            absolute[v] = absolute[v] + absolute[w] @ partial
    gamma = [k * unit / (1 - k * unit) for k in count]
    return [g * (1 + g) for g in gamma], absolute


def in_reverse_order(run: BackwardPass) -> BackwardPass:
    """The same pass with version 1 visiting successors in reverse topological order (slots of one
    successor as version 2 has them).
    """
    place = {v: i for i, v in enumerate(run.order)}
    slots: dict[int, int] = {
        slot: i for links in run.predecessors for i, (_, slot) in enumerate(links)
    }
    return replace(
        run,
        successors=[
            sorted(links, key=lambda pair: (-place[pair[0]], slots[pair[1]]))
            for links in run.successors
        ],
    )


def _float_pass(
    graph: Graph, rng: np.random.Generator, signed: bool, scale: float = 1.0
) -> BackwardPass:
    partials = scale * rng.uniform(0.2, 1.0, (len(graph.edges), 2, 2))
    if signed:
        partials *= rng.choice([-1.0, 1.0], partials.shape)
    zeros = [np.zeros((2, 2))] * graph.size
    run = BackwardPass.of(graph, list(partials), zeros, graph.order[-1], np.eye(2))
    return replace(run, order=graph.random_order(rng))


def _exact(run: BackwardPass) -> list[np.ndarray]:
    """The sum over paths in rational arithmetic (floats are rationals), rounded once at the end."""

    def convert(a: np.ndarray) -> FlintMatrix:
        return FlintMatrix(
            fmpq_mat(
                a.shape[0], a.shape[1], [fmpq(*x.as_integer_ratio()) for x in a.ravel().tolist()]
            )
        )

    start = {run.v_out: convert(run.one)}
    zero = convert(run.zeros[0])
    rational = replace(run, partials=[convert(p) for p in run.partials])
    sums = power_sums(rational, [start.get(v, zero) for v in range(len(run.order))])
    return [
        np.array([int(q.p) / int(q.q) for q in s.parts[0].entries()]).reshape(2, 2) for s in sums
    ]  # int / int rounds once


def _floats(profile: str) -> tuple[Instance, ...]:
    def build(size: int, signed: bool, scale: float = 1.0) -> Any:
        def make(rng: np.random.Generator) -> tuple[BackwardPass, list[np.ndarray]]:
            run = _float_pass(random_graph(rng, size, 3, None, 0.2), rng, signed, scale)
            return run, _exact(run)

        return make

    small = Instance("12 nodes, positive partials", build(12, False))
    if profile == "faults":
        return (small,)
    size = {"quick": 40, "default": 200, "deep": 400}[profile]
    # gradients up to 1e30, then down to 1e-30: clipped ones would show
    return (
        small,
        Instance("12 nodes, partials about 1000", build(12, True, 1e3)),
        Instance("12 nodes, partials about 1/1000", build(12, True, 1e-3)),
        Instance(f"{size} nodes, partials of both signs", build(size, True)),
    )


@check(kind="float", instances=_floats, probes=("partial", "seed"))
def float_reassociation(
    subject: Loops, instance: tuple[BackwardPass, list[np.ndarray]], rng: np.random.Generator
) -> Evidence:
    """Both versions in double precision with random inner orders against the sum over paths in
    rational arithmetic. Only the order of the sums may differ, so the error stays below γ_K times
    the sum over paths of absolute values, K counting the roundings along a path. The difference
    between the versions is reported.
    """
    run, exact = instance
    gamma, absolute = rounding_bounds(run)
    tiny = np.finfo(float).tiny
    results = []
    for version in (subject.pull, subject.push):
        shuffled = run.shuffled(rng)
        left_over = list(rng.standard_normal((len(run.order), 2, 2)))
        results.append(version(shuffled, subject.prepare(shuffled, left_over)))
    # relative to the absolute sums; where no path leads the gradient must be exactly zero
    scale = [np.maximum(a, tiny) for a in absolute]
    pairs = [
        (float(np.max(np.abs(g - e) / s)), b)
        for grad in results
        for g, e, s, b in zip(grad, exact, scale, gamma, strict=True)
    ]
    # the oracle is rounded once: one more unit
    value, bound = max(((v, b + UNIT) for v, b in pairs), key=lambda pair: pair[0] / pair[1])
    between = max(float(np.max(np.abs(a - b) / s)) for a, b, s in zip(*results, scale, strict=True))
    return Evidence.measured(
        value,
        bound,
        f"in floating point the versions differ from one another by {between:.2g} and from the"
        f" exact sum over paths by {value:.2g}, relative to the sum of absolute values",
        cost={"slots": len(run.partials)},
    )


_SAME_BITS = "made in both versions alike, with the sums in the same order: the same bits"
_ONE_STEP = (
    "from zero gradients both versions then reach the predecessors of v_out and no further, with"
    " the same bits"
)
_BLIND = {**dict.fromkeys(COMMON, _SAME_BITS), "order_not_reversed": _ONE_STEP}


def _bit_graphs(profile: str) -> tuple[Instance, ...]:
    size = {"faults": 60, "quick": 200, "default": 2000, "deep": 20_000}[profile]
    # scaled so that a hop neither grows nor shrinks a gradient much: on a long graph it would
    # overflow, and nan != nan
    return (
        Instance(
            f"{size} nodes", lambda rng: _float_pass(random_graph(rng, size, 3, 40), rng, True, 0.6)
        ),
    )


@check(kind="exact", instances=_bit_graphs, blind=_BLIND)
def bitwise(subject: Loops, run: BackwardPass, rng: np.random.Generator) -> Evidence:
    """Floating point again, compared bit by bit: when version 1 visits successors in reverse
    topological order, both versions add the same products in the same order, and no bit may differ.
    (With another inner order bits may differ: see float_reassociation.)
    """
    run = in_reverse_order(run)
    left_over = list(rng.standard_normal((len(run.order), 2, 2)))
    one = subject.pull(run, subject.prepare(run, list(left_over)))
    two = subject.push(run, subject.prepare(run, list(left_over)))
    wrong = sum(int(np.sum(np.asarray(a) != np.asarray(b))) for a, b in zip(one, two, strict=True))
    return Evidence.exact(
        wrong,
        f"{wrong} of {4 * len(run.order)} entries of the two versions differ in some bit",
        cost={"slots": len(run.partials)},
    )
