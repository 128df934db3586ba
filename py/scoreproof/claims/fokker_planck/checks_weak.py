"""From the SDE to the equation without a closed form: the generator against test functions, and the
one-step Euler kernel.

Conventions: as in `statement`; d = 2, the drift is not linear and not divergence-free, ρ depends on
t.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.fokker_planck.checks_closed import PROBES
from scoreproof.claims.fokker_planck.series import jets_at
from scoreproof.claims.fokker_planck.statement import Jets
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics import functions as fn
from scoreproof.numerics.jets import derivatives
from scoreproof.numerics.linear import random_covariance

__all__ = ["euler_kernel", "weak_form"]

EPS = float(np.finfo(float).eps)


def _gauss_hermite(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Nodes ``(n², 2)`` and weights of the standard Gaussian in the plane."""
    x, w = np.polynomial.hermite_e.hermegauss(n)
    w = w / np.sqrt(2 * np.pi)
    return (
        np.stack(np.meshgrid(x, x, indexing="ij"), axis=-1).reshape(-1, 2),
        np.outer(w, w).ravel(),
    )


# -- weak form -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Plane:
    """A density times a polynomial, a cubic drift, and the generator applied to every monomial test
    function, at quadrature nodes.
    """

    jets: Jets
    weights: np.ndarray  # of dx at the nodes
    tests: np.ndarray  # (k, n) values of the test functions
    generator: np.ndarray  # (k, n) f·∇φ + ρ²/2 Δφ
    labels: tuple[str, ...]


def _plane(
    nodes: int, degree: int, rng: np.random.Generator, unit: float = 1.0, clock: float = 1.0
) -> Plane:
    """``unit`` and ``clock`` are the units of x and t."""
    mean = unit * rng.standard_normal(2) * 0.5
    root = unit * np.linalg.cholesky(random_covariance(rng, 2, 3.0))
    inverse = np.linalg.inv(root)
    tilt, linear, cubic = (
        rng.uniform(0.3, 0.7),
        rng.standard_normal((2, 2)),
        rng.uniform(0.1, 0.5, (2, 2)),
    )
    u, w = _gauss_hermite(nodes)
    columns = list((mean + u @ root.T).T)
    mass = 2 * np.pi * float(np.linalg.det(root))

    def density(x: list[Any]) -> Any:
        v = [(x[0] - mean[0]) * inverse[i, 0] + (x[1] - mean[1]) * inverse[i, 1] for i in range(2)]
        return (
            fn.exp((v[0] * v[0] + v[1] * v[1]) * -0.5)
            * (1 + tilt * (v[0] * v[1]) ** 2 + v[0] * v[0])
            / (mass * (2 + tilt))
        )

    def drift(x: list[Any]) -> list[Any]:
        x = [c / unit for c in x]
        return [
            (
                x[0] * linear[i, 0]
                + x[1] * linear[i, 1]
                - x[i] ** 3 * cubic[i, 0]
                + x[0] * x[1] * cubic[i, 1]
                + 0.5
            )
            * (unit / clock)
            for i in range(2)
        ]

    rho, rho_start = 1.3 * unit / np.sqrt(clock), 0.8 * unit / np.sqrt(clock)
    jets = jets_at(density, drift, columns, float(rho), float(rho_start))
    # the weight of dx: quadrature is for the standard Gaussian in u, dx = det(root) du
    dx = w * mass * np.exp(0.5 * (u * u).sum(axis=1))
    powers = [(i, n - i) for n in range(degree + 1) for i in range(n + 1)]
    tests, generated = [], []
    for i, j in powers:
        one = [
            derivatives(lambda s, k=k: (s / unit) ** k, c, 2)
            for k, c in zip((i, j), columns, strict=True)
        ]
        tests.append(one[0][0] * one[1][0])
        gradient = (one[0][1] * one[1][0], one[0][0] * one[1][1])
        laplacian = one[0][2] * one[1][0] + one[0][0] * one[1][2]
        generated.append(jets.f[0] * gradient[0] + jets.f[1] * gradient[1] + rho**2 / 2 * laplacian)
    return Plane(
        jets, dx, np.stack(tests), np.stack(generated), tuple(f"x^{i} y^{j}" for i, j in powers)
    )


