"""Moments of affine SDEs by quadrature: closed forms, jumps, singular ends, coarse types."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from scipy.integrate import quad

from scoreproof.numerics.affine_moments import NODES, moments

EPS = 2.2e-16
TIMES = np.array([0.3, 1.0, 2.5])


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def made(a, b, g2, d=1):
    """Coefficients from three functions of t, each the same in d coordinates."""

    def coefficients(t):
        return tuple(
            np.repeat(np.broadcast_to(f(t), t.shape)[:, None], d, axis=1) for f in (a, b, g2)
        )

    return coefficients


def close(found, expected, rel=1e-13):
    assert found == pytest.approx(expected, rel=rel, abs=1e-15)


# -- constant coefficients -------------------------------------------------------------------------

RATE, PUSH, NOISE = np.array([1.5, -0.4]), np.array([0.7, -2.0]), np.array([0.9, 0.3])


def constant(t):
    one = np.ones((len(t), 2))
    return -RATE * one, PUSH * one, NOISE * one


def test_constant_coefficients_in_two_coordinates():
    m = moments(constant, TIMES, eps=EPS)
    t = TIMES[:, None]
    close(m.log_mean, -RATE * t)
    close(m.shift, PUSH * (1 - np.exp(-RATE * t)) / RATE)
    close(m.variance, NOISE * (1 - np.exp(-2 * RATE * t)) / (2 * RATE))
    close(m.log_size, np.abs(RATE) * t)
    r = 2 * RATE * t
    hanging = NOISE / (4 * RATE) * (1 - np.exp(-r) * (1 + r)) * np.sign(RATE)
    close(m.variance_log_size, np.abs(hanging), rel=1e-10)
    assert np.all(m.sensitivity < 1e-12) and np.all(m.log_sensitivity < 1e-12)
    assert m.times.tolist() == TIMES.tolist()
    assert m.converged.tolist() == [True] * 3 and m.diverges is False
    for error, size in (
        (m.log_mean_error, 1.0),
        (m.shift_error, np.exp(m.log_mean) + np.abs(m.shift)),
        (m.variance_error, m.variance),
    ):
        assert np.all(error >= 0) and np.all(error <= 1e-12 * size)


def test_panels_cover_the_span():
    m = moments(constant, TIMES, eps=EPS)
    assert m.edges[0] == 0 and m.edges[-1] == TIMES[-1]
    assert set(TIMES) <= set(m.edges)
    assert np.all(np.diff(m.edges) > 0) and len(m.edges) == m.panels + 1
    assert m.nodes.shape == m.weights.shape == (m.panels, NODES) and m.a.shape == (
        m.panels,
        NODES,
        2,
    )
    assert np.all(m.nodes > m.edges[:-1, None]) and np.all(m.nodes < m.edges[1:, None])
    close(m.weights.sum(axis=1), np.diff(m.edges))
    split = m.tried - m.panels
    assert m.panels - split == 3 + 5, "one panel a time, five to shelter the ends, and the halves"
    close(m.log_at_edges, -RATE * m.edges[:, None])
    close(m.log_at_nodes, -RATE * m.nodes[..., None])
    assert np.all(m.g2 == NOISE)


# -- coefficients that move ------------------------------------------------------------------------


def moving(t):
    return made(lambda t: -t, np.cos, lambda t: 1 + t * t)(t)


def test_moving_coefficients_against_plain_quadrature():
    m = moments(moving, TIMES, eps=EPS)
    for k, t in enumerate(TIMES):
        close(m.log_mean[k, 0], -(t**2) / 2)
        shift = quad(lambda s, t=t: np.exp((s * s - t * t) / 2) * np.cos(s), 0, t, epsabs=1e-13)[0]
        variance = quad(lambda s, t=t: np.exp(s * s - t * t) * (1 + s * s), 0, t, epsabs=1e-13)[0]
        close(m.shift[k, 0], shift, rel=1e-12)
        close(m.variance[k, 0], variance, rel=1e-12)
        hanging = quad(
            lambda s, t=t: np.exp(s * s - t * t) * (1 + s * s) * (t * t - s * s) / 2, 0, t
        )[0]
        close(m.variance_log_size[k, 0], hanging, rel=1e-9)
        # what a rounding of the time moves: at least the integral, and not much more
        assert 0.9 * t * t / 2 <= m.log_sensitivity[k, 0] <= 2.5 * t * t / 2
        moved = quad(lambda s, t=t: np.exp(s * s - t * t) * 2 * s * s, 0, t)[0]
        assert 0.9 * moved <= m.sensitivity[k, 0] <= 4 * moved + 5 * t * t * variance


def test_integrals_at_any_time():
    m = moments(moving, TIMES, eps=EPS)
    t = np.array([0.0, 1e-4, 0.3, 0.77, 1.0, 2.4999, 2.5])
    close(m.at(t)[:, 0], -(t**2) / 2)
    close(m.integral(m.g2, t)[:, 0], t + t**3 / 3)
    close(m.value(m.g2, t)[:, 0], 1 + t * t)
    both = np.stack([m.nodes**4, np.exp(m.nodes)], axis=2)
    close(m.integral(both, t), np.stack([t**5 / 5, np.expm1(t)], axis=1), rel=1e-12)
    close(m.value(both, t), np.stack([t**4, np.exp(t)], axis=1), rel=1e-12)


# -- jumps and kinks -------------------------------------------------------------------------------


def step(t):
    return np.where(t < 0.7321, 0.2, 3.0)


STEPPED = 0.2 * 0.7321 + 3.0 * (TIMES[1:] - 0.7321)


@pytest.mark.parametrize("where", ["a", "b", "g2"])
def test_a_jump_is_found_or_told(where):
    zero, one = (lambda t: 0.0 * t), (lambda t: 0.0 * t + 1.0)
    c = made(
        *(step if name == where else (one if name == "g2" else zero) for name in ("a", "b", "g2"))
    )
    found, told = moments(c, TIMES, eps=EPS), moments(c, TIMES, eps=EPS, breaks=(0.7321,))
    for m in (found, told):
        result = {"a": m.log_mean, "b": m.shift, "g2": m.variance}[where]
        close(result[1:, 0], STEPPED, rel=1e-12)
        assert m.converged.all()
    assert 0.7321 in told.edges
    assert 1.7 in moments(c, TIMES, eps=EPS, breaks=(0.7321, 1.7)).edges
    assert told.tried < found.tried / 3, "a jump that is told costs no search"


def test_breaks_outside_are_passed_over():
    m = moments(constant, TIMES, eps=EPS, breaks=(-1.0, 0.0, 2.5, 7.0))
    assert m.edges[0] == 0 and m.edges[-1] == 2.5
    assert m.panels == moments(constant, TIMES, eps=EPS).panels


@pytest.mark.parametrize("where", [1e-3, 0.30001, 0.9999, 2.4999])
def test_a_kink_next_to_a_requested_time(where):
    c = made(lambda t: 0 * t, lambda t: 0 * t, lambda t: 1 + np.abs(t - where))
    m = moments(c, TIMES, eps=EPS)
    t = TIMES
    below, above = np.minimum(t, where), np.maximum(t - where, 0)
    exact = t + (where * below - below**2 / 2) + above**2 / 2
    assert m.variance[:, 0] == pytest.approx(exact, rel=1e-9)
    assert np.all(np.abs(m.variance[:, 0] - exact) <= m.variance_error[:, 0] + 1e-12 * exact)


# -- ends where something is infinite --------------------------------------------------------------


def test_an_integrable_end():
    c = made(lambda t: 0 * t, lambda t: t**-0.25, lambda t: t**-0.5)
    m = moments(c, TIMES, eps=EPS)
    close(m.variance[:, 0], 2 * np.sqrt(TIMES), rel=1e-9)
    close(m.shift[:, 0], TIMES**0.75 / 0.75, rel=1e-9)
    assert m.converged.all() and not m.diverges


@pytest.mark.parametrize("which", ["a", "g2"])
def test_an_end_that_holds_infinitely_much(which):
    zero, pole = (lambda t: 0 * t + 0.5), (lambda t: 1 / t)
    c = made(*(pole if name == which else zero for name in ("a", "b", "g2")))
    m = moments(c, TIMES, eps=EPS)
    assert m.diverges is True
    assert not m.converged.any()


# -- rates and precisions --------------------------------------------------------------------------


@pytest.mark.parametrize("rate", [30.0, 1e3, 1e6])
def test_a_steep_drift_forgets(rate):
    c = made(lambda t: 0 * t - rate, lambda t: 0 * t + 2.0, lambda t: 1 + t)
    m = moments(c, TIMES, eps=EPS)
    # V solves V' = -2 r V + 1 + t
    t, r = TIMES, 2 * rate
    variance = (1 + t) / r - 1 / r**2 - (1 / r - 1 / r**2) * np.exp(-r * t)
    assert m.variance[:, 0] == pytest.approx(variance, rel=1e-11)
    assert m.shift[:, 0] == pytest.approx(2 / rate * -np.expm1(-rate * t), rel=1e-11)
    assert m.converged.all() and m.tried < 400


def test_a_drift_that_grows():
    c = made(lambda t: 0 * t + 20.0, lambda t: 0 * t, lambda t: 0 * t + 1.0)
    m = moments(c, TIMES, eps=EPS)
    close(m.variance[:, 0], np.expm1(40 * TIMES) / 40, rel=1e-11)
    assert m.converged.all()


def test_coarse_numbers_are_not_split_for_ever():
    rng = np.random.default_rng(0)

    def coarse(t):
        noise = 1 + 6e-8 * rng.uniform(-1, 1, (3, len(t), 1))
        return -noise[0], noise[1] * np.cos(t)[:, None], (1 + t)[:, None] * noise[2]

    m = moments(coarse, TIMES, eps=6e-8)
    fine = moments(made(lambda t: 0 * t - 1.0, np.cos, lambda t: 1 + t), TIMES, eps=EPS)
    assert m.converged.all() and m.tried < 200
    assert m.variance == pytest.approx(fine.variance, rel=1e-6)
    assert m.shift == pytest.approx(fine.shift, rel=1e-5)


def test_work_is_bounded_and_counted():
    rng, asked = np.random.default_rng(1), []

    def hopeless(t):
        asked.append(t.size)
        assert np.all(t > 0) and np.all(t < TIMES[-1])
        return tuple(rng.uniform(0, 1, (3, t.size, 1)))

    m = moments(hopeless, TIMES, eps=EPS, max_panels=100)
    assert m.tried <= 100
    assert sum(asked) == NODES * m.tried
    assert not m.converged.any()
