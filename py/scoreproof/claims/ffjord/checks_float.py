"""The adjoint system solved in floats: against complex steps at a fixed ν, and in exact
expectation.

Conventions: complex step h = 1e-30 in every x_j and θ_p at once; the reference differentiates log
p̂ as `solver.log_likelihood` forms it
(from z and J ν), or a closed form of log p; neither contains a or b.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.solver import Prepared, log_likelihood, path_of, prepare, solve
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.adjoint import Grid
from scoreproof.numerics.complex_step import STEP
from scoreproof.numerics.linear import random_covariance
from scoreproof.objects.fields import LogisticField, TanhNetwork
from scoreproof.objects.latents import GaussianLatent, MixtureLatent
from scoreproof.objects.mixtures import GaussianMixture

__all__ = ["expectation", "fixed_nu", "logistic_problem", "orthogonal", "signs"]

EPS = float(np.finfo(float).eps)
TERMS = ("ell_trace", "a_jacobian", "a_trace", "b_jacobian", "b_trace", "a_start", "ell0")


def orthogonal(rng: np.random.Generator, d: int) -> np.ndarray:
    """The D vectors ``√D Q e_i`` as rows, Q a random orthogonal matrix."""
    return np.linalg.qr(rng.standard_normal((d, d)))[0].T * np.sqrt(d)


def signs(d: int) -> np.ndarray:
    """All of {±1}^d as rows."""
    return 1.0 - 2.0 * ((np.arange(2**d)[:, None] >> np.arange(d)) & 1)


# -- a fixed ν ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Network:
    field: TanhNetwork
    theta: np.ndarray
    latent: MixtureLatent
    x: np.ndarray
    nu: np.ndarray
    fresh: np.ndarray
    prepared: Prepared
    reference: tuple[np.ndarray, ...]  # log p̂, ∂_x log p̂, ∂_θ log p̂


def _network(
    d: int,
    hidden: tuple[int, ...],
    count: int,
    grid: Grid,
    rng: np.random.Generator,
    far: bool = False,
    length: float = 1.0,
) -> Network:
    field = TanhNetwork(d, hidden)
    covariances = np.stack([random_covariance(rng, d, 5.0) for _ in range(2)])
    means = rng.standard_normal((2, d))
    if far:  # the flow ends in the tail; the two parts so close that both count there
        covariances, means = np.stack([covariances[0]] * 2), 200 + means / 100
    latent = MixtureLatent(GaussianMixture(np.array([0.4, 0.6]), means, covariances))
    nu, fresh = length * rng.standard_normal((2, count, d))
    theta, x = field.initial(rng, 1.3), rng.standard_normal((count, d))
    prepared = prepare(field, theta, path_of(field, theta, x, grid))
    return Network(
        field,
        theta,
        latent,
        x,
        nu,
        fresh,
        prepared,
        complex_step(field, theta, latent, x, nu, grid),
    )


def _networks(profile: str) -> tuple[Instance, ...]:
    sizes = {
        "faults": ((3, (4,), 2, Grid(1, 4)),),
        "quick": ((3, (5,), 4, Grid(2, 6)),),
        "default": ((8, (12,), 4, Grid(2, 6)), (4, (6, 5), 4, Grid(3, 6))),
        "deep": (
            (16, (32,), 4, Grid(4, 8)),
            (6, (16, 16), 8, Grid(4, 8)),
            (32, (24,), 2, Grid(2, 6)),
        ),
    }[profile]
    networks = tuple(
        Instance(
            f"tanh network, D = {d}, hidden {'×'.join(map(str, h))}", partial(_network, d, h, n, g)
        )
        for d, h, n, g in sizes
    )
    if profile == "faults":
        return networks
    # a is some hundreds, then the terms in ν are: no limit to them is passed over
    small = partial(_network, 3, (5,), 4, Grid(2, 6))
    return (
        *networks,
        Instance("tanh network, D = 3, p_Z far away", partial(small, far=True)),
        Instance("tanh network, D = 3, large ν", partial(small, length=30.0)),
    )


def complex_step(
    field: Any, theta: np.ndarray, latent: Any, x: np.ndarray, nu: np.ndarray | None, grid: Grid
) -> tuple[np.ndarray, ...]:
    """``(log p̂, ∂_x log p̂, ∂_θ log p̂)`` at rows x: ``(n,), (n, D), (n, P)``; blocks of
    directions keep memory bounded.
    """
    n, d = x.shape
    p = theta.size
    block = max(1, (1 << 21) // max(1, p * n * grid.stages))
    out = np.empty((d + p, n))
    values = np.empty(n)
    for first in range(0, d + p, block):
        index = np.arange(first, min(first + block, d + p))
        move = np.zeros((index.size, d + p))
        move[np.arange(index.size), index] = STEP
        xs = x + 1j * move[:, None, :d]
        thetas = theta + 1j * move[:, None, d:]
        result = log_likelihood(field, thetas, latent, xs, nu, grid)
        out[index] = np.imag(result) / STEP
        values = np.real(result[0])
    return values, out[:d].T, out[d:].T


@check(kind="float", instances=_networks, probes=TERMS)
def fixed_nu(subject: Any, problem: Network, rng: Any) -> Evidence:
    """Solves z down and a, b up for a tanh network on one set of Gauss stages, and compares log p̂,
    a(1) and b(1) with log p̂ computed from z and J ν alone and its derivatives in every x_j and θ_p
    by complex steps. The stages make the adjoint the exact derivative of the discrete log p̂, so
    only rounding is left at any step size; ν is fixed, Gaussian, and not of length √D.
    """
    p = problem
    path, grid = p.prepared.path, p.prepared.path.grid
    found = solve(subject, p.latent, p.prepared, p.nu, p.fresh)
    value, in_x, in_theta = p.reference
    pairs = ((found.value, value), (found.a, in_x), (found.b, in_theta))
    error = max(float(np.max(np.abs(f - w))) / float(np.max(np.abs(w))) for f, w in pairs)
    # one rounding a stage and a term of each layer's sum: they add like a random walk (four
    # deviations of half an ulp each), and an error in z moves the derivatives by a part of it that
    # grows with |J|
    widths = sum(p.field.hidden) + 2 * p.field.dimension
    local = p.field.linearize(path.stages, p.theta, grid.times[..., None])
    jacobian = max(
        float(np.max(np.linalg.norm(local.jvp(np.broadcast_to(e, path.stages.shape)), axis=-1)))
        for e in np.eye(p.field.dimension)
    )
    bound = 2 * EPS * float(np.sqrt(grid.steps * grid.stages * widths)) * (1 + jacobian)
    sentence = f"log p̂, a(1) and b(1) (P = {p.theta.size}) against complex steps at a fixed ν"
    return Evidence.measured(
        error,
        bound,
        sentence,
        cost={
            "evaluations": (p.theta.size + p.field.dimension) * grid.steps * grid.stages * len(p.x)
        },
    )


# -- in expectation -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Closed:
    field: LogisticField
    theta: np.ndarray
    latent: GaussianLatent
    x: np.ndarray  # (1, D)

    def log_density(self, theta: np.ndarray) -> np.ndarray:
        """``log p(x)`` by the change of variables through the closed-form flow; θ ``(m, P)``."""
        z0 = self.field.flow(self.x, theta, 1.0, 0.0)
        return self.latent.log_density(z0) + self.field.log_stretch(self.x, theta, 1.0, 0.0).sum(
            axis=-1
        )

    def gradient(self) -> tuple[float, np.ndarray]:
        """``log p(x)`` and its complex-step gradient in θ."""
        values = self.log_density(self.theta + 1j * STEP * np.eye(self.theta.size))
        return float(values[0].real), np.imag(values) / STEP


def logistic_problem(d: int, rng: np.random.Generator) -> Closed:
    """Logistic growth in slanted coordinates, a point well inside, a full Gaussian latent law
    around z(0).
    """
    basis = np.eye(d) + 0.4 * rng.standard_normal((d, d)) / np.sqrt(d)
    field = LogisticField(basis, np.linalg.inv(basis), 0.4)
    theta = np.concatenate([rng.uniform(0.8, 1.6, d), rng.uniform(1.5, 3.0, d)])
    x = (theta[d:] * rng.uniform(0.3, 0.7, d)) @ basis.T
    mean = field.flow(x, theta, 1.0, 0.0) + rng.standard_normal(d) / np.sqrt(d)
    return Closed(field, theta, GaussianLatent(mean, random_covariance(rng, d, 4.0)), x[None])


@dataclass(frozen=True)
class Averaged:
    closed: Closed
    nus: np.ndarray
    prepared: tuple[Prepared, ...]  # coarse to fine


def _averaged(design: str, d: int, rng: np.random.Generator) -> Averaged:
    nus = signs(d) if design == "signs" else orthogonal(rng, d)
    c = logistic_problem(d, rng)
    return Averaged(
        c,
        nus,
        tuple(
            prepare(c.field, c.theta, path_of(c.field, c.theta, c.x, Grid(steps, 5)))
            for steps in (2, 4, 8)
        ),
    )


def _averages(profile: str) -> tuple[Instance, ...]:
    sizes = {
        "faults": (("basis", 3),),
        "quick": (("basis", 3), ("signs", 4)),
        "default": (("basis", 16), ("signs", 6)),
        "deep": (("basis", 128), ("signs", 10)),
    }[profile]
    names = {"basis": "the D vectors √D Q e_i", "signs": "all of {±1}^D"}
    return tuple(Instance(f"{names[k]}, D = {d}", partial(_averaged, k, d)) for k, d in sizes)


UNBIASED = "any draw with E[νν^T] = I gives the same mean: unbiased, and wrong only at a fixed ν"


@check(
    kind="convergent",
    instances=_averages,
    blind={"fresh_nu": UNBIASED, "trace_in_adjoint": UNBIASED},
    probes=TERMS,
)
def expectation(subject: Any, problem: Averaged, rng: Any) -> Evidence:
    """Averages log p̂ and b(1) over finite sets of ν with mean νν^T = I (the D vectors √D Q e_i,
    all of {±1}^D), so that the expectation is exact, and compares with log p(x) and its gradient
    from a closed-form flow; the step is halved twice and the error must fall with order 10 until it
    reaches rounding.
    """
    c, nus = problem.closed, problem.nus
    value, gradient = c.gradient()
    scale = float(np.max(np.abs(gradient)))
    errors = []
    for prepared in problem.prepared:
        found = solve(subject, c.latent, prepared, nus, np.roll(nus, 1, axis=0))
        gap = float(np.max(np.abs(found.b.mean(axis=0) - gradient))) / scale
        errors.append(max(gap, abs(float(found.value.mean()) - value) / max(1.0, abs(value))))
    d, grids = c.field.dimension, [prepared.path.grid for prepared in problem.prepared]
    finest = grids[-1]
    # D-term sums through B and B⁻¹ at every stage, four deviations of half an ulp each; B stretches
    # them by at most its condition
    bound = (
        2 * EPS * float(np.sqrt(finest.steps * finest.stages) * d * np.linalg.cond(c.field.basis))
    )
    above = [e for e in errors if e > 10 * bound]
    order = (
        float(np.log2(above[0] / errors[1])) if len(above) > 0 and errors[1] > 0 else float("inf")
    )
    curves = {"error": ([1 / g.steps for g in grids], errors)}
    return Evidence.convergent(
        errors,
        order,
        10.0,
        bound,
        f"the mean of log p̂ and b(1) over {len(nus)} vectors ν against the closed form of log p",
        order_slack=1.0,
        curves=curves,
        labels=("step", "relative error"),
        cost={"evaluations": len(nus) * sum(g.steps * g.stages for g in grids)},
    )
