"""First and second derivatives of analytic functions by Cauchy's formula on circles, with an error
estimate that needs no oracle.

Conventions: ``values[..., j]`` are those of one function at ``x + r e^{2πi j/N}``. Taylor
coefficients are the positive Fourier modes;
what an analytic function leaves in the last quarter of the modes bounds what its aliases add to the
first few, and a function that is not analytic (``abs``, ``real``, a comparison) leaves its negative
modes there. So one number bounds both.
"""

from __future__ import annotations

import math

import numpy as np

__all__ = ["circle", "from_circles"]


def circle(size: int) -> np.ndarray:
    """The N-th roots of unity ``(N,)``."""
    return np.exp(2j * np.pi * np.arange(size) / size)


def from_circles(
    values: np.ndarray, radii: np.ndarray, order: int, rounding: np.ndarray | float
) -> tuple[np.ndarray, np.ndarray]:
    """The derivative of the given order, and a bound of its error, from the best of several
    circles.

    Parameters
    ----------
    values: ``(R, n, N)``: R radii, n functions or points, N points on the circle. radii: ``(R,)``.
    rounding: absolute rounding of one value relative to the largest on its circle, a number or
    ``(n,)``.

    >>> z = 0.3 + np.array([1.0, 0.1])[:, None] * circle(16)
    >>> d, e = from_circles(np.exp(z)[:, None, :], np.array([1.0, 0.1]), 2, 1e-16)
    >>> bool(abs(d[0] - np.exp(0.3)) < 1e-13), bool(e[0] < 1e-12)
    (True, True)
    """
    size = values.shape[-1]
    with np.errstate(all="ignore"):
        modes = np.fft.fft(values, axis=-1) / size
        tail = np.max(np.abs(modes[..., 3 * size // 4 :]), axis=-1)
        height = np.max(np.abs(values), axis=-1)
        power = np.asarray(radii, dtype=float)[:, None] ** order / math.factorial(order)
        errors = (tail + np.asarray(rounding) * height) / power
        errors = np.where(np.isfinite(errors), errors, np.inf)
        found = np.real(modes[..., order]) / power
    best = np.argmin(errors, axis=0)
    index = np.arange(values.shape[1])
    return found[best, index], errors[best, index]
