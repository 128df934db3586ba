"""The user's flow solved with steps doubled until it settles, confirmed by differences.

Conventions: as in `check`; on the user's own field, in double precision where it takes that.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.faults import TRUTH
from scoreproof.claims.ffjord.solver import Prepared, Solution, solve
from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded, require
from scoreproof.numerics.adjoint import Grid
from scoreproof.public.black_box_field import FOURTH_ORDER, BlackBoxField, stencil
from scoreproof.public.log_likelihood_gradient.arguments import Given
from scoreproof.public.log_likelihood_gradient.linearization import (
    path_of,
    prepare_black_box,
    quadratic_along,
)

__all__ = ["STEPS", "Settled", "independent_gap", "settle", "unused", "wide"]

STAGES = 6
#: the reference doubles its steps from the first of these up to the last
STEPS = (2, 4, 8, 16, 32)
ENOUGH = 1e-9
#: what a field must do whatever the steps: shorter ones do not help
NOT_BY_STEPS = "be differentiable"


@dataclass(frozen=True, eq=False)
class Settled:
    """The flow at the last number of steps but one and at the last; how b changed in between."""

    before: Prepared
    prepared: Prepared
    found: Solution
    change: float


def wide(given: Given) -> Guarded:
    """The field behind its guard, in double precision if it takes that (so that the rounding
    of the reference is not taken for the user's).
    """
    plain = guarded(given.field, "field", given.framework, given.dtype)
    if given.framework == "numpy" and plain.prepare is None:
        return plain
    wider = "float64"
    if given.framework == "jax" and not require("jax").config.jax_enable_x64:
        wider = "float32"
    plain.deterministic(given.x, given.params, 0.5, shape=given.x.shape)
    function = given.field if given.framework != "jax" else _compiled(given.field)
    guard = guarded(function, "field", given.framework, wider)
    try:
        guard(given.x, given.params, 0.5, shape=given.x.shape)
    except CallableError:  # weights of its own, in another type
        return plain
    return guard


def _compiled(field: Callable[..., Any]) -> Callable[..., Any]:
    """By ``jax.jit``, where the field takes a traced s; else as it is."""
    fast = require("jax").jit(field)

    def either(*arguments: Any) -> Any:
        try:
            return fast(*arguments)
        except Exception:  # a field that asks s for its value
            return field(*arguments)

    return either


def settle(field: BlackBoxField, latent: Any, x: np.ndarray, nu: np.ndarray) -> Settled | None:
    """``None`` if it never does."""
    previous: tuple[Prepared, Solution] | None = None
    best: Settled | None = None
    # a field in float32 moves by its rounding; small entries ask for as little of that as there is
    enough = max(ENOUGH, 8 * field.guard.eps)
    at_worst = max(ENOUGH, 100 * field.guard.eps)
    for steps in STEPS:
        try:
            prepared = prepare_black_box(field, path_of(field, x, Grid(steps, STAGES)))
        # the field is finite at x; stage values ran away because the steps are too long, or the
        # flow does
        except CallableError as error:
            if error.expected.startswith(NOT_BY_STEPS):
                raise
            previous = None
            continue
        found = solve(TRUTH, latent, prepared, nu, nu)
        if previous is not None:
            change = float(np.max(np.abs(found.b - previous[1].b))) / (
                float(np.max(np.abs(found.b))) + 1e-300
            )
            if change <= min(at_worst, best.change if best else np.inf):
                best = Settled(previous[0], prepared, found, change)
            if change <= enough or (best is not None and change > best.change):
                return best
        previous = (prepared, found)
    return best


def independent_gap(
    field: BlackBoxField, latent: Any, x: np.ndarray, nu: np.ndarray, settled: Settled
) -> float:
    """The reference against differences of log p̂ itself along the first direction (no adjoint in
    it), relative.
    """
    w, grid, b = field.directions[:, 0], settled.before.path.grid, settled.found.b

    def log_p(t: float) -> np.ndarray:
        moved = field.params + t * w
        path = path_of(field, x, grid, moved)
        return latent.log_density(path.start) - np.tensordot(
            path.grid.weights, quadratic_along(field, path, nu, moved).sum(axis=0), axes=1
        )

    return float(np.max(np.abs(stencil(log_p, 0.01, FOURTH_ORDER) - b[:, 0]))) / (
        float(np.max(np.abs(b))) + 1e-300
    )


def unused(
    field: BlackBoxField, settled: Settled, claimed: list[np.ndarray], rng: np.random.Generator
) -> np.ndarray:
    """Which of the parameters said to have entry 0 the field does not use along the path and near
    it: changed together, by little and by much, they leave it the same bit for bit, ``(P,)``.
    """
    zero = np.all([np.all(g == 0, axis=0) for g in claimed], axis=0)
    if not np.any(zero):
        return zero
    path = settled.before.path
    size = np.maximum(np.abs(field.params), 1.0)
    for amount in (1e-3, 1.0):
        for z, times in zip(path.stages, path.grid.times, strict=True):
            for row, s in zip(z, times, strict=True):
                moved = field.params + zero * amount * size * rng.uniform(-1, 1, size.size)
                # ∂f/∂z is to be the same too
                near = np.concatenate([row, row + 1e-2 * rng.standard_normal(row.shape)])
                try:
                    same = np.array_equal(field(near, float(s), moved), field(near, float(s)))
                except CallableError:
                    same = False
                if not same:
                    return np.zeros_like(zero)
    return zero
