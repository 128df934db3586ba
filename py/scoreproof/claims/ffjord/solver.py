"""A subject solved on a path: ℓ̂ downward, a and b upward, all on the path's own Gauss stages; and
log p̂ without the formula.

Conventions: batches are ``(n, D)`` of points or of ν; stage arrays carry ``(steps, stages)`` in
front.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.faults import Spare
from scoreproof.numerics.adjoint import Grid, Path, accumulate, advance, integrate_backward

__all__ = ["Prepared", "Solution", "log_likelihood", "path_of", "prepare", "solve"]


@dataclass(frozen=True)
class Solution:
    """``value``: log p̂ (n,); ``a``: a(1) (n, D); ``b``: b(1) (n, P)."""

    value: np.ndarray
    a: np.ndarray
    b: np.ndarray


def _lead(times: np.ndarray, batch: int) -> np.ndarray:
    """Times shaped to broadcast against ``batch`` further axes."""
    return times.reshape(*times.shape, *([1] * batch))


def path_of(field: Any, theta: Any, x: np.ndarray, grid: Grid) -> Path:
    """z on [0, 1] with z(1) = x for rows ``x (..., D)``."""
    return integrate_backward(lambda z, s: field(z, theta, _lead(s, z.ndim - 2)), x, grid)


@dataclass(frozen=True)
class Prepared:
    """A path with the linearizations at its stages, step by step, there and at the mirrored times:
    the same for every subject.
    """

    path: Path
    here: tuple[Any, ...]
    mirrored: tuple[Any, ...]


def prepare(field: Any, theta: Any, path: Path) -> Prepared:
    """Linearize ``field`` along ``path``."""
    times, batch, steps = path.grid.times, path.end.ndim - 1, range(path.grid.steps)
    here = tuple(field.linearize(path.stages[n], theta, _lead(times[n], batch)) for n in steps)
    mirrored = tuple(
        field.linearize(path.mirrored[n], theta, _lead(1 - times[n], batch)) for n in steps
    )
    return Prepared(path, here, mirrored)


class _Linear:
    """A linearization whose part without a is switched off: what remains of a' is linear in a."""

    def __init__(self, local: Any) -> None:
        self.jvp, self.vjp = local.jvp, local.vjp

    def quad(self, u: Any, v: Any) -> float:
        return 0.0

    quad_z = quad_theta = quad

    def vjp_theta(self, a: Any) -> float:
        return 0.0


def solve(
    subject: Any, latent: Any, prepared: Prepared, nu: np.ndarray, fresh: np.ndarray
) -> Solution:
    """The subject's log p̂, a(1) and b(1) for ν ``(n, D)`` along a path of points ``(n, D)`` or
    ``(1, D)``.
    """
    path, grid = prepared.path, prepared.path.grid
    spares = [Spare(fresh, there) for there in prepared.mirrored]

    def rates(n: int, a: np.ndarray) -> tuple[Any, Any, Any]:
        return subject.rates(prepared.here[n], a, nu, spares[n])

    a0, b0 = subject.start(latent, path.start, path.end)
    a0 = np.broadcast_to(a0, nu.shape).astype(float)
    # every subject's a' is affine in a: its constant part is evaluated once a step, and the sweeps
    # repeat the linear part only
    constants = [rates(n, np.zeros((grid.stages, *nu.shape)))[1] for n in range(grid.steps)]
    linear = [
        (_Linear(prepared.here[n]), Spare(fresh, _Linear(prepared.mirrored[n])))
        for n in range(grid.steps)
    ]
    a, stages = advance(
        lambda n, values: subject.rates(linear[n][0], values, nu, linear[n][1])[1] + constants[n],
        a0,
        grid,
    )
    ell_rates, _, b_rates = (
        np.stack(parts)
        for parts in zip(*(rates(n, stages[n]) for n in range(grid.steps)), strict=True)
    )
    ell0 = -accumulate(ell_rates, grid)
    return Solution(
        np.asarray(subject.estimate(latent, path.start, path.end, ell0)),
        a,
        b0 + accumulate(b_rates, grid),
    )


def log_likelihood(
    field: Any, theta: Any, latent: Any, x: np.ndarray, nu: np.ndarray | None, grid: Grid
) -> np.ndarray:
    """``log p_Z(z(0)) - ∫ ν^T J ν`` (or ``∫ tr J`` for ν = None) on the grid, from z and J ν alone:
    what the adjoint must differentiate.

    Complex x and θ are welcome (one θ per leading index), so complex steps differentiate it.
    """
    path = path_of(field, theta, x, grid)
    local = field.linearize(path.stages, theta, _lead(grid.times, x.ndim - 1))
    directions = [nu] if nu is not None else list(np.eye(x.shape[-1]))
    q = sum((v * local.jvp(np.broadcast_to(v, path.stages.shape))).sum(axis=-1) for v in directions)
    return latent.log_density(path.start) - accumulate(q, grid)
