"""The noise of y = alpha x_0 + z, so that a variance costs nothing and a covariance is factored
once.

Conventions: ``cov`` is a covariance ``(d, d)``, never a standard deviation; rows are points.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from scoreproof.interop.callables import to_float
from scoreproof.numerics.linear import check_covariance
from scoreproof.objects.given import covariance_of

__all__ = ["Noise", "make_noise", "scaled_condition"]


@dataclass(frozen=True, eq=False)
class Noise:
    """``N(0, cov)``; ``diagonal`` is its diagonal ``(d,)``, ``plain`` that there is nothing
    else.
    """

    cov: np.ndarray
    plain: bool

    @property
    def diagonal(self) -> np.ndarray:
        return np.diagonal(self.cov)

    @property
    def least(self) -> np.ndarray:
        """The covariance as its diagonal ``(d,)``, where there is nothing else."""
        return self.diagonal if self.plain else self.cov

    @property
    def variance(self) -> float | None:
        """σ² where the covariance is σ² I (to rounding), else ``None``."""
        values = self.diagonal
        alike = np.ptp(values) <= 1e-12 * values[0] and (
            self.plain or np.max(np.abs(self.cov - np.diag(values))) <= 1e-12 * values[0]
        )
        return float(values[0]) if alike else None

    @cached_property
    def _axes(self) -> tuple[np.ndarray, np.ndarray]:
        values, vectors = np.linalg.eigh(self.cov)
        return values, vectors

    def power(self, exponent: float) -> np.ndarray:
        """The symmetric power ``cov**exponent``: a matrix, or its diagonal where there is no
        more.
        """
        if self.plain:
            return np.asarray(self.diagonal**exponent)
        values, vectors = self._axes
        return np.asarray((vectors * values**exponent) @ vectors.T)

    def times(self, rows: np.ndarray, exponent: float, *, sizes: bool = False) -> np.ndarray:
        """``cov**exponent`` applied to rows; with ``sizes``, its entries' absolute values."""
        factor = self.power(exponent)
        factor = np.abs(factor) if sizes else factor
        return np.asarray(rows * factor if self.plain else rows @ factor)

    @cached_property
    def condition(self) -> float:
        """What solving with the covariance costs: its condition number at a unit diagonal."""
        return 1.0 if self.plain else scaled_condition(self.cov)


def make_noise(cov: Any, d: int) -> Noise:
    """``cov`` as given by the caller: a variance, or a covariance ``(d, d)``."""
    matrix = to_float("cov", cov)
    matrix = float(matrix) * np.eye(d) if matrix.ndim == 0 else covariance_of("cov", matrix, d)
    check_covariance("cov", matrix)
    return Noise(matrix, bool(np.count_nonzero(matrix) == d))


def scaled_condition(cov: np.ndarray) -> float:
    """The condition number of a covariance scaled to a unit diagonal (van der Sluis).

    >>> scaled_condition(np.diag([1.0, 1e-10]))
    1.0
    """
    unit = np.sqrt(np.diagonal(cov))
    if np.count_nonzero(cov) == len(cov):
        return 1.0
    values = np.linalg.eigvalsh(cov / np.outer(unit, unit))
    tiny = len(cov) * float(np.finfo(float).eps) * values[-1]
    return float(values[-1] / max(values[0], tiny))
