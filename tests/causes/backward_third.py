"""Wrong backward passes of a third set: scalar engines, modules, larger and coarser arrays."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes.backward import torched
from scoreproof import check_backward

RNG = np.random.default_rng(21)
BATCH, W1, W2 = (RNG.standard_normal(s).astype(np.float32) for s in ((32, 8), (8, 16), (16, 4)))
B1, B2 = np.zeros(16, np.float32), RNG.standard_normal(4).astype(np.float32)


class Value:
    """A scalar with a tape; `engine` makes subclasses with one wrong rule."""

    def __init__(self, data, prev=()):
        self.data, self.grad, self.prev, self.rule = data, 0.0, prev, lambda: None

    def made(self, data, prev, rules):
        out = type(self)(data, prev)

        def rule():
            for node, part in zip(prev, rules, strict=True):
                node.grad += part * out.grad

        out.rule = rule
        return out

    def __add__(self, other):
        return self.made(self.data + other.data, (self, other), (1, 1))

    def __sub__(self, other):
        return self.made(self.data - other.data, (self, other), (1, -1))

    def __mul__(self, other):
        return self.made(self.data * other.data, (self, other), (other.data, self.data))

    def __truediv__(self, other):
        a, b = self.data, other.data
        return self.made(a / b, (self, other), (1 / b, -a / b**2))

    def tanh(self):
        t = np.tanh(self.data)
        return self.made(t, (self,), (1 - t**2,))

    def exp(self):
        e = np.exp(self.data)
        return self.made(e, (self,), (e,))

    def order(self):
        topo, seen = [], set()

        def build(v):
            if v not in seen:
                seen.add(v)
                for u in v.prev:
                    build(u)
                topo.append(v)

        build(self)
        return topo

    def backward(self):
        self.grad = 1.0
        for v in reversed(self.order()):
            v.rule()


def neuron(a, b, c):
    s = a * b + c
    t = s.tanh()
    return (t - c) * t + (a / b) * s.exp()


def engine(kind):
    def gradient(*xs):
        values = [kind(x.item()) for x in xs]
        neuron(*values).backward()
        return tuple(v.grad for v in values)

    return torched(neuron, *map(np.array, (0.4, -1.3, 0.7)), gradient=gradient)


@wrong("the engine's subtraction adds to both", says=r"sub = sub\(tanh, c\).*to `c` .*wrong sign")
def engine_sub():
    class V(Value):
        def __sub__(self, other):
            return self.made(self.data - other.data, (self, other), (1, 1))

    return engine(V)


@wrong(
    "the engine's division has -a/b for its second slot",
    says=r"truediv.*to `b` .*x times what is due|times argument 2",
)
def engine_div():
    class V(Value):
        def __truediv__(self, other):
            a, b = self.data, other.data
            return self.made(a / b, (self, other), (1 / b, -a / b))

    return engine(V)


@wrong(
    "the engine's product overwrites",
    says=r"path through .*truediv.*missing.*overwritten",
)
def engine_mul_overwrites():
    class V(Value):
        def __mul__(self, other):
            out = V(self.data * other.data, (self, other))

            def rule():
                self.grad = other.data * out.grad
                other.grad = self.data * out.grad

            out.rule = rule
            return out

    return engine(V)


@wrong(
    "the engine's backward forgets reversed()", says=r"topological order, not in reverse|post-order"
)
def engine_not_reversed():
    class V(Value):
        def backward(self):
            self.grad = 1.0
            for v in self.order():
                v.rule()

    return engine(V)


@wrong("the engine's tanh has 1 - t", says=r"tanh.*times \(?1 - y")
def engine_tanh():
    class V(Value):
        def tanh(self):
            t = np.tanh(self.data)
            return self.made(t, (self,), (1 - t,))

    return engine(V)


@wrong("the seed is 0: every gradient is zero", says=r"seed_missing|loop leaves out the last node")
def engine_no_seed():
    class V(Value):
        def backward(self):
            for v in reversed(self.order()):
                v.rule()

    return engine(V)


def loss(x, W1, b1, W2, b2):
    h = (x @ W1 + b1).relu()
    return (h @ W2 + b2).logsumexp(-1).mean()


def by_hand(x, W1, b1, W2, b2, mask=None, down=None, mean=32, last=lambda p: p):
    z = x @ W1 + b1
    h = z.relu()
    p = last((h @ W2 + b2).softmax(-1)) / mean
    d = (p @ (W2.T if down is None else down)) * ((z > 0) if mask is None else mask(z, h))
    return d @ W1.T, x.T @ d, d.sum(0), h.T @ p, p.sum(0)


def layers(**edit):
    return torched(loss, BATCH, W1, B1, W2, B2, gradient=lambda *a: by_hand(*a, **edit))


@wrong(
    "no division by the batch (float32, 32 rows)",
    says=r"whole gradient is 32 .*|times what is due.*n = 32",
)
def batch_factor():
    return layers(mean=1)


@wrong("relu's derivative is left out", says=r"relu.*(as it arrives|derivative is left out)")
def relu_left_out():
    return layers(mask=lambda z, h: 1)


@wrong(
    "leaky slope 0.01 backward, relu forward",
    says=r"relu.*derivative of the leaky ReLU with slope 0\.01",
)
def leaky_backward():
    return layers(mask=lambda z, h: (z > 0) + 0.01 * (z <= 0))


@wrong(
    "W2 of the step before is used on the way down",
    says=r"other numbers than those of `W2`.*0\.1 more",
)
def other_weights():
    import torch

    return layers(down=torch.tensor(W2.T + 0.1))


@wrong(
    "softmax without its normalisation in the gradient of logsumexp",
    says=r"logsumexp.*softmax|one of the nodes \[mean.* and \[logsumexp",
)
def unnormalised():
    return layers(last=lambda p: p * 2 - p**2)


@wrong(
    "a module whose encoder runs under no_grad", says=r"no gradient.*encoder|encoder.*no gradient"
)
def frozen_encoder():
    import torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.encoder, self.head = torch.nn.Linear(8, 4), torch.nn.Linear(4, 2)

        def forward(self, x):
            with torch.no_grad():
                z = self.encoder(x)
            return self.head(z.tanh()).square().mean()

    return check_backward(Model(), inputs=torch.tensor(BATCH))


@wrong("a module that detaches between its blocks", says=r"detach")
def detached_block():
    import torch

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            torch.manual_seed(0)
            self.first, self.second = torch.nn.Linear(8, 4), torch.nn.Linear(4, 2)

        def forward(self, x):
            h = self.first(x).tanh()
            return self.second(h.detach()).square().mean() + h.mean()

    return check_backward(Model(), inputs=torch.tensor(BATCH))


@wrong(
    "batch normalisation with batch statistics as constants",
    says=r"`x` is used 3 times.*\[mean.*are missing",
)
def batch_norm():
    def f(x, gamma):
        m = x.mean(0)
        v = ((x - m) ** 2).mean(0)
        return (gamma * (x - m) / (v + 1e-5).sqrt()).tanh().sum()

    def gradient(x, gamma):
        m = x.mean(0)
        s = (((x - m) ** 2).mean(0) + 1e-5).sqrt()
        y = (x - m) / s
        d = 1 - (gamma * y).tanh() ** 2
        return d * gamma / s, (d * y).sum(0)

    return torched(f, BATCH, W1[0][:8], gradient=gradient)


@wrong(
    "jax: custom_jvp of a norm, the division left out",
    says=r"norm.*times (y|what is due)|y.*times",
    needs="jax",
)
def jax_norm():
    import jax

    @jax.custom_jvp
    def norm(x):
        return jax.numpy.sqrt((x**2).sum(-1))

    norm.defjvp(lambda p, t: (norm(*p), (p[0] * t[0]).sum(-1)))
    return check_backward(lambda x: (norm(x) ** 3).sum(), inputs=jax.numpy.asarray(BATCH[:4]))
