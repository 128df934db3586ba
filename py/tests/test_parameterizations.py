"""Parameterizations: round trips, Tweedie, and agreement with the exact posterior of a Gaussian
mixture.
"""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.errors import ArgumentError
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.objects.parameterizations import PREDICTIONS, convert
from scoreproof.objects.schedules import SCHEDULES

MIXTURE = GaussianMixture(
    [0.4, 0.6], [[-1.0, 0.5], [1.0, 0.2]], [[[0.5, 0.1], [0.1, 0.3]], [[0.4, -0.1], [-0.1, 0.6]]]
)


@pytest.mark.parametrize(("source", "target"), list(product(PREDICTIONS, PREDICTIONS)))
@given(
    alpha=st.floats(0.3, 1.5),
    sigma=st.floats(0.2, 2.0),
    rates=st.tuples(st.floats(-2, -0.1), st.floats(0.1, 2)),
)
def test_round_trips(source, target, alpha, sigma, rates):
    rng = np.random.default_rng(0)
    value, x = rng.standard_normal((2, 4, 3))
    more = {"alpha_dot": rates[0], "sigma_dot": rates[1]}
    there = convert(value, x, source, target, alpha, sigma, **more)
    back = convert(there, x, target, source, alpha, sigma, **more)
    assert np.allclose(back, value, rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize("name", SCHEDULES)
def test_every_kind_is_the_conditional_mean(name):
    s = SCHEDULES[name]
    t = 0.4 * s.horizon if name != "EDM" else 1.3
    alpha, sigma = float(s.alpha(t)), float(s.sigma(t))
    alpha_dot, sigma_dot = (float(v) for v in s.derivatives(t))
    x = np.random.default_rng(1).standard_normal((5, 2))
    scaled = MIXTURE.affine(alpha * np.eye(2), np.zeros(2)).noised(sigma**2 * np.eye(2))
    score = scaled.score(x)
    mean = MIXTURE.posterior_mean(x / alpha, (sigma / alpha) ** 2 * np.eye(2))
    eps = (x - alpha * mean) / sigma
    level = sigma / alpha
    expected = {
        "score": score,
        "x0": mean,
        "eps": eps,
        "v": alpha * eps - sigma * mean,
        "velocity": (
            s.drift(x, t) - float(s.diffusion(t)) ** 2 / 2 * score
        ),  # the probability-flow ODE
        "F": (
            (mean - 0.49 / (0.49 + level**2) * x / alpha) * np.sqrt(0.49 + level**2) / (level * 0.7)
        ),
    }
    for source, target in product(PREDICTIONS, PREDICTIONS):
        found = convert(
            expected[source],
            x,
            source,
            target,
            alpha,
            sigma,
            sigma_data=0.7,
            alpha_dot=alpha_dot,
            sigma_dot=sigma_dot,
        )
        scale = np.max(np.abs(expected[target])) + np.max(np.abs(x))
        assert np.max(np.abs(found - expected[target])) < 1e-10 * scale * max(1, sigma / alpha), (
            source,
            target,
        )


def test_rows_with_their_own_times():
    rng = np.random.default_rng(2)
    x, value = rng.standard_normal((2, 4, 3))
    alpha, sigma = rng.uniform(0.5, 1, (4, 1)), rng.uniform(0.1, 1, (4, 1))
    rows = convert(value, x, "v", "F", alpha, sigma)
    one = convert(value[2], x[2], "v", "F", float(alpha[2, 0]), float(sigma[2, 0]))
    assert np.allclose(rows[2], one)


def test_bad_input():
    with pytest.raises(ArgumentError, match="source must be one of score, eps"):
        convert(1.0, 1.0, "epsilon", "x0", 1.0, 1.0)
    with pytest.raises(ArgumentError, match="alpha_dot and sigma_dot must be given for velocity"):
        convert(1.0, 1.0, "velocity", "x0", 1.0, 1.0)
