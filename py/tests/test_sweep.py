"""Sweeps over times: how many, where, how far apart; closer together where something changes."""

from __future__ import annotations

import warnings

import numpy as np
import pytest

from scoreproof.errors import ArgumentError
from scoreproof.public.sweep import COUNT, Sweep, named, over, refined


def rng(seed=0):
    return np.random.default_rng(seed)


# -- a whole span ----------------------------------------------------------------------------------


@pytest.mark.parametrize("count", [2, 3, 5, 32])
@pytest.mark.parametrize("seed", range(5))
def test_one_time_in_each_cell_and_both_ends(count, seed):
    s = over(-1.0, 3.0, rng(seed), count)
    assert s.times.size == count
    assert (s.times[0], s.times[-1], s.low, s.high, s.chosen) == (-1.0, 3.0, -1.0, 3.0, False)
    cells = np.floor((s.times[1:-1] + 1.0) / 4.0 * (count - 2)).astype(int)
    assert cells.tolist() == list(range(count - 2))
    assert np.all(np.diff(s.times) > 0)
    if count > 2:
        assert s.gap < 2 / (count - 2)


def test_times_are_random_and_there_are_32():
    a, b = over(0.0, 1.0, rng(0)), over(0.0, 1.0, rng(1))
    assert a.times.size == COUNT == 32
    assert np.all(a.times[1:-1] != b.times[1:-1])
    assert over(0.0, 1.0, rng(0)).times.tolist() == a.times.tolist()


def test_a_time_is_never_on_the_edge_of_its_cell():
    s = over(0.0, 30.0, rng(3))
    inside = s.times[1:-1] - np.arange(30)
    assert inside.min() > 0.02 and inside.max() < 0.98


@pytest.mark.parametrize("low", [2.0, 3.0, np.nan])
def test_an_empty_span_is_its_end(low):
    s = over(low, 2.0, rng())
    assert (s.times.tolist(), s.low, s.high, s.gap) == ([2.0], 2.0, 2.0, 0.0)


def test_the_gap_counts_the_ends():
    assert Sweep(np.array([1.0, 2.0]), 0.0, 4.0).gap == 0.5
    assert Sweep(np.array([3.0]), 0.0, 4.0).gap == 0.75
    assert Sweep(np.array([1.5, 3.0]), 1.0, 5.0).gap == 0.5
    assert Sweep(np.array([1.0]), 1.0, 1.0).gap == 0.0


def test_it_says_where_it_looked():
    assert Sweep(np.array([0.25, 0.5, 1.0]), 0.0, 1.0).describe() == (
        "t from 0.25 to 1, some random, nowhere further apart than 50 % of the span"
    )
    assert named("times", [0.125]).describe() == "t = 0.125, as asked"
    many = named("times", np.arange(1, 10)).describe()
    assert many == "t = 1, 2, 3, 4, 5, 6, 7, 8, …, as asked"
    assert named("times", np.arange(1, 9)).describe() == "t = 1, 2, 3, 4, 5, 6, 7, 8, as asked"


# -- the caller's own times ------------------------------------------------------------------------


def test_named_times_are_sorted_without_repeats():
    s = named("times", [[0.5, 0.25], [0.5, 1.0]], high=1.0)
    assert s.times.tolist() == [0.25, 0.5, 1.0]
    assert (s.low, s.high, s.chosen) == (0.25, 1.0, True)
    assert named("times", 0.75).times.tolist() == [0.75]


@pytest.mark.parametrize(
    ("times", "keywords", "message"),
    [
        ([], {}, r"times must be one or more numbers .*leave it out to look at the whole span"),
        ([0.0, 0.5], {}, r"times must be > 0 \(got 0.0\); name times inside the span"),
        ([-0.5], {}, r"times must be > 0 \(got -0.5\)"),
        ([0.5, 2.0], {"high": 1.0}, r"times must be > 0 and <= 1 \(got 2.0\)"),
        ([0.5], {"low": 0.5, "high": 1.0}, r"times must be > 0.5 and <= 1 \(got 0.5\)"),
        ([0.5, np.nan], {}, "times"),
        (["soon"], {}, "times"),
    ],
)
def test_bad_times(times, keywords, message):
    with pytest.raises(ArgumentError, match=message):
        named("times", times, **keywords)


# -- closer together where something changes -------------------------------------------------------


def step_at(where):
    return lambda t: np.where(np.asarray(t) < where, 0.0, 1.0)


def test_a_jump_is_closed_in_on():
    f = step_at(0.4321)
    s = over(0.0, 1.0, rng())
    finer, values = refined(s, f(s.times), f, jump=0.5)
    assert finer.times.size == s.times.size + 3, "one time a round"
    assert values.tolist() == f(finer.times).tolist()
    assert set(s.times) <= set(finer.times)
    assert np.all(np.diff(finer.times) > 0)
    k = int(np.flatnonzero(np.diff(values))[0])
    before = int(np.flatnonzero(np.diff(f(s.times)))[0])
    width = finer.times[k + 1] - finer.times[k]
    assert width == pytest.approx((s.times[before + 1] - s.times[before]) / 8)
    assert (finer.low, finer.high) == (0.0, 1.0)


def test_rows_are_compared_entry_by_entry():
    s = Sweep(np.array([0.0, 1.0, 2.0]), 0.0, 2.0)
    values = np.array([[[0.0, 0.0]], [[0.0, 0.0]], [[0.0, -3.0]]])
    finer, found = refined(s, values, lambda t: np.zeros((t.size, 1, 2)), jump=2.0, rounds=1)
    assert finer.times.tolist() == [0.0, 1.0, 1.5, 2.0]
    assert found.shape == (4, 1, 2)
    assert refined(s, values, lambda t: np.zeros((t.size, 1, 2)), jump=3.0)[0] is s


def test_nothing_is_added_where_nothing_changes_or_the_caller_chose():
    s = over(0.0, 1.0, rng())
    assert refined(s, np.zeros(32), pytest.fail, jump=0.5)[0] is s
    chosen = named("times", [0.25, 0.5])
    same, values = refined(chosen, np.array([0.0, 9.0]), pytest.fail, jump=0.5)
    assert same is chosen
    assert values.tolist() == [0.0, 9.0]
    one = over(1.0, 1.0, rng())
    assert refined(one, np.zeros(1), pytest.fail, jump=0.5)[0] is one


def test_at_most_so_many_times_the_largest_changes_first():
    s = Sweep(np.arange(6.0), 0.0, 5.0)
    values = np.array([0.0, 1.0, 0.0, 5.0, 0.0, 3.0])
    asked = []

    def ask(t):
        asked.append(sorted(t.tolist()))
        return np.zeros(t.size)

    finer, _ = refined(s, values, ask, jump=0.5, rounds=1, most=2)
    assert asked == [[2.5, 3.5]]
    assert finer.times.size == 8
    asked.clear()
    finer, _ = refined(s, values, ask, jump=0.5, rounds=9, most=7)
    assert [len(t) for t in asked] == [5, 2]
    assert finer.times.size == 13


def test_what_is_not_finite_is_passed_over_in_silence():
    s = Sweep(np.arange(4.0), 0.0, 3.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        values = np.array([0.0, np.nan, np.inf, np.inf])
        finer, _ = refined(s, values, lambda t: np.zeros(t.size), jump=0.5, rounds=1)
    assert finer is s
