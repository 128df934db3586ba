"""Derivatives of many functions of one variable at a point each, from values around it, with an
error that the values themselves tell.

Conventions: one function a row, each with a radius of its own. On a circle ``values[j, k] = f_j(x_j
+ r_j e^{2πik/N})``, on an interval ``values[j, k] = f_j(x_j + r_j u_k)`` with `nodes`. Derivatives
come back as columns: ``(n, 2)``, first and second. What is left in the last quarter of the
coefficients bounds what the series leaves out, and shows jumps, kinks and, on a circle, functions
that are not analytic.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

__all__ = ["NODES", "ROOTS", "nodes", "roots", "on_circles", "on_intervals", "tails"]

#: points of a circle, and of an interval
ROOTS, NODES = 24, 16
#: the largest of a quarter of the coefficients of white noise, against any other of them
_SPREAD = 4.0


@lru_cache(maxsize=8)
def roots(size: int = ROOTS) -> np.ndarray:
    """The points ``(N/2,)`` of the upper half of the unit circle, of N that are not real."""
    return np.exp(1j * np.pi * (2 * np.arange(size // 2) + 1) / size)


@lru_cache(maxsize=8)
def nodes(size: int = NODES) -> np.ndarray:
    """The Chebyshev nodes ``(N,)`` on [-1, 1]; the middle and the ends are none of them."""
    return np.cos(np.pi * (np.arange(size) + 0.5) / size)


@lru_cache(maxsize=8)
def _series(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Values to Chebyshev coefficients ``(N, N)``, and coefficients to both derivatives at 0 ``(2,
    N)``.
    """
    angles = np.pi * (np.arange(size) + 0.5) / size
    coefficients = 2 / size * np.cos(np.arange(size)[:, None] * angles)
    coefficients[0] /= 2
    basis = [np.polynomial.Chebyshev.basis(k) for k in range(size)]
    middle = np.array([[float(b.deriv(m)(0.0)) for b in basis] for m in (1, 2)])
    return coefficients, middle


def on_circles(
    values: np.ndarray, radius: np.ndarray, rounding: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """First and second derivatives and their errors ``(n, 2)`` from values at `roots` ``(n, N/2)``.

    Functions are real on the real line, so that the lower half of the circle is the conjugate of
    the upper one. ``rounding`` ``(n,)``: relative to the largest value on the circle.

    >>> d, e = on_circles(np.exp(0.3 + 0.5 * roots())[None], np.array([0.5]), np.array([1e-16]))
    >>> bool(np.all(abs(d - np.exp(0.3)) < 1e-14)), bool(np.all(e < 1e-13))
    (True, True)
    """
    size = 2 * values.shape[-1]
    with np.errstate(all="ignore"):
        whole = np.concatenate([values, np.conj(values[:, ::-1])], axis=-1)
        turn = np.exp(-1j * np.pi * np.arange(size) / size)
        modes = np.fft.fft(whole, axis=-1) * turn / size
        height = np.max(np.abs(values), axis=-1)
        rest = _SPREAD * np.max(np.abs(modes[:, 3 * size // 4 :]), axis=-1) + rounding * height
        power = np.stack([radius, radius**2 / 2], axis=-1)
        found, error = np.real(modes[:, 1:3]) / power, rest[:, None] / power
    return _finite(found, error)


def on_intervals(
    values: np.ndarray, radius: np.ndarray, rounding: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The same from values at `nodes` of real intervals ``(n, N)``: for functions that take no
    complex numbers, at the cost of a few digits. ``rounding`` ``(n,)`` is absolute here.

    >>> d, e = on_intervals(np.exp(0.3 + 0.2 * nodes())[None], np.array([0.2]), np.array([1e-16]))
    >>> bool(np.all(abs(d - np.exp(0.3)) < e)), bool(np.all(e < 1e-10))
    (True, True)
    """
    size = values.shape[-1]
    coefficients, middle = _series(size)
    with np.errstate(all="ignore"):
        series = values @ coefficients.T
        tail = _SPREAD * np.max(np.abs(series[:, 3 * size // 4 :]), axis=-1)
        power = np.stack([radius, radius**2], axis=-1)
        found = series @ middle.T / power
        amplified = np.array([size, size**2 / 2]), np.sum(np.abs(middle @ coefficients), axis=1)
        error = tail[:, None] * amplified[0] + rounding[:, None] * amplified[1]
        error = error / power
    return _finite(found, error)


def tails(values: np.ndarray) -> np.ndarray:
    """The largest of the last quarter of the Chebyshev coefficients of each row of values at
    `nodes`.
    """
    size = values.shape[-1]
    return np.max(np.abs(values @ _series(size)[0].T[:, 3 * size // 4 :]), axis=-1)


def _finite(found: np.ndarray, error: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    good = np.isfinite(found) & np.isfinite(error)
    return np.where(good, found, 0.0), np.where(good, error, np.inf)
