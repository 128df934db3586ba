"""How things are computed: each tool against an independent way to the same number."""

from __future__ import annotations

import math
import threading

import numpy as np
import pytest
from flint import acb, arb, ctx, fmpq, nmod_mat

from scoreproof.errors import ArgumentError, ScoreproofError
from scoreproof.numerics.balls import ball, integral, precision, rational
from scoreproof.numerics.cauchy import circle, from_circles
from scoreproof.numerics.complex_step import directional, gradient, jacobian
from scoreproof.numerics.cubature import expectation, random_rotation, separable_expectation
from scoreproof.numerics.flint_matrices import (
    PRIMES,
    FlintMatrix,
    failure_probability,
    random_residues,
)
from scoreproof.numerics.gauss_grid import GaussGrid
from scoreproof.numerics.legendre import (
    NODES,
    antiderivatives,
    expansion,
    hidden,
    tail,
    unit_nodes,
)
from scoreproof.numerics.linear import (
    check_covariance,
    cholesky_factor,
    log_sum_exp,
    random_covariance,
    softmax,
    solve_rows,
)
from scoreproof.numerics.rational_functions import Positive, symbols
from scoreproof.numerics.spectral import FourierGrid, fokker_planck
from scoreproof.numerics.words import Words


def rng(seed=0):
    return np.random.default_rng(seed)


# -- covariances -----------------------------------------------------------------------------------


@pytest.mark.parametrize("d", [1, 2, 3, 7])
@pytest.mark.parametrize("condition", [1.0, 10.0, 1e6])
def test_a_random_covariance_has_its_condition(d, condition):
    c = random_covariance(rng(), d, condition)
    assert np.array_equal(c, c.T)
    values = np.linalg.eigvalsh(c)
    if d == 1:
        assert values[0] == pytest.approx(condition**-0.5)
    else:
        assert values[-1] == pytest.approx(condition**0.5, rel=1e-6)
        assert values[0] == pytest.approx(condition**-0.5, rel=1e-6)
    assert check_covariance("cov", c) is c
    if d > 1 and condition > 1:
        assert np.max(np.abs(c - np.diag(np.diag(c)))) > 0.01
        assert not np.allclose(c, random_covariance(rng(1), d, condition))


def test_what_is_no_covariance():
    with pytest.raises(ArgumentError, match=r"Q must be symmetric \(got an asymmetry of 0.5\)"):
        check_covariance("Q", np.array([[1.0, 0.5], [0.0, 1.0]]))
    with pytest.raises(ArgumentError, match=r"positive definite \(got smallest eigenvalue -1\)"):
        check_covariance("Q", np.array([[1.0, 2.0], [2.0, 1.0]]))
    slight = 1e6 * np.array([[1.0, 1e-11], [0.0, 1.0]])
    assert check_covariance("Q", slight) is slight
    with pytest.raises(ArgumentError, match="symmetric"):
        check_covariance("Q", 1e-6 * np.array([[1.0, 1e-9], [0.0, 1.0]]))
    assert check_covariance("Q", np.zeros((0, 0))).size == 0


def exact(matrix):
    out = np.empty(np.shape(matrix), dtype=object)
    for index, value in np.ndenumerate(np.asarray(matrix)):
        out[index] = arb(float(value))
    return out


def test_factors_and_solves_in_floats_and_in_balls():
    c, rows = random_covariance(rng(), 4, 50.0), rng(1).standard_normal((3, 4))
    root = cholesky_factor(c)
    assert np.allclose(root @ root.T, c, rtol=0, atol=1e-14)
    assert np.allclose(np.triu(root, 1), 0)
    m = rng(2).standard_normal((4, 4)) + 4 * np.eye(4)
    assert np.allclose(solve_rows(m, rows) @ m.T, rows, atol=1e-13)
    in_balls = cholesky_factor(exact(c))
    solved = solve_rows(exact(m), exact(rows))
    assert solved.shape == (3, 4)
    for i in range(4):
        for j in range(4):
            assert float(in_balls[i, j]) == pytest.approx(root[i, j], abs=1e-13)
    for found, expected in zip(solved.ravel(), solve_rows(m, rows).ravel(), strict=True):
        assert float(found) == pytest.approx(expected, rel=1e-11, abs=1e-13)


