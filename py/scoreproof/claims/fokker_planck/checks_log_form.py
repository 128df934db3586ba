"""Closed-form densities against the equation, in floats in many dimensions, through log p.

Conventions: as in `statement`. ∂_t log p is a complex step through the closed form in t, never the
equation.
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
from scoreproof.numerics.linear import random_covariance
from scoreproof.objects.h_transform import HTransform
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.mixtures import GaussianMixture

__all__ = ["log_form"]

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class Floating:
    """Jets over points, ∂_t p there, the size of the terms at each point, and the rounding each
    carries in units of eps.
    """

    jets: Jets
    rate: np.ndarray
    scale: np.ndarray
    roundings: float


def _scaled(
    p: np.ndarray,
    s: np.ndarray,
    curvature: np.ndarray,
    f: np.ndarray,
    df: np.ndarray,
    rho: float,
    rho0: float,
    log_rate: np.ndarray,
    roundings: float,
) -> Floating:
    """From ``∇log p`` (n,d), ``∂_ii log p`` (n,d): jets of p, which may carry any constant factor
    (the equation is linear).
    """
    jets = Jets(
        p,
        list((p[:, None] * s).T),
        list((p[:, None] * (s * s + curvature)).T),
        list(f.T),
        list(df.T),
        rho,
        rho0,
    )
    size = (np.abs(f * s) + np.abs(df) + rho**2 / 2 * (s * s + np.abs(curvature))).sum(axis=1)
    return Floating(jets, p * log_rate, p * size, roundings)


def _rescaled(logs: np.ndarray) -> np.ndarray:
    """``c·p`` with one constant c for all points, so that nothing underflows in many dimensions."""
    return np.exp(logs - np.median(logs))


def _linear_floats(d: int, n: int, rng: np.random.Generator) -> Floating:
    A = rng.standard_normal((d, d)) / np.sqrt(d) * 0.5 + 0.4 * np.eye(d)
    sde = LinearSDE(A, rng.standard_normal(d) * 0.5, [0.6, 0.3, 0.2])
    start = GaussianMixture(
        np.array([0.4, 0.6]),
        rng.standard_normal((2, d)) / np.sqrt(d),
        np.stack([random_covariance(rng, d, 4.0) for _ in range(2)]),
    )
    t = 0.6
    law = sde.marginal(t, start)
    x = law.sample(rng, n)
    log_rate = np.imag(sde.log_density(x, t + 1e-30j, start)) / 1e-30
    curvature = np.diagonal(law.hessian_log_density(x), axis1=1, axis2=2)
    condition = max(float(np.linalg.cond(c)) for c in law.covariances)
    df = np.broadcast_to(np.diagonal(A), (n, d))
    # each precision costs its condition number, each exponent (about d/2) enters the softmax
    # absolutely, each sum has d terms
    return _scaled(
        _rescaled(law.log_density(x)),
        law.score(x),
        curvature,
        sde.drift(x, t),
        df,
        float(sde.diffusion(t)),
        float(sde.diffusion(0.0)),
        log_rate,
        2 * condition + 2 * d,
    )


def _nonlinear_floats(d: int, n: int, rng: np.random.Generator) -> Floating:
    k = d + 2
    process = HTransform(
        rng.uniform(0.5, 1.5, k).tolist(),
        rng.standard_normal((k, d)).tolist(),
        (0.7, 0.8),
        (0.4, 0.6),
        rng.standard_normal((2, d)).tolist(),
        (0.5, 0.2),
    )
    t, x = 0.6, 1.5 * rng.standard_normal((n, d))
    columns = list(x.T)
    first = jets_at(
        lambda y: process.density(y, t),
        lambda y: process.drift(y, t),
        columns,
        float(process.diffusion(t)),
        float(process.diffusion(0.0)),
    )
    p = first.p
    s = np.stack([v / p for v in first.dp], axis=1)
    curvature = np.stack([v / p for v in first.d2p], axis=1) - s * s
    log_rate = np.imag(process.log_density_rows(x, t + 1e-30j)) / 1e-30
    f, df = np.stack(first.f, axis=1), np.stack(process.drift_slopes(columns, t), axis=1)
    logs = process.log_density_rows(x, t)
    # the exponents of both sums of exponentials enter absolutely
    exponent = float(np.max(np.abs(x) @ np.abs(np.asarray(process.a)).T)) + float(np.max(-logs))
    return _scaled(
        _rescaled(logs),
        s,
        curvature,
        f,
        df,
        first.rho,
        first.rho_start,
        log_rate,
        2 * exponent + 2 * d,
    )


def _float_instances(profile: str) -> tuple[Instance, ...]:
    cases: dict[str, tuple[tuple[str, Any, int, int], ...]] = {
        "faults": (("linear", _linear_floats, 3, 8), ("h-transform", _nonlinear_floats, 3, 8)),
        "quick": (("linear", _linear_floats, 5, 32), ("h-transform", _nonlinear_floats, 4, 32)),
        "default": (
            ("linear", _linear_floats, 5, 200),
            ("linear", _linear_floats, 50, 50),
            ("h-transform", _nonlinear_floats, 8, 200),
        ),
        "deep": (
            ("linear", _linear_floats, 5, 2000),
            ("linear", _linear_floats, 300, 50),
            ("h-transform", _nonlinear_floats, 40, 500),
        ),
    }
    return tuple(
        Instance(f"{name} in R^{d}, {n} points", partial(make, d, n))
        for name, make, d, n in cases[profile]
    )


@check(kind="float", instances=_float_instances, probes=PROBES)
def log_form(subject: Any, data: Floating, rng: Any) -> Evidence:
    """Closed forms in many dimensions, in floats, through log p (so that nothing underflows): ∂_t
    by the complex step through the matrix exponential, derivatives in x from log p; the error is
    relative to the size of the terms at each point.
    """
    error = float(np.max(np.abs(subject(data.jets) - data.rate) / data.scale))
    return Evidence.measured(
        error,
        EPS * data.roundings,
        f"∂_t p of a closed form against the right side at {len(data.rate)} points in"
        f" R^{len(data.jets.dp)}",
        cost={"points": len(data.rate)},
    )
