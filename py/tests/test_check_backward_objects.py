"""check_backward on objects: ``autograd.Function`` by its class, modules with buffers, functions
that differentiate, ``custom_vjp``, and tapes of one's own through the adapters of the docs.
"""

from __future__ import annotations

import importlib
import math

import numpy as np
import pytest

from scoreproof import ArgumentError, check_backward

torch = pytest.importorskip("torch")
DOUBLE = torch.float64
RNG = np.random.default_rng(3)
X = torch.tensor(RNG.standard_normal((6, 3)))
W, B = torch.tensor(RNG.standard_normal((2, 3))), torch.tensor(RNG.standard_normal(2))


class Affine(torch.autograd.Function):
    """With setup_context, as torch's documentation writes it now."""

    @staticmethod
    def forward(x, w, b):
        return x @ w.T + b

    @staticmethod
    def setup_context(ctx, inputs, output):
        ctx.save_for_backward(*inputs[:2])

    @staticmethod
    def backward(ctx, g):
        x, w = ctx.saved_tensors
        needs = ctx.needs_input_grad
        return (
            g @ w if needs[0] else None,
            g.T @ x if needs[1] else None,
            g.sum(0) if needs[2] else None,
        )


class Pair(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, power):
        value, index = x.max(1)
        ctx.mark_non_differentiable(index)
        ctx.save_for_backward(x, index)
        ctx.power = power
        return value, x**power, index

    @staticmethod
    def backward(ctx, g, h, _):
        x, index = ctx.saved_tensors
        out = h * ctx.power * x ** (ctx.power - 1)
        return out.scatter_add(1, index[:, None], g[:, None]), None


class Cube(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, g):
        return 3 * g * ctx.saved_tensors[0] ** 2


def fine(evidence, limit=1e-4):
    assert evidence.verdict == "holds", evidence.explain()
    assert evidence.resolution <= limit, evidence.explain()
    return evidence


def test_a_function_goes_in_by_its_class_or_its_apply():
    for thing in (Affine, Affine.apply):
        fine(check_backward(thing, inputs=(X, W, B)))
    fine(
        check_backward(lambda x: (lambda a: (a[0].sum() * a[1]).sum())(Pair.apply(x, 3)), inputs=X)
    )


def test_a_function_in_a_module_with_a_frozen_weight():
    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.w, self.b = (
                torch.nn.Parameter(W.clone(), requires_grad=False),
                torch.nn.Parameter(B),
            )

        def forward(self, x):
            return Affine.apply(x, self.w, self.b).pow(2).sum()

    fine(check_backward(Layer(), inputs=X))


@pytest.mark.parametrize("train", [True, False])
def test_batch_norm_holds_and_its_buffers_stay(train):
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Tanh()
    ).double()
    model.train(train)
    before = [b.clone() for b in model.buffers()]
    evidence = fine(check_backward(model, inputs=X))
    assert all(torch.equal(a, b) for a, b in zip(before, model.buffers(), strict=True))
    assert "written" not in evidence.explain()


def test_dropout_is_random_in_train_mode_and_holds_in_eval_mode():
    torch.manual_seed(0)
    model = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.Dropout(0.5)).double()
    with pytest.raises(Exception, match=r"deterministic.*model\.eval\(\)"):
        check_backward(model, inputs=X)
    fine(check_backward(model.eval(), inputs=X))


class Averaged(torch.nn.Module):
    """A running mean, assigned or written in place, read before or after its update."""

    def __init__(self, reads_first=True, in_place=True):
        super().__init__()
        self.layer = torch.nn.Linear(3, 3, dtype=DOUBLE)
        self.reads_first, self.in_place = reads_first, in_place
        self.register_buffer("mean", torch.full((3,), 0.1, dtype=DOUBLE))
        self.register_buffer("steps", torch.tensor(0))

    def update(self, h):
        if not self.training:
            return
        with torch.no_grad():
            self.steps += 1
            if self.in_place:
                self.mean.mul_(0.9).add_(h.mean(0), alpha=0.1)
            else:
                self.mean = 0.9 * self.mean + 0.1 * h.mean(0)

    def forward(self, x):
        h = self.layer(x)
        if self.reads_first:
            out = torch.tanh(h - self.mean.clone())
            self.update(h)
            return out
        self.update(h)
        return torch.tanh(h - self.mean)


