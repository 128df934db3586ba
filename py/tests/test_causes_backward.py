"""Causes of wrong backward passes: each is named, and none claims what it does not explain."""

from __future__ import annotations

import re

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.interop.signatures import argument_names, fits
from scoreproof.objects.graphs import BackwardPass, Graph
from scoreproof.public.backward.consumers import counting
from scoreproof.public.backward.engine import Engine, walked
from scoreproof.public.backward.expressions import form_of
from scoreproof.public.backward.path_counts import path_counts, paths_told
from scoreproof.public.backward.problems import problems_on, standard_graphs
from scoreproof.public.backward.walks import AGAIN, EARLY, WALKS

RNG = np.random.default_rng(3)
X, W = RNG.standard_normal((5, 3)), RNG.standard_normal((3, 3))
DIAMOND = [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (3, 4)]


def passing(term=lambda g, p, k: g @ p, of_each=lambda g: g):
    """The right loop with another term or another gradient at each node."""

    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            grad[v] = of_each(grad[v])
            for k, (u, slot) in enumerate(graph.predecessors[v]):
                grad[u] = grad[u] + term(grad[v], partials[slot], k)
        return grad

    return backward


@pytest.mark.parametrize("name", sorted(WALKS))
def test_every_walk_is_refuted_and_named(name):
    def backward(graph, partials, v_out, one):
        run = BackwardPass.of(graph, partials, [0 * one] * graph.size, v_out, one)
        return walked(Engine(WALKS[name][0]), run, run.zeros)

    graphs = [g for g in standard_graphs(np.random.default_rng(0)) if len(g.edges) <= 40]
    judged = (sp.check_backward(backward, g) for g in reversed(graphs))
    evidence = next(e for e in judged if e.verdict == "refuted")
    text = WALKS[name][1]
    family = next((e for e in (AGAIN, EARLY) if e in text), text)
    assert family in evidence.explain() and evidence.diagnosis.names, evidence.explain()


@pytest.mark.parametrize(
    ("backward", "said"),
    [
        (
            passing(lambda g, p, k: (g @ p) * (-1) ** (k == 1)),
            "argument 2 is counted with the wrong",
        ),
        (passing(lambda g, p, k: 0.5 * g @ p), "is counted 0.5 times"),
        (passing(lambda g, p, k: 0 * g if k == 1 else g @ p), "argument 2 is missing"),
        (passing(of_each=lambda g: np.clip(g, -7, 7)), "clipped to [-7, 7] before it is sent on"),
    ],
)
def test_contributions_are_counted_and_limits_are_read(backward, said):
    assert said in sp.check_backward(backward).explain()


def test_what_no_known_mistake_explains_is_placed_and_not_named():
    noise = np.random.default_rng(1)

    def odd(graph, partials, v_out, one):
        grad = passing()(graph, partials, v_out, one)
        return [g + noise.standard_normal(g.shape) * (v == 1) for v, g in enumerate(grad)]

    evidence = sp.check_backward(odd, DIAMOND)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ()
    assert "the gradient of node" in evidence.explain()
    assert "no sum of what its consumers send" in evidence.explain()


def test_one_slot_that_is_counted_twice_is_placed():
    rng = np.random.default_rng(0)
    problems = list(problems_on([Graph(5, tuple(DIAMOND))], 2, rng))
    measured = []
    for problem in problems:
        for run in problem.runs:
            doubled = np.array(run.partials)
            doubled[2] *= 2
            measured.append(np.stack(passing()(problem.graph, doubled, run.v_out, run.one)))
    found = counting(problems, measured)
    assert "node 3 through slot 2 is counted 2 times" in found.sentence and found.names == ()


# -- functions -------------------------------------------------------------------------------------

torch = pytest.importorskip("torch")


def f(x, w):
    return ((x @ w).tanh() @ w).square().sum()


def parts(x, w):
    h = (x @ w).tanh()
    d = 2 * (h @ w)
    return h, d, (d @ w.T) * (1 - h**2)


@pytest.mark.parametrize(
    ("gradient", "names", "said"),
    [
        (
            lambda x, w: (parts(x, w)[2] @ w.T, parts(x, w)[0].T @ parts(x, w)[1]),
            "path_missing",
            "",
        ),
        (lambda x, w: (0 * x, right(x, w)[1]), "no_gradient", "`x` gets no gradient"),
        (lambda x, w: (right(x, w)[0], right(x, w)[1].T), "transposed", "of `w` is transposed"),
        (lambda x, w: (right(x, w)[0], right(x, w)[1] + 0.1 * w), "weight_decay", "0.1 = 1/10"),
        (lambda x, w: (right(x, w)[0].clamp(-0.1, 0.1), right(x, w)[1]), "clipped", "0.1"),
        (lambda x, w: (-right(x, w)[0], 3 * right(x, w)[1]), "several", "negative"),
    ],
)
def test_a_gradient_by_hand_is_read(gradient, names, said):
    given = torch.tensor(X), torch.tensor(W)
    evidence = sp.check_backward(f, None, given, gradient=gradient)
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (names,), evidence.explain()
    assert said in evidence.explain()


