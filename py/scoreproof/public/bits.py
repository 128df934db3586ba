"""Nats, bits and bits per dimension: what a function returns, and log p of it.

Conventions: log p is in nats, of the density of x as it is handed over. Bits per dimension of data
in ``levels`` values over ``data_range``: -log2 p / d + log2(levels / (high - low)), which is 8 of
[0, 1] and 7 of [-1, 1]; of continuous data, ``levels=1`` without a range, -log2 p / d. No default
is right for both, so one of them is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.public.arguments import count, one_of

__all__ = ["UNITS", "Units", "range_of", "units_of"]

UNITS = ("nats", "bits", "nll", "bits_per_dim")
LN2 = float(np.log(2.0))
#: values of a byte
BYTE = 256


@dataclass(frozen=True)
class Units:
    """
    >>> Units("bits_per_dim", 4, (-1.0, 1.0), 256).offset
    7.0
    """

    name: str
    d: int
    data_range: tuple[float, float] | None
    levels: int

    @property
    def offset(self) -> float:
        if self.data_range is None or self.name != "bits_per_dim":
            return 0.0
        low, high = self.data_range
        return float(np.log2(self.levels / (high - low)))

    @property
    def factor(self) -> float:
        """What log p in nats is multiplied by."""
        by = {"nats": 1.0, "bits": 1 / LN2, "nll": -1.0, "bits_per_dim": -1 / (LN2 * self.d)}
        return by[self.name]

    def told(self, log_p: np.ndarray) -> np.ndarray:
        """Log p as the function returns it."""
        return self.factor * log_p + self.offset

    def nats(self, value: np.ndarray) -> np.ndarray:
        """What the function returned as log p."""
        return (value - self.offset) / self.factor

    @property
    def words(self) -> str:
        return {"nats": "log p", "bits": "log2 p", "nll": "-log p",
                "bits_per_dim": "bits per dimension"}[self.name]  # fmt: skip


def range_of(data_range: Any) -> tuple[float, float] | None:
    """``data_range`` as two numbers that rise; raises ``ArgumentError``.

    >>> range_of((-1, 1))
    (-1.0, 1.0)
    """
    if data_range is None:
        return None
    try:
        low, high = data_range
        said = isinstance(low, Real) and isinstance(high, Real)
        said = said and -np.inf < float(low) < float(high) < np.inf
    except (TypeError, ValueError):
        said = False
    if not said:
        raise ArgumentError(
            "data_range",
            "(low, high), two numbers that rise",
            repr(data_range),
            "(0, 1) or (-1, 1), the range of x; left away, log p is a density of x as it is",
        )
    return float(low), float(high)


def units_of(name: Any, data_range: Any, levels: Any, d: int) -> Units:
    """What a function returns, as its caller said it; raises ``ArgumentError``.

    >>> units_of("bits_per_dim", None, 1, 4).offset  # continuous
    0.0
    >>> units_of("bits_per_dim", (0, 1), None, 4).offset
    8.0
    """
    one_of("units", name, UNITS, "it is what the function returns")
    span = range_of(data_range)
    if name != "bits_per_dim":
        if levels is not None:
            raise ArgumentError(
                "levels",
                f"left away in {name}",
                repr(levels),
                "say units='bits_per_dim', which count the levels of the data",
            )
        return Units(name, d, span, BYTE)
    if span is None:
        if isinstance(levels, bool) or not isinstance(levels, Real) or levels != 1:
            raise ArgumentError(
                "data_range",
                "said with units='bits_per_dim'",
                "None" if levels is None else f"None, with levels={levels!r}",
                "pass data_range=(0, 1) or (-1, 1), where x is data of 256 levels (levels= says"
                " another number), or levels=1 where x is continuous and no levels count",
            )
        return Units(name, d, None, 1)
    if levels is None:
        return Units(name, d, span, BYTE)
    return Units(name, d, span, count("levels", levels, 2, "how many values the data have, 256"))
