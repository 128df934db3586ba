"""Derivatives of a user's row-wise function: forward mode for PyTorch and JAX, central differences
for black boxes.

``function`` maps rows ``(m, d)`` to rows ``(m, d)``, each row from its own row. Every derivative
comes with an estimate of its
error, measured on the function itself: a black box may be steep, may have kinks, and may round
worse than its dtype.
"""

from __future__ import annotations

import warnings

import numpy as np

from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.interop.frameworks import require

__all__ = ["row_jacobian"]


def row_jacobian(
    guard: Guarded, y: np.ndarray, framework: str = "numpy", directions: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """``A[n, i, k] = Σ_j ∂f_i/∂y_j V[j, k]`` at the rows of y ``(n, d)``, and an estimate of the
    error of each entry.

    ``directions`` V ``(d, k)``: columns as long as f takes to vary by its own size (the identity
    when omitted). NumPy callables are called once with ``4 n k`` rows; PyTorch and JAX callables k
    times with ``2 n`` rows through forward mode, or as NumPy ones are where forward mode is not
    there (a custom function without it).

    >>> a, error = row_jacobian(Guarded(lambda x: x**3, "cube"), np.array([[2.0]]))
    >>> bool(abs(a[0, 0, 0] - 12) <= error[0, 0, 0] < 1e-6)
    True
    """
    directions = np.eye(y.shape[1]) if directions is None else directions
    if framework in ("torch", "jax"):
        found = _forward_mode(guard, y, framework, directions)
        if found is not None:
            return found
    return _differences(guard, y, directions)


def _differences(
    guard: Guarded, y: np.ndarray, directions: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    (n, d), k = y.shape, directions.shape[1]
    h = guard.eps ** (1 / 3)
    steps = np.array([-2, -1, 1, 2]) * h
    shifted = y + steps[:, None, None, None] * directions.T[:, None, :]
    values = guard(shifted.reshape(-1, d), shape=(4 * k * n, d)).reshape(4, k, n, d)
    near, far = (values[2] - values[1]) / (2 * h), (values[3] - values[0]) / (4 * h)
    # Where f is smooth the combination is exact to h⁴ and the two differ by h²; where a step
    # crosses a kink, or where rounding rules, they differ by as much as the combination may be off.
    best, gap = (4 * near - far) / 3, np.abs(near - far)
    rounding = 8 * guard.eps * float(np.max(np.abs(values))) / h
    return np.moveaxis(best, 0, 2), np.moveaxis(gap, 0, 2) + 4 * float(np.median(gap)) + rounding


def _forward_mode(
    guard: Guarded, y: np.ndarray, framework: str, directions: np.ndarray
) -> tuple[np.ndarray, np.ndarray] | None:
    package = require(framework)
    jvp = package.func.jvp if framework == "torch" else package.jvp
    assert guard.prepare is not None
    # the same derivative a few roundings away: what changes between the two is the rounding of the
    # function itself
    aside = y + 4 * guard.eps * np.where(
        np.indices(y.shape).sum(axis=0) % 2, 1.0, -1.0
    ) * np.maximum(np.abs(y), 1e-3 * np.max(np.abs(directions)))
    both = np.concatenate([y, aside])
    point = guard.prepare(both)
    columns = []
    for direction in directions.T:
        guard.calls += 1
        try:
            along = guard.prepare(np.broadcast_to(direction, both.shape).copy())
            # PyTorch warns of its own parts here: no reason to fall back where warnings are errors
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", DeprecationWarning)
                tangent = jvp(guard.function, (point,), (along,))[1]
        # no forward mode for some operation; a function that fails by itself is reported by the
        # differences
        except Exception:
            return None
        columns.append(guard.accept(as_numpy(tangent), both.shape))
    here, there = np.split(np.stack(columns, axis=2), 2)
    gap = np.abs(here - there)
    return here, gap + 4 * float(np.median(gap)) + 4 * guard.eps * float(np.max(np.abs(here)))
