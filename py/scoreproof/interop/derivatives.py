"""Jacobians of a user's row-wise function: forward mode for PyTorch and JAX, central differences for black boxes.

``function`` maps rows ``(m, d)`` to rows ``(m, d)``, each row from its own row. The returned error bound says how far the
Jacobian may be off entry by entry; a check adds it to its own tolerance.
"""

from __future__ import annotations

import numpy as np

from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.interop.frameworks import require

__all__ = ["row_jacobian"]


def row_jacobian(guard: Guarded, y: np.ndarray, framework: str = "numpy", scale: float = 1.0) -> tuple[np.ndarray, float]:
    """``J[n, i, j] = ∂f_i/∂y_j`` at the rows of y ``(n, d)``, and a bound of its error relative to the largest entry.

    ``scale`` is the length over which f varies. NumPy callables are called once with ``4 n d`` rows (central differences of
    fourth order, for a black box may not be analytic); PyTorch and JAX callables d times through forward mode.
    """
    if framework in ("torch", "jax"):
        return _forward_mode(guard, y, framework)
    n, d = y.shape
    # fourth-order differences: rounding eps/h against truncation h⁴
    h = scale * guard.eps ** (1 / 5)
    steps = np.array([-2, -1, 1, 2]) * h
    shifted = np.broadcast_to(y, (4, d, n, d)).copy()
    shifted[:, np.arange(d), :, np.arange(d)] += np.swapaxes(np.broadcast_to(steps[:, None, None], (4, n, d)), 0, 2).transpose(0, 2, 1)
    values = guard(shifted.reshape(-1, d), shape=(4 * n * d, d)).reshape(4, d, n, d)
    weights = np.array([1, -8, 8, -1]) / (12 * h)
    jacobian = np.einsum("s,sjni->nij", weights, values)
    return jacobian, 30 * guard.eps ** (4 / 5)


def _forward_mode(guard: Guarded, y: np.ndarray, framework: str) -> tuple[np.ndarray, float]:
    package = require(framework)
    jvp = package.func.jvp if framework == "torch" else package.jvp
    assert guard.prepare is not None
    point = guard.prepare(y)
    columns = []
    for j in range(y.shape[1]):
        direction = np.zeros_like(y)
        direction[:, j] = 1.0
        guard.calls += 1
        columns.append(guard.accept(as_numpy(jvp(guard.function, (point,), (guard.prepare(direction),))[1]), y.shape))
    return np.stack(columns, axis=2), 64 * guard.eps
