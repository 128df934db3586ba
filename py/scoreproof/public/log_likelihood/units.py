"""Nats, bits and bits per dimension: what a function returns, and log p of it.

Conventions: log p is in nats, of the density of x as it is handed over. Bits per dimension of data
in ``levels`` values over ``data_range``: -log2 p / d + log2(levels / (high - low)), which is 8 of
[0, 1] and 7 of [-1, 1].
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["UNITS", "Units"]

UNITS = ("nats", "bits", "nll", "bits_per_dim")
LN2 = float(np.log(2.0))


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
