"""The weak form for black boxes: no derivative of the caller's functions, smooth test functions
with support in a box, and stretches of time with both their ends.

Conventions: as in `statement`; ``φ(u) = (1-u²)⁵ P_k(u)`` per coordinate on the box mapped to [-1,
1]. For every φ and every stretch [a, b]: ``∫ φ p(b) - ∫ φ p(a) = ∫_a^b ∫ p (f·∇φ + ½ Σ D_ij ∂_i∂_j
φ) dx dt``, D = g gᵀ. In each stretch p is divided by its largest value there, so that nothing
underflows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.claims.fokker_planck.statement import Jets
from scoreproof.numerics.gauss_grid import GaussGrid
from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import Subject

__all__ = ["LEVELS", "STRETCHES", "Weak", "measure"]

#: stretches of time, each judged by itself
STRETCHES = 8
#: (nodes in a stretch, nodes per coordinate) by dimension, coarse to fine
LEVELS = {
    1: ((5, 48), (8, 80), (11, 128), (14, 200)),
    2: ((5, 32), (8, 48), (11, 72), (14, 100)),
}
DEGREE = 4


@dataclass(frozen=True, eq=False)
class Weak:
    """For each stretch and test function ``(stretches, functions)``: what p gained, what each
    coordinate of the drift and the noise brought, the size of all, and ``logs``, the largest
    exponent that matters.
    """

    gained: np.ndarray
    drift: np.ndarray  # (d, stretches, functions)
    noise: np.ndarray
    correction: np.ndarray  # what the Stratonovich reading adds to the Itô one
    fick: np.ndarray  # what Fick's law adds to it
    scale: np.ndarray
    brought: np.ndarray  # the part of the scale that is not p at the ends
    logs: float
    predict: Callable[[Any], np.ndarray]
    spread: Callable[[Callable[[np.ndarray], np.ndarray], bool], np.ndarray]
    spread_of: Callable[[Callable[[np.ndarray], np.ndarray]], np.ndarray]

    @property
    def empty(self) -> np.ndarray:
        """Stretches without density in the box."""
        return np.all(self.scale == 0, axis=1)


def _bumps(grid: GaussGrid) -> np.ndarray:
    """Values, first and second derivatives ``(3, DEGREE, n)`` of the test functions of a
    coordinate.
    """
    poly = np.polynomial.Polynomial([1.0, 0.0, -1.0]) ** 5
    out = np.empty((3, DEGREE, grid.size))
    for k in range(DEGREE):
        member = poly * np.polynomial.Legendre.basis(k).convert(kind=np.polynomial.Polynomial)
        for m in range(3):
            out[m, k] = (member.deriv(m) if m else member)(grid.reference) / grid.half**m
    return out


class _Space:
    """The nodes of a box, and the test functions on them."""

    def __init__(self, box: Box, size: int) -> None:
        d = box.dimension
        self.axes = [GaussGrid(size, *side) for side in box.domain]
        self.x = np.stack(np.meshgrid(*(g.x for g in self.axes), indexing="ij"), axis=-1).reshape(
            -1, d
        )
        w = [g.weights for g in self.axes]
        self.dx = w[0] if d == 1 else np.outer(w[0], w[1]).ravel()
        bumps = [_bumps(g) for g in self.axes]
        pairs = [(i, k) for i in range(DEGREE) for k in range(DEGREE - i)]

        def derivative(orders: np.ndarray) -> np.ndarray:
            if d == 1:
                return bumps[0][orders[0]]
            return np.stack(
                [np.outer(bumps[0][orders[0], i], bumps[1][orders[1], k]).ravel() for i, k in pairs]
            )

        unit = np.eye(d, dtype=int)
        self.value = derivative(0 * unit[0])
        self.gradient = [derivative(unit[i]) for i in range(d)]
        self.hessian = [[derivative(unit[i] + unit[j]) for j in range(d)] for i in range(d)]
        self.laplacian = sum(self.hessian[i][i] for i in range(d))

    def slope(self, i: int, values: np.ndarray) -> np.ndarray:
        """∂_i of values on the nodes (first index), by the grid's own differentiation."""
        shaped = values.reshape(*(g.size for g in self.axes), -1)
        moved = np.tensordot(self.axes[i].d1, shaped, axes=(1, i))
        return np.moveaxis(moved, 0, i).reshape(values.shape)


