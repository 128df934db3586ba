"""Solutions on Gauss stages, down and up: symmetric, exact, convergent at order 2s."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof.numerics.adjoint import Grid, accumulate, advance, integrate_backward
from scoreproof.numerics.collocation import gauss_legendre


def test_stage_times_and_weights():
    grid = Grid(3, 4)
    c, _, b = gauss_legendre(4)
    assert grid.times.shape == (3, 4)
    assert grid.times[1] == pytest.approx((1 + c) / 3)
    assert grid.weights == pytest.approx(b / 3)
    assert grid.times[::-1, ::-1] == pytest.approx(1 - grid.times)
    for k in range(8):
        assert accumulate(grid.times**k, grid) == pytest.approx(1 / (k + 1))
    rows = np.stack([grid.times, 2 * grid.times], axis=-1)
    assert accumulate(rows, grid) == pytest.approx([0.5, 1.0])


def test_a_path_ends_where_it_was_told():
    """z' = s z: z(s) = x exp((s² - 1)/2), at every stage."""
    grid, x = Grid(4, 6), np.array([[1.3], [-0.7]])
    path = integrate_backward(lambda z, s: s[:, None, None] * z, x, grid)
    assert path.end.tolist() == x.tolist()
    assert path.start == pytest.approx(x * np.exp(-0.5), rel=1e-13)
    assert path.stages.shape == (4, 6, 2, 1)
    expected = x * np.exp((grid.times[..., None, None] ** 2 - 1) / 2)
    assert path.stages == pytest.approx(expected, rel=1e-8)
    assert path.mirrored[0, 0] == pytest.approx(path.stages[-1, -1])
    assert path.mirrored[3, 1] == pytest.approx(path.stages[0, 4])
    assert path.grid is grid


@pytest.mark.parametrize("stages", [1, 2, 3])
def test_the_order_is_twice_the_number_of_stages(stages):
    def error(steps):
        found = integrate_backward(
            lambda z, s: np.sin(z) + s[:, None], np.array([0.8]), Grid(steps, stages)
        )
        fine = integrate_backward(lambda z, s: np.sin(z) + s[:, None], np.array([0.8]), Grid(32, 6))
        return abs(found.start[0] - fine.start[0])

    assert np.log2(error(4) / error(8)) == pytest.approx(2 * stages, abs=0.3)


def test_up_and_down_visit_the_same_stages():
    """The method is symmetric: solved up again, the path comes back to its end, to rounding."""
    grid, x = Grid(3, 3), np.array([0.4, -1.1])

    def f(z, s):
        return np.stack([z[..., 1] ** 2 - s, np.cos(z[..., 0])], axis=-1)

    path = integrate_backward(f, x, grid)
    end, stages = advance(lambda n, values: f(values, grid.times[n]), path.start, grid)
    assert end == pytest.approx(x, abs=1e-14)
    assert stages == pytest.approx(path.stages, abs=1e-14)


def test_rates_know_their_step():
    grid = Grid(4, 2)
    seen = []

    def rate(n, values):
        seen.append(n)
        return np.full_like(values, float(n))

    end, stages = advance(rate, np.zeros(1), grid)
    assert end == pytest.approx([(0 + 1 + 2 + 3) / 4])
    assert sorted(set(seen)) == [0, 1, 2, 3] and seen == sorted(seen)
    assert stages.shape == (4, 2, 1)


def test_complex_steps_pass_through():
    step, x = 1e-30, np.array([0.5])
    grid = Grid(3, 5)

    def f(z, s):
        return z - z**3 / 5 + s[:, None]

    moved = integrate_backward(f, x + 1j * step, grid)
    slope = moved.start.imag[0] / step
    h = 1e-6
    ends = [integrate_backward(f, x + d, grid).start[0] for d in (h, -h)]
    assert slope == pytest.approx((ends[0] - ends[1]) / (2 * h), rel=1e-8)
    # the imaginary part is solved to rounding as well: the discrete slope solves its own equation
    stages = moved.stages.real
    rate, _ = advance(lambda n, a: (1 - 3 * stages[n] ** 2 / 5) * a, np.array([1.0]), grid)
    assert slope * rate[0] == pytest.approx(1.0, rel=1e-14)


def test_a_flow_that_blows_up_ends_without_a_warning():
    path = integrate_backward(lambda z, s: -(z**3) * 50, np.array([9.0]), Grid(4, 3), sweeps=30)
    assert not np.all(np.isfinite(path.start)) or abs(path.start[0]) > 1e3
