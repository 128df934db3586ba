"""What is read off a black box's values: derivatives with their errors, jumps, bends, tables."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from scoreproof.numerics import breaks as even
from scoreproof.numerics.breaks import regular_breaks
from scoreproof.numerics.differences import directional
from scoreproof.numerics.local_series import nodes, on_circles, on_intervals, roots, tails
from scoreproof.numerics.pieces import pieces

UNIT = 2.0**-52


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


# -- differences along a direction -----------------------------------------------------------------


def test_smooth_entries_within_their_stated_error():
    def f(s):
        return np.array([np.exp(3 * s), np.sin(1 + s), 5.0, 1e3 * s, np.cos(200 * s + 0.3)])

    d = directional(f, UNIT)
    due = np.array([3.0, np.cos(1.0), 0.0, 1e3, -200 * np.sin(0.3)])
    assert np.all(np.abs(d.value - due) <= d.error)
    assert np.all(d.error[:4] <= 1e-8 * np.array([3, 1, 5, 1e3]))
    assert not d.kinked.any()
    assert d.lower.tolist() == d.upper.tolist() == d.value.tolist()


def test_calls_are_seven_for_what_is_smooth_and_bounded():
    asked = []

    def f(s, g=np.sin):
        asked.append(s)
        return np.array([g(s)])

    directional(f, UNIT)
    assert len(asked) == 7 and asked[0] == 0.0
    h = UNIT**0.25
    assert sorted(asked[1:]) == pytest.approx([-h, -h / 2, -h / 4, h / 4, h / 2, h])
    asked.clear()
    directional(lambda s: f(s, np.abs), UNIT)
    assert len(asked) <= 31
    assert min(abs(s) for s in asked[1:]) == pytest.approx(UNIT**0.5 / 4)


def test_at_the_rounding_floor_no_shorter_step_is_tried():
    asked = []

    def f(s):
        asked.append(s)
        return np.array([np.sin(s)])

    d = directional(f, UNIT, size=1e9)
    assert d.error[0] > 1e-6
    assert min(abs(s) for s in asked[1:]) >= UNIT**0.25 / 4 * (1 - 1e-12)


def test_a_kink_at_the_point_is_an_interval():
    d = directional(lambda s: np.array([2 * max(s, 0.0) - s, s + abs(s) * s]), UNIT)
    assert d.kinked.tolist() == [True, False]
    assert d.lower[0] == pytest.approx(-1.0, abs=1e-6)
    assert d.upper[0] == pytest.approx(1.0, abs=1e-6)
    assert abs(d.value[1] - 1.0) <= d.error[1]


def test_a_kink_beside_the_point_is_stepped_below():
    d = directional(lambda s: np.array([abs(s - 1e-5), max(s, -3e-6)]), UNIT)
    assert not d.kinked.any()
    assert d.value == pytest.approx([-1.0, 1.0], abs=1e-6)
    assert np.all(np.abs(d.value - [-1.0, 1.0]) <= d.error)


def test_what_cancels_inside_is_said_by_its_size():
    plain = directional(lambda s: np.array([s, 3 * s]), UNIT)
    told = directional(lambda s: np.array([s, 3 * s]), UNIT, size=np.array([1e6, 0.0]))
    assert told.error[0] > 8 * UNIT * 1e6, "steps are below 1"
    assert told.error[1] <= 1e-11 and plain.error[0] <= 1e-11
    rng = np.random.default_rng(0)
    noisy = directional(lambda s: np.array([1e6 + s + rng.uniform(-1, 1) * 1e-10 - 1e6]), UNIT, 1e6)
    assert abs(noisy.value[0] - 1.0) <= noisy.error[0]


def test_entries_without_values():
    def f(s):
        return np.array([-np.inf, np.nan, np.inf if s > 0 else s, s])

    d = directional(f, UNIT)
    assert d.value[0] == 0.0 and np.isfinite(d.error[0]), "a mask does not move"
    assert d.error[1] == np.inf and d.error[2] == np.inf
    assert abs(d.value[3] - 1.0) <= d.error[3] < 1e-8
    assert np.all(np.isfinite(d.value))


def test_single_precision():
    def f(s):
        return np.array([np.exp(np.float32(s))], dtype=np.float32)

    d = directional(f, 2.0**-23)
    assert abs(d.value[0] - 1.0) <= d.error[0] < 1e-3


def test_a_pairing_adds_its_parts():
    d = directional(lambda s: np.array([np.exp(s), abs(s), 3 * s]), UNIT)
    g = np.array([2.0, -5.0, 1.0])
    low, high, slack = d.paired(g)
    assert (low, high) == pytest.approx((2 - 5 + 3, 2 + 5 + 3), abs=1e-6)
    assert slack == pytest.approx(np.sum(np.abs(g) * d.error))
    assert slack < 1e-5


# -- series around a point -------------------------------------------------------------------------


def test_points_of_circles_and_intervals():
    z = roots()
    assert z.size == 12 and np.all(z.imag > 0) and np.abs(z) == pytest.approx(1.0)
    assert z[:11] * np.exp(1j * np.pi / 12) == pytest.approx(z[1:])
    assert z[::-1] == pytest.approx(-np.conj(z))
    assert roots(8).size == 4
    u = nodes()
    assert u.size == 16 and u == pytest.approx(-u[::-1]) and 0.99 < u[0] < 1
    assert np.polynomial.chebyshev.chebval(u, np.eye(17)[16]) == pytest.approx(0, abs=1e-13)


FUNCTIONS = (
    (np.exp, np.exp, np.exp),
    (np.sin, np.cos, lambda x: -np.sin(x)),
    (lambda x: 1 / (2 + x), lambda x: -1 / (2 + x) ** 2, lambda x: 2 / (2 + x) ** 3),
)


@pytest.mark.parametrize("radius", [0.5, 0.1])
def test_derivatives_of_analytic_functions(radius):
    x = np.array([0.3, -0.2, 0.4])
    due = np.array([[g(p), h(p)] for (_, g, h), p in zip(FUNCTIONS, x, strict=True)])
    r, eps = np.full(3, radius), np.full(3, 1e-16)
    circles = np.stack([f(p + radius * roots()) for (f, _, _), p in zip(FUNCTIONS, x, strict=True)])
    found, error = on_circles(circles, r, eps)
    assert np.all(np.abs(found - due) <= error + 1e-15 / radius**2)
    assert np.all(error < 1e-8)
    lines = np.stack([f(p + radius * nodes()) for (f, _, _), p in zip(FUNCTIONS, x, strict=True)])
    found, error = on_intervals(lines, r, eps)
    assert np.all(np.abs(found - due) <= error)
    assert np.all(error < 1e-4)


def test_each_row_has_its_radius_and_its_rounding():
    r = np.array([0.5, 0.05])
    circles = np.exp(r[:, None] * roots())
    found, error = on_circles(circles, r, np.array([1e-12, 1e-6]))
    assert found == pytest.approx(np.ones((2, 2)), rel=1e-9)
    assert error[0] == pytest.approx(
        [1e-12 * np.exp(0.5) / 0.5, 1e-12 * np.exp(0.5) / 0.125], rel=0.1
    )
    assert error[1] == pytest.approx(
        [1e-6 * np.exp(0.05) / 0.05, 1e-6 * np.exp(0.05) / 0.00125], rel=0.1
    )
    lines = np.exp(r[:, None] * nodes())
    found, error = on_intervals(lines, r, np.array([1e-12, 1e-6]))
    assert found == pytest.approx(np.ones((2, 2)), rel=1e-6)
    assert error[1, 0] / error[0, 0] == pytest.approx(1e7, rel=0.2)
    assert error[1, 1] / error[0, 1] == pytest.approx(1e8, rel=0.2)
    # a rounding in each value moves the derivatives by no more than is stated
    noise = np.random.default_rng(0).choice([-1e-6, 1e-6], (50, 16))
    moved, _ = on_intervals(noise, np.full(50, 0.05), np.zeros(50))
    assert np.all(np.abs(moved) <= error[1])


def test_what_no_series_follows_has_a_large_error():
    one = np.array([1.0])
    for f in (np.abs, lambda u: np.where(u > 0.2, 1.0, 0.0), lambda u: np.where(u > 0, u * u, 0.0)):
        _, error = on_intervals(f(nodes())[None], one, 0 * one)
        assert np.all(error > 0.01)
    _, error = on_circles(np.abs(0.5 + roots())[None] + 0j, one, 0 * one)
    assert np.all(error > 0.01)
    for bad in (np.nan, np.inf):
        values = np.exp(roots())[None].copy()
        values[0, 3] = bad
        found, error = on_circles(values, one, 0 * one)
        assert found.tolist() == [[0.0, 0.0]] and np.all(error == np.inf)
        values = np.exp(nodes())[None].copy()
        values[0, 3] = bad
        found, error = on_intervals(values, one, 0 * one)
        assert found.tolist() == [[0.0, 0.0]] and np.all(error == np.inf)


def test_tails_are_the_last_quarter():
    for k in (0, 5, 11):
        values = np.polynomial.chebyshev.chebval(nodes(), 3 * np.eye(16)[k])
        assert tails(values[None])[0] < 1e-13
    for k in (12, 15):
        values = np.polynomial.chebyshev.chebval(nodes(), -3 * np.eye(16)[k])
        assert tails(np.stack([values, 2 * values])) == pytest.approx([3.0, 6.0])


# -- jumps and bends -------------------------------------------------------------------------------


def broken(where, kind):
    def ask(which, s):
        base = np.sin(3 * s + which[:, None])
        at = np.asarray(where)[which][:, None]
        extra = {"jump": 1e-3 * (s > at), "bend": 30 * np.maximum(s - at, 0.0)}[kind]
        return base + extra

    return ask


@pytest.mark.parametrize("kind", ["jump", "bend"])
@pytest.mark.parametrize("seed", range(3))
def test_breaks_are_enclosed(kind, seed):
    where = [0.123, 0.777, 0.5, 2.0]
    found = pieces(broken(where, kind), 4, np.full(4, 1e-9), np.random.default_rng(seed))
    assert not found.rough and found.gaps == 0
    for k, at in enumerate(where):
        mine = found.which == k
        assert mine.any() == (at < 1)
        assert np.all((found.low[mine] <= at) & (at <= found.high[mine]))
        assert np.all(found.high[mine] - found.low[mine] <= 1.2e-9)
    if kind == "bend":
        blunt = pieces(
            broken(where, kind), 4, np.full(4, 1e-6), np.random.default_rng(seed), slopes=False
        )
        assert blunt.which.size == 0, "a bend is small in a short panel"


def test_smooth_functions_cost_one_call():
    calls = []

    def ask(which, s):
        calls.append((which.tolist(), s.shape))
        return np.cos(s)

    found = pieces(ask, 2, np.full(2, 1e-9), np.random.default_rng(0))
    assert found.which.size == 0 and found.gaps == 0 and not found.rough
    assert calls == [([0] * 4 + [1] * 4, (8, 16))]
    assert found.noise == 0.0


def test_the_whole_interval_is_looked_at():
    seen = []

    def ask(which, s):
        seen.append(s)
        return np.exp(s)

    pieces(ask, 1, np.ones(1), np.random.default_rng(0), start=3)
    s = np.sort(np.concatenate(seen).ravel())
    assert s.size == 48 and 0 <= s[0] < 0.01 and 0.99 < s[-1] <= 1
    assert np.max(np.diff(s)) < 0.06


def test_gaps_are_counted_and_breaks_beside_them_found():
    def ask(which, s):
        return np.where(s > 0.6, np.nan, np.sin(s))

    found = pieces(ask, 1, np.full(1, 1e-9), np.random.default_rng(0))
    assert found.gaps > 0
    assert np.all(np.abs(found.low - 0.6) < 1e-8) and found.low.size > 0
    everywhere = pieces(lambda w, s: s * np.nan, 1, np.ones(1), np.random.default_rng(0))
    assert everywhere.gaps == 4 and everywhere.which.size == 0


def test_noise_is_called_rough():
    rng = np.random.default_rng(0)
    found = pieces(lambda w, s: rng.uniform(-1, 1, s.shape), 1, np.full(1, 1e-9), rng)
    assert found.rough and found.which.size == 0
    assert 0.05 < found.noise < 1.5


# -- tables in time --------------------------------------------------------------------------------


def table(entries, kind, end=1.0, seed=0):
    heights = np.random.default_rng(seed).uniform(0.5, 2.0, entries + 1)

    def values(t):
        x = np.clip(np.asarray(t) / end * entries, 0, entries * (1 - 1e-15))
        k = np.floor(x).astype(int)
        if kind == "steps":
            return heights[k][:, None]
        return (heights[k] + (x - k) * (heights[k + 1] - heights[k]))[:, None]

    return values


@pytest.mark.parametrize("kind", ["steps", "lines"])
@pytest.mark.parametrize(("entries", "end"), [(10, 1.0), (37, 2.5), (1000, 1.0)])
def test_even_tables_are_recognised(kind, entries, end):
    found = regular_breaks(table(entries, kind, end), 0.31 * end, 0.48 * end, end, UNIT)
    assert found == pytest.approx(np.arange(1, entries) * end / entries, rel=1e-12)


@pytest.mark.parametrize(("low", "high"), [(0.82, 0.93), (0.92, 0.99)])
def test_from_the_far_end_too(low, high):
    found = regular_breaks(table(20, "steps"), low, high, 1.0, UNIT)
    assert found == pytest.approx(np.arange(1, 20) / 20, rel=1e-12)


@pytest.mark.parametrize("kind", ["steps", "lines"])
def test_a_table_that_the_span_cuts(kind):
    """The far breaks make the spacing exact, where no whole number of entries does."""
    found = regular_breaks(table(5001, kind, 5001 / 5000.4), 0.2, 0.2012, 1.0, UNIT)
    due = np.arange(1, 5001) / 5000.4
    assert len(found) == 5000
    assert np.max(np.abs(found - due)) * 5000 < (1e-10 if kind == "steps" else 1e-6)


def test_tables_at_the_middles_of_their_cells():
    def values(t):
        return table(12, "steps")(np.asarray(t) + 1 / 24)

    found = regular_breaks(values, 0.3, 0.4, 1.0, UNIT)
    assert found == pytest.approx((np.arange(12) + 0.5) / 12, rel=1e-10)


def test_what_is_no_even_table():
    asked = []

    def smooth(t):
        asked.append(np.size(t))
        return np.sin(t)[:, None]

    assert regular_breaks(smooth, 0.3, 0.4, 1.0, UNIT) == ()
    assert asked == [16], "a panel that is smooth is no reason to look further"
    uneven = np.array([0.1, 0.35, 0.42, 0.9])
    assert (
        regular_breaks(lambda t: np.searchsorted(uneven, t)[:, None] * 1.0, 0.3, 0.37, 1.0, UNIT)
        == ()
    )
    one = regular_breaks(lambda t: np.where(t < 0.35, 1.0, 2.0)[:, None], 0.3, 0.4, 1.0, UNIT)
    assert one == ()
    bad = regular_breaks(lambda t: np.where(t < 0.35, 1.0, np.nan)[:, None], 0.3, 0.4, 1.0, UNIT)
    assert bad == ()


def test_the_budget_is_kept():
    asked = []
    rng = np.random.default_rng(0)

    def noise(t):
        asked.append(np.size(t))
        return rng.uniform(0, 1, (np.size(t), 1))

    regular_breaks(noise, 0.3, 0.4, 1.0, UNIT)
    assert sum(asked) <= even.BUDGET + 64
    asked.clear()
    counted = table(100, "steps")

    def steps(t):
        asked.append(np.size(t))
        return counted(t)

    assert len(regular_breaks(steps, 0.3, 0.37, 1.0, UNIT)) == 99
    assert sum(asked) <= even.BUDGET
    assert regular_breaks(table(9000, "steps"), 0.3, 0.3003, 1.0, UNIT) == ()
