"""Running sums of the residuals of estimates that draw their own ν.

Conventions: residuals r are relative to the trace at their point, one a row; ``features``
``(m, K)`` are what an error confined to a part of the points would go along with.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.special import chdtri

__all__ = ["CALLS", "Residuals"]

#: with fewer calls their means tell nothing about whether rows are independent
CALLS = 16
#: rows whose features are looked at
LOOKED = 1 << 15


@dataclass
class Residuals:
    """What is known of them so far."""

    n: int = 0
    total: float = 0.0
    square: float = 0.0
    fourth: float = 0.0
    means: list[float] = field(default_factory=list)
    sizes: list[int] = field(default_factory=list)
    rows: int = 0
    along: np.ndarray = field(default_factory=lambda: np.zeros(0))
    noise: np.ndarray = field(default_factory=lambda: np.zeros(0))
    weight: np.ndarray = field(default_factory=lambda: np.zeros(0))
    hits: np.ndarray = field(default_factory=lambda: np.zeros(0))

    def add(self, r: np.ndarray, features: np.ndarray) -> None:
        """One call's residuals ``(m,)``."""
        self.n += r.size
        self.total += float(r.sum())
        self.square += float((r * r).sum())
        self.fourth += float(((1 + r) ** 4).sum())
        self.means.append(float(r.mean()))
        self.sizes.append(r.size)
        if self.rows < LOOKED:
            if not self.rows:
                self.along, self.noise, self.weight, self.hits = np.zeros((4, features.shape[1]))
            self.rows += r.size
            self.along += r @ features
            self.noise += (r * r) @ features**2
            self.weight += np.abs(features).sum(axis=0)
            self.hits += (features != 0).sum(axis=0)

    @property
    def mean(self) -> float:
        return self.total / self.n

    @property
    def _by_rows(self) -> float:
        return float(np.sqrt(max(self.square / self.n - self.mean**2, 0.0) / self.n))

    @property
    def _by_calls(self) -> float:
        if len(self.means) < CALLS:
            return 0.0
        deviations = (np.array(self.means) - self.mean) ** 2
        return float(np.sqrt(np.array(self.sizes) @ deviations / (len(self.means) - 1) / self.n))

    @property
    def error(self) -> float:
        """The standard error of the mean, from rows or from calls, whichever is larger."""
        return max(self._by_rows, self._by_calls)

    @property
    def carried_by(self) -> float:
        """Of how many estimates of one size the second moment of all would be the sum: of a ν that
        is rarely not 0, those few; the standard error of the mean is known no better.
        """
        whole = self.square + 2 * self.total + self.n
        return whole**2 / self.fourth if self.fourth > 0 else 0.0

    def dependent(self, level: float) -> bool:
        """Whether the means of calls spread more than those of independent rows would."""
        freedom = max(len(self.means) - 1, 1)
        limit = float(chdtri(freedom, level)) / freedom
        return self._by_calls**2 > limit * self._by_rows**2

    def score(self, allowed: float) -> float:
        """The largest deviation from 0 beyond ``allowed``, in standard errors: of the mean, and
        along each feature that enough rows have.
        """
        found = [(abs(self.mean) - allowed) / max(self.error, 1e-300)]
        enough = (self.hits >= 1000) & (self.noise > 0)
        if np.any(enough):
            beyond = np.abs(self.along) - allowed * self.weight
            found.append(float(np.max(beyond[enough] / np.sqrt(self.noise[enough]))))
        return max(found)
