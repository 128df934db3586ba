"""The law of the reverse process itself: quantiles along the ODE, and a spectral solve of the
reverse Fokker–Planck equation.

Conventions: time runs from ``start`` down to ``end > 0``; both checks start from p_T exactly and
compare with the closed form at ``end``.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.checks_identity import UNITS, floating_process
from scoreproof.claims.reverse_family.processes import Floating
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.collocation import integrate
from scoreproof.numerics.spectral import FourierGrid, fokker_planck

__all__ = ["ladder", "quantiles", "spectral_solve"]

EPS = float(np.finfo(float).eps)
NOISE_ONLY = (
    "noise_lambda_squared",
    "noise_without_root",
    "noise_without_g",
    "noise_g_without_square",
    "noise_variance_for_coefficient",
    "noise_full",
    "noise_half",
    "noise_sign",
)
#: where a wrong subject makes the solve overflow, its error is this: finite, so that it is refuted
OVERFLOW = 1e300
#: no solve is granted a tolerance beyond this, however badly it converges
LOOSEST = 1e-6


def ladder(
    results: Sequence[np.ndarray],
    exact: np.ndarray,
    scale: float,
    floor: float,
    order: float,
    sentence: str,
    **more: Any,
) -> Evidence:
    """Judge a refinement sequence (each twice as fine as the one before) against the closed form.

    The bound is the last refinement's own change divided by 16 (for order >= 5 an overestimate of
    what is left) plus the rounding ``floor``, and at most ``LOOSEST``: a subject whose solve does
    not converge gets no credit for it.
    """

    def size(a: np.ndarray) -> float:
        worst = float(np.max(np.abs(a)))
        return worst / scale if math.isfinite(worst) and worst < OVERFLOW * scale else OVERFLOW

    with np.errstate(over="ignore", invalid="ignore"):
        errors = [size(r - exact) for r in results]
        change = size(results[-1] - results[-2])
    at_floor = (
        errors[1] <= floor
    )  # then rounding hides the order, which is at least what the first two errors show
    observed = math.inf if at_floor else math.log2(errors[0] / errors[1])
    order_text = "at the rounding floor" if at_floor else f"observed order {observed:.1f}"
    return Evidence.convergent(
        errors,
        observed,
        order,
        min(change / 16 + floor, LOOSEST),
        f"{sentence}; {order_text}",
        order_slack=order / 3,
        **more,
    )


# -- λ = 1: quantiles go to quantiles --------------------------------------------------------------


@dataclass(frozen=True)
class Flow:
    process: Floating
    x: np.ndarray
    start: float
    end: float
    steps: tuple[int, ...]
    unit: float


def _flow(profile: str, rng: np.random.Generator, unit: float = 1.0, clock: float = 1.0) -> Flow:
    count, steps = {
        "faults": (9, (1, 2)),
        "quick": (25, (1, 2, 4)),
        "default": (101, (1, 2, 4)),
        "deep": (2001, (1, 2, 4, 8)),
    }[profile]
    process = floating_process(rng, unit=unit, clock=clock)
    x = unit * np.linspace(-2.8, 2.8, count)
    return Flow(process, x, 0.9 * clock, 0.25 * clock, steps, unit)


def _flows(profile: str) -> tuple[Instance, ...]:
    chosen = (Instance("mixture of three", partial(_flow, profile)),)
    if profile == "faults":
        return chosen
    return chosen + tuple(
        Instance(f"mixture of three {name}", partial(_flow, "quick", unit=u, clock=c))
        for name, (u, c) in UNITS.items()
    )


@check(
    kind="convergent",
    instances=_flows,
    probes=("score",),
    blind={
        **dict.fromkeys(
            NOISE_ONLY, "at λ = 1 the reverse process has no noise: only the drift is integrated"
        ),
        "always_half": "at λ = 1 the right weight of the score is 1/2",
    },
)
def quantiles(subject: Any, flow: Flow, rng: Any) -> Evidence:
    """Integrates the λ = 1 ODE backward by Gauss collocation of order 12 and compares P(X_t ≤ x_t)
    at both ends: the flow of a one-dimensional ODE with the right marginals maps every quantile to
    the same quantile.
    """
    exact = flow.process.distribution(flow.x, flow.start)

    def prepare(times: np.ndarray) -> Any:
        # far out the densities underflow and a wrong flow goes there: it is wrong long before, so
        # it is stopped at 30 units
        limit = 30 * flow.unit
        return lambda y: np.stack(
            [
                subject(flow.process, np.clip(row, -limit, limit), float(t), 1.0)[0]
                for row, t in zip(y, times, strict=True)
            ]
        )

    with np.errstate(all="ignore"):
        ends = [integrate(prepare, flow.x, flow.start, flow.end, n, sweeps=24) for n in flow.steps]
        found = [np.nan_to_num(flow.process.distribution(e, flow.end), nan=2.0) for e in ends]
    # the end point carries rounding of a few ulp a step times the flow's stretch (≤ 8 here), the
    # two distribution functions one ulp each
    return ladder(
        found,
        exact,
        1.0,
        32 * EPS,
        12,
        f"{flow.x.size} quantiles carried from t = {flow.start} to {flow.end}",
        cost={"steps": sum(flow.steps)},
    )


# -- λ < 1: the density ----------------------------------------------------------------------------


@dataclass(frozen=True)
class Solve:
    process: Floating
    lam: float
    start: float
    end: float
    grid: FourierGrid
    steps: tuple[int, ...]


def _solve(profile: str, lam: float, rng: np.random.Generator) -> Solve:
    size, steps = {
        "faults": (64, (2, 4)),
        "quick": (96, (4, 8)),
        "default": (192, (8, 16)),
        "deep": (256, (8, 16, 32)),
    }[profile]
    return Solve(floating_process(rng), lam, 0.9, 0.3, FourierGrid(size, 8.5), steps)


def _solves(profile: str) -> tuple[Instance, ...]:
    lambdas = {
        "faults": (-0.5,),
        "quick": (-0.5,),
        "default": (-3.0, -0.5, 0.4),
        "deep": (-3.0, -1.5, -0.5, 0.0, 0.4, 0.9),
    }[profile]
    return tuple(Instance(f"λ = {lam:g}", partial(_solve, profile, lam)) for lam in lambdas)


@check(kind="convergent", instances=_solves, probes=("score", "noise"))
def spectral_solve(subject: Any, solve: Solve, rng: Any) -> Evidence:
    """Solves the Fokker–Planck equation of the reverse SDE from p_T down to a smaller t, Fourier in
    space (192 modes on [-8.5, 8.5)) and Gauss collocation of order 8 in time, and compares with the
    closed-form density there.
    """
    process, grid = solve.process, solve.grid

    def drift(x: np.ndarray, t: float) -> np.ndarray:
        return subject(process, x, t, solve.lam)[0]

    def noise2(t: float) -> float:
        return float(np.ravel(subject(process, grid.x[:1], t, solve.lam)[1])[0])

    begin, exact = process.density(grid.x, solve.start), process.density(grid.x, solve.end)
    found = [
        fokker_planck(grid, drift, noise2, begin, solve.start, solve.end, n) for n in solve.steps
    ]
    # the operator's norm is (π N / 2L)² c²/2 and the stage equations are solved with that condition
    # number times h
    floor = EPS * (1 + (np.pi * grid.size / (2 * grid.length)) ** 2 * 2 / max(solve.steps))
    return ladder(
        found,
        exact,
        float(exact.max()),
        floor,
        8,
        f"the density at t = {solve.end}, solved backward from t = {solve.start} with λ ="
        f" {solve.lam:g}",
        cost={"modes": grid.size, "steps": sum(solve.steps)},
    )
