"""The weak form for black boxes: no derivative of the user's functions, compactly supported test
functions in space and time.

Conventions: as in `statement`; ψ(x, t) = φ(x) χ(t) with ``φ(u) = (1-u²)⁵ P_k(u)`` per coordinate
and ``χ(s) = (1-s²)³ P_m(s)`` on the box
and the interval of time, both mapped to [-1, 1]. For every such ψ: ``∫∫ p (∂_t ψ + f·∇ψ + ½ Σ D_ij
∂_i∂_j ψ) dx dt = 0``, D = g gᵀ.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.claims.fokker_planck.statement import Jets
from scoreproof.numerics.gauss_grid import GaussGrid

__all__ = ["Box", "Weak", "measure"]

#: (time nodes, nodes per coordinate) of the coarse and the fine quadrature, and of the one that
#: reviews a close refutation, by dimension
RESOLUTION = {1: ((14, 48), (20, 80), (28, 128)), 2: ((12, 32), (16, 48), (20, 72))}
DEGREE, CLOCKS = 4, 2


@dataclass(frozen=True)
class Box:
    """An interval of time and a box in R^d, d = 1 or 2."""

    times: tuple[float, float]
    domain: tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Weak:
    """For each test function: ``-∫∫ p ∂_t ψ``, the drift's and the noise's part, the size of all
    three, and predictions for subjects.
    """

    left: np.ndarray
    drift_part: np.ndarray
    noise_part: np.ndarray
    correction: np.ndarray  # what the Stratonovich reading adds to the Itô one
    scale: np.ndarray
    predict: Callable[[Any], np.ndarray]


def _bumps(grid: GaussGrid, power: int, count: int) -> np.ndarray:
    """Values, first and second derivatives ``(3, count, n)`` of ``(1-u²)^power P_k(u)`` on the
    grid.
    """
    poly = np.polynomial.Polynomial([1.0, 0.0, -1.0]) ** power
    out = np.empty((3, count, grid.size))
    for k in range(count):
        member = poly * np.polynomial.Legendre.basis(k).convert(kind=np.polynomial.Polynomial)
        for m in range(3):
            out[m, k] = (member.deriv(m) if m else member)(grid.reference) / grid.half**m
    return out


Field = Callable[[np.ndarray, float], np.ndarray]


def measure(
    density: Field, drift: Field, noise: Field, box: Box, level: int, rho_start: float
) -> Weak:
    """The three parts by tensor Gauss–Legendre quadrature; one call of each callable a time node."""
    d = len(box.domain)
    steps, size = RESOLUTION[d][level]
    clock, axes = GaussGrid(steps, *box.times), [GaussGrid(size, *side) for side in box.domain]
    x = np.stack(np.meshgrid(*(g.x for g in axes), indexing="ij"), axis=-1).reshape(-1, d)
    dx = axes[0].weights if d == 1 else np.outer(axes[0].weights, axes[1].weights).ravel()
    chi, bumps = _bumps(clock, 3, CLOCKS), [_bumps(g, 5, DEGREE) for g in axes]
    pairs = [(i, k) for i in range(DEGREE) for k in range(DEGREE - i)]

    def space(orders: tuple[int, ...]) -> np.ndarray:
        """The derivative of every φ with these orders per coordinate: ``(members, nodes)``."""
        if d == 1:
            return bumps[0][orders[0]]
        return np.stack(
            [np.outer(bumps[0][orders[0], i], bumps[1][orders[1], k]).ravel() for i, k in pairs]
        )

    unit = np.eye(d, dtype=int)
    value, gradient = space((0,) * d), [space(tuple(unit[i])) for i in range(d)]
    hessian = [[space(tuple(unit[i] + unit[j])) for j in range(d)] for i in range(d)]
    shape = (CLOCKS, len(value))
    parts = {name: np.zeros(shape) for name in ("left", "drift", "noise", "correction", "scale")}
    seen: list[tuple[float, np.ndarray, np.ndarray, float]] = []
    for s, t in enumerate(clock.x):
        p = density(x, float(t))
        f = drift(x, float(t))
        g = noise(x, float(t))  # (n, d, d)
        D = np.einsum("nik,njk->nij", g, g)
        mass = dx * p
        transport = sum(f[:, i] * gradient[i] for i in range(d))
        spread = 0.5 * sum(D[:, i, j] * hessian[i][j] for i in range(d) for j in range(d))
        shift = 0.5 * np.einsum(
            "njik,njk->ni", np.stack([_slope(axes, j, g) for j in range(d)], axis=1), g
        )
        extra = sum(shift[:, i] * gradient[i] for i in range(d))
        w, c, c1 = clock.weights[s], chi[0, :, s], chi[1, :, s]
        parts["left"] -= w * np.outer(c1, value @ mass)
        parts["drift"] += w * np.outer(c, transport @ mass)
        parts["noise"] += w * np.outer(c, spread @ mass)
        parts["correction"] += w * np.outer(c, extra @ mass)
        parts["scale"] += w * (
            np.outer(np.abs(c1), np.abs(value) @ mass)
            + np.outer(np.abs(c), (np.abs(transport) + np.abs(spread)) @ mass)
        )
        seen.append((float(t), p, f, float(g[0, 0, 0])))

    def predict(subject: Any) -> np.ndarray:
        """``∫∫ ψ · subject`` with the derivatives of p and f taken on the grid: for diagnosis only."""
        total = np.zeros(shape)
        for s, (_, p, f, rho) in enumerate(seen):
            dp = [_slope(axes, i, p) for i in range(d)]
            jets = Jets(
                p,
                dp,
                [_slope(axes, i, dp[i]) for i in range(d)],
                list(f.T),
                [_slope(axes, i, f[:, i]) for i in range(d)],
                rho,
                rho_start,
            )
            total += clock.weights[s] * np.outer(chi[0, :, s], value @ (dx * subject(jets)))
        return total.ravel()

    flat = {name: part.ravel() for name, part in parts.items()}
    return Weak(
        flat["left"], flat["drift"], flat["noise"], flat["correction"], flat["scale"], predict
    )


def _slope(axes: list[GaussGrid], i: int, values: np.ndarray) -> np.ndarray:
    """∂_i of values on the tensor grid (first index), by the grid's own differentiation."""
    shaped = values.reshape(*(g.size for g in axes), -1)
    return np.moveaxis(np.tensordot(axes[i].d1, shaped, axes=(1, i)), 0, i).reshape(values.shape)
