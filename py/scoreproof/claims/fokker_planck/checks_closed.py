"""Closed-form densities against the equation: in ball arithmetic at rational points, and in floats
in many dimensions.

Conventions: as in `statement`. ∂_t p comes from the closed form in t (a power series, or a complex
step), never from the equation;
∇p and Δp by truncated power series in one coordinate at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
from flint import ctx, fmpq

from scoreproof.claims.fokker_planck.statement import Jets
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.balls import ball, decide
from scoreproof.numerics.jets import Jet
from scoreproof.numerics.linear import random_covariance
from scoreproof.objects.exact_linear import ExactLinear
from scoreproof.objects.h_transform import HTransform
from scoreproof.objects.linear_sde import LinearSDE
from scoreproof.objects.mixtures import GaussianMixture

__all__ = ["closed_forms", "jets_at", "log_form"]

EPS = float(np.finfo(float).eps)
RADIUS = 1e-55
PROBES = ("f_grad_p", "p_div_f", "diffusion")


def jets_at(
    density: Callable[[list[Any]], Any],
    drift: Callable[[list[Any]], Sequence[Any]],
    x: Sequence[Any],
    rho: Any,
    rho_start: Any,
) -> Jets:
    """`Jets` at the point x (a list of coordinates in any arithmetic) by a second-order series in
    each coordinate.
    """
    columns = []
    for i in range(len(x)):
        moved = [Jet.variable(c, 2) if k == i else c for k, c in enumerate(x)]
        f = drift(moved)[i]
        f = f if isinstance(f, Jet) else Jet([f, f * 0, f * 0])
        columns.append((density(moved), f))
    return Jets(
        columns[0][0].derivative(0),
        [p.derivative(1) for p, _ in columns],
        [p.derivative(2) for p, _ in columns],
        [f.derivative(0) for _, f in columns],
        [f.derivative(1) for _, f in columns],
        rho,
        rho_start,
    )


# -- balls ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Rational:
    """A process by exact rationals, points and a time; ``jets`` gives, at the current precision,
    each point's jets and ∂_t p.
    """

    process: Any
    points: tuple[tuple[fmpq, ...], ...]
    time: fmpq
    jets: Callable[[int], list[tuple[Jets, Any]]] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(
            self, "jets", cache(self._jets)
        )  # once for each precision, whatever the number of subjects

    def _jets(self, bits: int) -> list[tuple[Jets, Any]]:
        t = ball(self.time)
        out = []
        if isinstance(self.process, ExactLinear):
            now, series = self.process.moments(self.time, 0), self.process.moments(self.time, 1)
            density, rate = (
                (lambda x: self.process.density(x, now)),
                (lambda x: self.process.density(x, series).derivative(1)),
            )
            process: Any = self.process
        else:
            process = HTransform(*(_to_balls(part) for part in self.process))
            density, rate = (
                (lambda x: process.density(x, t)),
                (lambda x: process.density(x, Jet.variable(t, 1)).derivative(1)),
            )
        for point in self.points:
            x = [ball(c) for c in point]
            out.append(
                (
                    jets_at(
                        density,
                        lambda y: process.drift(y, t),
                        x,
                        process.diffusion(t),
                        process.diffusion(ball(0)),
                    ),
                    rate(x),
                )
            )
        return out


def _to_balls(part: Any) -> Any:
    return [_to_balls(v) for v in part] if isinstance(part, tuple | list) else ball(part)


def _draw(rng: np.random.Generator, low: int, high: int) -> fmpq:
    return fmpq(int(rng.integers(low * 60, high * 60 + 1)), 60)


def _positive(rng: np.random.Generator) -> fmpq:
    return fmpq(int(rng.integers(30, 91)), 60)


def _covariance(rng: np.random.Generator, d: int) -> tuple[tuple[fmpq, ...], ...]:
    root = [[_draw(rng, -1, 1) for _ in range(d)] for _ in range(d)]
    return tuple(
        tuple(sum((root[i][k] * root[j][k] for k in range(d)), fmpq(int(i == j))) for j in range(d))
        for i in range(d)
    )


def _points(rng: np.random.Generator, d: int, n: int) -> tuple[tuple[fmpq, ...], ...]:
    return tuple(tuple(_draw(rng, -2, 2) for _ in range(d)) for _ in range(n))


def _linear(d: int, n: int, rng: np.random.Generator) -> Rational:
    # the diagonal of A is positive: tr A is far from 0; ρ(t) = ρ₀ + ρ₁ t with ρ₁ ≠ 0
    A = tuple(
        tuple(_positive(rng) if i == j else _draw(rng, -1, 1) for j in range(d)) for i in range(d)
    )
    process = ExactLinear(
        A,
        tuple(_draw(rng, -1, 1) for _ in range(d)),
        (_positive(rng), _positive(rng) / 2, _positive(rng) / 4),
        (fmpq(1, 3), fmpq(2, 3)),
        tuple(tuple(_draw(rng, -1, 1) for _ in range(d)) for _ in range(2)),
        tuple(_covariance(rng, d) for _ in range(2)),
    )
    return Rational(process, _points(rng, d, n), fmpq(3, 5))


def _nonlinear(d: int, n: int, rng: np.random.Generator) -> Rational:
    k, j = d + 2, 2
    parts = (
        tuple(_positive(rng) for _ in range(k)),
        tuple(tuple(_draw(rng, -1, 1) for _ in range(d)) for _ in range(k)),
        (_positive(rng), _positive(rng)),
        (fmpq(1, 4), fmpq(3, 4)),
        tuple(tuple(_draw(rng, -1, 1) for _ in range(d)) for _ in range(j)),
        (_positive(rng), fmpq(0)),  # one component starts from a point
    )
    return Rational(parts, _points(rng, d, n), fmpq(3, 5))


def _closed(profile: str) -> tuple[Instance, ...]:
    cases: tuple[tuple[str, Any, int, int], ...] = (
        ("linear", _linear, 2, 1),
        ("h-transform", _nonlinear, 2, 1),
    )
    if profile in ("default", "deep"):
        n = 8 if profile == "default" else 100
        cases = (
            ("linear", _linear, 2, n),
            ("linear", _linear, 3, n),
            ("h-transform", _nonlinear, 1, n),
            ("h-transform", _nonlinear, 3, n),
        )
    return tuple(
        Instance(f"{name} in R^{d}, {n} points", partial(make, d, n)) for name, make, d, n in cases
    )


@check(kind="certified", instances=_closed, probes=PROBES)
def closed_forms(subject: Any, data: Rational, rng: Any) -> Evidence:
    """Closed-form densities in ball arithmetic at rational points: linear SDEs with a
    Gaussian-mixture start and tr A ≠ 0, and nonlinear drifts ρ² ∇log h; ∂_t p is a power series of
    the closed form in t, and must lie in the enclosure of the right side.
    """
    return decide(
        lambda: [subject(jets) - rate for jets, rate in data.jets(ctx.prec)],
        f"∂_t p of a closed form minus the right side, at {len(data.points)} rational points in"
        f" R^{len(data.points[0])}",
        radius=RADIUS,
    )


# -- floats ---------------------------------------------------------------------------------------


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