class Checkpointed(torch.nn.Module):
    def __init__(self, block):
        super().__init__()
        self.block = block

    def forward(self, x):
        checkpoint = importlib.import_module("torch.utils.checkpoint").checkpoint
        return checkpoint(self.block, x, use_reentrant=False).pow(2).sum()


@pytest.mark.parametrize("in_place", [True, False])
def test_a_running_mean_holds_where_it_is_read_first_and_in_eval_mode(in_place):
    torch.manual_seed(1)
    fine(check_backward(Averaged(True, in_place), inputs=X))
    after = Averaged(False, in_place)
    found = check_backward(after, inputs=X)
    assert found.diagnosis.names == ("buffers_held_constant",)
    assert "`mean`" in found.explain() and "eval mode" in found.explain()
    fine(check_backward(after.eval(), inputs=X))
    inside = torch.nn.Sequential(torch.nn.Tanh(), Averaged(True, in_place))
    fine(check_backward(inside, inputs=X))


def test_a_running_mean_of_a_module_that_is_called_twice():
    torch.manual_seed(4)
    block = Averaged(True)
    found = check_backward(torch.nn.Sequential(block, torch.nn.Tanh(), block), inputs=X)
    assert found.verdict == "refuted"  # the second call reads what the first wrote of x
    assert "the backward of [module = Sequential(input_0)] is not" in found.sentence
    fine(check_backward(torch.nn.Sequential(block, Averaged(True)), inputs=X))


def test_a_mean_that_is_written_in_eval_mode_too_is_not_called_checkpointed():
    class Always(Averaged):
        def update(self, h):
            self.mean = 0.9 * self.mean + 0.1 * h.detach().mean(0)

    found = check_backward(Always(False), inputs=X)
    assert found.verdict == "refuted"
    assert "buffers_of_a_block_run_again" not in found.diagnosis.names


def test_spectral_norm_holds_in_eval_mode_and_is_named_in_train_mode():
    torch.manual_seed(2)
    norm = torch.nn.utils.parametrizations.spectral_norm
    model = torch.nn.Sequential(norm(torch.nn.Linear(3, 4, dtype=DOUBLE)), torch.nn.Tanh())
    assert check_backward(model, inputs=X).diagnosis.names == ("buffers_held_constant",)
    fine(check_backward(model.eval(), inputs=X))


def test_checkpointed_blocks():
    torch.manual_seed(3)
    norm = torch.nn.Sequential(torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4)).double()
    evidence = fine(check_backward(Checkpointed(norm), inputs=X))
    assert "written a second time" in evidence.explain()
    for first in (True, False):
        found = check_backward(Checkpointed(Averaged(first)), inputs=X)
        assert found.diagnosis.names == ("buffers_of_a_block_run_again",)
        assert "`block.mean`" in found.explain()


