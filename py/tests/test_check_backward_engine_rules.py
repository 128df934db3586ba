"""`check_backward` of a gradient by a small engine: one rule that is wrong wherever it is used."""

from __future__ import annotations

import math
import sys
from pathlib import Path

import pytest

import scoreproof as sp

torch = pytest.importorskip("torch")
sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from causes._small_engine import engine, gradient_of, own_operand  # noqa: E402

INPUTS = tuple(torch.tensor(v, dtype=torch.float64) for v in (0.6, -0.8, 1.3))


def products(a, b, c):
    d = a * b + c * a
    return d * d * b + (d * c).tanh()


def products_with_numbers(a, b, c):
    d = a * b + c * 3
    return d * d * b * 2 + (d * c).tanh()


def differences(a, b, c):
    d = a * b - c
    return (d * c - 2) * b + (-d) * a * (d + b)


def quotients(a, b, c):
    d = a / c + b * a
    return d / c + (d * b).tanh() * a


def powers(a, b, c):
    d = c**3 + a * b
    return d**2 * b + (d + a).tanh() + c**2


def powers_and_quotients(a, b, c):
    return c**2 * a + (a + b) ** 3 / c + b**2


def judged(function, made):
    return sp.check_backward(function, inputs=INPUTS, gradient=gradient_of(function, made))


@pytest.mark.parametrize(
    "function", [products, differences, quotients, powers, powers_and_quotients]
)
def test_a_right_engine_holds(function):
    assert judged(function, engine())


@pytest.mark.parametrize(
    ("function", "made", "name", "said"),
    [
        (products, engine(own_operand), "wrong_slot", "partial of another argument"),
        (products_with_numbers, engine(own_operand), "own_operand", "each operand its own value"),
        (differences, engine(own_operand), "own_operand", "by products with -1"),
        (quotients, engine(own_operand), "own_operand", "x / y is written as x * y**-1"),
        (powers, engine(power=lambda x, n: n * x**n), "power_not_lowered", "is not lowered"),
        (
            powers_and_quotients,
            engine(power=lambda x, n: n * x**n),
            "power_not_lowered",
            "x / y is written as x * y**-1",
        ),
        (powers, engine(power=lambda x, n: x ** (n - 1)), "power_without_factor", "the factor n"),
        (
            powers_and_quotients,
            engine(power=lambda x, n: x ** (n - 1)),
            "power_without_factor",
            "x / y is written as x * y**-1",
        ),
    ],
    ids=["mul", "mul, numbers", "mul, sub", "mul, div", "high", "high, div", "bare", "bare, div"],
)
def test_a_rule_that_is_wrong_wherever_it_is_used_is_named(function, made, name, said):
    evidence = judged(function, made)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names == (name,), evidence.explain()
    assert said in evidence.diagnosis.sentence


def test_a_rule_of_another_operation_is_told_of_all_its_nodes():
    def function(a, b, c):
        return (a * b).tanh() * c + (b + c).tanh() * a

    def gradient(*inputs):
        made = engine()

        def tanh(self):  # 1 - t for 1 - t²
            t = math.tanh(self.data)
            out = made(t, (self,))

            def rule():
                self.grad += (1 - t) * out.grad

            out.rule = rule
            return out

        made.tanh = tanh
        return gradient_of(function, made)(*inputs)

    evidence = sp.check_backward(function, inputs=INPUTS, gradient=gradient)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names, evidence.explain()
    assert "nodes [tanh" in evidence.diagnosis.sentence
