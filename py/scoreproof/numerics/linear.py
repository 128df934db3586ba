"""Covariance matrices and log-sum-exp: the two things that every density here needs.

Covariances are symmetric positive definite ``(d, d)``; a square root ``L`` means ``L Lᵀ = cov``.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import ArgumentError

__all__ = [
    "check_covariance",
    "cholesky_factor",
    "log_sum_exp",
    "random_covariance",
    "softmax",
    "solve_rows",
]


def check_covariance(argument: str, cov: np.ndarray) -> np.ndarray:
    """``cov`` if it is symmetric (to 1e-10 relative) positive definite, else ``ArgumentError``
    naming ``argument``.
    """
    diagonal = np.diagonal(cov)
    plain = np.count_nonzero(cov) == np.count_nonzero(diagonal)  # nothing to compare or to factor
    scale = 0.0 if plain else float(np.max(np.abs(cov)))
    if not plain and np.max(np.abs(cov - cov.T)) > 1e-10 * scale:
        raise ArgumentError(
            argument,
            "symmetric",
            f"an asymmetry of {np.max(np.abs(cov - cov.T)):.3g}",
            "pass (C + C.T) / 2, or a covariance rather than its factor",
        )
    try:
        if not plain:
            np.linalg.cholesky(cov)
        elif not np.all(diagonal > 0):
            raise np.linalg.LinAlgError
    except np.linalg.LinAlgError:
        smallest = float(np.linalg.eigvalsh(cov)[0])
        raise ArgumentError(
            argument,
            "positive definite",
            f"smallest eigenvalue {smallest:.3g}",
            "add a ridge: cov + eps * I",
        ) from None
    return cov


def log_sum_exp(logs: np.ndarray) -> np.ndarray:
    """``log Σ exp`` along the last axis, shifted by the largest real part; analytic, so complex
    steps pass through.
    """
    shift = np.max(logs.real, axis=-1, keepdims=True)
    return np.log(np.sum(np.exp(logs - shift), axis=-1)) + shift[..., 0]


def softmax(logs: np.ndarray) -> np.ndarray:
    """``exp(logs) / Σ exp(logs)`` along the last axis: the sum is 1 to rounding, however large the
    logs are.

    >>> softmax(np.array([1e9, 1e9])).tolist()
    [0.5, 0.5]
    """
    weights = np.exp(logs - np.max(logs.real, axis=-1, keepdims=True))
    return weights / np.sum(weights, axis=-1, keepdims=True)


def random_covariance(rng: np.random.Generator, d: int, condition: float = 20.0) -> np.ndarray:
    """A covariance ``(d, d)`` with random axes and log-uniform eigenvalues spread over
    ``condition``.

    >>> c = random_covariance(np.random.default_rng(0), 3, condition=10.0)
    >>> bool(np.isclose(np.linalg.cond(c), 10.0))
    True
    """
    q, _ = np.linalg.qr(rng.standard_normal((d, d)))
    inner = np.sort(rng.random(max(d - 2, 0)))
    exponents = np.concatenate([[0.0], inner, [1.0]])[:d] if d > 1 else np.zeros(1)
    eigenvalues = condition ** (exponents - 0.5)
    cov = (q * eigenvalues) @ q.T
    return (cov + cov.T) / 2


def cholesky_factor(cov: np.ndarray) -> np.ndarray:
    """The lower triangular L with ``L Lᵀ = cov``, in floats or in any arithmetic with square roots
    (object arrays).

    >>> cholesky_factor(np.array([[4.0, 2.0], [2.0, 5.0]])).tolist()
    [[2.0, 0.0], [1.0, 2.0]]
    """
    cov = np.asarray(cov)
    if cov.dtype != object:
        return np.linalg.cholesky(cov)
    d = len(cov)
    root = np.full((d, d), cov[0, 0] * 0, dtype=object)
    for j in range(d):
        root[j, j] = (cov[j, j] - sum(root[j, k] * root[j, k] for k in range(j))).sqrt()
        for i in range(j + 1, d):
            root[i, j] = (cov[i, j] - sum(root[i, k] * root[j, k] for k in range(j))) / root[j, j]
    return root


def solve_rows(matrix: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """``rows @ matrix⁻ᵀ``: solves ``matrix z = row`` for each row; floats or any field (object
    arrays).

    >>> solve_rows(np.diag([2.0, 4.0]), np.array([[2.0, 4.0]])).tolist()
    [[1.0, 1.0]]
    """
    matrix, rows = np.asarray(matrix), np.asarray(rows)
    if matrix.dtype != object:
        return np.linalg.solve(matrix, rows.T).T
    a, b = matrix.copy(), rows.T.copy()
    d = len(a)
    for k in range(d):  # no pivoting: the matrices here are positive definite or generic symbols
        for i in range(d):
            if i != k:
                factor = a[i, k] / a[k, k]
                a[i] = a[i] - factor * a[k]
                b[i] = b[i] - factor * b[k]
    return np.stack([b[k] / a[k, k] for k in range(d)]).T
