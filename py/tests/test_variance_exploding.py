"""variance_exploding: the statement, the quadrature behind it, the finding about the VE class."""

from __future__ import annotations

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.claims.variance_exploding import CLAIM
from scoreproof.claims.variance_exploding.faults import EDITS, Variant
from scoreproof.claims.variance_exploding.scales import SCALES
from scoreproof.claims.variance_exploding.statement import Sigma, formula
from scoreproof.numerics.affine_moments import moments

# -- statement and objects ----------------------------------------------------------------------


def test_known_values():
    law = formula(
        0.0, Sigma(now=2.0, slope=0.5, start=0.0, end=0, mirror=0, mirror_slope=0, time=0)
    )
    assert (law.spread, law.rate) == (4.0, 2.0)
    assert math.isclose(law.kernel(0.0), 1 / math.sqrt(8 * math.pi))
    misprint = Variant(root=EDITS["root_sigma"][0]["root"])(0.0, Sigma(2.0, 0.5, 0.0, 0, 0, 0, 0))
    assert math.isclose(misprint.kernel(0.0) / law.kernel(0.0), math.sqrt(2.0)), (
        "the printed kernel has mass √σ"
    )


@given(st.floats(0.05, 0.95), st.sampled_from(sorted(SCALES)))
def test_sigma_and_its_slope(part, name):
    scale = SCALES[name]
    t = part * scale.horizon
    sigma = Sigma.at(scale.sigma, t, float(scale.horizon)).values()
    assert math.isclose(sigma.now, scale.sigma(t), rel_tol=1e-13)
    h = 1e-5
    assert math.isclose(
        sigma.slope, (scale.sigma(t + h) - scale.sigma(t - h)) / (2 * h), rel_tol=1e-6
    )
    assert math.isclose(sigma.mirror, scale.sigma(scale.horizon - t), rel_tol=1e-13)


@given(st.floats(-3, 1), st.floats(0.1, 3), st.floats(-2, 2), st.floats(0.01, 4))
def test_moments_of_ornstein_uhlenbeck(a, g, b, t):
    def coefficients(s):
        one = np.ones((len(s), 1))
        return a * one, b * one, g * g * one

    m = moments(coefficients, np.array([t / 3, t]), eps=2.3e-16)
    growth = t if a == 0 else math.expm1(2 * a * t) / (2 * a)
    assert np.isclose(m.variance[-1, 0], g * g * growth, rtol=1e-13)
    assert np.isclose(
        m.shift[-1, 0], b * (t if a == 0 else math.expm1(a * t) / a), rtol=1e-12, atol=1e-13
    )
    assert np.isclose(m.log_mean[-1, 0], a * t, rtol=1e-14)
    assert m.converged.all()


@given(st.floats(0.001, 0.999), st.floats(0.1, 50))
def test_moments_find_a_kink_anywhere(where, height):
    """The nodes of a panel do not see a kink next to its end: the join with its neighbour does."""

    def coefficients(s):
        g2 = (1 + height * np.maximum(s - where, 0))[:, None]
        return 0 * g2, 0 * g2, g2

    m = moments(coefficients, np.array([0.5, 1.0]), eps=2.3e-16)
    exact = 1 + height * (1 - where) ** 2 / 2
    assert abs(m.variance[-1, 0] - exact) <= 4 * m.variance_error[-1, 0] + 1e-15 * exact
    assert m.variance_error[-1, 0] < 1e-13 * exact


def test_moments_inside_a_panel():
    m = moments(
        lambda s: tuple(np.stack([f(s)], 1) for f in (np.cos, np.zeros_like, np.exp)),
        np.array([1.0]),
        eps=2.3e-16,
    )
    u = np.array([0.0, 0.123, 0.77, 1.0])
    assert np.allclose(m.at(u)[:, 0], np.sin(u), atol=1e-14)
    assert np.allclose(m.integral(m.g2, u)[:, 0], np.expm1(u), atol=1e-14)
    assert np.allclose(m.value(m.g2, u)[:, 0], np.exp(u), rtol=1e-13)


# -- the finding ----------------------------------------------------------------------------------


def test_the_finding_is_in_the_default_run():
    check = CLAIM.check("schedules")
    for instance in check.instances("default"):
        evidence = check.run(CLAIM.truth, instance.build(None), None)
        assert evidence.verdict == "holds", evidence.explain()
        if instance.name == "VE geometric":
            for part in (
                "5.87e+03 at t = 1e-05",
                "59.2 at t = 0.001",
                "1.22 at t = 0.1",
                "first blurred by σ(0) = 0.01",
            ):
                assert part in evidence.sentence
