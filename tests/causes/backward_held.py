"""Wrong backward passes of a second held-out set."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes.backward import B1, POSITIVE, RNG, W1, W2, X, Y, torched
from causes.backward_rules import applied, function
from scoreproof import check_backward


@wrong(
    "a tape is replayed in the order in which it was recorded",
    says=r"topological order, not in reverse|order_not_reversed",
)
def tape_forwards():
    def backward(graph, partials, v_out, one):
        grads = {v_out: one}
        tape = [(v, u, s) for v in graph.order for u, s in graph.predecessors[v]]
        for v, u, s in tape:
            if v in grads:
                grads[u] = grads.get(u, 0) + grads[v] @ partials[s]
        return grads

    return check_backward(backward)


@wrong(
    "a Tensor's grad accumulates with = when it is None, else it is overwritten too",
    says=r"= for \+=|overwrit",
)
def tensor_class():
    class Tensor:
        def __init__(self, parents):
            self.grad, self.parents = None, parents

        def backward(self, g, partials, nodes):
            self.grad = g
            for u, s in self.parents:
                nodes[u].backward(self.grad @ partials[s], partials, nodes)

    def backward(graph, partials, v_out, one):
        nodes = [Tensor(p) for p in graph.predecessors]
        nodes[v_out].backward(one, partials, nodes)
        return [0 * one if n.grad is None else n.grad for n in nodes]

    return check_backward(backward, [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (3, 4)])


@wrong("gradients decay: each step back is multiplied by 0.9", says=r"0\.9 times|9/10")
def decaying():
    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + 0.9 * grad[v] @ partials[slot]
        return grad

    return check_backward(backward, [(0, 1), (0, 2), (1, 3), (2, 3), (0, 3), (3, 4)])


@wrong("ones are used for the given seed", says=r"seed is ignored|seed_of_ones")
def seed_ones():
    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = np.ones_like(one)
        for v in reversed(graph.order):
            for u, slot in graph.predecessors[v]:
                grad[u] = grad[u] + grad[v] @ partials[slot]
        return grad

    return check_backward(backward)


@wrong(
    "an LSTM cell by hand: the forget path of c is missing",
    says=r"(held constant|path|used).*(mul|missing)",
)
def lstm_forget():
    def f(c, w):
        h = c
        for _ in range(2):
            gate = (h @ w).sigmoid()
            c = gate * c
            h = c.tanh()
        return h.sum()

    def gradient(c, w):
        c0, g1 = c, (c @ w).sigmoid()
        c1 = g1 * c0
        h1 = c1.tanh()
        g2 = (h1 @ w).sigmoid()
        c2 = g2 * c1
        dc2 = 1 - c2.tanh() ** 2
        da2 = dc2 * c1 * g2 * (1 - g2)
        dh1 = da2 @ w.T
        dc1 = dh1 * (1 - h1**2)  # and dc2 * g2
        da1 = dc1 * c0 * g1 * (1 - g1)
        return dc1 * g1 + da1 @ w.T, h1.T @ da2 + c0.T @ da1

    return torched(f, X, W1, gradient=gradient)


@wrong(
    "GELU by hand with the derivative of ReLU",
    says=r"gelu.*argument is positive, and 0 elsewhere, as of a ReLU",
)
def gelu_as_relu():
    gelu = __import__("torch").nn.functional.gelu

    def gradient(x, w):
        z = x @ w
        d = 2 * gelu(z) * (z > 0)
        return d @ w.T, x.T @ d

    return torched(lambda x, w: gelu(x @ w).square().sum(), X, W1, gradient=gradient)


@wrong("x / ||x|| differentiated as if the norm were a number", says=r"norm.*(missing|constant)")
def normalised():
    def gradient(x):
        n = x.norm(dim=-1, keepdim=True)
        return 3 * (x / n) ** 2 / n

    return torched(lambda x: ((x / x.norm(dim=-1, keepdim=True)) ** 3).sum(), X, gradient=gradient)


@wrong(
    "log-softmax in a Function: g - softmax, without the sum of g",
    says=r"LogSoftmax.*not multiplied by the incoming",
)
def log_softmax():
    def backward(ctx, g):
        return g - ctx.saved_tensors[1].exp()

    return applied(lambda x: x.log_softmax(-1), backward, "LogSoftmax", X)


@wrong(
    "variance by n - 1 forward and by n backward",
    says=r"Var\b.*(4/5|0\.8|\(n - 1\)/n|2/3|0\.667|0\.666)",
)
def variance():
    def backward(ctx, g):
        x, _ = ctx.saved_tensors
        return g[:, None] * 2 * (x - x.mean(-1, keepdim=True)) / x.shape[-1]

    return applied(lambda x: x.var(-1), backward, "Var", X)


@wrong("the batched product's gradients are not transposed in the last two axes", says=r"transpos")
def batched_product():
    def backward(ctx, g):
        a, b, _ = ctx.saved_tensors
        return g @ b, a @ g

    return applied(
        lambda a, b: a @ b,
        backward,
        "BatchMatMul",
        RNG.standard_normal((2, 3, 3)),
        RNG.standard_normal((2, 3, 3)),
    )


@wrong(
    "clamp passes gradients outside of its range",
    says=r"clamp.*(as it arrives|derivative is left out|1, where)",
)
def clamp_through():
    def gradient(x, w):
        d = 2 * (x @ w).clamp(-1, 1)
        return d @ w.T, x.T @ d

    return torched(lambda x, w: (x @ w).clamp(-1, 1).square().sum(), X, W1, gradient=gradient)


@wrong(
    "vector quantisation: x + (q - x).detach()",
    says=r"straight-through or detached path at node \[detach",
)
def quantised():
    return torched(lambda x, w: ((x + ((x @ w).round() - x).detach()) * x).sum(), X, W1)


@wrong(
    "weights are shared between two layers; the second layer's part is counted twice",
    says=r"matmul_1.* to `w` .*is counted 2 times",
)
def counted_twice():
    def f(x, w):
        return ((x @ w).tanh() @ w).sin().sum()

    def gradient(x, w):
        h = (x @ w).tanh()
        d = (h @ w).cos()
        dz = (d @ w.T) * (1 - h**2)
        return dz @ w.T, x.T @ dz + 2 * (h.T @ d)

    return torched(f, X, W1, gradient=gradient)


@wrong(
    "hinge loss in jax by hand: the margin's sign",
    says=r"negative of what is due|flip",
    needs="jax",
)
def jax_hinge():
    import jax

    jnp = jax.numpy

    def loss(params, x):
        return jnp.maximum(0, 1 - Y[:, 0] * (x @ params["w"])[:, 0]).sum()

    def gradient(params, x):
        m = (1 - Y[:, 0] * (x @ params["w"])[:, 0]) > 0
        d = np.zeros((5, 3))
        d[:, 0] = m * Y[:, 0]
        return x.T @ d, d @ params["w"].T

    with jax.enable_x64(True):
        return check_backward(loss, inputs=({"w": W2}, X), gradient=gradient, framework="jax")


@wrong(
    "two mistakes: tanh' as 1 - tanh, and the bias by its mean",
    says=r"two mistakes.*tanh.*1 - y.*`b` is 0\.2",
)
def two_mistakes():
    def f(x, w, b):
        return ((x @ w + b).tanh()).square().sum()

    def gradient(x, w, b):
        h = (x @ w + b).tanh()
        d = 2 * h * (1 - h)
        return d @ w.T, x.T @ d, d.mean(0)

    return torched(f, X, W1, B1, gradient=gradient)


@wrong(
    "Poisson loss: exp forgotten in the derivative",
    says=r"exp.*(derivative is left out|, where y is due|1, where)",
)
def poisson():
    return torched(
        lambda p: (p.exp() - 2.0 * p).sum(), POSITIVE, gradient=lambda p: p * 0 + 1 - 2.0
    )


@wrong("a quantised activation with a sigmoid surrogate", says=r"surrogate.*|straight-through")
def spiking():
    step = function(
        lambda ctx, x: (ctx.save_for_backward(x), (x > 0).double())[1],
        lambda ctx, g: g * ctx.saved_tensors[0].sigmoid() * (1 - ctx.saved_tensors[0].sigmoid()),
        "Spike",
    )
    return torched(lambda x, w: (step(x @ w) * x).sum(), X, W1)
