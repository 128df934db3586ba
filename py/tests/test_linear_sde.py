"""Linear SDEs: exact transitions three ways, the semigroup law, known values, and the ball version
against the floats.
"""

from __future__ import annotations

import numpy as np
import pytest
from flint import fmpq
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreproof.errors import ArgumentError
from scoreproof.numerics.balls import ball, precision
from scoreproof.objects.exact_linear import ExactLinear
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.mixtures import GaussianMixture

seeds = st.integers(0, 2**16)


def _random(seed, d):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((d, d)) * 0.7, rng.standard_normal(d), rng.uniform(0.2, 1.0, 3)


def _close(a, b, tolerance):
    return all(
        np.max(np.abs(u - v)) <= tolerance * (1 + np.max(np.abs(u)))
        for u, v in zip(a, b, strict=True)
    )


@settings(max_examples=20)
@given(seeds, st.integers(1, 4))
def test_polynomial_callable_and_time_dependent_coefficients_agree(seed, d):
    A, b, rho = _random(seed, d)
    exact = LinearSDE(A, b, rho).transition(0.2, 2.0)
    assert _close(
        exact,
        LinearSDE(A, b, lambda t: rho[0] + rho[1] * t + rho[2] * t * t).transition(0.2, 2.0),
        1e-13,
    )
    assert _close(exact, LinearSDE(lambda t: A, b, rho).transition(0.2, 2.0), 1e-12)


@settings(max_examples=20)
@given(seeds, st.integers(1, 4), st.floats(0.1, 3.0))
def test_two_steps_are_one(seed, d, middle):
    sde = LinearSDE(*_random(seed, d))
    (p, c, q), (p2, c2, q2) = sde.transition(0.0, middle), sde.transition(middle, 3.5)
    assert _close((p2 @ p, p2 @ c + c2, p2 @ q @ p2.T + q2), sde.transition(0.0, 3.5), 1e-12)


def test_variance_preserving_process_in_closed_form():
    vp = LinearSDE(
        lambda t: -0.5 * (0.1 + 19.9 * t), 0.0, lambda t: np.sqrt(0.1 + 19.9 * t), dimension=2
    )
    phi, shift, cov = vp.transition(0.0, 1.0)
    alpha2 = np.exp(-(0.1 + 19.9 / 2))
    assert np.allclose(phi, np.sqrt(alpha2) * np.eye(2), rtol=1e-12)
    assert np.allclose(cov, (1 - alpha2) * np.eye(2), rtol=1e-13)
    assert not shift.any()


def test_a_stable_process_keeps_its_digits_at_large_times():
    ou = LinearSDE([[-3.0, 1.0], [0.0, -2.0]], 0.0, [1.0])
    cov = ou.transition(0.0, 200.0)[2]
    # the stationary covariance solves A C + C Aᵀ + I = 0
    assert np.max(np.abs(ou.matrix() @ cov + cov @ ou.matrix().T + np.eye(2))) < 1e-14


@settings(max_examples=10)
@given(seeds, st.integers(1, 3))
def test_log_density_is_the_marginals_and_its_complex_step_in_time_is_its_slope(seed, d):
    rng = np.random.default_rng(seed)
    sde = LinearSDE(*_random(seed, d))
    start = GaussianMixture(
        [0.3, 0.7], rng.standard_normal((2, d)), np.stack([np.eye(d), 2 * np.eye(d)])
    )
    x = rng.standard_normal((4, d))
    assert np.allclose(
        sde.log_density(x, 0.7, start),
        sde.marginal(0.7, start).log_density(x),
        rtol=1e-12,
        atol=1e-12,
    )
    slope = np.imag(sde.log_density(x, 0.7 + 1e-30j, start)) / 1e-30
    coarse = (sde.log_density(x, 0.7 + 1e-5, start) - sde.log_density(x, 0.7 - 1e-5, start)) / 2e-5
    assert np.allclose(slope, coarse, rtol=1e-6, atol=1e-7)


def test_numbers_only_take_rows_of_any_width():
    free, told = LinearSDE(-0.5, 0.3, [0.8, 0.2]), LinearSDE(-0.5, 0.3, [0.8, 0.2], dimension=3)
    assert free.any_dimension
    assert free.dimension == 1
    assert not any(
        s.any_dimension
        for s in (told, LinearSDE(-0.5, [0.3]), LinearSDE([[-0.5]]), LinearSDE(-0.5, dimension=1))
    )
    x = np.random.default_rng(0).standard_normal((4, 3))
    start = GaussianMixture.gaussian([0.1, -0.4, 1.0], np.diag([0.5, 1.0, 2.0]))
    assert np.array_equal(free.drift(x, 0.2), told.drift(x, 0.2))
    assert _close(free.transition(0.1, 0.9, dimension=3), told.transition(0.1, 0.9), 1e-14)
    assert np.allclose(free.log_density(x, 0.9, start), told.log_density(x, 0.9, start), rtol=1e-13)
    assert np.allclose(
        free.marginal(0.9, start).covariances, told.marginal(0.9, start).covariances, rtol=1e-13
    )
    assert [a.shape for a in free.transition(0.1, 0.9)] == [(1, 1), (1,), (1, 1)]
    with pytest.raises(ArgumentError, match="dimension must be 3"):
        told.transition(0.1, 0.9, dimension=2)


def test_balls_enclose_what_the_floats_say():
    F = fmpq
    exact = ExactLinear(
        ((F(-1), F(1, 2)), (F(1, 4), F(3, 4))),
        (F(1, 2), F(-1, 4)),
        (F(3, 4), F(1, 4)),
        (F(1, 4), F(3, 4)),
        ((F(0), F(1)), (F(-1), F(1, 2))),
        (((F(1), F(1, 4)), (F(1, 4), F(2))), ((F(2), F(0)), (F(0), F(1)))),
    )
    floats = LinearSDE([[-1, 0.5], [0.25, 0.75]], [0.5, -0.25], [0.75, 0.25])
    start = GaussianMixture(
        [0.25, 0.75], [[0, 1], [-1, 0.5]], [[[1, 0.25], [0.25, 2]], [[2, 0], [0, 1]]]
    )
    with precision(128):
        p = float(exact.density([ball("1/4"), ball("-1/2")], exact.moments(F(1, 2), 0)))
    assert p == pytest.approx(
        float(np.exp(floats.log_density(np.array([[0.25, -0.5]]), 0.5, start))[0]), rel=1e-14
    )


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        (([[1.0, 2.0]],), "A must be"),
        ((np.eye(2), [1.0, 2.0, 3.0]), "b must be"),
        ((np.eye(2), 0.0, [np.nan]), "rho must be finite"),
    ],
)
def test_bad_input(arguments, match):
    with pytest.raises(ArgumentError, match=match):
        LinearSDE(*arguments)


def test_time_does_not_run_backward():
    with pytest.raises(ArgumentError, match="time runs forward"):
        LinearSDE(1.0).transition(1.0, 0.5)
