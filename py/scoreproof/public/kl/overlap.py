"""The integral of ``p_0^α p_1^(1-α)``, and what rounding can do to its logarithm.

Conventions: its exponent is a quadratic; along its axes the trapezoidal rule, whose error is below
``exp(-2 π² (width/step)²)``, integrates it to the last digit. No closed form of the divergence is
used.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.kl.fitting import deviations
from scoreproof.public.kl.laws import Laws

__all__ = ["finite", "log_overlap", "overlap_sizes"]

#: nodes a standard deviation of the integrand, and how far out they go
STEP, REACH = 0.6, 9.6
_NODES = np.arange(-REACH, REACH + STEP / 2, STEP)


def finite(laws: Laws, alpha: float) -> np.ndarray:
    """Of which rows the integral is a number ``(n,)``."""
    if laws.v0.ndim == 3:
        precision = alpha * np.linalg.inv(laws.v0) + (1 - alpha) * np.linalg.inv(laws.v1)
        return np.asarray(np.linalg.eigvalsh(precision)[:, 0] > 0)
    d = laws.shape[1]
    a, b = deviations(laws.v0, d) ** -2, deviations(laws.v1, d) ** -2
    return np.all(alpha * a + (1 - alpha) * b > 0, axis=1)


def log_overlap(laws: Laws, alpha: float) -> np.ndarray:
    """``log ∫ p_0^α p_1^(1-α)``: a row ``(n, d)`` of its coordinates, or ``(n,)`` of matrices."""
    if laws.v0.ndim == 3:
        return _matrices(laws, alpha)
    n, d = laws.shape
    v0, v1 = (np.broadcast_to(v, (n, d)) for v in (laws.v0, laws.v1))
    gap = laws.m1 - laws.m0
    precision = alpha / v0 + (1 - alpha) / v1
    centre = (1 - alpha) * gap / v1 / precision  # from the first mean
    total = np.zeros((n, d))
    for z in _NODES:
        x = centre + z / np.sqrt(precision)
        first, second = x**2 / v0 + np.log(v0), (x - gap) ** 2 / v1 + np.log(v1)
        exponent = -(alpha * first + (1 - alpha) * second) / 2
        peak = -(alpha * centre**2 / v0 + (1 - alpha) * (centre - gap) ** 2 / v1) / 2
        total += np.exp(exponent - peak + (alpha * np.log(v0) + (1 - alpha) * np.log(v1)) / 2)
    logs = -(alpha * np.log(v0) + (1 - alpha) * np.log(v1)) / 2
    step = np.log(STEP / np.sqrt(2 * np.pi)) - np.log(precision) / 2
    return np.asarray(np.log(total) + step + logs + peak)


def _matrices(laws: Laws, alpha: float) -> np.ndarray:
    """Along the axes of the exponent's own quadratic form."""
    n, d = laws.shape
    out = np.empty(n)
    for i, (m0, c0, m1, c1) in enumerate(zip(laws.m0, laws.v0, laws.m1, laws.v1, strict=True)):
        first, second = np.linalg.inv(c0), np.linalg.inv(c1)
        form = alpha * first + (1 - alpha) * second
        values, axes = np.linalg.eigh((form + form.T) / 2)
        gap = m1 - m0
        centre = np.linalg.solve(form, (1 - alpha) * second @ gap)
        peak = -(alpha * centre @ first @ centre) / 2
        peak -= (1 - alpha) * (centre - gap) @ second @ (centre - gap) / 2
        logs = alpha * np.linalg.slogdet(c0)[1] + (1 - alpha) * np.linalg.slogdet(c1)[1]
        total = 0.0
        for k in range(d):
            x = centre + _NODES[:, None] * axes[:, k] / np.sqrt(values[k])
            exponent = alpha * np.einsum("ni,ij,nj->n", x, first, x)
            exponent += (1 - alpha) * np.einsum("ni,ij,nj->n", x - gap, second, x - gap)
            total += float(np.log(np.sum(np.exp(-exponent / 2 - peak))))
        total += d * np.log(STEP / np.sqrt(2 * np.pi)) - float(np.sum(np.log(values))) / 2
        out[i] = total + peak - logs / 2
    return out


def overlap_sizes(laws: Laws, alpha: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of ``log ∫`` over ``α - 1``: the absolute size of its terms in the printed form, what an
    error in a variance does to them, and what an error in the exponent of one does.
    """
    n, d = laws.shape
    if laws.v0.ndim == 3:
        return _matrix_sizes(laws, alpha)
    v0, v1 = (np.broadcast_to(v, (n, d)) for v in (laws.v0, laws.v1))
    mixed = alpha * v1 + (1 - alpha) * v0
    lost = (alpha * v1 + abs(1 - alpha) * v0) / mixed  # of digits, where it is a difference
    gap = np.abs(laws.m0) + np.abs(laws.m1)
    mean, over = alpha * gap**2 / mixed / 2, 1 / (2 * abs(1 - alpha))
    l0, l1 = np.abs(np.log(v0)), np.abs(np.log(v1))
    logs = over * (np.abs(np.log(mixed)) + abs(1 - alpha) * l0 + alpha * l1)
    moved = (mean + over) * lost
    parts = (mean + logs, moved, moved * (l0 + l1))
    return tuple(p.sum(axis=1) for p in parts)


def _matrix_sizes(laws: Laws, alpha: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    n, d = laws.shape
    mixed = alpha * laws.v1 + (1 - alpha) * laws.v0
    values = np.linalg.eigvalsh(mixed)
    most = alpha * np.linalg.eigvalsh(laws.v1)[:, -1]
    most = most + abs(1 - alpha) * np.linalg.eigvalsh(laws.v0)[:, -1]
    both = np.abs(laws.m0) + np.abs(laws.m1)
    mean = alpha * np.einsum("ni,nij,nj->n", both, np.abs(np.linalg.inv(mixed)), both) / 2
    over = 1 / (2 * abs(1 - alpha))
    l0, l1 = (np.abs(np.log(np.linalg.eigvalsh(v))).sum(axis=1) for v in (laws.v0, laws.v1))
    logs = over * (np.abs(np.log(values)).sum(axis=1) + abs(1 - alpha) * l0 + alpha * l1)
    lost = most / values[:, 0]
    return mean + logs, (mean + over * d) * lost, np.zeros(n)