def test_log_sum_exp_and_softmax_far_from_zero():
    logs = np.array([[1e4, 1e4 + math.log(3.0), 1e4 - 50], [-800.0, -800.0, -1e9]])
    assert log_sum_exp(logs) == pytest.approx([1e4 + math.log(4), -800 + math.log(2)], rel=1e-15)
    weights = softmax(logs)
    assert weights[0] == pytest.approx([0.25, 0.75, math.exp(-50) / 4], rel=1e-10)
    assert weights[1].tolist() == [0.5, 0.5, 0.0]
    assert np.abs(weights.sum(axis=1) - 1).max() < 1e-15
    step = 1e-30
    moved = log_sum_exp(np.array([[0.3 + 1j * step, -0.2, 0.5]]))
    assert moved.imag[0] / step == pytest.approx(softmax(np.array([[0.3, -0.2, 0.5]]))[0, 0])
    assert log_sum_exp(np.zeros((2, 3, 4))).shape == (2, 3)


# -- complex steps ---------------------------------------------------------------------------------


def test_complex_steps():
    x = rng().standard_normal((5, 3))

    def f(z):
        return np.exp(z[:, 0] * z[:, 1]) + z[:, 2] ** 3

    e = np.exp(x[:, 0] * x[:, 1])
    expected = np.stack([x[:, 1] * e, x[:, 0] * e, 3 * x[:, 2] ** 2], axis=1)
    assert gradient(f, x) == pytest.approx(expected, rel=1e-14)
    sizes = []

    def counted(z):
        sizes.append(z.size)
        return f(z)

    assert gradient(counted, x, block=30) == pytest.approx(expected, rel=1e-14)
    assert sizes == [30, 15], "two coordinates at a time, then the third"
    sizes.clear()
    assert gradient(counted, x, block=1) == pytest.approx(expected, rel=1e-14)
    assert sizes == [15, 15, 15]
    v = rng(1).standard_normal((5, 3))
    assert directional(f, x, v) == pytest.approx((expected * v).sum(axis=1), rel=1e-14)
    j = jacobian(lambda z: np.stack([f(z), z[:, 0] ** 2], axis=1), x)
    assert j.shape == (5, 2, 3)
    assert j[:, 0] == pytest.approx(expected, rel=1e-14)
    assert j[:, 1] == pytest.approx(np.stack([2 * x[:, 0], 0 * x[:, 0], 0 * x[:, 0]], axis=1))


# -- cubature --------------------------------------------------------------------------------------


def test_cubature_is_exact_for_cubics():
    d = 4
    rotation = random_rotation(rng(), d)
    assert np.allclose(rotation @ rotation.T, np.eye(d), atol=1e-14)
    mean, cov = rng(1).standard_normal(d), random_covariance(rng(2), d)
    root = np.linalg.cholesky(cov)
    a, b = rng(3).standard_normal((2, d))
    second = expectation(lambda x: (x @ a) * (x @ b), mean, root, rotation)
    assert float(second) == pytest.approx(a @ cov @ b + (mean @ a) * (mean @ b), rel=1e-13)
    third = float(expectation(lambda x: (x @ a) ** 3, mean, root, rotation))
    m, v = mean @ a, a @ cov @ a
    assert third == pytest.approx(m**3 + 3 * m * v, rel=1e-13)
    std = np.sqrt(np.diag(cov))
    found = separable_expectation(lambda x: x**3 + 2 * x**2, mean, std)
    assert found == pytest.approx(np.sum(mean**3 + 3 * mean * std**2 + 2 * (mean**2 + std**2)))


