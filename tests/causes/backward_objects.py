"""Wrong gradients of objects: ``autograd.Function``, ``custom_vjp``, modules with buffers and tapes
of one's own.
"""

from __future__ import annotations

import importlib
import math
from functools import partial

import numpy as np

from causes import wrong
from scoreproof import check_backward

RNG = np.random.default_rng(16)
A, B = RNG.standard_normal((4, 3)), RNG.standard_normal((4, 3))
W, BIAS = RNG.standard_normal((2, 3)), RNG.standard_normal(2)


def torch_of():
    return importlib.import_module("torch")


def own(forward, backward, name="Own"):
    """A subclass of ``torch.autograd.Function``."""
    parts = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type(name, (torch_of().autograd.Function,), parts)


def judged(thing, *arrays):
    return check_backward(thing, inputs=tuple(torch_of().tensor(a) for a in arrays))


# -- torch.autograd.Function -----------------------------------------------------------------------


@wrong("exp saves its argument in place of its value", says=r"times x, where y is due")
def function_wrong_saved():
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x.exp()

    return judged(own(forward, lambda ctx, g: g * ctx.saved_tensors[0]), A)


@wrong("needs_input_grad is asked at the wrong index", says=r"for `\w+` \(argument 3\), nothing")
def function_needs_input_grad():
    def forward(ctx, x, w, b):
        ctx.save_for_backward(x, w)
        return x @ w.T + b

    def backward(ctx, g):
        x, w = ctx.saved_tensors
        gx = g @ w if ctx.needs_input_grad[0] else None
        gw = g.T @ x if ctx.needs_input_grad[1] else None
        return gx, gw, g.sum(0) if len(ctx.needs_input_grad) > 3 else None

    return judged(own(forward, backward), A, W, BIAS)


@wrong(
    "the gradients of the two inputs change places", says=r"each other's gradients: they are exch"
)
def function_exchanged():
    def forward(ctx, x, y):
        ctx.save_for_backward(x, y)
        return x * y

    def backward(ctx, g):
        x, y = ctx.saved_tensors
        return g * x, g * y

    return judged(own(forward, backward), A, B)


@wrong("a value kept in ctx is changed in place", says=r"saved value was overwritten")
def function_saved_in_place():
    def forward(ctx, x):
        ctx.y = x.clone()
        return ctx.y.mul_(x) * 1

    return judged(own(forward, lambda ctx, g: 2 * ctx.y * g), A)


@wrong("the backward works in place on grad_output", says=r"writes into the gradient that arrives")
def function_writes_into_gradient():
    def backward(ctx, g):
        g.mul_(2)
        return g, g

    return judged(own(lambda ctx, x, y: x + y, backward), A, B)


@wrong("grad_output is forgotten", says=r"incoming gradient \(grad_output\) is ignored")
def function_without_gradient():
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    return judged(own(forward, lambda ctx, g: 3 * ctx.saved_tensors[0] ** 2), A)


@wrong(
    "a broadcast bias gets one row, not the sum", says=r"first entry along axis 0: the sum is miss"
)
def function_broadcast():
    rule = own(lambda ctx, x, b: x + b, lambda ctx, g: (g, g[0]))
    return judged(lambda x, b: rule.apply(x, b).pow(2).sum(), A, B[0])


@wrong(
    "a second derivative through a detached value", says=r"it gets no gradient.*differentiates ins"
)
def function_double_backward():
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    cube = own(forward, lambda ctx, g: 3 * g * ctx.saved_tensors[0].detach() ** 2)
    grad = torch_of().autograd.grad
    return judged(lambda x: grad(cube.apply(x).sum(), x, create_graph=True)[0].pow(2).sum(), A)


@wrong("values are kept on the class, and a second call overwrites them", says=r"Keep them in ctx")
def function_state_on_the_class():
    kept = {}

    def forward(ctx, x):
        kept["x"] = x
        return x**2

    square = own(forward, lambda ctx, g: 2 * g * kept["x"])
    return judged(lambda x: (square.apply(x) + square.apply(x + 1)).sum(), A)


# -- custom_vjp ------------------------------------------------------------------------------------


def custom(forward, rule, **more):
    """A ``custom_vjp`` that keeps its arguments."""
    jax = importlib.import_module("jax")
    made = partial(jax.custom_vjp, **more)(forward)
    return made, jax


