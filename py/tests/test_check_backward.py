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
    assert len(evidence.diagnosis.names) <= 3 and "first at node" in evidence.sentence


def test_pairs_are_named_or_are_the_same_as_what_is_named():
    """A pair that changes nothing more than one of its faults (a missing seed hides the rest) is
    that fault; the others are named.
    """
    rng = stream(0, "backprop", "check_backward")
    problems = list(problems_on(standard_graphs(rng), 2, rng))
    singles = {f.name: predicted(f.subject, f.name, problems) for f in CLAIM.faults}
    for i, (a, b) in enumerate(combinations(NAMES, 2)):
        pair = compose((a, b))
        if pair is None or i % 12:  # a twelfth of them, to save time
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


# -- what integers and small degrees would not show ------------------------------------------------


def pushing(k=None, of_each=lambda g: g):
    """The right loop over the first k arguments of a node, its gradients changed at the end."""

    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            for u, slot in graph.predecessors[v][:k]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
        return [of_each(g) for g in grad]

    return backward


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (np.rint, "rounded_to_integers"),
        (np.trunc, "cut_to_integers"),
        (lambda g: np.clip(g, -1e15, 1e15).astype(np.int64), None),
        (lambda g: g.astype(np.float32).astype(float), "float32"),
        (lambda g: np.clip(g, -100, 100), "clipped"),
        (lambda g: g * (np.abs(g) > 1e-3), None),
        (lambda g: g / max(1, np.linalg.norm(g)), None),
        (lambda g: g * (1 + 1e-15), None),
    ],
)
def test_gradients_changed_at_the_end_are_refuted(change, name):
    evidence = sp.check_backward(pushing(None, change))
    assert evidence.verdict == "refuted" and "is due" in evidence.sentence
    assert name is None or evidence.diagnosis.names == (name,), evidence.explain()


@pytest.mark.parametrize("k", [1, 3, 6, 8, 12, 20])
def test_a_loop_over_the_first_arguments_only_is_refuted(k):
    evidence = sp.check_backward(pushing(k))
    assert evidence.verdict == "refuted" and evidence.kind == "exact"
    assert evidence.diagnosis.names == (f"first_{k}_arguments",)


def few_consumers(graph, partials, v_out, one):
    grad = [0 * one for _ in range(graph.size)]
    grad[v_out] = one
    for v in reversed(graph.order):
        for w, slot in graph.successors[v][:7]:
            grad[v] = grad[v] + grad[w] @ partials[slot]
    return grad


def one_zero_for_all(graph, partials, v_out, one):
    grad = [np.zeros_like(one)] * graph.size
    grad[v_out] = one.copy()
    for v in reversed(graph.order):
        for u, slot in graph.predecessors[v]:
            with np.errstate(over="ignore", invalid="ignore"):
                grad[u] += grad[v] @ partials[slot]
    return grad


def shared_seed(graph, partials, v_out, one):
    grad = {v_out: one}
    for v in reversed(graph.order):
        for u, slot in graph.predecessors[v]:
            if v in grad:
                grad[u] = grad.get(u, one) + grad[v] @ partials[slot]
    return grad


def short(graph, partials, v_out, one):
    """Gives up after twenty nodes on the way back."""
    grad = good(graph, partials, v_out, one)
    place = {v: k for k, v in enumerate(graph.order)}
    return [g if place[v_out] - place[v] < 20 else 0 * g for v, g in enumerate(grad)]


def remembers():
    known = {}

    def backward(graph, partials, v_out, one):
        if (graph, v_out) not in known:  # forgets that the partials have changed
            known[graph, v_out] = good(graph, partials, v_out, one)
        return known[graph, v_out]

    return backward


def adds():
    total = {}

    def backward(graph, partials, v_out, one):
        grad = good(graph, partials, v_out, one)
        if (graph, v_out) in total:
            grad = [a + b for a, b in zip(grad, total[graph, v_out], strict=True)]
        total[graph, v_out] = grad
        return grad

    return backward


@pytest.mark.parametrize(
    "backward", [few_consumers, one_zero_for_all, shared_seed, short, remembers(), adds()]
)
def test_further_mistakes_are_refuted(backward):
    assert sp.check_backward(backward).verdict == "refuted"


def test_what_was_looked_at_is_said():
    evidence = sp.check_backward(good)
    assert evidence.resolution == 0 and evidence.coverage.looked_at["graphs"] == 7
    said = evidence.explain()
    assert "24 arguments and 24 consumers" in said and "paths of up to 48 edges" in said
    assert "arithmetic is exact" in said


def test_float32_has_its_resolution_and_bfloat16_is_undecided():
    graph = random_graph(np.random.default_rng(0), 50)

    def single(g, p, v, o):
        return [x.astype(np.float32) for x in good(g, p.astype(np.float32), v, o)]

    evidence = sp.check_backward(single, graph)
    assert evidence and 1e-6 < evidence.resolution < 0.01
    off = sp.check_backward(lambda *a: [x * np.float32(1.01) for x in single(*a)], graph)
    assert off.verdict == "refuted"
    torch = pytest.importorskip("torch")

    def half(g, p, v, o):
        return good(g, p.to(torch.bfloat16), v, o.to(torch.bfloat16))

    evidence = sp.check_backward(half, graph, framework="torch")
    assert evidence.verdict == "undecided" and "tolerance" in evidence.sentence
