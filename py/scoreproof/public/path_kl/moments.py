"""KL of the laws of two affine SDEs, from the mean and covariance of P, by a Runge–Kutta scheme.

Conventions: under P, dX = (F X + f) dt + G dW; m and S are mean and covariance, and the rate of KL
is ½ E|u|² with u affine in x.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.public.path_kl.problem import Problem
from scoreproof.public.path_kl.tracks import solve

__all__ = ["Way", "exact"]

STEPS = 400
#: u of both drifts and the noise, at rows
Way = Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray]
Rates = tuple[np.ndarray, np.ndarray, float]


def _due(a: np.ndarray, b: np.ndarray, g: np.ndarray) -> np.ndarray:
    return solve(g, a - b)


def exact(
    p: Problem,
    start: np.ndarray,
    cov: np.ndarray,
    way: Way = _due,
    under: int = 0,
    steps: int = STEPS,
) -> tuple[float, np.ndarray, np.ndarray]:
    """½ ∫ E|u|² dt along paths of P (of Q: ``under=1``), and mean and covariance at the end."""
    m, s, total = start, cov, 0.0
    t0, t1 = p.span
    h = (t1 - t0) / steps

    def rates(t: float, m: np.ndarray, s: np.ndarray) -> Rates:
        points = np.concatenate([np.zeros((1, p.d)), np.eye(p.d)])
        drifts, g = p.drifts(points, t), p.matrix(points, t)
        a, u = drifts[under], way(*drifts, g)
        matrix, u_matrix = (a[1:] - a[0]).T, (u[1:] - u[0]).T
        moved = matrix @ s
        spread = np.trace(u_matrix @ s @ u_matrix.T)
        energy = 0.5 * float(np.sum((u_matrix @ m + u[0]) ** 2) + spread)
        return matrix @ m + a[0], moved + moved.T + g[0] @ g[0].T, energy

    for k in range(steps):
        t = t0 + k * h
        k1 = rates(t, m, s)
        k2 = rates(t + h / 2, m + h / 2 * k1[0], s + h / 2 * k1[1])
        k3 = rates(t + h / 2, m + h / 2 * k2[0], s + h / 2 * k2[1])
        k4 = rates(t + h, m + h * k3[0], s + h * k3[1])
        m = m + h / 6 * (k1[0] + 2 * k2[0] + 2 * k3[0] + k4[0])
        s = s + h / 6 * (k1[1] + 2 * k2[1] + 2 * k3[1] + k4[1])
        total += h / 6 * (k1[2] + 2 * k2[2] + 2 * k3[2] + k4[2])
    return total, m, s
