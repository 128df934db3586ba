"""Wrong backward passes of a fourth set, held out: layers as classes, tapes, pytrees, modules."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes.backward import torched
from scoreproof import check_backward

RNG = np.random.default_rng(33)
X, T = RNG.standard_normal((6, 4)), RNG.standard_normal((6, 2))
W1, B1, W2, B2 = (RNG.standard_normal(s) for s in ((4, 5), (5,), (5, 2), (2,)))


class Dense:
    def __init__(self, w, b):
        self.w, self.b = w, b

    def forward(self, x):
        self.x = x
        return x @ self.w + self.b

    def backward(self, g):
        self.dw, self.db = self.x.T @ g, g.sum(0)
        return g @ self.w.T


class Sigmoid:
    def forward(self, x):
        self.y = 1 / (1 + np.exp(-x))
        return self.y

    def backward(self, g):
        return g * self.y * (1 - self.y)


def loss(x, W1, b1, W2, b2):
    import torch

    h = (x @ W1 + b1).sigmoid()
    return ((h @ W2 + b2 - torch.tensor(T)) ** 2).sum() / x.shape[0]


def trained(dense=Dense, sigmoid=Sigmoid, start=lambda d: 2 * d / len(d)):
    def gradient(*arrays):
        x, w1, b1, w2, b2 = (a.numpy() for a in arrays)
        layers = [dense(w1, b1), sigmoid(), dense(w2, b2)]
        out = x
        for layer in layers:
            out = layer.forward(out)
        g = start(out - T)
        for layer in reversed(layers):
            g = layer.backward(g)
        return g, layers[0].dw, layers[0].db, layers[2].dw, layers[2].db

    return torched(loss, X, W1, B1, W2, B2, gradient=gradient)


@wrong("layer: sigmoid' called with the output", says=r"sigmoid.*(its output|sigmoid\(y\))")
def sigmoid_prime_of_output():
    class Wrong(Sigmoid):
        def backward(self, g):
            s = 1 / (1 + np.exp(-self.y))
            return g * s * (1 - s)

    return trained(sigmoid=Wrong)


@wrong(
    "layer: the gradient that goes down is not multiplied by sigmoid'",
    says=r"sigmoid.*derivative is left out",
)
def sigmoid_prime_missing():
    class Wrong(Sigmoid):
        def backward(self, g):
            return g

    return trained(sigmoid=Wrong)


@wrong("layer: dW is averaged over the batch again", says=r"`W1` and `W2`.*1/6")
def averaged_again():
    class Wrong(Dense):
        def backward(self, g):
            self.dw, self.db = self.x.T @ g / len(g), g.sum(0)
            return g @ self.w.T

    return trained(dense=Wrong)


@wrong(
    "layer: w was updated before the gradient went down",
    says=r"other numbers than those of `W2`|`W2`.*(older|changed)",
)
def updated_before():
    class Wrong(Dense):
        def backward(self, g):
            self.dw, self.db = self.x.T @ g, g.sum(0)
            self.w = self.w - 0.1 * self.dw
            return g @ self.w.T

    return trained(dense=Wrong)


@wrong("the loss starts with the sign of the error", says=r"pow.*times sign\(x\), where 2 x is due")
def l1_start():
    return trained(start=lambda d: np.sign(d) / len(d))


@wrong("the loss starts with target - output", says=r"negative of what is due")
def target_minus_output():
    return trained(start=lambda d: -2 * d / len(d))


@wrong(
    "a tape that records closures over a loop variable: all use the last partial",
    says=r"partial of its last argument",
)
def late_binding():
    def backward(graph, partials, v_out, one):
        grad = [0 * one for _ in range(graph.size)]
        grad[v_out] = one
        for v in reversed(graph.order):
            tape = []
            for u, slot in graph.predecessors[v]:
                tape.append((u, lambda g: g @ partials[slot]))  # noqa: B023
            for u, rule in tape:
                grad[u] = grad[u] + rule(grad[v])
        return grad

    return check_backward(backward)


@wrong("an engine in torch: partial.T @ grad", says=r"partial\.T @ grad", needs="torch")
def torch_engine():
    def backward(graph, partials, v_out, one):
        import torch

        grad = torch.zeros(graph.size, *one.shape, dtype=one.dtype)
        grad[v_out] = one
        for v in reversed(graph.order):
            for u, slot in graph.predecessors[v]:
                grad[u] += partials[slot].T @ grad[v]
        return grad

    return check_backward(backward, framework="torch")


@wrong("the gradient is truncated after five steps back", says=r"paths of up to 5 edges")
def truncated_graph():
    def backward(graph, partials, v_out, one):
        grad, layer = {v_out: one}, {v_out: one}
        for _ in range(5):
            following = {}
            for v, g in layer.items():
                for u, slot in graph.predecessors[v]:
                    following[u] = following.get(u, 0) + g @ partials[slot]
            for u, g in following.items():
                grad[u] = grad.get(u, 0) + g
            layer = following
        return grad

    return check_backward(backward)


@wrong(
    "jax pytrees: the gradients of two layers are exchanged",
    says=r"`params\[0\]\['w'\]` and `params\[1\]\['w'\]` are exchanged",
    needs="jax",
)
def jax_layers_exchanged():
    import jax

    jnp = jax.numpy
    params = [{"w": RNG.standard_normal((3, 3))} for _ in range(2)]
    x = RNG.standard_normal((4, 3))

    def f(params, x):
        for layer in params:
            x = jnp.tanh(x @ layer["w"])
        return (x**2).sum()

    def gradient(params, x):
        g = jax.grad(f, argnums=(0, 1))(params, x)
        return g[0][1]["w"], g[0][0]["w"], g[1]

    with jax.enable_x64(True):
        return check_backward(f, inputs=(params, x), gradient=gradient, framework="jax")


@wrong(
    "a module with a Function whose bias gets the mean",
    says=r"Affine.*`bias`.*(1/6|0\.1667|0\.166667)",
)
def module_function():
    import torch

    class Affine(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, w, b):
            ctx.save_for_backward(x, w)
            return x @ w.T + b

        @staticmethod
        def backward(ctx, g):
            x, w = ctx.saved_tensors
            return g @ w, g.T @ x, g.mean(0)

    class Layer(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(W1.T))
            self.bias = torch.nn.Parameter(torch.tensor(B1))

        def forward(self, x):
            return Affine.apply(x, self.weight, self.bias).tanh().sum()

    return check_backward(Layer(), inputs=torch.tensor(X))


@wrong(
    "gradient penalty style: create_graph missing, the inner gradient is a constant",
    says=r"detached path at node \[detach",
)
def value_of_max_detached():
    def f(x, w):
        h = x @ w
        return (h - h.max(-1, keepdim=True).values.detach()).exp().sum()

    return torched(f, X, W1)


@wrong("clip by norm of the last layer only: W2's gradient has norm 1", says=r"`W2`.*norm is 1")
def clipped_layer():
    class Wrong(Dense):
        def backward(self, g):
            out = super().backward(g)
            if self.dw.shape == (5, 2):
                self.dw = self.dw / max(1.0, np.linalg.norm(self.dw))
            return out

    return trained(dense=Wrong)


@wrong("log(x + eps) differentiated as 1/x", says=r"log.*(1/x|argument|not at)")
def log_epsilon():
    return torched(lambda p: (p + 0.1).log().sum(), np.abs(X[0]) + 0.2, gradient=lambda p: 1 / p)
