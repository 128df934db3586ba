"""Fokker–Planck over the rationals: from a step of the SDE to the equation for any drift and
density, the linear Gaussian case as one polynomial identity, and the density that decays too
slowly.

Conventions: as in `statement`. The Gaussian is ``N(m, P⁻¹)``; its moments move by ``m' = A m + b``
and ``C' = A C + C Aᵀ + ρ² I``, which `polynomial` assumes and `one_step` does not.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

from scoreproof.claims.fokker_planck.statement import Jets, total
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence

__all__ = ["no_decay", "one_step", "polynomial"]


def _step(d: int, rng: Any) -> tuple[Jets, Any, Any]:
    """Jets of p and f as free symbols, the test function φ, and what the right side times φ must
    be.

    ``E[φ(x + f h + ρ √h ξ)]`` is expanded in √h with Eξ = 0 and E ξξᵀ = I; its term in h is ``Lφ``.
    Then ``∫ φ ∂_t p = ∫ p Lφ``, and ``p Lφ + ∇·J`` with ``J = (ρ²/2)(φ ∇p - p ∇φ) - φ f p`` has the
    same integral for every φ of compact support.
    """
    axes = range(d)
    names = ["p", "phi", "rho", "rho0", "s"]
    names += [f"{name}{i}" for name in ("p_", "p__", "f", "df", "xi", "phi_") for i in axes]
    names += [f"phi__{i}{j}" for i in axes for j in range(i, d)]
    ring = fmpq_mpoly_ctx.get(names, Ordering.degrevlex)
    symbol = dict(zip(names, ring.gens(), strict=True))
    p, phi, rho, s = (symbol[name] for name in ("p", "phi", "rho", "s"))
    dp, d2p, f, df, xi, dphi = (
        [symbol[f"{name}{i}"] for i in axes] for name in ("p_", "p__", "f", "df", "xi", "phi_")
    )
    moved = [f[i] * s * s + rho * s * xi[i] for i in axes]
    taylor = phi + total([dphi[i] * moved[i] for i in axes])
    for i in axes:
        for j in axes:
            taylor += symbol[f"phi__{min(i, j)}{max(i, j)}"] * moved[i] * moved[j] / 2
    generator = _expected(taylor, [names.index(f"xi{i}") for i in axes], names.index("s"), ring)

    def along(i: int, expression: Any) -> Any:
        """∂_i of an expression in p, ∇p, φ, ∇φ and f_i: each symbol's derivative is another."""
        rules = [(p, dp[i]), (phi, dphi[i]), (f[i], df[i]), (dp[i], d2p[i])]
        rules.append((dphi[i], symbol[f"phi__{i}{i}"]))
        return total([expression.derivative(str(a)) * b for a, b in rules])

    flux = [rho * rho / 2 * (phi * dp[i] - p * dphi[i]) - phi * f[i] * p for i in axes]
    due = p * generator + total([along(i, flux[i]) for i in axes])
    return Jets(p, dp, d2p, f, df, rho, symbol["rho0"]), phi, due


def _expected(taylor: Any, noise: list[int], root: int, ring: Any) -> Any:
    """The coefficient of (√h)² after Eξ_i = 0, E ξ_i² = 1: no higher power of ξ comes with it."""
    found = ring.from_dict({})
    for powers, coefficient in taylor.to_dict().items():
        if powers[root] == 2 and all(powers[k] in (0, 2) for k in noise):
            left = [0 if k in (*noise, root) else power for k, power in enumerate(powers)]
            found += ring.from_dict({tuple(left): coefficient})
    return found


def _sizes(profile: str) -> tuple[Instance, ...]:
    dims = {"faults": (2,), "quick": (2,), "default": (1, 2, 3), "deep": (1, 2, 3, 4, 5)}[profile]
    return tuple(Instance(f"dimension {d}", partial(_step, d)) for d in dims)


@check(kind="exact", instances=_sizes)
def one_step(subject: Any, data: tuple[Jets, Any, Any], rng: Any) -> Evidence:
    """Expands a test function along one step of the SDE and moves its derivatives to the density by
    parts, over Q with every derivative a free symbol: the right side times φ must be p Lφ plus a
    divergence, for every drift, however nonlinear, every density and every φ at once.
    """
    jets, phi, due = data
    terms = len(phi * subject(jets) - due)
    return Evidence.exact(
        terms,
        f"{terms} terms of φ times the right side minus p Lφ remain beside a divergence, for every"
        f" drift, density and test function in R^{len(jets.dp)}",
    )