def test_rotations_have_no_preferred_direction():
    signs = [np.sign(random_rotation(rng(s), 2)[0, 0]) for s in range(200)]
    assert 60 < sum(s > 0 for s in signs) < 140


# -- derivatives from circles ----------------------------------------------------------------------


def on_circles(f, centres, radii, size=32):
    z = np.asarray(centres)[None, :, None] + np.asarray(radii)[:, None, None] * circle(size)
    return f(z)


def test_circles_pick_their_radius_and_bound_their_error():
    centres, radii = np.array([0.3, -1.0]), np.array([1.0, 1e-1, 1e-6])
    for order, expected in ((0, np.exp), (1, np.exp), (3, np.exp)):
        found, error = from_circles(on_circles(np.exp, centres, radii), radii, order, 1e-16)
        assert found == pytest.approx(expected(centres), abs=1e-12)
        assert np.all(np.abs(found - expected(centres)) <= error + 1e-15)
        assert np.all(error < 1e-11)
    found, error = from_circles(on_circles(lambda z: z**3, centres, radii), radii, 2, 1e-16)
    assert found == pytest.approx(6 * centres, abs=1e-12)


def test_circles_see_what_is_not_analytic_and_what_overflows():
    centres, radii = np.array([0.5]), np.array([1.0, 0.25])
    _, error = from_circles(on_circles(lambda z: np.abs(z) + 0j, centres, radii), radii, 1, 1e-16)
    assert error[0] > 1e-3
    values = on_circles(np.exp, centres, radii)
    values[0] = np.inf
    found, error = from_circles(values, radii, 1, 1e-16)
    assert found[0] == pytest.approx(math.exp(0.5)) and error[0] < 1e-10
    values[1] = np.nan
    _, error = from_circles(values, radii, 1, 1e-16)
    assert error[0] == np.inf


def test_rounding_enters_by_the_radius():
    radii = np.array([1e-3])
    values = on_circles(lambda z: np.exp(z), np.array([0.0]), radii)
    errors = [from_circles(values, radii, k, 1e-12)[1][0] for k in (1, 2)]
    assert errors[0] == pytest.approx(1e-9, rel=0.1)
    assert errors[1] == pytest.approx(2e-6, rel=0.1)
    each = from_circles(np.repeat(values, 2, axis=1), radii, 1, np.array([1e-12, 1e-9]))[1]
    assert each[1] / each[0] == pytest.approx(1e3, rel=0.1)
    assert circle(4) == pytest.approx([1, 1j, -1, -1j])


# -- Gauss grids -----------------------------------------------------------------------------------


@pytest.mark.parametrize(("low", "high"), [(-1.0, 1.0), (0.5, 3.0)])
def test_gauss_grids(low, high):
    g = GaussGrid(9, low, high)
    assert g.half == (high - low) / 2
    assert g.x.size == 9 and np.all(np.diff(g.x) > 0)
    assert g.x[0] > low and g.x[-1] < high
    for k in range(18):
        assert g.weights @ g.x**k == pytest.approx((high ** (k + 1) - low ** (k + 1)) / (k + 1))
    f = g.x**7 - 2 * g.x**3
    assert g.d1 @ f == pytest.approx(7 * g.x**6 - 6 * g.x**2, abs=1e-9)
    assert g.d2 @ f == pytest.approx(42 * g.x**5 - 12 * g.x, abs=1e-7)
    assert np.abs(g.d1 @ np.ones(9)).max() < 1e-12
    assert g.x == pytest.approx((low + high) / 2 + g.half * g.reference)


# -- Legendre series on panels --------------------------------------------------------------------


def panel(f, low, high):
    return f(low + (high - low) * unit_nodes())[None, :, None]


def test_a_panel_is_its_legendre_series():
    u = unit_nodes()
    assert u.size == NODES == 16 and np.all((u > 0) & (u < 1))
    series = expansion() @ (u**3)
    x = np.linspace(0, 1, 7)
    legendre = np.polynomial.legendre.legvander(2 * x - 1, NODES - 1)
    assert legendre @ series == pytest.approx(x**3, abs=1e-13)


