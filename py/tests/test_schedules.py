"""Schedules: both halves agree, by a derivative taken without differences; bad parameters get their
message.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.errors import ArgumentError
from scoreproof.objects.schedules import EDM, SCHEDULES, VE, FlowMatching, SubVP, VPCosine, VPLinear

inside = st.floats(0.02, 0.98)


def slope(f, t):
    """f'(t) by a Richardson-extrapolated central difference (good to about 1e-9)."""
    h = 1e-3 * t

    def central(h):
        return (f(t + h) - f(t - h)) / (2 * h)

    a, b, c = central(h), central(h / 2), central(h / 4)
    b1, b2 = (4 * b - a) / 3, (4 * c - b) / 3
    return (16 * b2 - b1) / 15


@pytest.mark.parametrize("name", SCHEDULES)
@given(part=inside)
def test_the_sde_has_the_declared_marginal(name, part):
    s = SCHEDULES[name]
    t = part * s.horizon
    rate, sigma = float(s.rate(t)), float(s.sigma(t))
    assert np.isclose(slope(s.alpha, t), rate * s.alpha(t), rtol=1e-6, atol=1e-9)
    variance = slope(lambda u: s.sigma(u) ** 2, t)
    assert np.isclose(
        variance, 2 * rate * sigma**2 + s.diffusion(t) ** 2, rtol=1e-6, atol=1e-9 * abs(rate)
    )
    alpha_dot, sigma_dot = s.derivatives(t)
    assert np.isclose(alpha_dot, slope(s.alpha, t), rtol=1e-6, atol=1e-9)
    assert np.isclose(sigma_dot, slope(s.sigma, t), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("name", SCHEDULES)
def test_shapes_and_arrays_of_times(name):
    s = SCHEDULES[name]
    x = np.arange(6.0).reshape(3, 2)
    t = np.linspace(0.1, 0.9, 3)[:, None] * s.horizon
    mean, std = s.marginal(x, t)
    assert mean.shape == (3, 2)
    assert std.shape == (3, 1)
    assert s.drift(x, t).shape == (3, 2)
    assert np.shape(s.diffusion(t)) == (3, 1)
    for i in range(3):
        one = s.marginal(x[i : i + 1], float(t[i, 0]))
        assert np.allclose(one[0], mean[i : i + 1])
        assert np.isclose(one[1], std[i, 0])


@pytest.mark.parametrize("name", SCHEDULES)
def test_at_time_zero(name):
    s = SCHEDULES[name]
    assert s.alpha(0.0) == 1
    assert float(s.sigma(0.0)) == pytest.approx(s.initial_std, abs=1e-15)


@given(st.floats(-14, -3))
def test_small_times_keep_their_digits(exponent):
    t = 10.0**exponent
    vp, cosine = VPLinear(), VPCosine()
    assert np.isclose(
        vp.sigma(t) ** 2,
        0.1 * t + 19.9 * t * t / 2 - (0.1 * t) ** 2 / 2,
        rtol=1e-4 if t > 1e-6 else 1e-9,
    )
    start = 0.008 / 1.008 * np.pi / 2
    assert np.isclose(
        cosine.sigma(t) ** 2, 2 * np.tan(start) * t / 1.008 * np.pi / 2, rtol=200 * t + 1e-9
    )


def test_the_cosine_clip():
    s = VPCosine()
    (kink,) = s.breaks
    assert np.isclose(s.beta(kink - 1e-12), 999, rtol=1e-8)
    assert s.beta(1.0) == 999
    assert np.isclose(s.alpha(1.0), s.alpha(kink) * np.exp(-999 * (1 - kink) / 2), rtol=1e-12)
    assert VPCosine(clip=None, horizon=0.9946).breaks == ()
    assert VPCosine(clip=50.0).breaks[0] < kink


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: VE(-0.01), "sigma_min must be finite and > 0"),
        (lambda: VE(2.0, 1.0), "sigma_max must be > sigma_min"),
        (lambda: VPLinear(beta_max=np.nan), "beta_max must be finite"),
        (lambda: SubVP(0.0), "beta_min must be"),
        (lambda: VPCosine(clip=None), "horizon must be < 1 without a clip"),
        (lambda: EDM(-1.0), "horizon must be"),
        (lambda: FlowMatching(1.0), "horizon must be < 1"),
    ],
)
def test_bad_parameters(make, message):
    with pytest.raises(ArgumentError, match=message):
        make()
