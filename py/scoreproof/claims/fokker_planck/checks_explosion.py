"""A hypothesis that fails: ``dX = X³ dt + dW`` leaves every bounded set in finite time, and the
equation loses mass.

Conventions: as in `statement`; the line is mapped onto (-1, 1) by ``y = x/√(1+x²)`` and the density
there is ``q = p dx/dy``. At y = ±1 the noise vanishes and the drift is 1, outward: mass flows out
through infinity and no boundary condition is to be chosen.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Any

import numpy as np

from scoreproof.claims.fokker_planck.statement import Jets
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.gauss_grid import GaussGrid

__all__ = ["explosion", "mean_explosion_time"]

VARIANCE = 0.1


@lru_cache(maxsize=1)
def mean_explosion_time() -> float:
    """E of the explosion time from ``N(0, 0.1)``, by Feller's integrals.

    The mean time m solves ``m''/2 + x³ m' = -1``, is even and vanishes at infinity: ``m(x) =
    ∫_|x|^∞ G``, with ``G(z) = 2 e^{-z⁴/2} ∫_0^z e^{w⁴/2} dw``, which falls like z⁻³ at infinity.
    Averaged over X_0 by Fubini: ``∫_0^∞ G(z) P(|X_0| < z) dz``.
    """
    from scipy.special import erf

    # inner integral with w = z v: 2 z ∫_0^1 exp(-z⁴ (1 - v⁴)/2) dv; outer variable z = s/(1-s)
    outer, inner = GaussGrid(200, 0.0, 1.0), GaussGrid(400, 0.0, 1.0)
    z = outer.x / (1 - outer.x)
    # the layer at v = 1 has width z⁻⁴: 1 - v = c(e^{k r} - 1) spreads the nodes logarithmically
    # over it
    k = np.log1p(np.maximum(z, 1.0) ** 4)[:, None]
    gap = np.expm1(k * inner.x) / np.expm1(k)
    v = 1 - gap
    exponent = -(z[:, None] ** 4) * gap * (1 + v) * (1 + v * v) / 2
    g = 2 * z * ((np.exp(exponent) * k * np.exp(k * inner.x) / np.expm1(k)) @ inner.weights)
    return float(outer.weights @ (g * erf(z / np.sqrt(2 * VARIANCE)) / (1 - outer.x) ** 2))


@dataclass(frozen=True)
class Line:
    """A Galerkin discretisation: jets in x of p for every basis function (columns) at quadrature
    nodes, the projection onto the basis (rows, per dx), the coefficients of the start, and the
    integrals of the basis functions.
    """

    jets: Jets
    project: np.ndarray
    start: np.ndarray
    mass: np.ndarray


def _line(size: int) -> Line:
    grid = GaussGrid(3 * size)
    y, legendre = grid.x, np.polynomial.legendre
    norms = np.sqrt(np.arange(size) + 0.5)
    basis, first, second = (
        legendre.legval(y, legendre.legder(np.diag(norms), k)).T for k in range(3)
    )
    c = 1 - y * y
    root = np.sqrt(c)
    x, s = y / root, root * c  # s = dy/dx, p = s q
    s1, s2 = (
        -3 * y * root * s,
        (6 * y * y - 3) * s * s / root - 3 * y * root * (-3 * y * root * s),
    )  # s' and s'' in x
    p = s[:, None] * basis
    dp = s1[:, None] * basis + (s * s)[:, None] * first
    d2p = s2[:, None] * basis + (3 * s * s1)[:, None] * first + (s**3)[:, None] * second
    column = x[:, None]
    project = basis.T * grid.weights
    start = np.exp(-x * x / (2 * VARIANCE)) / np.sqrt(2 * np.pi * VARIANCE) / s
    jets = Jets(p, [dp], [d2p], [column**3], [3 * column**2], 1.0, 1.0)
    # a right side r(x) of p is r/s for q; legendre is orthonormal on (-1, 1)
    return Line(jets, project / s, project @ start, grid.weights @ basis)


def _lines(sizes: tuple[int, ...], rng: Any) -> tuple[Line, ...]:
    return tuple(_line(n) for n in sizes)


def _sizes(profile: str) -> tuple[Instance, ...]:
    sizes = {
        "faults": (16, 32, 48),
        "quick": (16, 32, 48),
        "default": (16, 32, 48, 64),
        "deep": (32, 48, 64, 96),
    }[profile]
    return (Instance("dX = X³ dt + dW from N(0, 0.1)", partial(_lines, sizes)),)


_UNIT, _LINE = "ρ = 1 at all times here", "one dimension"


@check(
    kind="convergent",
    instances=_sizes,
    blind={
        **dict.fromkeys(
            ("rho_not_squared", "rho_of_start", "rho_missing"),
            _UNIT + ": ρ, ρ², ρ(0) and 1 are the same",
        ),
        **dict.fromkeys(
            ("laplacian_times_d", "laplacian_over_d", "first_coordinate"),
            _LINE + ": a Laplacian is its first term",
        ),
    },
)
def explosion(subject: Any, lines: tuple[Line, ...], rng: Any) -> Evidence:
    """A hypothesis that fails: solves the equation for dX = X³ dt + dW, which explodes, on the
    whole line mapped to an interval; the time integral of the mass must be the mean explosion time,
    which Feller's integrals give without the equation, and 37 % of the mass is gone at t = 1.
    """
    from scipy.linalg import expm

    exact, errors, masses = mean_explosion_time(), [], []
    with np.errstate(all="ignore"):
        for line in lines:
            operator = line.project @ np.broadcast_to(subject(line.jets), line.jets.p.shape)
            try:
                time = -float(line.mass @ np.linalg.solve(operator, line.start))
                masses.append(float(line.mass @ (expm(operator) @ line.start)))
            except (np.linalg.LinAlgError, ValueError, OverflowError):
                time = np.inf
            error = abs(time / exact - 1)
            errors.append(float(error) if error < 1e300 else 1e300)
    sizes = [len(line.mass) for line in lines]
    order = float(np.log(errors[0] / max(errors[1], 1e-300)) / np.log(sizes[1] / sizes[0]))
    left = (
        f"{100 * masses[-1]:.4g} % of it is left at t = 1"
        if masses and 0 <= masses[-1] <= 1
        else "what is left at t = 1 is no mass"
    )
    return Evidence.convergent(
        errors,
        order,
        8.0,  # the method is spectral: any fixed order is reached
        # the operator's entries grow like size², its inverse is bounded by the longest mean
        # explosion time (about 2)
        float(np.finfo(float).eps) * sizes[-1] ** 2,
        f"the integral of the mass over time against Feller's mean explosion time {exact:.6f} of dX"
        f" = X³ dt + dW ({left})",
        curves={"error": (sizes, errors)},
        labels=("number of basis functions", "relative error of the mean explosion time"),
    )