def _planes(profile: str) -> tuple[Instance, ...]:
    nodes, degree = {"faults": (10, 3), "quick": (10, 3), "default": (12, 5), "deep": (18, 10)}[
        profile
    ]
    plane = Instance(
        f"cubic drift in the plane, test functions to degree {degree}",
        partial(_plane, nodes, degree),
    )
    if profile == "faults":
        return (plane,)
    # f, ρ and ∇p/p large, then small, while x is small, then large: no limit to any is passed over
    return (
        plane,
        Instance("the plane in small units", partial(_plane, 10, 3, unit=1e-2, clock=1e-8)),
        Instance("the plane in large units", partial(_plane, 10, 3, unit=1e2, clock=1e8)),
    )


@check(kind="float", instances=_planes, probes=PROBES)
def weak_form(subject: Any, data: Plane, rng: Any) -> Evidence:
    """Integrates the right side against polynomial test functions φ, nonlinear ones included, and
    compares with E[f·∇φ + (ρ²/2) Δφ], which is d/dt E φ(X_t) by Itô's formula; Gauss–Hermite
    quadrature is exact for these polynomials, and no closed-form marginal is used.
    """
    right = np.broadcast_to(subject(data.jets), data.weights.shape)
    left = data.generator @ (data.weights * data.jets.p)
    gap = np.abs(data.tests @ (data.weights * right) - left)
    j = data.jets
    terms = np.abs(
        np.stack(
            [
                *(f * g for f, g in zip(j.f, j.dp, strict=True)),
                *(s * j.p for s in j.df),
                *(j.rho**2 / 2 * c for c in j.d2p),
            ]
        )
    ).sum(axis=0)
    scale = np.abs(data.tests) @ (data.weights * terms) + np.abs(data.generator) @ (
        data.weights * j.p
    )
    error = float(np.max(gap / scale))
    # each node's density carries the rounding of its exponent (up to about half the squared largest
    # node), sums average that out; the inverse of the root and the Gauss rule itself cost a few eps
    # more
    exponent = float(np.max(-np.log(data.weights * j.p / np.sum(data.weights * j.p)))) / 2
    return Evidence.measured(
        error,
        EPS * (16 + exponent),
        f"the right side against {len(gap)} test functions and E[f·∇φ + (ρ²/2) Δφ]",
        cost={"nodes": len(data.weights)},
    )


# -- Euler kernel ----------------------------------------------------------------------------------

CIRCLE = 8  # points on each circle of step sizes


@dataclass(frozen=True)
class Kernel:
    """Jets at points, the limit of (p_{t+h} - p_t)/h extrapolated to h = 0 on circles of falling
    radius, and the size of the terms.
    """

    jets: Jets
    limits: tuple[np.ndarray, ...]
    radii: tuple[float, ...]
    scale: float