def right(x, w):
    h, d, dz = parts(x, w)
    return dz @ w.T, h.T @ d + x.T @ dz


def second(x, w):
    h, d, _ = parts(x, w)
    return h.T @ d


def test_noise_on_a_gradient_is_no_known_mistake_but_has_its_place():
    noise = torch.tensor(RNG.standard_normal((3, 3)))
    evidence = sp.check_backward(
        f,
        None,
        (torch.tensor(X), torch.tensor(W)),
        gradient=lambda x, w: (right(x, w)[0], right(x, w)[1] + 0.01 * noise),
    )
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ()
    assert "The gradient of `w` is wrong; `x` is right." in evidence.explain()


def deep(x, w, b):
    return ((x @ w + b).tanh() @ w).sin().sum()


@pytest.mark.parametrize(
    ("change", "names", "said"),
    [
        (lambda dz: dz.clamp(-0.05, 0.05), "clipped", "`add` is wrong: it is what is due, clipped"),
        (lambda dz: dz + 0.3, "offset", "0.3"),
        (lambda dz: dz.flip(1), "coordinates_exchanged", "reverse order"),
        (lambda dz: dz * (1 + 0.1 * torch.tensor(np.cos(np.arange(15.0)).reshape(5, 3))), None, ""),
    ],
)
def test_what_a_node_sent_is_solved_for_and_read(change, names, said):
    def gradient(x, w, b):
        h = (x @ w + b).tanh()
        d = (h @ w).cos()
        dz = change((d @ w.T) * (1 - h**2))
        return dz @ w.T, h.T @ d + x.T @ dz, dz.sum(0)

    given = tuple(map(torch.tensor, (X, W, W[0])))
    evidence = sp.check_backward(deep, inputs=given, gradient=gradient)
    assert evidence.diagnosis.names == ((names,) if names else ()), evidence.explain()
    assert said in evidence.explain()
    assert names or "times what is due, off in 15 of 15 entries" in evidence.explain()


def test_another_operand_and_two_mistakes():
    def by_hand(x, w, v, other, slope):
        h = (x @ w).tanh()
        d = (h @ v).cos()
        dz = (d @ other.T) * slope(h)
        return dz @ w.T, x.T @ dz, (h.T @ d).T if slope is not right_slope else h.T @ d

    def right_slope(h):
        return 1 - h**2

    def g(x, w, v):
        return ((x @ w).tanh() @ v).sin().sum()

    many = torch.tensor(RNG.standard_normal((9, 3)))
    given = many, torch.tensor(W), torch.tensor(W.T + 1)
    stale = sp.check_backward(
        g, inputs=given, gradient=lambda x, w, v: by_hand(x, w, v, v + 0.5, right_slope)
    )
    assert stale.diagnosis.names == ("other_operand",) and "0.5" in stale.explain()
    both = sp.check_backward(
        g, inputs=given, gradient=lambda x, w, v: by_hand(x, w, v, v, lambda h: 1 - h)
    )
    assert both.diagnosis.names == ("another_derivative + transposed",), both.explain()
    assert "where 1 - y² is due" in both.explain() and "`v` is transposed" in both.explain()


def test_an_array_to_which_nothing_is_due_hides_no_mistake():
    def f(x, w, unused):
        return ((x @ w).tanh() + 0 * unused).sum()

    given = torch.tensor(X), torch.tensor(W), torch.tensor(1.0)
    evidence = sp.check_backward(
        f,
        inputs=given,
        gradient=lambda x, w, u: (*((lambda d: (d @ w.T, x.T @ d))(1 - (x @ w).tanh())), 0 * u),
    )
    assert "times (1 - y), where 1 - y² is due" in evidence.explain()


def test_a_gradient_that_adds_up_and_one_that_is_stored():
    store = [0.0, 0.0]

    def adding(x, w):
        for k, g in enumerate(right(x, w)):
            store[k] = store[k] + g
        return tuple(store)

    given = torch.tensor(X), torch.tensor(W)
    adding(*given)
    evidence = sp.check_backward(f, None, given, gradient=adding)
    assert evidence.diagnosis.names == ("not_cleared",), evidence.explain()
    kept = right(given[0], given[1] + 0.1)
    evidence = sp.check_backward(f, None, given, gradient=lambda x, w: kept)
    assert evidence.diagnosis.names == ("stale",), evidence.explain()


def function(forward, backward):
    parts = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type("Own", (torch.autograd.Function,), parts).apply


def saved(f):
    def forward(ctx, *args):
        ctx.save_for_backward(*args)
        return f(*args)

    return forward


