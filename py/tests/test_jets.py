"""Truncated series: every operation to fifth order, against python-flint's power series."""

from __future__ import annotations

import math

import numpy as np
import pytest
from flint import arb, arb_series, ctx, fmpq

from scoreproof.numerics import functions as fn
from scoreproof.numerics.jets import Jet, derivatives

#: Taylor coefficients with no symmetry and no zero: each enters each later one of a function of it.
U = (1.3, 0.7, -0.4, 0.25, 0.6, -0.35)
V = (-0.8, 1.1, 0.3, -0.55, 0.2, 0.45)
ORDER = len(U) - 1

FUNCTIONS = {
    "exp": lambda u: u.exp(),
    "log": lambda u: u.log(),
    "sqrt": lambda u: u.sqrt(),
    "sin": lambda u: u.sin(),
    "cos": lambda u: u.cos(),
}


@pytest.fixture(autouse=True)
def series_length():
    before = ctx.cap
    ctx.cap = ORDER + 1
    yield
    ctx.cap = before


def series(coefficients):
    return arb_series([arb(c) for c in coefficients])


def reference(name, u):
    if name in FUNCTIONS:
        return FUNCTIONS[name](u)
    e = u.exp()
    if name == "tanh":
        return (e * e - 1) / (e * e + 1)
    return {"cosh": (e + 1 / e) / 2, "reciprocal": 1 / u}[name]


def numbers(found):
    return [float(found[k]) for k in range(ORDER + 1)]


def same(jet, expected):
    """Coefficient by coefficient, in floats."""
    assert jet.order == ORDER
    assert jet.coefficients == pytest.approx(numbers(expected), rel=1e-13, abs=1e-13)


@pytest.mark.parametrize("name", [*FUNCTIONS, "tanh", "cosh", "reciprocal"])
def test_functions(name):
    same(getattr(Jet(U), name)(), reference(name, series(U)))
    array = getattr(Jet([np.array([c, 2 * c]) for c in U]), name)()
    for k, column in enumerate(np.array(array.coefficients).T):
        expected = reference(name, series([(1 + k) * c for c in U]))
        assert column == pytest.approx(numbers(expected), rel=1e-12, abs=1e-12)


@pytest.mark.parametrize("name", [*FUNCTIONS, "tanh", "cosh"])
def test_functions_by_their_names_in_every_arithmetic(name):
    f = getattr(fn, name)
    same(f(Jet(U)), reference(name, series(U)))
    assert float(f(1.3)) == pytest.approx(float(reference(name, series(U))[0]), rel=1e-15)
    assert f(np.array([1.3])).tolist() == [float(f(1.3))]
    in_balls = f(Jet([arb(c) for c in U]))
    for k, c in enumerate(in_balls.coefficients):
        assert c.overlaps(reference(name, series(U))[k])
    assert complex(f(1.3 + 0j)).real == pytest.approx(float(f(1.3)))


def test_arithmetic_of_two_series():
    u, v, a, b = Jet(U), Jet(V), series(U), series(V)
    same(u + v, a + b)
    same(u - v, a - b)
    same(u * v, a * b)
    same(v / u, b / a)
    same(-u, -a)
    same(u * v - v / u + u, a * b - b / a + a)


@pytest.mark.parametrize("c", [2.5, -3, np.float64(0.3), 0])
def test_arithmetic_with_a_number(c):
    u, a = Jet(U), series(U)
    number = arb(float(c))
    same(u + c, a + number)
    same(c + u, a + number)
    same(u - c, a - number)
    same(c - u, number - a)
    same(u * c, a * number)
    same(c * u, a * number)
    same(c / u, number / a)
    if c:
        same(u / c, a / number)


def test_an_array_from_the_left_acts_point_by_point():
    u = Jet([np.array([1.0, 2.0]), np.array([3.0, 4.0])])
    product = np.array([10.0, 100.0]) * u
    assert [c.tolist() for c in product.coefficients] == [[10.0, 200.0], [30.0, 400.0]]
    total = np.array([10.0, 100.0]) + u
    assert [c.tolist() for c in total.coefficients] == [[11.0, 102.0], [3.0, 4.0]]


@pytest.mark.parametrize("n", [0, 1, 2, 5, -1, -3])
def test_whole_powers(n):
    expected = series([1.0])
    for _ in range(abs(n)):
        expected = expected * series(U) if n > 0 else expected / series(U)
    same(Jet(U) ** n, expected)


@pytest.mark.parametrize("n", [0.5, -1.5, 2.25])
def test_other_powers(n):
    same(Jet(U) ** n, (series(U).log() * arb(n)).exp())


def test_whole_powers_of_what_has_no_logarithm():
    assert (Jet([-2.0, 1.0, 0.0]) ** 3).coefficients == [-8.0, 12.0, -6.0]
    assert (Jet([0.0, 1.0, 0.0]) ** 2).coefficients == [0.0, 0.0, 1.0]


def test_rationals_stay_exact():
    half = Jet([fmpq(1, 2), fmpq(1), fmpq(0), fmpq(0)])
    assert half.reciprocal().coefficients == [2, -4, 8, -16]
    assert (half * half - half).coefficients == [fmpq(-1, 4), 0, 1, 0]


@pytest.mark.parametrize("order", [0, 1, 2, 4])
def test_a_variable(order):
    x = Jet.variable(3.0, order)
    assert x.order == order
    assert x.coefficients == [3.0, 1.0, 0.0, 0.0, 0.0][: order + 1]
    assert Jet.variable(np.array([1.0, 2.0]), 2).coefficients[1].tolist() == [1.0, 1.0]


def test_derivatives_carry_their_factorials():
    assert [Jet([5.0, 4.0, 3.0, 2.0, 1.0]).derivative(k) for k in range(5)] == [5, 4, 6, 12, 24]
    assert derivatives(lambda t: t**4, 2.0, 4) == [16, 32, 48, 48, 24]
    found = derivatives(lambda t: fn.sin(t * 2), 0.3, 3)
    expected = [math.sin(0.6), 2 * math.cos(0.6), -4 * math.sin(0.6), -8 * math.cos(0.6)]
    assert found == pytest.approx(expected, rel=1e-14)


def test_derivatives_of_a_constant():
    assert derivatives(lambda t: 7.0, 2.0, 2) == [7.0, 0.0, 0.0]
    found = derivatives(lambda t: np.array([7.0, 8.0]), np.array([1.0, 2.0]), 1)
    assert [np.asarray(v).tolist() for v in found] == [[7.0, 8.0], [0.0, 0.0]]
    in_balls = derivatives(lambda t: arb(7), arb(2), 1)
    assert in_balls[0] == 7 and in_balls[1] == 0


def test_series_of_two_lengths_do_not_mix():
    with pytest.raises(ValueError, match="zip"):
        Jet([1.0, 2.0]) + Jet([1.0, 2.0, 3.0])


def test_pi_follows_its_argument():
    assert fn.pi_like(2.0) is math.pi
    assert fn.pi_like(Jet([1.0, 2.0])) is math.pi
    ball = fn.pi_like(Jet([arb(1), arb(2)]))
    assert isinstance(ball, arb) and ball.overlaps(arb.pi())
    assert isinstance(fn.pi_like(arb(1)), arb)
    assert fn.pi_like(np.ones(3)) is math.pi