def _gaussian(d: int, rng: Any) -> tuple[Jets, Any]:
    """Jets of p = N(m, P⁻¹) at a symbolic point, and ∂_t p: polynomials in p, x, m, P, A, b, ρ."""
    axes = range(d)
    names = [
        "p",
        "rho",
        "rho0",
        *(f"{s}{i}" for s in "xmb" for i in axes),
        *(f"A{i}{j}" for i in axes for j in axes),
    ]
    names += [f"P{i}{j}" for i in axes for j in range(i, d)]
    ring = dict(zip(names, fmpq_mpoly_ctx.get(names, Ordering.degrevlex).gens(), strict=True))
    P = [[ring[f"P{min(i, j)}{max(i, j)}"] for j in axes] for i in axes]
    A = [[ring[f"A{i}{j}"] for j in axes] for i in axes]
    p, rho, r = ring["p"], ring["rho"], [ring[f"x{i}"] - ring[f"m{i}"] for i in axes]
    score = [-total([P[i][j] * r[j] for j in axes]) for i in axes]
    drift = [total([A[i][j] * ring[f"x{j}"] for j in axes]) + ring[f"b{i}"] for i in axes]
    mean_rate = [total([A[i][j] * ring[f"m{j}"] for j in axes]) + ring[f"b{i}"] for i in axes]
    # log p = -r·P r/2 - log det(C)/2 + const, with P' = -P C' P = -(P A + Aᵀ P + ρ² P²) and (log
    # det C)' = 2 tr A + ρ² tr P. P r = -score, so r·P' r = -(2 (P r)·(A r) + ρ² |P r|²)
    moved = -total([score[i] * mean_rate[i] for i in axes])
    stretched = total([-score[i] * total([A[i][j] * r[j] for j in axes]) for i in axes])
    widened = total([s * s for s in score]) * rho * rho / 2
    volume = total([A[i][i] for i in axes]) + rho * rho / 2 * total([P[i][i] for i in axes])
    rate = p * (moved + stretched + widened - volume)
    jets = Jets(
        p,
        [p * s for s in score],
        [p * (s * s - P[i][i]) for i, s in enumerate(score)],
        drift,
        [A[i][i] for i in axes],
        rho,
        ring["rho0"],
    )
    return jets, rate


def _dimensions(profile: str) -> tuple[Instance, ...]:
    dims = {"faults": (2,), "quick": (1, 2), "default": (1, 2, 3), "deep": (1, 2, 3, 4)}[profile]
    return tuple(Instance(f"dimension {d}", partial(_gaussian, d)) for d in dims)


@check(kind="exact", instances=_dimensions)
def polynomial(subject: Any, data: tuple[Jets, Any], rng: Any) -> Evidence:
    """Writes ∂_t p of a Gaussian with moving mean and covariance minus the right side as a
    polynomial over Q in the symbols p, x, mean, precision, A, b and ρ: it must vanish, for every
    linear SDE, every Gaussian and every point at once.
    """
    jets, rate = data
    terms = len(subject(jets) - rate)
    return Evidence.exact(
        terms,
        f"{terms} terms of ∂_t p minus the right side remain, for every linear SDE and Gaussian in"
        f" R^{len(jets.dp)}",
    )


_NO_NOISE = "ρ = 0 here: nothing about the diffusion term can be seen"
_STATIONARY = "∇·(f p) = 0 here, so its sign cannot be seen"


@check(
    kind="exact",
    instances=lambda profile: (
        Instance(
            "Cauchy density, f = 1 + x², ρ = 0", lambda rng: tuple(fmpq(n, 3) for n in range(-6, 9))
        ),
    ),
    blind={
        **dict.fromkeys(
            (
                "half_missing",
                "half_twice",
                "rho_not_squared",
                "rho_of_start",
                "laplacian_sign",
                "laplacian_times_d",
                "laplacian_over_d",
                "first_coordinate",
                "squared_gradient",
            ),
            _NO_NOISE,
        ),
        **dict.fromkeys(("drift_sign", "reversed_clock"), _STATIONARY),
    },
)
def no_decay(subject: Any, points: tuple[fmpq, ...], rng: Any) -> Evidence:
    """A hypothesis that fails: the Cauchy density with f = 1 + x² and ρ = 0 solves the equation
    exactly at rational points, yet its flux f p does not vanish at infinity, so it is the law of no
    solution.
    """
    nonzero = 0
    for x in points:
        q = 1 + x * x  # p = 1/(π q); the factor 1/π is left out, the equation is linear
        jets = Jets(
            1 / q, [-2 * x / q**2], [(6 * x * x - 2) / q**3], [q], [2 * x], fmpq(0), fmpq(0)
        )
        nonzero += subject(jets) != 0
    flux = {
        str((1 + x * x) * (1 / (1 + x * x))) for x in (*points, fmpq(10**9))
    }  # f p π, at points as far out as one likes
    return Evidence.exact(
        nonzero,
        f"the stationary Cauchy density solves the equation at {len(points) - nonzero} of"
        f" {len(points)} rational points, though mass {'/'.join(flux)}/π leaves at +∞ in a unit of"
        " time: the equation alone does not make it a marginal",
    )