def test_integrals_of_a_panel_up_to_a_point():
    u = np.array([0.0, 0.2, 0.5, 1.0])
    for k in range(NODES):
        c = np.zeros(k + 1)
        c[k] = 1
        primitive = np.polynomial.legendre.Legendre(c, domain=[0, 1]).integ(lbnd=0)
        assert antiderivatives(u)[:, k] == pytest.approx(primitive(u), abs=1e-14)
    assert antiderivatives(u).shape == (4, NODES)


def test_the_tail_of_a_series():
    for degree, expected in ((12, 0.0), (13, 1.0), (15, 1.0)):
        c = np.zeros(degree + 1)
        c[degree] = -2.0
        values = np.polynomial.legendre.Legendre(c, domain=[0, 1])(unit_nodes())
        assert tail(values[None, :, None])[0, 0] == pytest.approx(2 * expected, abs=1e-12)


def test_what_hides_between_the_outermost_node_and_the_end():
    """Two panels that join smoothly hide nothing; a jump or a bend at their edge is weighed."""
    width, smooth = np.array([[0.5], [0.25]]), np.array([True])
    blind = unit_nodes()[0] * width[:, 0]

    def both(f, g):
        return np.concatenate([panel(f, 0.0, 0.5), panel(g, 0.5, 0.75)])

    assert np.abs(hidden(both(np.sin, np.sin), width, smooth)).max() < 1e-12
    jump = hidden(both(np.sin, lambda t: np.sin(t) + 3.0), width, smooth)[:, 0]
    assert jump == pytest.approx(3.0 * blind, rel=1e-9)
    bend = hidden(both(np.sin, lambda t: np.sin(t) - 4.0 * (t - 0.5)), width, smooth)[:, 0]
    assert bend == pytest.approx(4.0 * blind**2 / 2, rel=1e-9)
    known = hidden(both(np.sin, np.cos), width, np.array([False]))
    assert np.abs(known).max() == 0


# -- Fourier grids ---------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [16, 17])
def test_fourier_grids(size):
    g = FourierGrid(size, 2.0)
    assert g.x[0] == -2.0 and g.x[-1] == pytest.approx(2.0 - 4.0 / size)
    k = np.pi / 2
    f = np.sin(3 * k * g.x) + np.cos(k * g.x)
    assert g.d1 @ f == pytest.approx(3 * k * np.cos(3 * k * g.x) - k * np.sin(k * g.x))
    assert g.d2 @ f == pytest.approx(-9 * k**2 * np.sin(3 * k * g.x) - k**2 * np.cos(k * g.x))
    assert np.abs(g.d1 @ np.ones(size)).max() < 1e-12
    saw = (-1.0) ** np.arange(size)
    if size % 2 == 0:
        assert np.abs(g.d1 @ saw).max() < 1e-12, "the Nyquist mode has no derivative here"
        assert g.d2 @ saw == pytest.approx(-((size // 2 * k) ** 2) * saw)


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.5), (0.5, 0.0)])
def test_densities_in_both_directions_of_time(start, end):
    """dX = b dt + c dW from N(m, v): an Ornstein–Uhlenbeck process, forward and backward."""
    g = FourierGrid(128, 8.0)

    def normal(m, v):
        return np.exp(-((g.x - m) ** 2) / (2 * v)) / np.sqrt(2 * np.pi * v)

    sign = 1.0 if end > start else -1.0
    found = fokker_planck(
        g, lambda x, t: -sign * (x - 1.0), lambda t: 0.8, normal(-0.5, 0.3), start, end, 24
    )
    decay = math.exp(-0.5)
    mean, var = 1 + (-0.5 - 1) * decay, 0.3 * decay**2 + 0.8 * (1 - decay**2) / 2
    assert found == pytest.approx(normal(mean, var), abs=1e-10)


# -- balls -----------------------------------------------------------------------------------------


