"""Derivatives of analytic functions by the complex step: no difference is taken, so nothing
cancels.

``f'(x) = Im f(x + i h) / h`` up to ``h²``; with h = 1e-30 the error is that of evaluating f once.
The function must be analytic and written without ``abs``, ``conj``, ``.real`` or comparisons on its
argument. Points are rows ``(n, d)``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

__all__ = ["directional", "gradient", "jacobian"]

STEP = 1e-30


def directional(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, v: np.ndarray) -> np.ndarray:
    """Derivative of ``f`` at ``x`` along ``v`` (same shape as ``x``); the result has the shape of
    ``f(x)``.

    >>> float(directional(lambda x: x**3, np.array(2.0), np.array(1.0)))
    12.0
    """
    return np.imag(f(x + 1j * STEP * v)) / STEP


def gradient(
    f: Callable[[np.ndarray], np.ndarray], x: np.ndarray, *, block: int = 1 << 22
) -> np.ndarray:
    """Gradient of ``f: (m, d) -> (m,)`` at the rows of ``x`` ``(n, d)``: shape ``(n, d)``, in
    batched calls of ``f``.

    The ``n·d`` shifted points go through ``f`` in blocks of at most ``block`` numbers, so memory
    stays bounded.

    >>> gradient(lambda x: (x**2).sum(axis=1), np.array([[1.0, 2.0]])).tolist()
    [[2.0, 4.0]]
    """
    x = np.asarray(x, dtype=float)
    n, d = x.shape
    out = np.empty((n, d))
    width = max(1, min(d, block // max(1, n * d)))
    for start in range(0, d, width):
        axes = np.arange(start, min(start + width, d))
        shifted = np.repeat(x[None].astype(complex), axes.size, axis=0)
        shifted[np.arange(axes.size), :, axes] += 1j * STEP
        values = np.imag(f(shifted.reshape(-1, d))) / STEP
        out[:, axes] = values.reshape(axes.size, n).T
    return out


def jacobian(f: Callable[[np.ndarray], np.ndarray], x: np.ndarray) -> np.ndarray:
    """Jacobian of ``f: (m, d) -> (m, k)`` at the rows of ``x``: ``J[n, i, j] = ∂f_i/∂x_j``, in one
    batched call.
    """
    x = np.asarray(x, dtype=float)
    n, d = x.shape
    shifted = np.repeat(x[None].astype(complex), d, axis=0)
    shifted[np.arange(d), :, np.arange(d)] += 1j * STEP
    values = np.imag(f(shifted.reshape(-1, d))) / STEP
    return np.moveaxis(values.reshape(d, n, -1), 0, 2)