class Penalty(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        (g,) = torch.autograd.grad(self.function(x).sum(), x, create_graph=True)
        return (g**2).sum()


def test_a_second_derivative_goes_in():
    class Detached(Cube):
        @staticmethod
        def backward(ctx, g):
            return 3 * g * ctx.saved_tensors[0].detach() ** 2

    fine(check_backward(Penalty(Cube.apply), inputs=X))

    def penalty(x):
        return torch.autograd.grad(Detached.apply(x).sum(), x, create_graph=True)[0].pow(2).sum()

    for thing in (Penalty(Detached.apply), penalty):
        found = check_backward(thing, inputs=X)
        assert found.verdict == "refuted"
        assert "it gets no gradient" in found.explain()


def test_a_rule_that_writes_into_its_gradient_is_named_or_noted():
    class Writes(Cube):
        @staticmethod
        def backward(ctx, g):
            return g.mul_(3 * ctx.saved_tensors[0] ** 2)

    y = torch.tensor(RNG.standard_normal((6, 3)))

    def function(x, y):
        t = x * 1.0
        return (torch.sin(t) + Writes.apply(t)) * y

    found = check_backward(function, inputs=(X, y))
    assert found.verdict == "refuted"
    assert found.diagnosis.names == ("gradient_overwritten",)
    alone = check_backward(Writes, inputs=X)
    assert "writes into the gradient that arrives" in alone.explain()


def test_a_missing_create_graph_is_said():
    def penalty(x, *more):
        g = torch.autograd.grad(Cube.apply(x).sum(), x, *more)[0]
        return g.pow(2).sum() + x.sin().sum()

    found = check_backward(penalty, inputs=X)
    assert found.verdict == "refuted"
    assert "without create_graph=True: its result is a constant" in found.explain()
    fine(check_backward(lambda x: penalty(x, None, None, True), inputs=X))


# -- tapes -----------------------------------------------------------------------------------------


class Value:
    """micrograd's object, written as its author writes it."""

    def __init__(self, data, children=()):
        self.data, self.grad, self.prev = data, 0.0, set(children)
        self.rule = lambda: None

    def __add__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data + other.data, (self, other))

        def rule():
            self.grad += out.grad
            other.grad += out.grad

        out.rule = rule
        return out

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Value(other)
        out = Value(self.data * other.data, (self, other))

        def rule():
            self.grad += other.data * out.grad
            other.grad += self.data * out.grad

        out.rule = rule
        return out

    def tanh(self):
        t = math.tanh(self.data)
        out = Value(t, (self,))

        def rule():
            self.grad += (1 - t * t) * out.grad

        out.rule = rule
        return out

    def backward(self):
        order, seen = [], set()

        def visit(v):
            if v not in seen:
                seen.add(v)
                for u in v.prev:
                    visit(u)
                order.append(v)

        visit(self)
        self.grad = 1.0
        for v in reversed(order):
            v.rule()

    __radd__, __rmul__ = __add__, __mul__


def loss(a, b):
    c = a * b + b
    return (c + a).tanh() * c + c * c * 0.5


def test_a_tape_goes_in_with_a_function_of_its_operators():
    def gradient(*arrays):
        leaves = [Value(float(a)) for a in arrays]
        loss(*leaves).backward()
        return [v.grad for v in leaves]

    for kind in (torch.float32, DOUBLE):
        inputs = (torch.tensor(0.7312, dtype=kind), torch.tensor(-1.3377, dtype=kind))
        fine(check_backward(loss, inputs=inputs, gradient=gradient))


def test_a_tape_goes_in_on_the_standard_graphs_exactly():
    def backward(graph, partials, v_out, one):
        nodes = {}
        for v in graph.order:
            terms = (nodes[u] * float(partials[s, 0, 0]) for u, s in graph.predecessors[v])
            nodes[v] = sum(terms, Value(0.0))
        (nodes[v_out] * float(one[0, 0])).backward()
        return [[[nodes[v].grad]] for v in range(graph.size)]

    evidence = check_backward(backward, dimension=1)
    assert evidence.verdict == "holds" and evidence.kind == "exact"


def test_objects_of_a_tape_as_inputs_are_refused_with_the_way_in():
    with pytest.raises(ArgumentError, match=r"objects of Value.*your engine as gradient="):
        check_backward(loss, inputs=(Value(1.0), Value(2.0)))


# -- jax -------------------------------------------------------------------------------------------


def test_custom_rules_of_jax_go_in_as_they_are():
    jax = pytest.importorskip("jax")
    x, w, b = (jax.numpy.asarray(a.numpy()) for a in (X, W, B))

    @jax.custom_vjp
    def affine(x, w, b):
        return x @ w.T + b

    affine.defvjp(
        lambda x, w, b: (x @ w.T + b, (x, w)), lambda r, g: (g @ r[1], g.T @ r[0], g.sum(0))
    )

    @jax.custom_jvp
    def softplus(x):
        return jax.numpy.log1p(jax.numpy.exp(x))

    softplus.defjvp(lambda p, t: (softplus(p[0]), jax.nn.sigmoid(p[0]) * t[0]))
    fine(check_backward(affine, inputs=(x, w, b)), 1e-3)
    fine(check_backward(jax.jit(lambda x: softplus(x).sum()), inputs=x), 1e-3)