def test_precision_is_set_and_restored():
    before = ctx.prec
    with precision(777):
        assert ctx.prec == 777
        with precision(99):
            assert ctx.prec == 99
        assert ctx.prec == 777
    assert ctx.prec == before
    with pytest.raises(KeyError), precision(333):
        raise KeyError
    assert ctx.prec == before
    caught = []

    def elsewhere():
        try:
            with precision(100):
                caught.append("ran")
        except ScoreproofError as error:
            caught.append(str(error))

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert caught and "ball arithmetic must run on the main thread" in caught[0]
    assert ctx.prec == before


def test_rationals_and_balls():
    assert rational("1e-40") == fmpq(1, 10**40)
    assert rational(3) == 3 and rational(fmpq(2, 7)) == fmpq(2, 7)
    with precision(300):
        b = ball("1/3")
        assert b.contains(fmpq(1, 3)) and float(b.rad()) < 1e-88
        assert ball(b) is b
        assert ball(2) == 2


def test_rigorous_integrals():
    with precision(200):
        found = integral(lambda z, analytic: z.exp(), arb(0), arb(1))
        assert found.real.overlaps(arb(1).exp() - 1) and float(found.real.rad()) < 1e-50

        def root(z, analytic):
            return z.sqrt(analytic=analytic)

        found = integral(root, arb(0), arb(1), tolerance_bits=40)
        assert found.real.overlaps(arb(fmpq(2, 3)))
        assert 1e-30 < float(found.real.rad()) < 1e-11
        assert isinstance(found, acb)


# -- words, residues, rational functions -----------------------------------------------------------


def test_words():
    a, b, one, zero = Words.letter("a"), Words.letter("b"), Words.letter(""), Words.zero()
    assert (a + b) @ (a + b) == a @ a + a @ b + b @ a + b @ b
    assert (a - b) @ (a + b) == a @ a + a @ b - b @ a - b @ b
    assert a + zero == a and zero + a == a and a - a == zero
    assert one @ a == a @ one == a and zero @ a == a @ zero == zero
    assert 3 * a - 2 * a == a and 0 * a == zero
    assert (2 * a) @ (3 * b) == 6 * (a @ b)
    assert (a + one) @ (a - one) == a @ a - one
    assert a @ b != b @ a and a != "a"
    assert len({a + b, b + a, a}) == 2
    assert repr(2 * a - b + one) == "1 + 2·a + -b"
    assert repr(zero) == "0"
    assert repr(a @ b + a @ b) == "2·ab"


def test_matrices_over_several_fields():
    p, q = 7, 11
    a, b = ([[1, 2], [3, 4]], [[5, 6], [0, 1]])
    x, y = (FlintMatrix(nmod_mat(m, p), nmod_mat(m, q)) for m in (a, b))
    numbers = (np.array(a), np.array(b))
    for found, expected in (
        (x + y, numbers[0] + numbers[1]),
        (x - y, numbers[0] - numbers[1]),
        (x @ y, numbers[0] @ numbers[1]),
        (-x, -numbers[0]),
        (3 * x, 3 * numbers[0]),
    ):
        assert found == FlintMatrix(*[nmod_mat(expected.tolist(), m) for m in (p, q)])
    assert x != y and x != FlintMatrix(nmod_mat(a, p))
    assert x != "x"
    with pytest.raises(TypeError, match="no hash"):
        hash(x)
    assert repr(FlintMatrix(nmod_mat([[1]], 7))).startswith("FlintMatrix(")
    with pytest.raises(ValueError, match="zip"):
        x + FlintMatrix(nmod_mat(a, p))


