"""Wrong rules of single functions: ``autograd.Function``, ``custom_vjp``."""

from __future__ import annotations

from causes import wrong
from causes.backward import POSITIVE, RNG, W1, X, Y, torched
from scoreproof import check_backward

# -- torch.autograd.Function -----------------------------------------------------------------------


def function(forward, backward, name):
    """A subclass of ``torch.autograd.Function`` called ``name``."""
    torch = __import__("torch")
    parts = {"forward": staticmethod(forward), "backward": staticmethod(backward)}
    return type(name, (torch.autograd.Function,), parts).apply


def saving(f):
    """``forward`` that keeps its arguments and its value."""

    def forward(ctx, *args):
        out = f(*args)
        ctx.save_for_backward(*args, out)
        return out

    return forward


def applied(f, backward, name, *inputs):
    op = function(saving(f), backward, name)
    return torched(lambda *xs: (op(*xs) * op(*xs)).sin().sum(), *inputs)


@wrong(
    "the incoming gradient is ignored", says=r"(incoming gradient|grad_output).*(ignored|not used)"
)
def grad_output_ignored():
    return applied(lambda x: x * x, lambda ctx, g: 2 * ctx.saved_tensors[0], "Square", X)


@wrong("exp' = exp of the saved output", says=r"Exp\b.*(at|of) (the|its) output")
def exp_of_output():
    return applied(lambda x: x.exp(), lambda ctx, g: g * ctx.saved_tensors[1].exp(), "Exp", X)


@wrong("sigmoid' without 1 - sigmoid", says=r"Sigmoid.*times y, where y \(1 - y\) is due")
def sigmoid_half():
    return applied(lambda x: x.sigmoid(), lambda ctx, g: g * ctx.saved_tensors[1], "Sigmoid", X)


@wrong("the product's gradients are exchanged", says=r"exchanged")
def product_exchanged():
    def backward(ctx, g):
        a, b, _ = ctx.saved_tensors
        return g * a, g * b

    return applied(lambda a, b: a * b, backward, "Mul", X, Y)


@wrong("a softmax whose rule is the diagonal", says=r"diagonal")
def softmax_function():
    def backward(ctx, g):
        y = ctx.saved_tensors[1]
        return g * y * (1 - y)

    return applied(lambda x: x.softmax(-1), backward, "Softmax", X)


@wrong(
    "layer norm without the terms of the mean",
    says=r"LayerNorm.*without the term of the mean",
)
def layer_norm_function():
    def f(x):
        return (x - x.mean(-1, keepdim=True)) / (x.var(-1, keepdim=True, unbiased=False)).sqrt()

    def backward(ctx, g):
        x, y = ctx.saved_tensors
        std = x.var(-1, keepdim=True, unbiased=False).sqrt()
        return (g - y * (g * y).mean(-1, keepdim=True)) / std

    return applied(f, backward, "LayerNorm", RNG.standard_normal((4, 6)))


@wrong(
    "a saved buffer is overwritten in forward", says=r"(at|of) (the|its) output|overwritten|stale"
)
def buffer_overwritten():
    def forward(ctx, x):
        buffer = x.clone()
        ctx.x = buffer
        return buffer.mul_(x).clone()  # ctx.x is x² now

    op = function(forward, lambda ctx, g: 2 * g * ctx.x, "Square")
    return torched(lambda x: (op(x) * x).sum(), X)


@wrong("x @ w: w for its transpose", says=r"Linear.*transpos|transpos.*Linear")
def linear_not_transposed():
    def backward(ctx, g):
        x, w, _ = ctx.saved_tensors
        return g @ w, x.T @ g

    return applied(lambda x, w: x @ w, backward, "Linear", X, W1)


@wrong(
    "sign with the straight-through estimator where |x| <= 1",
    says=r"where \|x\| ≤ 1, and 0 elsewhere.*straight-through",
)
def binary_connect():
    return applied(
        lambda x: x.sign(), lambda ctx, g: g * (ctx.saved_tensors[0].abs() <= 1), "Sign", X
    )


@wrong("custom_vjp returns the two gradients in each other's place", says=r"exchanged", needs="jax")
def jax_exchanged():
    import jax

    @jax.custom_vjp
    def mul(a, b):
        return a * b

    mul.defvjp(lambda a, b: (a * b, (a, b)), lambda res, g: (g * res[0], g * res[1]))
    with jax.enable_x64(True):
        return check_backward(
            lambda a, b: jax.numpy.sin(mul(a, b)).sum(), inputs=(X, Y), framework="jax"
        )


@wrong("custom_vjp of sqrt: 1/sqrt(x), the 2 lost", says=r"root.*2 times what is due", needs="jax")
def jax_sqrt():
    import jax

    @jax.custom_vjp
    def root(x):
        return jax.numpy.sqrt(x)

    root.defvjp(lambda x: (jax.numpy.sqrt(x), x), lambda x, g: (g / jax.numpy.sqrt(x),))
    return check_backward(
        lambda x: (root(x) * x).sum(), inputs=jax.numpy.asarray(POSITIVE), framework="jax"
    )