@wrong("the residuals are unpacked in another order", says=r"exchanged", needs="jax")
def vjp_residual_order():
    product, jax = custom(lambda a, b: a * b, None)
    product.defvjp(lambda a, b: (a * b, (b, a)), lambda r, g: (g * r[1], g * r[0]))
    x = jax.numpy.asarray(A)
    return check_backward(lambda a, b: (product(a, b) ** 2).sum(), inputs=(x, x + 0.3))


@wrong("the cotangent is left out", says=r"incoming gradient .* is ignored", needs="jax")
def vjp_without_cotangent():
    square, jax = custom(lambda x: x * x, None)
    square.defvjp(lambda x: (x * x, x), lambda x, g: (2 * x,))
    return check_backward(lambda x: (square(x) ** 2).sum(), inputs=jax.numpy.asarray(A))


@wrong("the factor of a nondiff argument is forgotten", says=r"multiply by 3", needs="jax")
def vjp_nondiff_factor():
    scaled, jax = custom(lambda x, s: x * s, None, nondiff_argnums=(1,))
    scaled.defvjp(lambda x, s: (x * s, None), lambda s, r, g: (g,))
    return check_backward(lambda x: (scaled(x, 3.0) ** 2).sum(), inputs=jax.numpy.asarray(A))


@wrong("a broadcast scale gets the mean, not the sum", says=r"1/4 times what is due", needs="jax")
def vjp_broadcast_mean():
    added, jax = custom(lambda x, b: x + b, None)
    added.defvjp(lambda x, b: (x + b, None), lambda r, g: (g, g.mean(0)))
    x = jax.numpy.asarray(A)
    return check_backward(lambda x, b: (added(x, b) ** 2).sum(), inputs=(x, x[0] + 0.2))


@wrong(
    "a function passed by nondiff_argnums is applied, not its derivative", says=r"cos", needs="jax"
)
def vjp_nondiff_function():
    applied, jax = custom(lambda f, x: f(x), None, nondiff_argnums=(0,))
    applied.defvjp(lambda f, x: (f(x), x), lambda f, x, g: (g * f(x),))
    x = jax.numpy.asarray(A)
    return check_backward(lambda x: applied(jax.numpy.sin, x).sum(), inputs=x)


# -- modules with buffers --------------------------------------------------------------------------


