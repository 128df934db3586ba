"""Gauss–Legendre collocation: implicit Runge–Kutta of order 2s with positive weights, for smooth
problems in either direction.

Conventions: ``y`` is an array of any shape; stages come first. ``prepare(times)`` is called once a
step with the stage times and
returns the right side on all stages at once, so a right side with costly coefficients evaluates
them once a step.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np

__all__ = ["gauss_legendre", "integrate", "linear"]

Rhs = Callable[[np.ndarray], np.ndarray]


@lru_cache(maxsize=16)
def gauss_legendre(stages: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Nodes c in (0, 1), matrix A and weights b of the s-stage Gauss method.

    >>> c, a, b = gauss_legendre(2)
    >>> bool(abs(b.sum() - 1) < 1e-15 and abs(a.sum(axis=1) - c).max() < 1e-15)
    True
    """
    x, w = np.polynomial.legendre.leggauss(stages)
    # A_ij = ∫_0^{c_i} ℓ_j, with ℓ_j expanded in Legendre polynomials (the quadrature is exact for
    # that)
    p = np.polynomial.legendre.legvander(x, stages)
    n = np.arange(stages)
    low = np.concatenate([np.zeros((stages, 1)), p[:, : stages - 1]], axis=1)
    integral = (p[:, 1:] - low) / (2 * n + 1)  # ∫_{-1}^{x_i} P_n, n >= 1
    integral[:, 0] = x + 1
    expand = (2 * n + 1)[:, None] / 2 * p[:, :stages].T * w[None, :]
    return (x + 1) / 2, integral @ expand / 2, w / 2


def integrate(
    prepare: Callable[[np.ndarray], Rhs],
    y: np.ndarray,
    start: float,
    end: float,
    steps: int,
    *,
    stages: int = 6,
    sweeps: int = 60,
) -> np.ndarray:
    """``y(end)`` from ``y(start) = y`` in equal steps; the stage equations are solved by iteration
    (the problem must not be stiff).

    >>> y = integrate(lambda t: lambda y: y, np.array([1.0]), 0.0, 1.0, 4)
    >>> bool(abs(y[0] - np.e) < 1e-14)
    True
    """
    c, a, b = gauss_legendre(stages)
    h = (end - start) / steps
    y = np.asarray(y, dtype=float)
    shape = (stages, *([1] * y.ndim))
    with np.errstate(over="ignore", invalid="ignore"):
        for n in range(steps):
            rhs = prepare(start + h * (n + c))
            k, last = rhs(np.broadcast_to(y, (stages, *y.shape))), np.inf
            for _ in range(sweeps):
                new = rhs(y + h * np.tensordot(a, k, axes=1))
                change = float(np.max(np.abs(new - k), initial=0.0))
                k = new
                size = float(np.max(np.abs(k), initial=0.0))
                # converged, or down at the rounding floor where changes no longer shrink (nan stops
                # too)
                if not change > 2e-16 * size or (change >= last and change < 1e-10 * size):
                    break
                last = change
            y = y + h * (b.reshape(shape) * k).sum(axis=0)
    return y


def linear(
    matrix: Callable[[float], np.ndarray],
    y: np.ndarray,
    start: float,
    end: float,
    steps: int,
    *,
    stages: int = 4,
) -> np.ndarray:
    """``y(end)`` for ``y' = M(t) y``, the stage equations solved directly: stiff problems are
    welcome (A-stable).
    """
    c, a, b = gauss_legendre(stages)
    h = (end - start) / steps
    y = np.asarray(y, dtype=float)
    n = y.size
    for step in range(steps):
        matrices = np.stack([matrix(start + h * (step + ci)) for ci in c])
        # unknowns k_i = M_i (y + h Σ_j a_ij k_j)
        system = -h * (a[:, None, :, None] * matrices[:, :, None, :]).reshape(
            stages * n, stages * n
        )
        system[np.diag_indices(stages * n)] += 1
        k = np.linalg.solve(system, (matrices @ y).ravel()).reshape(stages, n)
        y = y + h * (b @ k)
    return y