def test_random_residues_fill_every_field():
    drawn = random_residues(rng(), 3, 2, 5)
    assert len(drawn) == 3
    for m in drawn:
        assert [part.modulus() for part in m.parts] == list(PRIMES)
        assert all((part.nrows(), part.ncols()) == (2, 5) for part in m.parts)
        entries = [int(e) for e in m.parts[0].entries()]
        assert len(set(entries)) == 10 and max(entries) > PRIMES[0] // 4
        assert entries != [int(e) for e in m.parts[1].entries()]
    assert drawn[0] != drawn[1]
    assert PRIMES[0] == 2**61 - 1 and PRIMES[1] == 2**62 - 57
    from flint import fmpz

    assert all(fmpz(p).is_prime() for p in PRIMES)
    assert {
        int(e) for m in random_residues(rng(), 40, 1, 1, (2, 3)) for e in m.parts[0].entries()
    } == {0, 1}


def test_the_chance_of_a_root():
    assert failure_probability(6, (7,)) == pytest.approx(6 / 7)
    assert failure_probability(6, (7, 11)) == pytest.approx(36 / 77)
    assert failure_probability(20, (7, 11)) == 1.0
    assert failure_probability(0) == 0.0


def test_rational_functions():
    x, y = symbols("x", "y")
    assert ((x + y) * (x - y) - (x**2 - y**2)).is_zero()
    assert (1 / x + 1 / y - (x + y) / (x * y)).is_zero()
    assert not (x - y).is_zero()
    assert (x - 1 + 1 - x).is_zero() and (1 - x + x - 1).is_zero()
    assert (x * fmpq(1, 2) - x / 2).is_zero() and (2 * x - x - x).is_zero()
    assert (x**-2 * x**2 - 1).is_zero() and (x**0 - 1).is_zero()
    assert (3 / (x + 1) * (x + 1) - 3).is_zero()
    assert (x + y).terms() == 2 and (x - x).terms() == 0
    assert (((x**2 + 2 * x * y + y**2) / (4 * x**2)).sqrt() - (x + y) / (2 * x)).is_zero()
    assert ((x / y).derivative(y) + x / y**2).is_zero()
    assert ((x**3 / y).derivative(x) - 3 * x**2 / y).is_zero()
    with pytest.raises(ZeroDivisionError, match="zero rational function"):
        x / (y - y)
    with pytest.raises(TypeError):
        x + 0.5
    for operation in ("__add__", "__sub__", "__mul__", "__truediv__", "__rtruediv__"):
        assert getattr(x, operation)(0.5) is NotImplemented
    assert repr(x / y) == "(x)/(y)"
    array = np.array([x, y], dtype=object)
    assert ((array + x)[1] - x - y).is_zero() and ((x * array)[0] - x**2).is_zero()


def test_sums_stay_reduced():
    x, y = symbols("x", "y")
    total = x * 0
    for _ in range(6):
        total = total + 1 / (x + y)
    assert (total - 6 / (x + y)).is_zero()
    assert (1 / x + 1 / x).denominator == x.numerator
    third = 1 / x + 1 / y + 1 / x
    assert third.denominator.total_degree() <= 2


def test_positive_quantities_carry_their_logarithm():
    s, log_s, t, log_t = symbols("s", "log_s", "t", "log_t")
    p, q = Positive(s, log_s), Positive(t, log_t)
    assert ((p * q).log() - log_s - log_t).is_zero() and ((p * q).value - s * t).is_zero()
    assert ((p / q).log() - log_s + log_t).is_zero() and ((p / q).value - s / t).is_zero()
    assert ((p**3).log() - 3 * log_s).is_zero() and ((p**3).value - s**3).is_zero()
    root = (p * p).sqrt()
    assert (root.value - s).is_zero() and (root.log() - log_s).is_zero()
    assert (p + q - (s + t)).is_zero() and (p - q - (s - t)).is_zero()
    assert (p + 1 - (s + 1)).is_zero() and (1 + p - (s + 1)).is_zero()
    assert (p - 1 - (s - 1)).is_zero() and (1 - p - (1 - s)).is_zero()
    assert (2 * p - 2 * s).is_zero() and (p / 2 - s / 2).is_zero() and (2 / p - 2 / s).is_zero()
    assert (-p + s).is_zero() and (p * t - s * t).is_zero()
