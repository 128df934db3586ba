"""Weights and covariances as people hand them over, with a message that says what to pass.

Conventions: weights ``(n,)`` sum to 1, to the roundings of their own type; a covariance is a matrix
``(d, d)`` whatever its structure.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float, unit_roundoff

__all__ = ["covariance_of", "covariances_of", "weights_of"]

#: what the sum may be off by in double precision, and in roundings of a coarser type
EXACT, ROUNDINGS = 1e-9, 8.0


def weights_of(value: Any, n: int | None) -> np.ndarray:
    """Positive weights ``(n,)``, divided by their sum, which is 1 already.

    >>> round(float(weights_of(np.full(3, 1 / 3, np.float32), 3).sum()), 12)
    1.0
    """
    weights = to_float("weights", value, shape=(n,))
    eps = unit_roundoff(as_numpy(value)) if hasattr(value, "dtype") else 0.0
    within = max(EXACT, ROUNDINGS * eps * max(weights.size, 1) ** 0.5)
    total = float(weights.sum())
    if weights.size == 0 or np.any(weights <= 0):
        got = "none" if weights.size == 0 else f"a weight of {weights.min():g}"
        raise ArgumentError(
            "weights", "positive with sum 1", got, "leave out what has no weight, then normalise"
        )
    if abs(total - 1) > within:
        got = f"a sum of {total:.9g}"
        raise ArgumentError("weights", "positive with sum 1", got, "divide them by their sum")
    return np.asarray(weights / total)


def covariances_of(value: Any, k: int, d: int) -> np.ndarray:
    """One matrix for each of k laws ``(k, d, d)``."""
    given = to_float("covariances", value)
    if given.shape == (k, d, d):
        return given
    remedy = "pass one matrix (d, d) for each component"
    if given.ndim == 2 and given.shape == (k, d):
        remedy = "for variances of the coordinates pass np.stack([np.diag(v) for v in variances])"
    elif given.shape == (k,) or given.ndim == 0:
        remedy = f"for a variance v of all coordinates pass v * np.eye({d}) for each component"
    elif given.shape == (d, d):
        remedy = f"for the same one in all pass np.stack([covariance] * {k})"
    raise ArgumentError("covariances", f"of shape ({k}, {d}, {d})", f"shape {given.shape}", remedy)


def covariance_of(name: str, value: Any, d: int) -> np.ndarray:
    """One matrix ``(d, d)``."""
    given = to_float(name, value)
    if given.shape == (d, d):
        return given
    remedy = "pass the matrix of covariances"
    if given.shape == (d,):
        remedy = "for variances of the coordinates pass np.diag(variances)"
    elif given.ndim == 0:
        remedy = f"for a variance v of all coordinates pass v * np.eye({d})"
    raise ArgumentError(name, f"of shape ({d}, {d})", f"shape {given.shape}", remedy)
