"""gaussian_kl: known values, the forms against one another, the stable form, the cubature."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.claims import load
from scoreproof.claims.gaussian_kl.stable import excess, stable_diagonal, stable_isotropic
from scoreproof.claims.gaussian_kl.statement import TRUTH
from scoreproof.numerics.balls import precision
from scoreproof.numerics.cubature import expectation, random_rotation

positive = st.floats(0.1, 10)


def test_known_values():
    zero, one = np.zeros(2), np.ones(2)
    assert TRUTH.isotropic(zero, 1.0, zero, 1.0) == 0
    assert TRUTH.isotropic(zero, 1.0, one, 1.0) == 1.0
    assert TRUTH.isotropic(np.zeros(0), 2.0, np.zeros(0), 3.0) == 0, "d = 0"
    assert np.isclose(TRUTH.diagonal(zero, zero, one, zero), 1.0)
    assert np.isclose(TRUTH.full(zero, np.eye(2), one, np.eye(2)), 1.0)


@given(st.integers(1, 6), positive, positive, st.integers(0, 2**32 - 1))
def test_the_forms_agree_and_are_not_negative(d, s0, s1, seed):
    m0, m1 = np.random.default_rng(seed).standard_normal((2, d))
    value = TRUTH.isotropic(m0, s0, m1, s1)
    assert value >= -1e-12
    assert np.isclose(value, stable_isotropic(m0, s0, m1, s1), rtol=1e-9, atol=1e-12)
    assert np.isclose(
        value,
        TRUTH.diagonal(m0, np.full(d, 2 * np.log(s0)), m1, np.full(d, 2 * np.log(s1))),
        rtol=1e-9,
        atol=1e-11,
    )
    assert np.isclose(
        value, TRUTH.full(m0, s0**2 * np.eye(d), m1, s1**2 * np.eye(d)), rtol=1e-9, atol=1e-11
    )


@given(st.floats(-0.9, 5))
def test_excess_matches_where_nothing_cancels(r):
    if abs(r) > 0.2:
        assert np.isclose(float(excess(r)), r - np.log1p(r), rtol=1e-13)
    else:
        from flint import arb

        with precision(2200):  # r may be as small as a float can be
            exact = arb(r) - (1 + arb(r)).log()
            assert r == 0 or abs(arb(float(excess(r))) / exact - 1) < 1e-15 or abs(r) < 1e-150


@given(st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_cubature_is_exact_for_cubics(d, seed):
    rng = np.random.default_rng(seed)
    mean, root = rng.standard_normal(d), rng.standard_normal((d, d))
    v = rng.standard_normal(d)
    value = expectation(lambda x: (x @ v) ** 3, mean, root, random_rotation(rng, d))
    m, s2 = mean @ v, np.sum((root.T @ v) ** 2)
    assert np.isclose(value, m**3 + 3 * m * s2, rtol=1e-9, atol=1e-9 * (abs(m) + np.sqrt(s2)) ** 3)


@given(st.integers(1, 5), st.floats(1e-12, 1e-2), st.integers(0, 2**32 - 1))
def test_stable_forms_keep_their_digits(d, gap, seed):
    from flint import arb

    rng = np.random.default_rng(seed)
    m0, v1 = rng.standard_normal((2, d))
    m1, v0 = m0 + gap * rng.standard_normal(d), v1 + gap * rng.standard_normal(d)
    stable = stable_diagonal(m0, v0, m1, v1)
    with precision(400):
        a, b, c, e = (
            np.array([arb(float(x)) for x in row], dtype=object) for row in (m0, v0, m1, v1)
        )
        exact = TRUTH.diagonal(a, b, c, e)
        assert abs(arb(stable) / exact - 1) < 1.8e-15


def test_the_printed_form_loses_as_many_digits_as_the_statement_says():
    """At a relative gap of 1e-8 between the standard deviations."""
    errors = []
    for s0 in np.random.default_rng(0).uniform(1, 2, 400):
        s1 = s0 * (1 + 1e-8)
        printed = TRUTH.isotropic(np.zeros(1), s0, np.zeros(1), s1)
        r = (s0 - s1) * (s0 + s1) / s1**2
        errors.append(abs(printed / (excess(r) / 2) - 1))
    assert 0.35 < np.median(errors) < 0.45
    assert 1 < np.max(errors) < 2.3
    (text,) = [e for e in load("gaussian_kl").statement.errata if "cancels" in e]
    assert "typically 0.4, up to 2)" in text