def measure(s: Subject, box: Box, level: int, rho_start: float) -> Weak:
    """All parts by tensor Gauss–Legendre quadrature.

    Calls of the density: `STRETCHES` times the nodes in a stretch, and one for each end; of the
    drift and the diffusion: without the ends.
    """
    d = box.dimension
    steps, size = LEVELS[d][level]
    space = _Space(box, size)
    ends = np.linspace(*box.times, STRETCHES + 1)
    at_ends = [s.logs(space.x, float(t)) for t in ends]
    rows, seen, largest = [], [], 0.0
    for a in range(STRETCHES):
        clock = GaussGrid(steps, float(ends[a]), float(ends[a + 1]))
        logs = [s.logs(space.x, float(t)) for t in clock.x]
        f = [s.drift(space.x, float(t)) for t in clock.x]
        g = (
            [s.noise(space.x, float(t)) for t in clock.x]
            if not s.isotropic
            else [s.rho(float(t)) for t in clock.x]
        )
        top = max(float(np.max(v)) for v in (*logs, at_ends[a], at_ends[a + 1]))
        top = top if np.isfinite(top) else 0.0
        p = [np.exp(v - top) for v in logs]
        start, end = np.exp(at_ends[a] - top), np.exp(at_ends[a + 1] - top)
        for v in logs:
            largest = max(largest, float(np.max(np.abs(v[v > top - 28]), initial=0.0)))
        rows.append(_stretch(space, clock, (p, f, g), (start, end)))
        seen.append((clock, p, f, g))

    jets: list[list[tuple[float, Jets]]] = []

    def predict(subject: Any) -> np.ndarray:
        """``∫∫ φ · subject`` with derivatives of p and f taken on the grid: for diagnosis only."""
        if not jets:
            jets.extend(_jets(space, *part, rho_start) for part in seen)
        total = []
        for stretch in jets:
            values = sum(w * subject(j) for w, j in stretch)
            total.append(space.value @ (space.dx * values))
        return np.array(total)

    def spread(of: Callable[[np.ndarray], np.ndarray], flux: bool) -> np.ndarray:
        """``∫∫ p ½ D_ij ∂_i∂_j φ`` for another D made of g ``(n, d, d)``; ``flux``: with ``½ ∂_i
        D_ij ∂_j φ`` too, which makes it ``∫∫ φ ½ ∇·(D ∇p)``: for diagnosis only.
        """
        rows = []
        for clock, p, _, g in seen:
            total = np.zeros(len(space.value))
            for k, w in enumerate(clock.weights):
                total += _spread(space, of(s.returned(np.asarray(g[k]))), flux) @ (
                    w * space.dx * p[k]
                )
            rows.append(total)
        return np.stack(rows)

    def spread_of(of: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
        """The same for a D that is a function of x ``(n, 1)`` in one dimension."""
        D = np.asarray(of(space.x))[:, :, None] * np.ones((1, 1, 1))
        return spread(lambda g: D, False)

    gained, drift, noise, correction, fick, scale, brought = (
        np.stack([row[k] for row in rows], axis=-2) for k in range(7)
    )
    return Weak(
        gained, drift, noise, correction, fick, scale, brought, largest, predict, spread, spread_of
    )


def _spread(space: _Space, D: np.ndarray, flux: bool) -> np.ndarray:
    """``½ D_ij ∂_i∂_j φ (+ ½ ∂_i D_ij ∂_j φ)`` at the nodes ``(functions, n)``."""
    d = D.shape[1]
    out = 0.5 * sum(D[:, i, k] * space.hessian[i][k] for i in range(d) for k in range(d))
    if flux:
        for i in range(d):
            slope = space.slope(i, np.ascontiguousarray(D[:, i]))
            out = out + 0.5 * sum(slope[:, k] * space.gradient[k] for k in range(d))
    return np.asarray(out)


def _stretch(
    space: _Space,
    clock: GaussGrid,
    inside: tuple[list[np.ndarray], list[np.ndarray], Sequence[np.ndarray | float]],
    ends_: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, ...]:
    """``inside``: p, f and g at the times of the clock; ``ends_``: p at both ends."""
    (p, f, g), (start, end) = inside, ends_
    d, dx = space.x.shape[1], space.dx
    gained = space.value @ (dx * (end - start))
    ends = np.abs(space.value) @ (dx * (end + start))
    brought = np.zeros(len(space.value))
    drift = np.zeros((d, len(space.value)))
    noise, correction, fick = (np.zeros(len(space.value)) for _ in range(3))
    for k, w in enumerate(clock.weights):
        mass = w * dx * p[k]
        noise_k = g[k]
        if isinstance(noise_k, float):
            spread = noise_k**2 / 2 * space.laplacian
        else:
            D = np.einsum("nik,njk->nij", noise_k, noise_k)
            spread = 0.5 * sum(D[:, i, j] * space.hessian[i][j] for i in range(d) for j in range(d))
            slopes = np.stack([space.slope(j, noise_k) for j in range(d)], axis=1)
            shift = 0.5 * np.einsum("njik,njk->ni", slopes, noise_k)
            correction += sum(shift[:, i] * space.gradient[i] for i in range(d)) @ mass
            fick += (_spread(space, D, True) - spread) @ mass
        for i in range(d):
            carried = f[k][:, i] * space.gradient[i]
            drift[i] += carried @ mass
            brought += np.abs(carried) @ mass
        noise += spread @ mass
        brought += np.abs(spread) @ mass
    return gained, drift, noise, correction, fick, ends + brought, brought


def _jets(
    space: _Space,
    clock: GaussGrid,
    p: list[np.ndarray],
    f: list[np.ndarray],
    g: Sequence[np.ndarray | float],
    rho_start: float,
) -> list[tuple[float, Jets]]:
    """Each node's weight and jets, derivatives taken on the grid."""
    d, out = space.x.shape[1], []
    for k, w in enumerate(clock.weights):
        dp = [space.slope(i, p[k]) for i in range(d)]
        rho = g[k]
        out.append(
            (
                float(w),
                Jets(
                    p[k],
                    dp,
                    [space.slope(i, dp[i]) for i in range(d)],
                    list(f[k].T),
                    [space.slope(i, f[k][:, i]) for i in range(d)],
                    rho if isinstance(rho, float) else float(rho[0, 0, 0]),
                    rho_start,
                ),
            )
        )
    return out
