"""A Fourier grid on [-L, L) and a one-dimensional Fokker–Planck solve on it, in either direction of
time.

Conventions: the density is periodised, so it must be negligible at ±L; ``drift(x, t)`` takes the
grid; ``noise2(t)`` is the squared
diffusion. Time may run backward: then the equation solved is that of a reverse-time SDE, in which
noise spreads mass as t falls.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoreproof.numerics.collocation import linear

__all__ = ["FourierGrid", "fokker_planck"]


@dataclass(frozen=True)
class FourierGrid:
    """``size`` equidistant points on [-length, length), with first and second derivative as
    matrices.
    """

    size: int
    length: float

    @cached_property
    def x(self) -> np.ndarray:
        return -self.length + 2 * self.length / self.size * np.arange(self.size)

    @cached_property
    def _wave(self) -> np.ndarray:
        return np.fft.fftfreq(self.size, d=2 * self.length / self.size) * 2 * np.pi

    def _matrix(self, symbol: np.ndarray) -> np.ndarray:
        return np.real(np.fft.ifft(symbol[:, None] * np.fft.fft(np.eye(self.size), axis=0), axis=0))

    @cached_property
    def d1(self) -> np.ndarray:
        """d/dx; the Nyquist mode, whose derivative is not on the grid, is dropped.

        >>> g = FourierGrid(16, np.pi)
        >>> bool(np.allclose(g.d1 @ np.sin(g.x), np.cos(g.x)))
        True
        """
        wave = self._wave.copy()
        if self.size % 2 == 0:
            wave[self.size // 2] = 0
        return self._matrix(1j * wave)

    @cached_property
    def d2(self) -> np.ndarray:
        return self._matrix(-(self._wave**2))


def fokker_planck(
    grid: FourierGrid,
    drift: Callable[[np.ndarray, float], np.ndarray],
    noise2: Callable[[float], float],
    density: np.ndarray,
    start: float,
    end: float,
    steps: int,
    *,
    stages: int = 4,
) -> np.ndarray:
    """The density at ``end`` of the SDE ``dX = b dt + c dW`` with law ``density`` at ``start``
    (backward if ``end < start``).
    """
    sign = 1.0 if end > start else -1.0

    def matrix(t: float) -> np.ndarray:
        return -grid.d1 * drift(grid.x, t) + (sign * noise2(t) / 2) * grid.d2

    with np.errstate(over="ignore", invalid="ignore"):
        return linear(matrix, density, start, end, steps, stages=stages)