@pytest.mark.parametrize(
    ("rule", "names", "said"),
    [
        (lambda ctx, g: g * 0 + 3 * ctx.saved_tensors[0] ** 2, "incoming_ignored", "grad_output"),
        (lambda ctx, g: g * 3 * ctx.saved_tensors[0], "another_derivative", "3 x² is due"),
        (lambda ctx, g: (g * 3 * ctx.saved_tensors[0] ** 2).clamp(-2, 2), "clipped", "±2"),
        (lambda ctx, g: g.clamp(min=0) * ctx.saved_tensors[0] ** 2, "masked_by_gradient", "sign"),
        (lambda ctx, g: g * 3 * ctx.saved_tensors[0] ** 2 + 1, "term_without_gradient", "zeros"),
        (lambda ctx, g: None, "no_gradient", "gets no gradient"),
    ],
)
def test_a_rule_of_a_cube_is_read(rule, names, said):
    cube = function(saved(lambda x: x**3), rule)
    evidence = sp.check_backward(lambda x: cube(x).sin().sum(), inputs=torch.tensor(X))
    assert evidence.verdict == "refuted"
    assert evidence.diagnosis.names == (names,), evidence.explain()
    assert said in evidence.explain()


def test_a_rule_without_a_known_mistake_is_measured_and_not_named():
    noise = torch.tensor(1 + 0.1 * RNG.standard_normal((5, 3)))
    cube = function(saved(lambda x: x**3), lambda ctx, g: g * 3 * ctx.saved_tensors[0] ** 2 * noise)
    evidence = sp.check_backward(lambda x: cube(x).sin().sum(), inputs=torch.tensor(X))
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == ()
    assert "times what is due, entry by entry" in evidence.explain()


def test_forms_are_believed_only_where_they_fit_everywhere():
    x = np.linspace(-1.5, 2.0, 15)
    assert form_of(1 - np.tanh(x) ** 2, x, np.tanh(x), 1e-9).expression == "(1 - y²)"
    off = 2 * x * (1 + 1e-6 * np.sin(9 * x))
    assert form_of(off, x, x**2, 1e-9) is None
    assert form_of(np.ones(2), x[:2], x[:2], 1e-9) is None


# -- what is read of a function --------------------------------------------------------------------


class Model(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = torch.nn.Linear(3, 2).double()

    def forward(self, x):
        return self.inner(x).sum()

    def loss(self, x, *, power=2):
        return (self.inner(x) ** power).sum()


def test_methods_star_arguments_and_callable_objects_are_read():
    model = Model()
    assert sp.check_backward(model.loss, inputs=torch.tensor(X))
    assert all(p.grad is None for p in model.parameters())

    class Square:
        def __call__(self, x):
            return (x * x).sum()

    assert sp.check_backward(Square(), inputs=torch.tensor(X))
    assert sp.check_backward(
        lambda *xs: (xs[0] @ xs[1]).sum(), inputs=tuple(map(torch.tensor, (X, W)))
    )
    names = argument_names(lambda a, *rest: a, 3), argument_names(model, 1), argument_names(max, 1)
    assert names == (["a", "rest_0", "rest_1"], ["x"], ["input_0"])
    assert fits(model, 1) and not fits(model, 2) and fits(lambda *a: a, 5)


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: Model()(x), "a module that the function calls but does not receive"),
        (lambda x: sum(r for r in x), "a loop over a tensor"),
        (lambda x: x.sum() / len(x), "write x.shape"),
        (lambda x: np.sin(x).sum(), "a NumPy function of a tensor"),
        (lambda x, y: x, "called with \\(x, y\\)"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(function, said):
    with pytest.raises(ArgumentError, match=said):
        sp.check_backward(function, inputs=torch.tensor(X))


def test_arguments_in_another_order_are_told_with_the_signature():
    with pytest.raises(CallableError, match=r"another order") as caught:
        Guarded(lambda x, model, t: model(x), "sampler").raw(X, 0.5, None)
    assert "its signature is (x, model, t)" in str(caught.value)
    assert "called with (array(5, 3), 0.5, None)" in str(caught.value)


@pytest.mark.parametrize(
    ("forward", "rule", "said"),
    [
        (
            lambda a: a.softmax(-1),
            lambda a, y, g: y * g,
            r"without its term -y Σ g y",
        ),
        (
            lambda a: 0.5 * (2 * a).logsumexp(-1, keepdim=True),
            lambda a, y, g: g * a.softmax(-1),
            r"at 0\.5 = 1/2 times its argument",
        ),
        (
            lambda a: a * a.sigmoid(),
            lambda a, y, g: g * (a.sigmoid() + a.sigmoid() * (1 - a.sigmoid())),
            r"the factor x is missing",
        ),
    ],
)
def test_a_term_a_scale_or_a_factor_of_a_rule_is_named(forward, rule, said):
    torch = pytest.importorskip("torch")

    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, a):
            y = forward(a)
            ctx.save_for_backward(a, y)
            return y

        @staticmethod
        def backward(ctx, g):
            return rule(*ctx.saved_tensors, g)

    x = torch.tensor(X)
    evidence = sp.check_backward(lambda x: (Own.apply(x.sin()) ** 2).sum(), inputs=x)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names
    assert re.search(said, evidence.explain()), evidence.explain()


