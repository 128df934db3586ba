"""Rules of * and ** that are wrong wherever a small engine uses them."""

from __future__ import annotations

from causes import wrong
from causes._small_engine import engine, gradient_of, own_operand
from scoreproof import check_backward


def function(a, b, c):
    d = a * b + c**3
    e = (d * a - b * 2).tanh() + a * a * c
    return e * e + d**2 * b + c * a


def judged(made):
    import torch

    inputs = tuple(torch.tensor(v, dtype=torch.float64) for v in (0.6, -0.8, 0.45))
    return check_backward(function, inputs=inputs, gradient=gradient_of(function, made))


@wrong("each operand of a product its own value", says=r"each operand its own value where the",
       needs="torch")  # fmt: skip
def own_values():
    return judged(engine(own_operand))


@wrong("n x**n for n x**(n - 1)", says=r"the exponent is not lowered", needs="torch")
def power_not_lowered():
    return judged(engine(power=lambda x, n: n * x**n))


@wrong("x**(n - 1) for n x**(n - 1)", says=r"the factor n is missing", needs="torch")
def power_without_factor():
    return judged(engine(power=lambda x, n: x ** (n - 1)))
