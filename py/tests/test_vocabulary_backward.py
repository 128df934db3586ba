"""Every known mistake of a backward pass, applied by hand to a small graph or function."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError
from scoreproof.objects.graphs import Graph
from scoreproof.public.backward import searching
from scoreproof.public.backward.pass_words import Answer, pass_diagnosis
from scoreproof.public.backward.probes import Probe
from scoreproof.public.backward.problems import problems_on
from scoreproof.public.backward.slots import SlotFinding
from scoreproof.public.backward.words import node_diagnosis

EDGES = ((0, 1), (0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (3, 4), (2, 5), (1, 6), (6, 4))
PROBLEMS = list(problems_on([Graph(7, EDGES)], 2, np.random.default_rng(0)))


def passing(term=lambda g, p, k, graph, u, v: g @ p, seed=None, of_each=lambda g: g):
    """The right loop, with another term, another start or another gradient at each node."""

    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        for v, start in (seed or (lambda graph, v_out, one: [(v_out, one)]))(graph, v_out, one):
            grad[v] = start
        for v in reversed(graph.order):
            grad[v] = of_each(grad[v])
            for k, (u, slot) in enumerate(graph.predecessors[v]):
                grad[u] = grad[u] + term(grad[v], partials[slot], k, graph, u, v)
        return grad

    return backward


def read(backward, problems=PROBLEMS):
    """What is read off the answers of a pass, without the check around it."""
    answers = []
    for number, problem in enumerate(problems):
        for second, run in enumerate(problem.runs):
            asked = problem.graph, run.partials, run.v_out, run.one
            got, due = np.stack(backward(*asked)), np.stack(passing()(*asked))
            exact = np.zeros_like(due)
            answers.append(Answer(number, bool(second), got, due, np.abs(due), exact, True))
    return pass_diagnosis(problems, answers)


def beside(graph, u, v):
    return sum(w == v for w, _ in graph.successors[u])


def first_partials(graph, partials, v_out, one):
    used = list(partials)
    for links in graph.predecessors:
        for _, slot in links:
            used[slot] = partials[links[0][1]]
    return passing()(graph, used, v_out, one)


def divided_at_the_end(power):
    """Each sum divided by the number of contributions that reached it, or by its root."""

    def backward(graph, partials, v_out, one):
        grad, got = [0 * one for _ in range(graph.size)], [0] * graph.size
        grad[v_out], got[v_out] = one, 1
        for v in reversed(graph.order):
            if not got[v]:
                continue
            grad[v] = grad[v] / got[v] ** power
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
                got[u] += 1
        return grad

    return backward


def shortened(g):
    return g * min(1.0, 7 / max(np.linalg.norm(g), 1e-300))


def brought(g):
    return g * (7 / max(np.linalg.norm(g), 1e-300))


@pytest.mark.parametrize(
    ("said", "backward"),
    [
        ("the seed is multiplied by 3", passing(seed=lambda graph, v, one: [(v, 3 * one)])),
        ("is not the given seed, and all", passing(seed=lambda graph, v, one: [(v, one + 1)])),
        ("every contribution of a node to its argument", passing(lambda g, p, *_: 0.9 * g @ p)),
        (
            "what a node sends to argument 2 is counted 3 times (as where",
            passing(lambda g, p, k, *_: (1 + 2 * (k == 1)) * g @ p),
        ),
        (
            "between the same two nodes (u * u), a slot that is alone between two nodes is counted",
            passing(lambda g, p, k, graph, u, v: (3 if beside(graph, u, v) == 1 else 1) * g @ p),
        ),
        (
            "divided by the number of arguments of the consumer",
            passing(lambda g, p, k, graph, u, v: g @ p / len(graph.predecessors[v])),
        ),
        (
            "with 4 consumers of a node, a contribution is counted 3 times",
            passing(
                lambda g, p, k, graph, u, v: (3 if len(graph.successors[u]) == 4 else 1) * g @ p
            ),
        ),
        ("put at the last node of the order", passing(seed=lambda g, v, one: [(g.order[-1], one)])),
        (
            "put at every node without consumers",
            passing(seed=lambda g, v, one: [(w, one) for w in g.order if not g.successors[w]]),
        ),
        ("the identity is used in its place", passing(seed=lambda g, v, one: [(v, np.eye(2))])),
        ("gets the partial of its first argument", first_partials),
        ("averaged over the consumers of a node", divided_at_the_end(1.0)),
        ("divided by the root of their number", divided_at_the_end(0.5)),
        ("(shortened) to the norm 7 before it is sent on", passing(of_each=shortened)),
        ("brought to the norm 7 before it is sent on", passing(of_each=brought)),
    ],
)
def test_a_mistake_in_a_pass_over_a_graph_is_named(said, backward):
    found = read(backward)
    assert found.names and said in found.sentence, found.sentence


def from_a_stack(graph, partials, v_out, one):
    grad, stack, seen = [0 * one for _ in range(graph.size)], [v_out], {v_out}
    grad[v_out] = one
    while stack:
        v = stack.pop()
        for u, slot in graph.predecessors[v]:
            grad[u] = grad[u] + grad[v] @ partials[slot]
            if u not in seen:
                seen.add(u)
                stack.append(u)
    return grad


def test_a_stack_is_told_from_a_depth_first_walk():
    graph = Graph(5, ((2, 4), (3, 4), (1, 3), (2, 3), (1, 2), (0, 1)))
    found = read(from_a_stack, list(problems_on([graph], 2, np.random.default_rng(0))))
    assert "nodes are taken from a stack, so a node sends before" in found.sentence


@pytest.mark.parametrize(
    ("said", "factors"),
    [
        ("It looks like straight_through: the function does not change", None),
        ("the backward rule has the wrong sign (minus)", (-1, -1)),
        ("for argument 2 alone, it is half of what it should be", (1, 0.5)),
        ("for argument 1 alone, no gradient comes back", (0, 1)),
        ("for argument 1 alone, the backward rule is twice", (2, 1)),
    ],
)
def test_a_rule_that_is_known_by_its_pairings_alone_is_read(said, factors):
    rng, found = np.random.default_rng(0), []
    for k in range(2):
        values = rng.standard_normal(3) if factors else np.zeros(3)
        backs = values * factors[k] if factors else values + 1
        probes = [
            Probe(b, v, v, 1e-12, 1.0, 1) for b, v in zip(backs.tolist(), values, strict=True)
        ]
        found.append(SlotFinding(k, 0, k, probes))
    diagnosis = node_diagnosis(found, 0)
    assert diagnosis.names and said in diagnosis.sentence, diagnosis.sentence


# -- functions of a framework ----------------------------------------------------------------------

torch = pytest.importorskip("torch")
X = torch.tensor(np.random.default_rng(3).standard_normal((4, 3)))
W = torch.tensor(np.random.default_rng(4).standard_normal((3, 3)))
POSITIVE = X.abs() + 0.5


def own(forward, backward):
    """An autograd.Function with its rule: ``backward(g, y, *arguments)``."""

    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, *a):
            y = forward(*a)
            ctx.save_for_backward(y, *a)
            return y

        @staticmethod
        def backward(ctx, g):
            return backward(g, *ctx.saved_tensors)

    return Own.apply


def normalised(x):
    return (x - x.mean(-1, keepdim=True)) / x.var(-1, keepdim=True, unbiased=False).sqrt()


def std(x):
    return x.var(-1, keepdim=True, unbiased=False).sqrt()


WEIGHTS = torch.tensor([1.0, 3.0, -2.0]).double()


@pytest.mark.parametrize(
    ("said", "forward", "rule"),
    [
        ("the square of what is due", torch.sin, lambda g, y, x: g * x.cos() ** 2),
        ("the root of what is due", torch.exp, lambda g, y, x: g * (x / 2).exp()),
        ("1 / what is due", torch.sin, lambda g, y, x: g / x.cos()),
        ("h alone where h + x h' is due", lambda x: x * x.atan(), lambda g, y, x: g * x.atan()),
        ("x h' alone where h + x h' is", lambda x: x * x.sin(), lambda g, y, x: g * x * x.cos()),
        (
            "h - x h' where h + x h' is due",
            lambda x: x * x.sin(),
            lambda g, y, x: g * (x.sin() - x * x.cos()),
        ),
        ("not the negative of one another", torch.sin, lambda g, y, x: g.abs() * x.cos()),
        (
            "same for all entries along axis 1: the term of a mean",
            lambda x: WEIGHTS * (x - x.mean(-1, keepdim=True)),
            lambda g, y, x: WEIGHTS * g,
        ),
        (
            "a gradient: the function is flat there",
            lambda x: (x.sum() > 0) * torch.ones(1).double(),
            lambda g, y, x: g * torch.ones_like(x),
        ),
        ("at some entries, and 0 elsewhere", torch.sign, lambda g, y, x: g * (x.abs() > 0.5)),
        (
            "the product with the transposed Jacobian",
            lambda x: x.cumsum(-1),
            lambda g, y, x: g.cumsum(-1),
        ),
        (
            "without the term of the variance",
            normalised,
            lambda g, y, x: (g - g.mean(-1, keepdim=True)) / std(x),
        ),
        ("with mean and variance held constant", normalised, lambda g, y, x: g / std(x)),
        ("divided by exp(y)", lambda x: x**2, lambda g, y, x: 2 * g * x * (-y).exp()),
        (
            "what is due to the other argument",
            lambda x: x @ x.sin().detach(),
            None,
        ),
    ],
)
def test_a_wrong_rule_of_a_node_is_named(said, forward, rule):
    x = torch.tensor(np.random.default_rng(5).uniform(0.4, 1.6, (4, 3)))
    if rule is None:
        product = own(torch.matmul, lambda g, y, a, b: (a.T @ g, a.T @ g))
        evidence = sp.check_backward(lambda a, b: product(a, b).sin().sum(), inputs=(W, W.exp()))
    else:
        op = own(forward, rule)
        evidence = sp.check_backward(lambda x: (op(x - 1.0) * op(x)).sin().sum(), inputs=x)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names, evidence.explain()
    assert said in evidence.explain(), evidence.explain()


def two_uses(x, w):
    h = (x @ w).tanh()
    return h.sin().sum() + (h**3 - 2 * h**2).sum()


def sent(rule, x, w):
    """The gradient of `two_uses` with another rule of the tanh."""
    h = (x @ w).tanh()
    dz = rule(h.cos() + 3 * h**2 - 4 * h, h)
    return dz @ w.T, x.T @ dz


def by_a_product(a, b, held=False):
    p, q = a.sin(), b.cos()
    both = (p * q).detach() if held else p * q
    return ((both * p).sin() + (both + q).tanh()).sum()


def with_product_held(*given):
    given = [x.detach().requires_grad_() for x in given]
    return torch.autograd.grad(by_a_product(*given, held=True), given)


def biased(x, b, narrow):
    d = 1 - (x + b).tanh() ** 2
    return d, narrow(d)


@pytest.mark.parametrize(
    ("said", "function", "given", "gradient"),
    [
        (
            "`b` gets the gradient of `a`",
            lambda a, b: (a.sin() * b).sum(),
            (X, X.exp()),
            lambda a, b: (a.cos() * b, a.cos() * b),
        ),
        (
            "the derivative alone: the gradient that arrives is ignored",
            two_uses,
            (X, W),
            lambda x, w: sent(lambda g, h: 1 - h**2, x, w),
        ),
        (
            "it is masked by the gradient, too",
            two_uses,
            (X, W),
            lambda x, w: sent(lambda g, h: g.clamp(min=0) * (1 - h**2), x, w),
        ),
        ("is held constant: the paths through", by_a_product, (X, W[0]), with_product_held),
        (
            "the largest over axis 0, not the sum",
            lambda x, b: (x + b).tanh().sum(),
            (X, W[0]),
            lambda x, b: biased(x, b, lambda d: d.amax(0)),
        ),
        (
            "the gradient of the first entry along axis 0: the sum is missing",
            lambda x, b: (x + b).tanh().sum(),
            (X, W[0]),
            lambda x, b: biased(x, b, lambda d: d[0]),
        ),
        (
            "what is due, transposed",
            lambda x, w, v: ((x @ w) @ v).tanh().sum(),
            (W.exp() / 3, W, W.T),
            lambda x, w, v: (lambda d: (((d @ v.T).T) @ w.T, x.T @ (d @ v.T).T, (x @ w).T @ d))(
                1 - (x @ w @ v).tanh() ** 2
            ),
        ),
    ],
)
def test_a_wrong_gradient_by_hand_is_named(said, function, given, gradient):
    evidence = sp.check_backward(function, inputs=given, gradient=gradient)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names, evidence.explain()
    assert said in evidence.explain(), evidence.explain()


def test_what_is_not_named_is_placed():
    noise = 0.1 * torch.tensor(np.random.default_rng(6).standard_normal((3, 3)))

    def gradient(x, w):
        d = (x @ w).cos()
        return d @ w.T, x.T @ d + noise

    evidence = sp.check_backward(lambda x, w: (x @ w).sin().sum(), inputs=(X, W), gradient=gradient)
    assert evidence.diagnosis.names == ()
    assert "A mistake at node [matmul = matmul(x, w)" in evidence.explain()

    class Hooked(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w = torch.nn.Parameter(W.clone())
            self.w.register_hook(lambda g: g + noise)

        def forward(self, x):
            return (x @ self.w).sin().sum()

    evidence = sp.check_backward(Hooked(), inputs=X)
    assert evidence.verdict == "refuted" and "a hook that changes a gradient" in evidence.explain()


def test_an_engine_of_arrays_is_a_hint_and_no_cause(monkeypatch):
    """Each path adds to what was sent before, as where no node is marked as visited."""
    monkeypatch.setattr(searching, "MOST", 40)  # no rule explains it, and the search takes long

    def f(x):
        h = x @ x
        return (h.tanh() + h.sin() + h * h).sum()

    def gradient(x):
        h = x @ x
        d = 3 * (1 - h.tanh() ** 2) + 2 * h.cos() + 2 * h
        return d @ x.T + x.T @ d

    evidence = sp.check_backward(f, inputs=W[:2, :2], gradient=gradient)
    assert evidence.diagnosis.names == ()
    assert "It looks like this: a recursion into the set of arguments" in evidence.explain()


def test_what_cannot_be_seen_is_said():
    x = X.float()

    def only_there(x_):
        y = torch.fake_quantize_per_tensor_affine(x_, 0.1, 0, -128, 127)
        return (y.sin() + torch.where(x_ == x, 0.0, float("nan"))).sum()

    evidence = sp.check_backward(only_there, inputs=x)
    assert evidence.verdict == "undecided"
    assert "the function is not finite around the inputs" in evidence.explain()
    zeros = torch.zeros(4, 3).double()
    evidence = sp.check_backward(lambda x, y: (x.sin() + y**1.5).sum(), inputs=(X, zeros))
    assert "where the values cannot be differentiated" in evidence.explain()
    with pytest.raises(ArgumentError, match="at least one floating input or parameter"):
        sp.check_backward(lambda i: W[i].sin().sum(), inputs=torch.tensor([0, 1]))
