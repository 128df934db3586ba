"""Functions σ(t) for the checks, in any arithmetic: integers are the only constants, so rationals
stay exact.

Conventions: σ is a standard deviation, increasing on [0, horizon]; ``start`` is 0 in all of them,
with σ(0) = 0 or not.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from scoreproof.numerics import functions as fn

__all__ = ["SCALES", "Scale"]


@dataclass(frozen=True)
class Scale:
    """A named σ(t) on [0, horizon]. ``smooth_at_zero`` is false where σ' is infinite at 0."""

    name: str
    sigma: Callable[[Any], Any]
    horizon: int = 1
    smooth_at_zero: bool = True


def quadratic(t: Any) -> Any:
    """1/3 + t + 6t²/5."""
    return (18 * t * t + 15 * t + 5) / 15


def geometric(t: Any) -> Any:
    """50^t / 10: the VE schedule's shape."""
    return fn.exp(t * fn.log(t * 0 + 50)) / 10


def linear(t: Any) -> Any:
    """t: EDM."""
    return 1 * t


def brownian(t: Any) -> Any:
    """√(2t): constant ρ."""
    return fn.sqrt(2 * t)


def preserving(t: Any) -> Any:
    """σ/α of the variance-preserving schedule with ∫β = t/10 + 10 t² (rounded constants)."""
    return fn.sqrt(fn.exp((t + 100 * t * t) / 10) - 1)


SCALES = {
    s.name: s
    for s in (
        Scale("quadratic, σ_0 = 1/3", quadratic),
        Scale("geometric, σ_0 = 1/10", geometric),
        Scale("linear", linear, 3),
        Scale("Brownian", brownian, 3, smooth_at_zero=False),
        Scale("VP in the coordinate X/α", preserving, smooth_at_zero=False),
    )
}
