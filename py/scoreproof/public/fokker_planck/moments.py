"""The moments of a Gaussian density and a linear drift, read off the terms of the equation.

Conventions: at each time log p = -(x-m)ᵀ C⁻¹ (x-m)/2 + c and f = A x + b, both read off by least
squares; due is m' = A m + b, C' = A C + C Aᵀ + ρ² I and the c of mass 1.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck.strong import Terms
from scoreproof.public.fokker_planck.summands import Judged

__all__ = ["Moments", "fit", "gaussian"]

MOST = 6


@dataclass(frozen=True, eq=False)
class Moments:
    """At T times: m, m' ``(T, d)``, C, C' ``(T, d, d)``, c' ``(T,)``, A ``(T, d, d)``, b ``(T,
    d)``, ρ and t; ``blur``: how well they are known, relative.
    """

    mean: np.ndarray
    moves: np.ndarray
    cov: np.ndarray
    grows: np.ndarray
    rise: np.ndarray
    a: np.ndarray
    b: np.ndarray
    rho: np.ndarray
    times: np.ndarray
    blur: float

    @property
    def due_mean(self) -> np.ndarray:
        return np.einsum("tij,tj->ti", self.a, self.mean) + self.b

    @property
    def due_cov(self) -> np.ndarray:
        d = self.mean.shape[1]
        turned = np.einsum("tij,tjk->tik", self.a, self.cov)
        return turned + np.swapaxes(turned, 1, 2) + self.rho[:, None, None] ** 2 * np.eye(d)


def gaussian(j: Judged) -> Moments | None:
    """The moments, if log p is quadratic and f affine at every time."""
    d = j.x.shape[1]
    if d > MOST or any(len(t.x) < (d + 1) * (d + 2) // 2 + 2 for t in j.terms):
        return None
    rows = []
    for t in j.terms:
        one = _at(t)
        if one is None:
            return None
        rows.append(one)
    mean, moves, cov, grows, rise, a, b, left = (np.stack(c) for c in zip(*rows, strict=True))
    blur = max(float(np.max(left)), 1e-9)
    return Moments(mean, moves, cov, grows, rise, a, b, j.rho, j.times, blur)


def fit(design: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, float] | None:
    """Coefficients, and what they leave, relative; ``None`` if that is not little."""
    found, _, rank, _ = np.linalg.lstsq(design, values, rcond=1e-10)
    if rank < design.shape[1]:
        return None
    size = max(float(np.max(np.abs(values))), 1e-300)
    left = float(np.max(np.abs(values - design @ found))) / size
    return (found, left) if left < 1e-5 else None


def _at(t: Terms) -> tuple[np.ndarray, ...] | None:
    n, d = t.x.shape
    affine = np.column_stack([t.x, np.ones(n)])
    slope, field = fit(affine, t.first), fit(affine, t.f)
    pairs = [(i, k) for i in range(d) for k in range(i, d)]
    squares = np.column_stack([*(t.x[:, i] * t.x[:, k] for i, k in pairs), affine])
    rate = fit(squares, t.rate)
    if slope is None or (field is None and np.any(t.f)) or rate is None:
        return None
    precision = -slope[0][:d].T
    precision = (precision + precision.T) / 2
    if np.any(np.linalg.eigvalsh(precision) <= 0):
        return None
    cov = np.linalg.inv(precision)
    mean = cov @ slope[0][d]
    quadratic = np.zeros((d, d))
    for (i, k), v in zip(pairs, rate[0], strict=False):
        quadratic[i, k] += v / 2
        quadratic[k, i] += v / 2
    linear, rise = rate[0][len(pairs) : len(pairs) + d], float(rate[0][-1])
    turned = -2 * quadratic  # d(C⁻¹)/dt
    grows = -cov @ turned @ cov
    # ∂_t log p = -(x-m)ᵀ (C⁻¹)' (x-m)/2 + (x-m)ᵀ C⁻¹ m' + c'
    moves = cov @ (linear - turned @ mean)
    at_mean = float(mean @ quadratic @ mean + linear @ mean + rise)
    a = field[0][:d].T if field is not None else np.zeros((d, d))
    b = field[0][d] if field is not None else np.zeros(d)
    left = max(slope[1], rate[1], 0.0 if field is None else field[1])
    return mean, moves, cov, grows, np.array(at_mean), a, b, np.array(left)
