"""Gauss–Legendre grids that integrate and differentiate: nodes, weights, and the derivative of the
interpolating polynomial.

Conventions: functions are columns of values at the nodes; ``d1 @ values`` is the derivative at the
nodes. The ends are no nodes.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

__all__ = ["GaussGrid"]


@lru_cache(maxsize=32)
def _reference(size: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    nodes, weights = np.polynomial.legendre.leggauss(size)
    # barycentric weights of the Gauss nodes: (-1)^j sqrt((1 - x²) w)
    bary = (-1.0) ** np.arange(size) * np.sqrt((1 - nodes**2) * weights)
    gaps = nodes[:, None] - nodes + np.eye(size)
    d1 = bary[None, :] / bary[:, None] / gaps
    np.fill_diagonal(d1, 0.0)
    np.fill_diagonal(d1, -d1.sum(axis=1))  # constants have derivative zero, to rounding
    return nodes, weights, d1


@dataclass(frozen=True)
class GaussGrid:
    """``size`` Gauss–Legendre nodes on ``[low, high]``.

    >>> g = GaussGrid(12, 0.0, 2.0)
    >>> bool(abs(g.weights @ g.x**5 - 64 / 6) < 1e-13), bool(np.allclose(g.d1 @ g.x**3, 3 * g.x**2))
    (True, True)
    """

    size: int
    low: float = -1.0
    high: float = 1.0

    @property
    def half(self) -> float:
        """Half the length of the interval."""
        return (self.high - self.low) / 2

    @cached_property
    def reference(self) -> np.ndarray:
        """The nodes on [-1, 1]."""
        return _reference(self.size)[0]

    @cached_property
    def x(self) -> np.ndarray:
        return (self.low + self.high) / 2 + self.half * self.reference

    @cached_property
    def weights(self) -> np.ndarray:
        return self.half * _reference(self.size)[1]

    @cached_property
    def d1(self) -> np.ndarray:
        return _reference(self.size)[2] / self.half

    @cached_property
    def d2(self) -> np.ndarray:
        return self.d1 @ self.d1
