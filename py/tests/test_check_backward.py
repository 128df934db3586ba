"""check_backward on hand-written passes: faults named, what graphs and numbers show, messages."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.claims import load
from scoreproof.claims.backprop.faults import compose, version_of
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.objects.graphs import BackwardPass, Graph, random_graph
from scoreproof.public.backward.pass_words import predicted
from scoreproof.public.backward.problems import problems_on, standard_graphs
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


def test_a_right_pass_holds_exactly_in_every_form():
    evidence = sp.check_backward(good)
    assert evidence and evidence.kind == "exact" and evidence.cost["calls"] == 28
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

    assert sp.check_backward(counted) and len(calls) == 28
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
    problems = list(problems_on(standard_graphs(rng), 2, rng))
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
