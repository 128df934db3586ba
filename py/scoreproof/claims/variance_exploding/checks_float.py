"""The kernel in floats at many points at once, for random σ.

Conventions: as in `statement`. σ(t) = c0 + c1 t + c2 t² on [0, 1], one random σ for each point.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.variance_exploding.checks_exact import CONSTANT_SHIFT
from scoreproof.claims.variance_exploding.statement import Law, Sigma
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.jets import Jet

__all__ = ["many_points"]

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Cloud:
    """Points with their σ, and at each the size of the equation's terms per unit of kernel."""

    x: np.ndarray
    y: np.ndarray
    sigma: Sigma
    size: np.ndarray


def _cloud(n: int, rng: np.random.Generator, unit: float = 1.0, clock: float = 1.0) -> Cloud:
    # away from σ_0² close to σ_t² (and σ_0 close to σ_t²), so that no difference loses more than a
    # digit
    c0, c1, c2, t = (
        rng.uniform(0.3, 0.8, n),
        rng.uniform(0.8, 1.5, n),
        rng.uniform(0.2, 1.0, n),
        rng.uniform(0.6, 0.9, n),
    )
    c0, c1, c2, t = unit * c0, unit * c1 / clock, unit * c2 / clock**2, t * clock
    sigma = Sigma.at(lambda u: c0 + c1 * u + c2 * (u * u), t, clock)
    s, slope = sigma.now.coefficients
    variance = s**2 - c0**2
    y = unit * rng.standard_normal(n)
    z = rng.uniform(-3, 3, n)
    return Cloud(
        y + z * np.sqrt(variance),
        y,
        sigma,
        2 * s * slope * (1 + z**2) / variance * (s**2 + c0**2) / variance,
    )


def _clouds(profile: str) -> tuple[Instance, ...]:
    n = {"faults": 100, "quick": 1000, "default": 20_000, "deep": 1_000_000}[profile]
    chosen = (Instance(f"{n} points", partial(_cloud, n)),)
    if profile == "faults":
        return chosen
    # σ and ρ about 1/1000, then σ about 1000 and ρ about 10^5: no limit to either is passed over
    return (
        *chosen,
        Instance("100 points in small units", partial(_cloud, 100, unit=1e-3)),
        Instance("100 points in large units", partial(_cloud, 100, unit=1e3, clock=1e-4)),
    )


@check(kind="float", instances=_clouds, blind=CONSTANT_SHIFT, probes=("spread", "rate"))
def many_points(subject: Any, cloud: Cloud, rng: Any) -> Evidence:
    """The heat equation of the kernel in floats at thousands of random points, each with a σ of its
    own; derivatives by truncated power series, the error relative to the size of the equation's
    terms.
    """
    law = subject(cloud.y, cloud.sigma)
    parts = (law.mean, law.spread, law.root, law.rate)
    moving = Law(*[p if isinstance(p, Jet) else Jet([p, 0 * p]) for p in parts])
    now = Law(*[p.coefficients[0] if isinstance(p, Jet) else p for p in parts])
    with np.errstate(all="ignore"):
        density = now.kernel(cloud.x)
        residual = moving.kernel(cloud.x).derivative(1) - now.rate / 2 * now.kernel(
            Jet.variable(cloud.x, 2)
        ).derivative(2)
        error = float(np.max(np.abs(residual) / (density * cloud.size)))
    # x - y is rounded relative to |x| <= 10, z amplifies it by at most 3, the exponent adds z²/2 <=
    # 5, the sums a dozen roundings
    return Evidence.measured(
        error,
        32 * EPS,
        f"∂_t p - (ρ²/2) ∂_xx p of the kernel at {len(cloud.x)} random points",
        cost={"points": len(cloud.x)},
    )
