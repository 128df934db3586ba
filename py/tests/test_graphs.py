"""Computation graphs: orders, cycles, paths; the free ring and the prime fields."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.errors import ArgumentError
from scoreproof.numerics.flint_matrices import (
    PRIMES,
    FlintMatrix,
    failure_probability,
    random_residues,
)
from scoreproof.numerics.words import Words
from scoreproof.objects.graphs import (
    BackwardPass,
    Graph,
    all_graphs,
    all_multigraphs,
    path_sums,
    power_sums,
    random_graph,
    tangents,
)


@st.composite
def graphs(draw, largest=6):
    size = draw(st.integers(2, largest))
    pairs = [(i, j) for j in range(size) for i in range(j)]
    chosen = draw(st.lists(st.sampled_from(pairs), max_size=9))
    label = draw(st.permutations(range(size)))
    return Graph(size, tuple((label[u], label[v]) for u, v in chosen))


@given(graphs())
def test_linear_extensions_are_all_the_orders_with_edges_forward(graph):
    found = set(graph.linear_extensions())
    wanted = {
        p
        for p in permutations(range(graph.size))
        if all(p.index(u) < p.index(v) for u, v in graph.edges)
    }
    assert found == wanted
    assert graph.order in found
    assert graph.random_order(np.random.default_rng(0)) in found


@given(graphs())
def test_neighbours_list_every_slot_once(graph):
    assert sorted(s for links in graph.successors for _, s in links) == list(
        range(len(graph.edges))
    )
    assert {(u, v, s) for u, links in enumerate(graph.successors) for v, s in links} == {
        (u, v, s) for v, links in enumerate(graph.predecessors) for u, s in links
    }
    merged = graph.merged()
    assert len(set(merged.edges)) == len(merged.edges) and set(merged.edges) == set(graph.edges)


def test_a_cycle_is_named():
    with pytest.raises(ArgumentError, match="the cycle 1 → 2 → 3 → 1"):
        Graph(5, ((0, 1), (1, 2), (2, 3), (3, 1), (3, 4)))
    with pytest.raises(ArgumentError, match="the cycle h → h"):
        Graph(2, ((0, 1), (1, 1)), ("x", "h"))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2, ((0, 2),)), "edge \\(0, 2\\)"),
        ((2, ((0, 1, 2),)), "pairs \\(tail, head\\)"),
        ((2, ((0, 1),), ("x",)), "names must be 2 names"),
    ],
)
def test_bad_graphs(arguments, message):
    with pytest.raises(ArgumentError, match=message):
        Graph(*arguments)


def test_counts_of_small_graphs():
    assert [sum(1 for _ in all_graphs(n)) for n in range(1, 5)] == [1, 2, 8, 64]
    assert sum(1 for _ in all_multigraphs(3, 2)) == 27 - 8
    # the number of (graph on i < j, v_out, linear extension) with up to 5 nodes, known beforehand
    assert (
        sum(
            g.size * sum(1 for _ in g.linear_extensions())
            for n in range(1, 6)
            for g in all_graphs(n)
        )
        == 50155
    )


@given(graphs())
def test_three_ways_to_sum_over_paths_agree(graph):
    partials = [Words.letter(chr(97 + k)) for k in range(len(graph.edges))]
    run = BackwardPass.of(
        graph, partials, [Words.zero()] * graph.size, graph.order[-1], Words.letter("")
    )
    start = [Words.letter(chr(65 + v)) for v in range(graph.size)]
    assert path_sums(run, start) == power_sums(run, start)
    rng = np.random.default_rng(1)
    small = BackwardPass.of(
        graph, random_residues(rng, len(graph.edges), 2, 2), [], graph.order[-1], None
    )
    g, i = random_residues(rng, graph.size, 2, 2), random_residues(rng, graph.size, 2, 2)
    left, right = power_sums(small, g), tangents(small, i)
    total = g[0] @ right[0] - left[0] @ i[0]
    for v in range(1, graph.size):
        total = total + (g[v] @ right[v] - left[v] @ i[v])
    assert total == 0 * total


def test_random_graph_reaches_its_last_node():
    graph = random_graph(np.random.default_rng(0), 50)
    assert graph.order != tuple(range(50)) and len(set(graph.edges)) < len(graph.edges)
    end = graph.order[-1]
    assert not graph.successors[end]
    ones = BackwardPass.of(
        graph, [np.eye(1)] * len(graph.edges), [np.zeros((1, 1))] * 50, end, np.eye(1)
    )
    assert all(s[0, 0] > 0 for s in path_sums_by_power(ones))


def path_sums_by_power(run):
    return power_sums(run, run.seeded())


@given(st.lists(st.tuples(st.text("ab", max_size=2), st.integers(-2, 2)), max_size=4), st.data())
def test_words_are_a_ring(terms, data):
    def build(pairs):
        total = Words.zero()
        for word, k in pairs:
            total = total + k * Words.letter(word)
        return total

    x = build(terms)
    y = build(
        data.draw(st.lists(st.tuples(st.text("ab", max_size=2), st.integers(-2, 2)), max_size=3))
    )
    z = Words.letter("c") + Words.letter("")
    assert (x + y) @ z == x @ z + y @ z and z @ (x + y) == z @ x + z @ y
    assert (x @ y) @ z == x @ (y @ z)
    assert x - x == Words.zero() and x + Words.zero() == x and hash(x + y) == hash(y + x)


def test_prime_fields():
    from flint import fmpz

    assert all(p > 2**60 and fmpz(p).is_prime() for p in PRIMES)
    a, b = random_residues(np.random.default_rng(0), 2, 2, 2)
    assert a @ b != b @ a and a + b - b == a and -a + a == 0 * a and 2 * a == a + a
    with pytest.raises(TypeError):
        hash(a)
    assert isinstance(repr(a), str) and isinstance(a, FlintMatrix)
    assert failure_probability(10**4) < 1e-28 and failure_probability(2**70) == 1


def test_the_longest_path():
    assert Graph(0, ()).longest_path() == 0
    assert Graph(3, ()).longest_path() == 0
    assert Graph(4, ((0, 1), (1, 2), (2, 3), (0, 3))).longest_path() == 3
    assert Graph(4, ((3, 1), (1, 0), (3, 0), (3, 2), (1, 0))).longest_path() == 2
    graph = random_graph(np.random.default_rng(0), 12)
    longest = 0
    stack = [(v, 0) for v in range(12)]
    while stack:
        v, steps = stack.pop()
        longest = max(longest, steps)
        stack += [(w, steps + 1) for w, _ in graph.successors[v]]
    assert graph.longest_path() == longest
