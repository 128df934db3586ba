"""The two backward passes: properties of the loops, the public check on hand-written passes, and
its messages.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import scoreproof as sp
from scoreproof.claims import load
from scoreproof.claims.backprop.checks_float import in_reverse_order, rounding_bounds
from scoreproof.claims.backprop.faults import COMMON, compose, version_of
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.numerics.words import Words
from scoreproof.objects.graphs import BackwardPass, Graph, path_sums, random_graph
from scoreproof.public.backward.hand_written import predicted, problems_on, standard_graphs
from scoreproof.streams import stream

CLAIM = load("backprop")
TRUTH = CLAIM.truth
NAMES = [f.name for f in CLAIM.faults]


def hand_written(loops, name):
    """A user's backward pass with this fault; it remembers gradients as a program with .grad
    attributes does.
    """
    memory = {}

    def backward(graph, partials, v_out, one):
        run = BackwardPass.of(graph, partials, [0 * one] * graph.size, v_out, one)
        state = memory.get((graph, v_out), list(run.zeros))
        version = loops.push if version_of(name) == "push" else loops.pull
        result = version(run, loops.prepare(run, list(state)))
        memory[graph, v_out] = list(result)
        return result

    return backward


def good(graph, partials, v_out, one):
    grad = [0 * one for _ in range(graph.size)]
    grad[v_out] = one
    for v in reversed(graph.order):
        for u, slot in graph.predecessors[v]:
            grad[u] = grad[u] + grad[v] @ partials[slot]
    return grad


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


# -- check_backward on hand-written passes ---------------------------------------------------------


def test_a_right_pass_holds_exactly_in_every_form():
    evidence = sp.check_backward(good)
    assert evidence and evidence.kind == "exact" and evidence.cost["calls"] == 16
    assert sp.check_backward(hand_written(TRUTH, "pull"))
    assert sp.check_backward(lambda g, p, v, o: np.stack(good(g, p, v, o)))
    assert sp.check_backward(
        lambda g, p, v, o: {k: x for k, x in enumerate(good(g, p, v, o)) if np.any(x)}
    )
    assert sp.check_backward(good, dimension=1, seed=3)
    assert sp.check_backward(good, [(0, 1), (0, 2), (1, 2), (1, 2)])


def test_calls_are_four_per_graph():
    calls = []

    def counted(*arguments):
        calls.append(1)
        return good(*arguments)

    assert sp.check_backward(counted) and len(calls) == 16
    calls.clear()
    assert sp.check_backward(counted, Graph(3, ((0, 1), (1, 2)))) and len(calls) == 4


def test_long_graphs_and_low_precision_get_the_rounding_bound():
    graph = random_graph(np.random.default_rng(0), 200)
    evidence = sp.check_backward(good, graph)
    assert evidence and evidence.kind == "float" and 0 < evidence.bound < 1e-12

    def single(g, p, v, o):
        return [
            x.astype(np.float32) for x in good(g, p.astype(np.float32), v, o.astype(np.float32))
        ]

    evidence = sp.check_backward(single, graph)
    assert evidence and 1e-7 < evidence.bound < 1e-3
    wrong = sp.check_backward(
        hand_written(CLAIM.fault("push_overwrites").subject, "push_overwrites"), graph
    )
    assert (
        wrong.verdict == "refuted"
        and wrong.separation > 1e9
        and wrong.diagnosis.names == ("push_overwrites",)
    )


@pytest.mark.parametrize("name", NAMES)
def test_every_fault_is_refuted_and_named(name):
    evidence = sp.check_backward(hand_written(CLAIM.fault(name).subject, name))
    assert evidence.verdict == "refuted" and name in evidence.diagnosis.names, evidence.explain()
    assert len(evidence.diagnosis.names) <= 2 and "first at node" in evidence.sentence


def test_pairs_are_named_or_are_the_same_as_what_is_named():
    """A pair that changes nothing more than one of its faults (a missing seed hides the rest) is
    that fault; the others are named.
    """
    rng = stream(0, "backprop", "check_backward")
    problems = problems_on(standard_graphs(rng), 2, rng)
    singles = {f.name: predicted(f.subject, f.name, problems) for f in CLAIM.faults}
    for i, (a, b) in enumerate(combinations(NAMES, 2)):
        pair = compose((a, b))
        if pair is None or i % 4:  # a quarter of them, to save time
            continue
        name = f"{a} + {b}"
        found = sp.check_backward(hand_written(pair, name)).diagnosis.names
        assert name in found or any(
            np.array_equal(singles[n], predicted(pair, name, problems))
            for n in found
            if n in singles
        ), (name, found)


def test_explanation_and_curves():
    evidence = sp.check_backward(
        hand_written(CLAIM.fault("operands_swapped").subject, "operands_swapped")
    )
    assert "sum over paths" in evidence.explain() and "operands_swapped" in evidence.explain()
    assert evidence.curves and all(len(x) == len(y) for x, y in evidence.curves.values())


def test_torch_and_jax_arrays_in_a_hand_written_pass():
    pytest.importorskip("torch")
    assert sp.check_backward(good, framework="torch")
    pytest.importorskip("jax")
    assert sp.check_backward(good, [(0, 1), (0, 1), (1, 2), (0, 2)], framework="jax")


def writes(graph, partials, v_out, one):
    one *= 2
    return good(graph, partials, v_out, one)


def raises(graph, partials, v_out, one):
    raise KeyError("slot")


@pytest.mark.parametrize(
    ("backward", "message"),
    [
        (raises, "backward must return normally \\(it raised KeyError"),
        (writes, "leave its input unchanged"),
        (lambda g, p, v, o: good(g, p, v, o)[:-1], "return 2 gradients \\(it returned 1\\)"),
        (lambda g, p, v, o: [np.zeros(3)] * g.size, "the gradient of node 0 of shape \\(2, 2\\)"),
        (lambda g, p, v, o: np.zeros((g.size, 3)), "gradients of shape \\(2, 2, 2\\)"),
        (lambda g, p, v, o: [o * np.nan] * g.size, "finite numbers"),
        (lambda g, p, v, o: {"loss": o}, "the key 'loss'"),
        (lambda g, p, v, o: None, "return gradients of shape"),
    ],
)
def test_bad_passes(backward, message):
    with pytest.raises(CallableError, match=message):
        sp.check_backward(backward)


@pytest.mark.parametrize(
    ("arguments", "keywords", "message"),
    [
        ((good, [(0, 1), (1, 0)]), {}, "the cycle"),
        ((good, "ab"), {}, "list of edges"),
        ((good, []), {}, "a graph with edges"),
        ((3,), {}, "backward must be callable"),
        ((good,), {"dimension": 0}, "dimension must be"),
        ((good,), {"framework": "tensorflow"}, "framework must be one of"),
        ((good,), {"gradient": good}, "inputs must be given with gradient"),
        ((good, None, np.ones(2)), {}, "framework must be torch or jax"),
        ((good, [(0, 1)], np.ones(2)), {"framework": "torch"}, "graph must be omitted"),
        ((3, None, np.ones(2)), {"framework": "torch"}, "backward must be callable"),
    ],
)
def test_bad_arguments(arguments, keywords, message):
    with pytest.raises(ArgumentError, match=message):
        sp.check_backward(*arguments, **keywords)


def test_faults_compose_where_they_edit_different_places():
    assert compose(("minus", "seed_twice")) is not None
    assert compose(("multiplicity_lost", "wrong_slot")) is None
    assert compose(("pull_overwrites", "push_overwrites")) is None
