"""Closed-form densities against the equation, in ball arithmetic at rational points.

Conventions: as in `statement`. ∂_t p is a power series of the closed form in t, never the equation;
∇p and Δp by truncated power series in one coordinate at a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np
from flint import ctx, fmpq

from scoreproof.claims.fokker_planck.series import jets_at
from scoreproof.claims.fokker_planck.statement import Jets
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.balls import ball, decide
from scoreproof.numerics.jets import Jet
from scoreproof.objects.exact_linear import ExactLinear
from scoreproof.objects.h_transform import HTransform

__all__ = ["PROBES", "closed_forms"]

RADIUS = 1e-55
PROBES = ("f_grad_p", "p_div_f", "diffusion")


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
