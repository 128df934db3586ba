"""What cannot be read of a function of torch or jax, and what a callable is told that was called
in another way than it is written.
"""

from __future__ import annotations

import random

import numpy as np
import pytest

import scoreproof as sp

torch = pytest.importorskip("torch")


class Held(torch.nn.Module):
    def forward(self, x):
        return x * 2


HELD = Held()


def branches(x):
    return x.sum() if x.sum() > 0 else -x.sum()


def assigns(x):
    y = x * 1
    y[0] = 0
    return y.sum()


def borrows(x):
    return HELD(x).sum()


def loops(x):
    return sum(row.sum() for row in x)


def numbers(x):
    return x.sum() * float(x[0, 0])


def pair(x):
    return x.sum(), x.mean()


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (branches, "an if or a while that asks for the value of a tensor"),
        (assigns, "an assignment into a tensor, x[i] = …; use torch.where, or torch.stack of"),
        (borrows, "a module that the function calls but does not receive"),
        (loops, "a loop over a tensor, or *tensor"),
        (numbers, "a tensor turned into a number, an array or a shape (float(x), x.item()"),
        (pair, "a function that returns one tensor"),
    ],
)
def test_what_torch_cannot_read(function, words):
    with pytest.raises(sp.ArgumentError) as error:
        sp.check_backward(function, framework="torch", inputs=(torch.ones(2, 3),))
    assert words.split(";")[0] in str(error.value)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (
            lambda: sp.check_kl(
                lambda m, s: torch.exp(m)[:, 0], against="standard", framework="numpy"
            ),
            'pass framework="torch"',
        ),
        (
            lambda: sp.check_denoiser(lambda: 0.0, np.eye(3), 1.0),
            "see the check's docstring for the arguments it is called with",
        ),
    ],
    ids=["another library", "no arguments"],
)
def test_what_helps_a_callable_that_raises(ask, words):
    with pytest.raises(sp.CallableError) as error:
        ask()
    assert words in str(error.value)


class Single(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        if x.dtype != torch.float32:
            raise TypeError("float32 only")
        ctx.save_for_backward(x)
        return x * x

    @staticmethod
    def backward(ctx, g):
        return 2 * ctx.saved_tensors[0] * g


def test_a_torch_function_of_one_type_is_judged_in_its_own():
    x = torch.linspace(0.3, 1.2, 5)
    evidence = sp.check_backward(
        lambda x: Single.apply(x).sum(), framework="torch", inputs=(x,), tolerance=0.01
    )
    assert evidence and "float32 only" in evidence.explain()
    assert "so it was judged in its own type." in evidence.explain()


def test_a_jax_function_of_one_type_is_judged_in_its_own():
    jax = pytest.importorskip("jax")
    jnp, x = jax.numpy, jax.numpy.linspace(0.3, 1.2, 5)

    # in double precision a billionth is seen
    def loss(x):
        return jnp.sum(jnp.where(x + 1e-9 == x, 2 * x, x) * x)

    told = sp.check_backward(loss, None, x).explain()
    assert "random numbers drawn inside, or a type that it insists on, make it another" in told


def steps(model, x, sigmas, after):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        x = after(x + (n - s) * (x - model(x, s)) / s)
    return x


def test_what_the_draws_of_a_sampler_are_told():
    def by_random(model, x, sigmas):
        return steps(model, x, sigmas, lambda x: x + 0.1 * random.gauss(0.0, 1.0))

    text = sp.check_sampler(by_random).explain()
    assert "draws from Python's global generator (the module random)" in text
