"""Points and signs whose plain mean is an expectation: no weights, so that a loss takes the mean.

Conventions: rows ``(n, d)``. Of normal numbers all polynomials of third degree have the mean they
are due; of signs, products of two.
"""

from __future__ import annotations

import numpy as np

__all__ = ["normal_points", "signs", "together"]


def normal_points(d: int) -> np.ndarray:
    """±√d along each axis ``(2d, d)``.

    >>> z = normal_points(3)
    >>> bool(np.allclose(z.T @ z / len(z), np.eye(3))), z.sum()
    (True, np.float64(0.0))
    """
    return np.sqrt(d) * np.concatenate([np.eye(d), -np.eye(d)])


def signs(d: int) -> np.ndarray:
    """Rows of ±1 whose columns are orthogonal: of Hadamard's matrix.

    >>> v = signs(3)
    >>> bool(np.allclose(v.T @ v / len(v), np.eye(3)))
    True
    """
    matrix = np.ones((1, 1))
    while len(matrix) <= d:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return np.asarray(matrix[:, 1 : d + 1])


def together(*designs: np.ndarray) -> list[np.ndarray]:
    """Every row of one with every row of the others: one array each, of one length."""
    places = np.meshgrid(*(np.arange(len(a)) for a in designs), indexing="ij")
    return [a[p.ravel()] for a, p in zip(designs, places, strict=True)]
