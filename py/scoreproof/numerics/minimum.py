"""The minimum of a function of one number between two others, by golden sections.

The functions are largest deviations: they have a kink where they are least, at which methods that
expect a parabola do not gain anything.
"""

from __future__ import annotations

from collections.abc import Callable

__all__ = ["least"]

GOLDEN = (5**0.5 - 1) / 2


def least(of: Callable[[float], float], low: float, high: float, width: float) -> float:
    """Where ``of`` is least, to ``width``; one call of it for each section.

    >>> round(least(lambda x: abs(x - 0.3), 0.0, 1.0, 1e-9), 8)
    0.3
    """
    a, b = high - GOLDEN * (high - low), low + GOLDEN * (high - low)
    at_a, at_b = of(a), of(b)
    while high - low > width and low < a < b < high:
        if at_a <= at_b:
            high, b, at_b = b, a, at_a
            a = high - GOLDEN * (high - low)
            at_a = of(a)
        else:
            low, a, at_a = a, b, at_b
            b = low + GOLDEN * (high - low)
            at_b = of(b)
    return (low + high) / 2