def _kernel(nodes: int, points: int, rng: np.random.Generator) -> Kernel:
    weights, means = np.array([0.4, 0.6]), rng.standard_normal((2, 2)) * 0.7
    precisions = np.stack(
        [np.linalg.inv(random_covariance(rng, 2, 2.0) + 0.8 * np.eye(2)) for _ in range(2)]
    )
    norms = weights * np.sqrt(np.linalg.det(precisions)) / (2 * np.pi)
    a = rng.uniform(0.3, 0.7, (2, 2))
    rho, rho_start = 1.3, 0.8

    def density(x: list[Any]) -> Any:
        total: Any = 0
        for norm, m, q in zip(norms, means, precisions, strict=True):
            r = [x[0] - m[0], x[1] - m[1]]
            total = total + norm * fn.exp(
                (r[0] * r[0] * q[0, 0] + r[0] * r[1] * (2 * q[0, 1]) + r[1] * r[1] * q[1, 1]) * -0.5
            )
        return total

    def drift(x: list[Any]) -> list[Any]:
        return [
            fn.sin(x[1]) * a[0, 0] + x[0] * a[0, 1],
            fn.cos(x[0] + x[1]) * a[1, 0] + x[1] * a[1, 1] * -1.5,
        ]

    y = [rng.uniform(-1, 1, points) for _ in range(2)]
    u, w = _gauss_hermite(nodes)

    def step(h: complex) -> np.ndarray:
        """p_{t+h}(y) = ∫ p(x) N(y; x + f(x) h, ρ² h I) dx, with x = y + ρ √h u: analytic in h,
        complex h allowed.
        """
        root = np.sqrt(complex(h))
        x = [c[:, None] + rho * root * u[:, i] for i, c in enumerate(y)]
        f = drift(x)
        tilt = (f[0] * u[:, 0] + f[1] * u[:, 1]) * (-root / rho) - (f[0] * f[0] + f[1] * f[1]) * (
            h / (2 * rho**2)
        )
        return (density(x) * np.exp(tilt)) @ w

    def limit(radius: float) -> np.ndarray:
        # Richardson extrapolation with step sizes on a circle: the mean of p_{t+h}/h over the
        # circle kills every power of h but the first, up to h^CIRCLE, and divides rounding by the
        # radius instead of by a vanishing step. Conjugate points come for free.
        angles = np.pi * (2 * np.arange(CIRCLE // 2) + 1) / CIRCLE
        hs = radius * np.exp(1j * angles)
        return np.mean([np.real(step(h) / h) for h in hs], axis=0)

    radii = (0.02, 0.01, 0.005)
    jets = jets_at(density, drift, y, rho, rho_start)
    terms = [
        *(f * g for f, g in zip(jets.f, jets.dp, strict=True)),
        *(s * jets.p for s in jets.df),
        *(rho**2 / 2 * c for c in jets.d2p),
    ]
    return Kernel(
        jets,
        tuple(limit(r) for r in radii),
        radii,
        float(np.max(np.abs(np.stack(terms)).sum(axis=0))),
    )


def _kernels(profile: str) -> tuple[Instance, ...]:
    nodes, points = {"faults": (24, 4), "quick": (24, 4), "default": (32, 12), "deep": (48, 100)}[
        profile
    ]
    return (Instance(f"sine drift in the plane, {points} points", partial(_kernel, nodes, points)),)


@check(kind="convergent", instances=_kernels, probes=PROBES)
def euler_kernel(subject: Any, data: Kernel, rng: Any) -> Evidence:
    """Takes one exact Euler–Maruyama step of size h from a density (an integral against a Gaussian
    kernel), extrapolates the rate of change to h = 0 with step sizes on complex circles, and
    compares with the right side: the SDE itself, no solution formula.
    """
    right = subject(data.jets)
    errors = [float(np.max(np.abs(limit - right))) / data.scale for limit in data.limits]
    order = float(np.log2(max(errors[0], 1e-300) / max(errors[1], 1e-300)))
    # p_{t+h} is summed to a few eps and divided by the smallest radius; what is left of the powers
    # of h, judged from the last two circles (no subject enters): their difference is the larger
    # one's error, and falls by 2^CIRCLE a halving
    rounding = 8 * EPS / data.radii[-1] * float(np.max(data.jets.p)) / data.scale
    remainder = (
        float(np.max(np.abs(data.limits[-1] - data.limits[-2]))) / 2 ** (CIRCLE - 1) / data.scale
    )
    bound = rounding + remainder
    return Evidence.convergent(
        errors,
        order,
        CIRCLE,
        bound,
        f"the rate of change of one Euler step as h → 0 (order {order:.1f} in the radius) against"
        " the right side",
        order_slack=1.0,
        curves={"error": (list(data.radii), errors)},
        labels=("radius of the step sizes", "relative error"),
    )
