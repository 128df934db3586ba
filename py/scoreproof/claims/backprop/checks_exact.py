"""Both loops over the free ring on every small graph, and over two large prime fields on large
ones.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.claims.backprop.faults import COMMON
from scoreproof.claims.backprop.statement import Loops
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.flint_matrices import FlintMatrix, failure_probability, random_residues
from scoreproof.numerics.words import Words
from scoreproof.objects.graphs import (
    BackwardPass,
    Graph,
    all_graphs,
    all_multigraphs,
    path_sums,
    random_graph,
    tangents,
)

__all__ = ["prime_fields", "two_loops", "words"]

_ZERO, _ONE = Words.zero(), Words.letter("")
_PARTIALS = [Words.letter(chr(ord("a") + k)) for k in range(26)]
_STARTS = [
    Words.letter(chr(ord("A") + v)) for v in range(9)
]  # a symbol per node: any initial state
_LEFT_OVER = [
    Words.letter(chr(ord("P") + v)) for v in range(9)
]  # what an earlier pass left in .grad


def _graphs(sizes: range, multigraphs: bool) -> Iterator[Graph]:
    for size in sizes:
        yield from all_multigraphs(size, 2) if multigraphs else all_graphs(size)


def _wide_graph() -> Graph:
    """A chain 0 → … → 8 whose first node has all others as consumers, its last all as arguments."""
    chain = [(k, k + 1) for k in range(8)]
    return Graph(9, tuple(chain + [(0, k) for k in range(2, 9)] + [(k, 8) for k in range(1, 7)]))


def _small_graphs(profile: str) -> tuple[Instance, ...]:
    nodes = {"faults": 4, "quick": 4, "default": 5, "deep": 5}[profile]
    multi = {"faults": 3, "quick": 3, "default": 4, "deep": 4}[profile]
    return (
        Instance(
            f"every graph with up to {nodes} nodes",
            lambda rng: list(_graphs(range(1, nodes + 1), False)),
        ),
        Instance(
            f"every multigraph with up to {multi} nodes and double slots",
            lambda rng: list(_graphs(range(2, multi + 1), True)),
        ),
        Instance("a node with 8 arguments and one with 8 consumers", lambda rng: [_wide_graph()]),
    )


def _word_pass(graph: Graph) -> BackwardPass:
    return BackwardPass.of(graph, _PARTIALS, [_ZERO] * graph.size, 0, _ONE)


def _shuffle(links: Any, draw: random.Random) -> list[list[tuple[int, int]]]:
    """Every inner list in a random order; ``random.Random`` because thousands of lists of two or
    three are shuffled.
    """
    out = []
    for link in links:
        link = list(link)
        if len(link) > 1:
            draw.shuffle(link)
        out.append(link)
    return out


@check(kind="exact", instances=_small_graphs)
def words(subject: Loops, graphs: list[Graph], rng: np.random.Generator) -> Evidence:
    """Both loops run as printed, in place, with letters for the partials: sums of words, so nothing
    commutes and equal results are equal for every choice of Jacobians. Every graph on i < j, every
    v_out and every linear extension, inner loops in random order; each version must give the sum
    over paths, listed one by one, from the seed (after zero_grad on a state with left-over
    gradients) and from a symbol at every node. Each version matching the paths for every extension,
    the two agree whatever extension each one uses.
    """
    draw = random.Random(int(rng.integers(2**63)))
    wrong = cases = 0
    for graph in graphs:
        base, nodes = _word_pass(graph), range(graph.size)
        starts = _STARTS[: graph.size]
        left_over = _LEFT_OVER[: graph.size]
        from_any = path_sums(base, starts)
        from_seed = []
        for v_out in nodes:
            seeded = [_ZERO] * graph.size
            seeded[v_out] = _ONE
            from_seed.append(path_sums(base, seeded))
        for order in graph.linear_extensions():
            successors, predecessors = (
                _shuffle(graph.successors, draw),
                _shuffle(graph.predecessors, draw),
            )
            for v_out in nodes:
                run = BackwardPass(
                    order, successors, predecessors, _PARTIALS, base.zeros, v_out, _ONE
                )
                good = True
                for version in (subject.pull, subject.push):
                    good = (
                        good
                        and version(run, subject.prepare(run, list(left_over))) == from_seed[v_out]
                    )
                cases += 1
                wrong += not good
            for version in (subject.pull, subject.push):  # v_out plays no part here
                wrong += version(run, list(starts)) != from_any
    return Evidence.exact(
        wrong,
        f"a version differs from the sum over paths in {wrong} runs over all {cases} choices of"
        " graph, v_out and linear extension",
        cost={"cases": cases},
    )


def _few_graphs(profile: str) -> tuple[Instance, ...]:
    return (
        Instance("every graph with up to 4 nodes", lambda rng: list(_graphs(range(1, 5), False))),
        Instance(
            "every multigraph with up to 3 nodes and double slots",
            lambda rng: list(_graphs(range(2, 4), True)),
        ),
    )


_SAME = "made in both versions alike, so they still agree; only the sum over paths sees it"


@check(kind="exact", instances=_few_graphs, blind=dict.fromkeys(COMMON, _SAME))
def two_loops(subject: Loops, graphs: list[Graph], rng: np.random.Generator) -> Evidence:
    """The literal statement and no more: version 1 against version 2 from the same left-over state,
    in words, each over a linear extension of its own and with its own random inner order, and once
    more with every inner order turned round: of any two neighbours each comes first once, so no
    draw can hide what depends on their order. It shows what that comparison alone cannot see.
    """
    draw = random.Random(int(rng.integers(2**63)))
    wrong = cases = 0
    for graph in graphs:
        base = _word_pass(graph)
        left_over = _LEFT_OVER[: graph.size]
        for order in graph.linear_extensions():
            other = graph.random_order(rng)
            for v_out in range(graph.size):
                pulled = _both_ways(graph.successors, draw)
                pushed = _both_ways(graph.predecessors, draw)
                for k in range(max(len(pulled), len(pushed))):
                    outward, inward = pulled[k % len(pulled)], pushed[k % len(pushed)]
                    first, second = (
                        BackwardPass(turn, outward, inward, _PARTIALS, base.zeros, v_out, _ONE)
                        for turn in (order, other)
                    )
                    one = subject.pull(first, subject.prepare(first, list(left_over)))
                    two = subject.push(second, subject.prepare(second, list(left_over)))
                    cases += 1
                    wrong += one != two
    return Evidence.exact(
        wrong, f"the two versions differ in {wrong} of {cases} cases", cost={"cases": cases}
    )


def _both_ways(links: Any, draw: random.Random) -> list[list[list[tuple[int, int]]]]:
    """A random inner order and its reverse; one of them where they are the same."""
    out = _shuffle(links, draw)
    turned = [link[::-1] for link in out]
    return [out] if turned == out else [out, turned]


def _large_pass(size: int, rng: np.random.Generator, degree: int = 3) -> BackwardPass:
    graph = random_graph(rng, size, degree)
    partials = random_residues(rng, len(graph.edges), 2, 2)
    (one,) = random_residues(
        rng, 1, 2, 2
    )  # a random seed: "1" up to a change of basis, so that it hides no side
    run = BackwardPass.of(graph, partials, [0 * one] * size, graph.order[-1], one)
    return replace(run, order=graph.random_order(rng))


def _large_graphs(profile: str) -> tuple[Instance, ...]:
    size = {"faults": 60, "quick": 300, "default": 10_000, "deep": 100_000}[profile]
    sparse = Instance(
        f"a random multigraph with {size} nodes",
        lambda rng: (_large_pass(size, rng), random_residues(rng, size, 2, 2)),
    )
    if profile == "faults":
        return (sparse,)
    # a pass that looks at the first few arguments or users of a node only
    crowded = Instance(
        "24 nodes of 100 arguments each",
        lambda rng: (_large_pass(24, rng, 100), random_residues(rng, 24, 2, 2)),
    )
    return sparse, crowded


@check(kind="exact", instances=_large_graphs)
def prime_fields(
    subject: Loops, instance: tuple[BackwardPass, list[FlintMatrix]], rng: np.random.Generator
) -> Evidence:
    """A large random multigraph with random 2×2 partials over two prime fields above 2^60,
    O(edges). Each version, from the
    seed and from a random state, is held against the sum over paths by forward accumulation: with
    random tangents injected at every node, Σ grad·injected must equal Σ start·tangent, one identity
    that tests every gradient. The two versions use different linear extensions and are compared
    node by node as well. One-sided: a wrong pass escapes with the stated probability.
    """
    first, injected = instance
    graph = Graph(len(first.order), _edges(first))
    second = replace(first.shuffled(rng), order=graph.random_order(rng))
    first = first.shuffled(rng)
    size = graph.size
    through = tangents(first, injected)
    left_over, start = random_residues(rng, size, 2, 2), random_residues(rng, size, 2, 2)
    by_paths = first.one @ through[first.v_out], _pairing(start, through)
    found = []
    for run, version in ((first, subject.pull), (second, subject.push)):
        found.append(
            (version(run, subject.prepare(run, list(left_over))), version(run, list(start)))
        )
    wrong = sum(
        _pairing(grad, injected) != target
        for pair in found
        for grad, target in zip(pair, by_paths, strict=True)
    )
    wrong += sum(
        a != b for one, two in zip(*found, strict=True) for a, b in zip(one, two, strict=True)
    )
    chance = failure_probability(graph.longest_path() + 2)
    return Evidence.exact(
        wrong,
        f"{wrong} comparisons fail on {size} nodes and {len(first.partials)} slots; a wrong pass"
        f" would escape with probability below {chance:.1g}",
        cost={"slots": len(first.partials)},
    )


def _edges(run: BackwardPass) -> tuple[tuple[int, int], ...]:
    edges: list[tuple[int, int]] = [(0, 0)] * len(run.partials)
    for v, links in enumerate(run.predecessors):
        for u, slot in links:
            edges[slot] = (u, v)
    return tuple(edges)


def _pairing(left: list[FlintMatrix], right: list[FlintMatrix]) -> FlintMatrix:
    total = left[0] @ right[0]
    for a, b in zip(left[1:], right[1:], strict=True):
        total = total + a @ b
    return total
