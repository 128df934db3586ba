"""The minimum of a function with a kink, between two numbers."""

from __future__ import annotations

import pytest

from scoreproof.numerics import minimum


@pytest.mark.parametrize("at", [-3.0, 0.0, 1e-6, 0.25, 2.0])
def test_a_kink_is_found_to_the_width(at):
    assert abs(minimum.least(lambda x: abs(x - at), -4.0, 3.0, 1e-10) - at) <= 1e-10


def test_at_an_end_and_where_nothing_is_between():
    assert minimum.least(lambda x: x, 1.0, 2.0, 1e-9) == pytest.approx(1.0, abs=1e-9)
    assert minimum.least(lambda x: x, 1.0, 1.0, 0.0) == 1.0


def test_it_asks_once_a_section():
    asked = []
    minimum.least(lambda x: asked.append(x) or abs(x), -1.0, 1.0, 1e-6)
    assert len(asked) <= 2 + 31
