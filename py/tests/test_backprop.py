"""The two backward passes: properties of the loops."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.claims import load
from scoreproof.claims.backprop.checks_float import in_reverse_order, rounding_bounds
from scoreproof.claims.backprop.faults import COMMON, compose
from scoreproof.numerics.words import Words
from scoreproof.objects.graphs import BackwardPass, Graph, path_sums, random_graph
from scoreproof.streams import stream

CLAIM = load("backprop")
TRUTH = CLAIM.truth
NAMES = [f.name for f in CLAIM.faults]


# -- the loops -------------------------------------------------------------------------------------


@given(st.integers(0, 2**32), st.integers(2, 7))
def test_any_orders_any_start_are_the_sum_over_paths(seed, size):
    rng = np.random.default_rng(seed)
    graph = random_graph(rng, size, 2, None, 0.3)
    partials = [Words.letter(chr(97 + k)) for k in range(len(graph.edges))]
    run = BackwardPass.of(
        graph, partials, [Words.zero()] * size, int(rng.integers(size)), Words.letter("")
    )
    first = replace(run.shuffled(rng), order=graph.random_order(rng))
    second = replace(run.shuffled(rng), order=graph.random_order(rng))
    start = [Words.letter(chr(65 + v)) for v in range(size)]
    assert (
        TRUTH.pull(first, list(start)) == TRUTH.push(second, list(start)) == path_sums(run, start)
    )


def test_u_times_u_is_counted_once_per_slot():
    u = 3.0
    graph = Graph(2, ((0, 1), (0, 1)))
    run = BackwardPass.of(
        graph, [np.array([[u]]), np.array([[u]])], [np.zeros((1, 1))] * 2, 1, np.eye(1)
    )
    for version in (TRUTH.pull, TRUTH.push):
        assert version(run, TRUTH.prepare(run, [None, None]))[0] == 2 * u
    doubled, lost = (
        CLAIM.fault("multiplicity_doubled").subject,
        CLAIM.fault("multiplicity_lost").subject,
    )
    assert doubled.pull(run, run.seeded())[0] == 4 * u and lost.push(run, run.seeded())[0] == u
    merged = BackwardPass.of(graph.merged(), [run.total(0, 1)], run.zeros, 1, run.one)
    assert TRUTH.push(merged, merged.seeded())[0] == 2 * u


@pytest.mark.parametrize("name", COMMON)
def test_what_is_wrong_in_both_versions_escapes_a_comparison_of_the_two(name):
    evidence = CLAIM.check("two_loops")
    assert name in evidence.blind
    graph = Graph(4, ((0, 1), (0, 2), (1, 3), (2, 3), (0, 1)))
    run = BackwardPass.of(
        graph, [Words.letter(c) for c in "abcde"], [Words.zero()] * 4, 3, Words.letter("")
    )
    loops = CLAIM.fault(name).subject
    left_over = [Words.letter(c) for c in "PQRS"]
    one, two = (v(run, loops.prepare(run, list(left_over))) for v in (loops.pull, loops.push))
    assert one == two != path_sums(run, run.seeded())


def test_bits_differ_in_another_inner_order_and_stay_within_the_bound():
    rng = np.random.default_rng(0)
    graph = random_graph(rng, 60)
    partials = list(rng.standard_normal((len(graph.edges), 2, 2)))
    run = BackwardPass.of(graph, partials, [np.zeros((2, 2))] * 60, graph.order[-1], np.eye(2))
    one = TRUTH.push(run, run.seeded())
    same = TRUTH.pull(in_reverse_order(run), run.seeded())
    other = TRUTH.pull(run.shuffled(rng), run.seeded())
    assert np.array_equal(one, same) and not np.array_equal(one, other)
    gamma, absolute = rounding_bounds(run)
    assert all(
        np.all(np.abs(a - b) <= 2 * g * s)
        for a, b, g, s in zip(one, other, gamma, absolute, strict=True)
    )


def test_words_decides_every_small_case():
    (evidence,) = [
        CLAIM.check("words").run(TRUTH, i.build(stream(0)), stream(0))
        for i in CLAIM.check("words").instances("default")
        if "5 nodes" in i.name
    ]
    assert evidence and evidence.cost["cases"] == 50155


def test_faults_compose_where_they_edit_different_places():
    assert compose(("minus", "seed_twice")) is not None
    assert compose(("multiplicity_lost", "wrong_slot")) is None
    assert compose(("pull_overwrites", "push_overwrites")) is None


def test_an_additive_map_that_moves_zero_breaks_the_sum_over_paths_and_not_the_two_loops():
    """Over ({0, 1}, max) the constant 1 is additive; v → w, and v_out = u stands alone: there is no
    path from v to u, and yet v gets a gradient.
    """

    class Bit(int):
        def __add__(self, other):
            return Bit(max(self, other))

        def __matmul__(self, partial):
            return partial(self)

    graph = Graph(3, ((0, 1),))  # v → w; u by itself
    for partial, at_v in ((lambda g: Bit(1), 1), (lambda g: g, 0)):
        for g, h in ((Bit(a), Bit(b)) for a in (0, 1) for b in (0, 1)):
            assert partial(g + h) == partial(g) + partial(h)
        run = BackwardPass.of(graph, [partial], [Bit(0)] * 3, 2, Bit(1))
        one, two = (loop(run, run.seeded()) for loop in (TRUTH.pull, TRUTH.push))
        assert one == two == [at_v, 0, 1]
    assert any("additive and keeps 0" in text for text in CLAIM.statement.hypotheses)
