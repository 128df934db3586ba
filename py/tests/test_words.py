"""Numbers, lists and places in sentences, the same in every public check."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof.words import enumerated, listed, percent, point, stretch


def test_a_list_is_cut_only_where_something_is_left_away():
    assert listed([1, 2, 3], 3) == "1, 2, 3"
    assert listed([1, 2, 3], 2) == "1, 2, …"
    assert listed(iter([0.5]), 2, ".2f") == "0.50"
    assert listed([]) == ""
    assert enumerated(n for n in (1, 2)) == "1 and 2"


@pytest.mark.parametrize(
    ("part", "text"),
    [
        (1.0, "100 %"),
        (1e-4, "0.01 %"),
        (9.99e-5, "1.0e-04"),
        (0.0, "0.0e+00"),
        (np.nan, "any size"),
    ],
)
def test_a_size(part, text):
    assert percent(part) == text


def test_where_in_time():
    times = np.array([0.1, 0.2, 0.4])
    assert stretch(times, np.array([False, True, False])) == "at 1 of 3 times, t = 0.2"
    assert stretch(times, np.array([True, False, True])) == "at 2 of 3 times, t from 0.1 to 0.4"
    for everywhere in (True, False):
        assert stretch(times, np.full(3, everywhere)) == ""
    assert point(np.array([1.0, 2.0])) == "(1, 2)"
