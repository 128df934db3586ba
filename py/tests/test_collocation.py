"""Gauss collocation and the spectral Fokker–Planck solve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scoreproof.numerics.collocation import gauss_legendre, integrate, linear
from scoreproof.numerics.spectral import FourierGrid, fokker_planck


@pytest.mark.parametrize("stages", range(1, 9))
def test_order_conditions(stages):
    c, a, b = gauss_legendre(stages)
    for k in range(1, 2 * stages + 1):
        assert b @ c ** (k - 1) == pytest.approx(1 / k, abs=1e-14)
    for k in range(1, stages + 1):
        assert np.allclose(a @ c ** (k - 1), c**k / k, atol=1e-14)


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_observed_order(stages):
    def error(steps):
        y = integrate(
            lambda t: lambda y: y * np.cos(t)[:, None],
            np.array([1.0]),
            0.0,
            2.0,
            steps,
            stages=stages,
        )
        return abs(float(y[0]) - np.exp(np.sin(2.0)))

    assert np.log2(error(8) / error(16)) == pytest.approx(2 * stages, abs=0.3)


@given(end=st.floats(-2, 2))
def test_either_direction(end):
    y = integrate(lambda t: lambda y: -y * t[:, None], np.array([2.0]), 1.0, end, 8)
    assert y[0] == pytest.approx(2 * np.exp((1 - end**2) / 2), rel=1e-12)


def test_stiff_linear_problem():
    y = linear(lambda t: np.diag([-1e6, -1.0]), np.array([1e-3, 1.0]), 0.0, 1.0, 8)
    assert y[1] == pytest.approx(np.exp(-1), rel=1e-12)
    assert abs(y[0]) < 2e-3


def test_derivative_matrices():
    grid = FourierGrid(32, np.pi)
    wave = np.exp(np.sin(grid.x))
    assert np.allclose(grid.d1 @ wave, np.cos(grid.x) * wave, atol=1e-12)
    assert np.allclose(grid.d2 @ wave, (np.cos(grid.x) ** 2 - np.sin(grid.x)) * wave, atol=1e-11)


@pytest.mark.parametrize(("start", "end"), [(0.0, 0.7), (0.7, 0.0)])
def test_ornstein_uhlenbeck_in_either_direction(start, end):
    # dX = -X dt + dW forward; backward the noise spreads mass as t falls and the drift +X
    # contracts: the same law in the other clock
    grid, span = FourierGrid(96, 8.5), abs(end - start)
    sign = 1.0 if end > start else -1.0

    def density(mean, var):
        return np.exp(-((grid.x - mean) ** 2) / (2 * var)) / np.sqrt(2 * np.pi * var)

    found = fokker_planck(
        grid, lambda x, t: -sign * x, lambda t: 1.0, density(1.0, 0.6), start, end, 8
    )
    decay = np.exp(-2 * span)
    assert np.max(np.abs(found - density(np.exp(-span), 0.6 * decay + (1 - decay) / 2))) < 1e-9
    assert found.sum() * 17 / 96 == pytest.approx(1.0, abs=1e-12)