def centred(reads_first=False):
    """A layer that takes off a running mean, before or after it is updated."""
    torch = torch_of()

    class Centred(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = torch.nn.Linear(3, 3)
            self.register_buffer("mean", torch.zeros(3))

        def update(self, h):
            if self.training:
                with torch.no_grad():
                    self.mean.mul_(0.9).add_(h.mean(0), alpha=0.1)

        def forward(self, x):
            h = self.layer(x)
            if reads_first:
                out = torch.tanh(h - self.mean.clone())
                self.update(h)
                return out
            self.update(h)
            return torch.tanh(h - self.mean)

    torch.manual_seed(0)
    return Centred().double()


def checkpointed(module):
    torch = torch_of()

    class Checkpointed(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.block = module

        def forward(self, x):
            run = torch.utils.checkpoint.checkpoint
            return run(self.block, x, use_reentrant=False).pow(2).sum()

    return Checkpointed()


@wrong("a running mean is read after its update", says=r"`mean` is written in forward.*constant")
def buffer_read_after_update():
    return judged(centred(), A)


@wrong("spectral norm while its power iteration runs", says=r"_u` and .*_v` are written in forward")
def buffer_power_iteration():
    torch = torch_of()
    torch.manual_seed(0)
    norm = torch.nn.utils.parametrizations.spectral_norm
    return judged(torch.nn.Sequential(norm(torch.nn.Linear(3, 4).double()), torch.nn.Tanh()), A)


@wrong(
    "a checkpointed block updates its mean twice", says=r"run again.*checkpoint.*first one wrote"
)
def buffer_under_checkpoint():
    importlib.import_module("torch.utils.checkpoint")
    return judged(checkpointed(centred()), A)


@wrong("a checkpointed block reads what its first run wrote", says=r"run again.*checkpoint.*wrote")
def buffer_under_checkpoint_read_first():
    importlib.import_module("torch.utils.checkpoint")
    return judged(checkpointed(centred(reads_first=True)), A)


# -- tapes of scalars ------------------------------------------------------------------------------


class Value:
    """A scalar with its arguments and a closure, as in micrograd."""

    def __init__(self, data, parents=()):
        self.data, self.grad, self.parents, self.rule = data, 0.0, tuple(parents), lambda: None

    def made(self, data, *rules):
        """The result of an operation; ``rules`` are pairs of an argument and its partial."""
        out = type(self)(data, [v for v, _ in rules])

        def rule():
            for v, slope in rules:
                self.send(v, slope * out.grad)

        out.rule = rule
        return out

    def send(self, v, term):
        v.grad += term

    def wrap(self, other):
        return other if isinstance(other, Value) else type(self)(other)

    def __add__(self, other):
        other = self.wrap(other)
        return self.made(self.data + other.data, (self, 1.0), (other, 1.0))

    def __mul__(self, other):
        other = self.wrap(other)
        return self.made(self.data * other.data, (self, other.data), (other, self.data))

    def __pow__(self, n):
        return self.made(self.data**n, (self, n * self.data ** (n - 1)))

    def relu(self):
        return self.made(max(self.data, 0.0), (self, float(self.data > 0)))

    def tanh(self):
        y = math.tanh(self.data)
        return self.made(y, (self, 1 - y * y))

    def __radd__(self, other):
        return self + other

    def __rmul__(self, other):
        return self * other

    def __neg__(self):
        return self * -1.0

    def __sub__(self, other):
        return self + (-other)

    def __rsub__(self, other):
        return self.wrap(other) + (-self)

    def __truediv__(self, other):
        return self * other**-1

    def __rtruediv__(self, other):
        return other * self**-1

    def order(self):
        found, seen = [], set()

        def visit(v):
            if id(v) not in seen:
                seen.add(id(v))
                for u in v.parents:
                    visit(u)
                found.append(v)

        visit(self)
        return found[::-1]

    def backward(self):
        self.grad = 1.0
        for v in self.order():
            v.rule()


def loss(a, b):
    c = a * b
    d = (a + b).tanh() + c
    return 2.0 * d * c + (1.5 - a).relu() * b + 3.0 / b + (b - 0.5) ** 2


def whole(kind, function=loss, at=(0.7312, -1.3377)):
    """The engine's gradient of a function, as docs/checks/backward.md shows it."""

    def gradient(*arrays):
        leaves = [kind(float(a)) for a in arrays]
        function(*leaves).backward()
        return [v.grad for v in leaves]

    inputs = tuple(torch_of().tensor(x, dtype=torch_of().float64) for x in at)
    return check_backward(function, inputs=inputs, gradient=gradient)


def walked(kind):
    """The engine's walk on the standard graphs, as docs/checks/backward.md shows it."""

    def backward(graph, partials, v_out, one):
        nodes = {}
        for v in graph.order:
            terms = (nodes[u] * float(partials[s, 0, 0]) for u, s in graph.predecessors[v])
            nodes[v] = sum(terms, kind(0.0))
        (nodes[v_out] * float(one[0, 0])).backward()
        return [[[nodes[v].grad]] for v in range(graph.size)]

    return check_backward(backward, dimension=1)


def changed(**methods):
    return type("Value", (Value,), methods)


@wrong("micrograd: = for +=", says=r"= for \+=")
def tape_assigns():
    return whole(changed(send=lambda self, v, term: setattr(v, "grad", term)))


@wrong("micrograd: = for +=, on graphs", says=r"= for \+=")
def tape_assigns_on_graphs():
    return walked(changed(send=lambda self, v, term: setattr(v, "grad", term)))


@wrong("micrograd: = for +=, and the arguments are a set", says=r"= for \+=.*(order of a set)?")
def tape_assigns_in_a_set():
    class Unordered(Value):
        def __init__(self, data, parents=()):
            super().__init__(data, parents)
            self.parents = set(self.parents)

        def send(self, v, term):
            v.grad = term

    return whole(Unordered)


@wrong("micrograd: a list of nodes that is not reversed", says=r"order_not_reversed|not in reverse")
def tape_not_reversed():
    return whole(changed(order=lambda self: Value.order(self)[::-1]))


@wrong(
    "micrograd: a node before its consumers",
    says=r"before their gradient is complete",
)
def tape_preorder():
    def order(self):
        found, queue = [], [self]
        while queue:
            v = queue.pop(0)
            if all(v is not u for u in found):
                found.append(v)
                queue += v.parents
        return found

    return whole(changed(order=order))


@wrong(
    "micrograd: a shared node is visited once for every path", says=r"without a visited|every path"
)
def tape_visited_twice():
    def order(self):
        found = []

        def visit(v):
            for u in v.parents:
                visit(u)
            found.append(v)

        visit(self)
        return found[::-1]

    return whole(changed(order=order))


@wrong("micrograd: zero_grad is missing between two steps", says=r"zero_grad is missing")
def tape_not_cleared():
    def gradient(*arrays):
        leaves = [Value(float(a)) for a in arrays]
        for _ in range(2):
            loss(*leaves).backward()
        return [v.grad for v in leaves]

    inputs = tuple(torch_of().tensor(x, dtype=torch_of().float64) for x in (0.7312, -1.3377))
    return check_backward(loss, inputs=inputs, gradient=gradient)


@wrong("micrograd: backward() twice on one graph", says=r"Cause: .*called twice on the same graph")
def tape_backward_twice():
    def function(a, b):
        return (a * b + a.tanh()) * b

    def gradient(*arrays):
        leaves = [Value(float(a)) for a in arrays]
        out = function(*leaves)
        out.backward()
        out.backward()
        return [v.grad for v in leaves]

    inputs = tuple(torch_of().tensor(x, dtype=torch_of().float64) for x in (0.7312, -1.3377))
    return check_backward(function, inputs=inputs, gradient=gradient)


@wrong("micrograd: tanh's rule 1 - y", says=r"\(1 - y\)")
def tape_tanh():
    def tanh(self):
        y = math.tanh(self.data)
        return self.made(y, (self, 1 - y))

    return whole(changed(tanh=tanh))


@wrong("micrograd: relu lets everything through", says=r"relu.*(arriv|as it|passes|gate|without)")
def tape_relu():
    kind = changed(relu=lambda self: self.made(max(self.data, 0.0), (self, 1.0)))
    return whole(kind, lambda a, b: (a + 0.3 * b).relu() * b + (b * a).relu() * a + a * b)


@wrong("micrograd: the power's rule n x**n", says=r"pow.*(x times|times x|exponent)")
def tape_power():
    kind = changed(__pow__=lambda self, n: self.made(self.data**n, (self, n * self.data**n)))
    return whole(kind, lambda a, b: (a * b) ** 3 + a.tanh() * b)


@wrong("micrograd: __rsub__ builds a constant", says=r"path through .*(sub|relu).* is missing")
def tape_rsub():
    return whole(changed(__rsub__=lambda self, other: self.wrap(other - self.data)))


@wrong("micrograd: __radd__ loses the sign of its argument", says=r"negative of what|flip|sign")
def tape_radd():
    kind = changed(__radd__=lambda self, other: self.made(self.data + other, (self, -1.0)))
    return whole(kind, lambda a, b: (2.0 + a) * b + a.tanh())


# -- a tape of arrays ------------------------------------------------------------------------------


@wrong("tinygrad-like: the gradient of a broadcast bias is not summed", says=r"sum|axis 0")
def tensors_not_summed():
    class Tensor:
        def __init__(self, data, parents=()):
            self.data = np.asarray(data, dtype=float)
            self.grad, self.parents, self.rule = np.zeros_like(self.data), parents, lambda: None

        def __add__(self, other):
            out = Tensor(self.data + other.data, (self, other))

            def rule():
                self.grad += out.grad
                rows = out.grad if out.grad.shape == other.data.shape else out.grad[0]
                other.grad += rows

            out.rule = rule
            return out

        def __matmul__(self, other):
            out = Tensor(self.data @ other.data, (self, other))

            def rule():
                self.grad += out.grad @ other.data.T
                other.grad += self.data.T @ out.grad

            out.rule = rule
            return out

        def tanh(self):
            out = Tensor(np.tanh(self.data), (self,))

            def rule():
                self.grad += (1 - out.data**2) * out.grad

            out.rule = rule
            return out

        def sum(self):
            out = Tensor(self.data.sum(), (self,))

            def rule():
                self.grad += out.grad

            out.rule = rule
            return out

    def function(x, w, b):
        return (x @ w + b).tanh().sum()

    def gradient(*arrays):
        leaves = [Tensor(np.asarray(a)) for a in arrays]
        out = function(*leaves)
        out.grad += 1.0
        for v in Value.order(out):
            v.rule()
        return [v.grad for v in leaves]

    inputs = tuple(torch_of().tensor(a) for a in (A, W.T.copy(), BIAS))
    return check_backward(function, inputs=inputs, gradient=gradient)