def test_what_is_right_to_some_roundings_is_given_no_cause():
    torch = pytest.importorskip("torch")
    x, w = torch.tensor(X), torch.tensor(W)
    rng = np.random.default_rng(0)
    nudge = torch.tensor(1e-15 * rng.standard_normal(X.shape))

    def gradient(x, w):
        dx, dw = torch.autograd.functional.jacobian(lambda *a: (a[0] @ a[1]).sin().sum(), (x, w))
        return dx + 5 * nudge, dw.T

    loss = lambda x, w: (x @ w).sin().sum()  # noqa: E731
    both = sp.check_backward(loss, inputs=(x, w), gradient=gradient)
    assert both.diagnosis.names == ("transposed",), both.explain()
    alone = sp.check_backward(
        loss, inputs=(x, w), gradient=lambda x, w: (gradient(x, w)[0], gradient(x, w)[1].T)
    )
    assert alone.verdict == "holds" or not alone.diagnosis.names, alone.explain()


def _answers(graph, send):
    """Both answers of ``send(run)`` on the graph's first problem."""
    problem = next(problems_on([graph], 2, np.random.default_rng(1)))
    return problem, [np.stack(send(run)) for run in problem.runs]


def _sent(steps, again=1.0):
    def send(run):
        grad = run.seeded()
        for v in steps:
            for u, slot in run.predecessors[v]:
                grad[u] = grad[u] + again * grad[v] @ run.partials[slot]
        return grad

    return send


SHORT_WAY = Graph(5, ((0, 1), (1, 2), (2, 3), (3, 4), (1, 4)))


def test_paths_are_counted_and_say_who_sent_too_early():
    problem, answers = _answers(SHORT_WAY, _sent([4, 1, 3, 2, 1]))
    counts = path_counts(problem, answers)
    assert {c.shown: c.times for c in counts}["4→1→0"] == 2
    assert sum(c.times != 1 for c in counts) == 1
    name, words = paths_told([problem], answers)
    assert name == "sent_early_and_again" and "node 1 passed its gradient on before node 2" in words
    name, words = paths_told([problem], _answers(SHORT_WAY, _sent([4, 1, 3, 2]))[1])
    assert name == "sent_early" and "4→3→2→1→0 is missing" in words


@pytest.mark.parametrize(
    ("steps", "factor"),
    [
        ([4, 3, 2, 1], 1.0),  # right
        ([4, 3, 2, 1], 0.7),  # no whole number
        ([4, 3, 1], 1.0),  # node 2 never sends: nobody was too early at node 1
    ],
)
def test_paths_tell_nothing_else(steps, factor):
    problem, answers = _answers(SHORT_WAY, _sent(steps, factor))
    assert paths_told([problem], answers) is None


@pytest.mark.parametrize("factor", [4.0, 0.25, 3.7, 400.0, -4.0])
def test_a_whole_multiple_of_everything_is_a_sum_over_parts(factor):
    torch = pytest.importorskip("torch")
    data, w, v = (torch.tensor(np.random.default_rng(2).standard_normal(s)) for s in ((8, 3), 3, 8))

    def loss(w, v):
        return (torch.tanh(data @ w) * v).pow(2).mean()

    def gradient(w, v):
        w, v = w.detach().requires_grad_(True), v.detach().requires_grad_(True)
        return [factor * g for g in torch.autograd.grad(loss(w, v), (w, v))]

    text = sp.check_backward(loss, inputs=(w, v), gradient=gradient).explain()
    assert ("micro-batches" in text) == (factor in (4.0, 0.25)), text
    assert "4 micro-batches" in text or "It may come in at" in text


def test_a_mask_of_another_threshold_is_no_scaled_argument():
    """Its slopes are those that are due at many scales of the argument."""
    torch = pytest.importorskip("torch")

    class Late(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.clamp(min=0.0)

        @staticmethod
        def backward(ctx, gradient):
            (x,) = ctx.saved_tensors
            return gradient * (x > 1).to(gradient)

    x = torch.tensor([[0.3, 1.7, -0.4], [2.1, 0.2, 0.9]], dtype=torch.float64)
    found = sp.check_backward(Late, inputs=(x,))
    assert found.verdict == "refuted"
    assert "argument_scaled" not in found.diagnosis.names, found.explain()
