"""What all public checks ask of the arguments that they share."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof.errors import ArgumentError
from scoreproof.public.arguments import accepted, count, seeded


@pytest.mark.parametrize("given", [0.01, np.float32(0.25), np.float64(0.5), 1e-9, 0.999])
def test_a_tolerance_is_a_number(given):
    assert accepted(given) == float(given)
    assert type(accepted(given)) is float


@pytest.mark.parametrize("given", [None, 0, 0.0])
def test_no_tolerance(given):
    assert accepted(given) is None


@pytest.mark.parametrize("given", [True, False, "0.1", np.nan, np.inf, [0.1], np.array([0.1]), 1j])
def test_what_is_no_tolerance(given):
    with pytest.raises(ArgumentError, match=r"tolerance must be a number in \(0, 1\)"):
        accepted(given)


@pytest.mark.parametrize("given", [-0.01, 1, 1.0, 5.0])
def test_a_tolerance_is_relative(given):
    message = r"tolerance must be in \(0, 1\) .*it is the relative error that you accept, e.g. 0.01"
    with pytest.raises(ArgumentError, match=message):
        accepted(given)


def test_counts():
    assert count("n", 3, 3, "more") == 3
    assert type(count("n", np.int64(7), 1, "more")) is int


@pytest.mark.parametrize("given", [2, 3.0, "3", True, None, -1])
def test_bad_counts(given):
    with pytest.raises(ArgumentError, match=r"n must be an integer >= 3 \(got .*\); take more"):
        count("n", given, 3, "take more")


def test_a_bool_is_no_count():
    with pytest.raises(ArgumentError, match="got True"):
        count("n", True, 0, "take more")


def test_seeds():
    assert seeded(0) == 0
    assert seeded(np.uint32(2**31)) == 2**31
    for bad in (-1, 0.5, None, True, "0"):
        with pytest.raises(ArgumentError, match=r"seed must be an integer >= 0 \(got"):
            seeded(bad)
