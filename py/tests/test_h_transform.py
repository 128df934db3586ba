"""h-transforms: a probability density at every time, the drift is ρ² ∇log h, the transition law by
Monte-Carlo-free means.
"""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scoreproof.numerics.gauss_grid import GaussGrid
from scoreproof.numerics.jets import Jet
from scoreproof.objects.h_transform import HTransform, benes


def _process(seed, d, j=2):
    rng = np.random.default_rng(seed)
    return HTransform(
        rng.uniform(0.3, 1.0, d + 1).tolist(),
        rng.uniform(-1, 1, (d + 1, d)).tolist(),
        (0.5, 0.4),
        (0.3, 0.7),
        rng.uniform(-1, 1, (j, d)).tolist(),
        (0.4, 0.2),
    )


@settings(max_examples=10)
@given(st.integers(0, 2**16), st.floats(0.0, 2.0))
def test_mass_is_one_at_every_time(seed, t):
    process = _process(seed, 1)
    grid = GaussGrid(400, -25.0, 25.0)
    assert abs(grid.weights @ process.density([grid.x], t) - 1) < 1e-12


@settings(max_examples=15)
@given(st.integers(0, 2**16), st.integers(1, 4))
def test_both_densities_agree_and_drift_slopes_are_derivatives(seed, d):
    process = _process(seed, d)
    x = np.random.default_rng(seed).standard_normal((5, d))
    assert np.allclose(
        np.log(process.density(list(x.T), 0.7)),
        process.log_density_rows(x, 0.7),
        rtol=1e-12,
        atol=1e-12,
    )
    slopes = process.drift_slopes(list(x.T), 0.7)
    for i in range(d):
        moved = [Jet.variable(c, 1) if k == i else c for k, c in enumerate(x.T)]
        assert np.allclose(process.drift(moved, 0.7)[i].derivative(1), slopes[i], atol=1e-13)


def test_benes_drift_is_tanh_and_its_second_moment_is_known():
    process = benes([1.0], [0.0])
    x = np.linspace(-3, 3, 7)
    assert np.allclose(process.drift([x], 1.0)[0], np.tanh(x), atol=1e-15)
    # from 0 the law at t is ½ N(t, t) + ½ N(-t, t): E X² = t + t²
    grid = GaussGrid(200, -25.0, 25.0)
    assert abs(grid.weights @ (grid.x**2 * process.density([grid.x], 1.5)) - (1.5 + 1.5**2)) < 1e-11
