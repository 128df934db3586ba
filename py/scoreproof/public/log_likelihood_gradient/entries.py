"""Every entry of b = ∂ log p̂/∂θ from the adjoint: by reverse mode, or one parameter at a time.

Conventions: V sets of ν ``(V, n, D)`` on one path of n rows; ``mix`` ``(G, V n)`` adds rows up (the
identity: each by itself). ``columns`` ``(P, K)`` are directions in θ, ``None`` for all P entries.
``b = -∫ (a ∂f/∂θ + ∂_θ(νᵀJν)) ds``, the integrand being the θ-gradient of ``a f + νᵀJν``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.claims.ffjord.solver import Prepared
from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.numerics.adjoint import accumulate, advance
from scoreproof.numerics.complex_step import STEP
from scoreproof.public.black_box_field import EIGHTH_ORDER, BlackBoxField, stencil

__all__ = ["DIRECT", "DIRECT_STENCIL", "adjoint", "every_entry", "integrated", "value"]

#: parameters up to which NumPy fields are asked one parameter at a time: P calls a stage, or 8 P
DIRECT, DIRECT_STENCIL = 512, 128


def adjoint(prepared: Prepared, latent: Any, nu: np.ndarray) -> np.ndarray:
    """a at the stages, ``(steps, stages, n, D)``."""
    path = prepared.path
    constant = [local.quad_z(nu, nu) for local in prepared.here]
    start = np.broadcast_to(latent.score(path.start), nu.shape).astype(float)
    return advance(lambda k, a: -prepared.here[k].vjp(a) - constant[k], start, path.grid)[1]


def value(prepared: Prepared, latent: Any, nu: np.ndarray) -> np.ndarray:
    """log p̂, ``(n,)``."""
    rates = np.stack([local.quad(nu, nu) for local in prepared.here])
    return latent.log_density(prepared.path.start) - accumulate(rates, prepared.path.grid)


def every_entry(
    field: BlackBoxField,
    prepared: Prepared,
    latent: Any,
    nus: np.ndarray,
    mix: np.ndarray,
    columns: np.ndarray | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """b ``(G, K)``, and the sum of the absolute values of what the stages contribute."""
    stages = np.stack([adjoint(prepared, latent, nu) for nu in nus], axis=2)
    return integrated(field, prepared, stages, nus, (mix, columns))


def integrated(
    field: BlackBoxField,
    prepared: Prepared,
    stages: np.ndarray,
    nus: np.ndarray,
    how: tuple[np.ndarray, np.ndarray | None],
) -> tuple[np.ndarray, np.ndarray]:
    """``-∫ (a ∂f/∂θ + ∂_θ(νᵀJν)) ds`` for any a at the stages ``(steps, stages, V, n, D)`` and any
    ν; ``how``: mix and columns.
    """
    path, (mix, columns) = prepared.path, how
    v, n, d = nus.shape
    nu = nus.reshape(v * n, d)
    total: Any = 0.0
    size: Any = 0.0
    for k, times in enumerate(path.grid.times):
        for s, weight, z, a in zip(
            times, path.grid.weights, path.stages[k], stages[k], strict=True
        ):
            part = weight * _gradients(
                field, np.tile(z, (v, 1)), float(s), a.reshape(v * n, d), nu, mix, columns
            )
            total, size = total - part, size + np.abs(part)
    return total, size


def _gradients(
    field: BlackBoxField,
    z: np.ndarray,
    s: float,
    a: np.ndarray,
    nu: np.ndarray,
    mix: np.ndarray,
    columns: np.ndarray | None,
) -> np.ndarray:
    """``mix`` times the θ-gradients of ``a f + νᵀJν`` at rows z, ``(G, K)``."""
    if field.ad is not None:
        rows = _reverse(field, z, s, a, nu, mix)
        return rows if columns is None else rows @ columns
    # J ν by a real stencil along ν, so that one call a direction carries both terms
    step = 0.02 / (1 + np.linalg.norm(nu, axis=1, keepdims=True) / 4)
    shifts = [sign * k for k in range(1, len(EIGHTH_ORDER) + 1) for sign in (1, -1)]
    rows = np.concatenate([z, *(z + k * step * nu for k in shifts)])
    weights = np.concatenate(
        [a, *(np.sign(k) * EIGHTH_ORDER[abs(k) - 1] / step * nu for k in shifts)]
    )

    def mixed(values: np.ndarray) -> np.ndarray:
        return mix @ (weights * values).sum(axis=1).reshape(len(shifts) + 1, len(z)).sum(axis=0)

    along = _along_theta(field, rows, s)
    p = field.params.size
    directions = (_axis(p, k) for k in range(p)) if columns is None else iter(columns.T)
    return np.stack([mixed(along(w)) for w in directions], axis=1)


def _axis(p: int, k: int) -> np.ndarray:
    axis = np.zeros(p)
    axis[k] = 1.0
    return axis


def _along_theta(
    field: BlackBoxField, rows: np.ndarray, s: float
) -> Callable[[np.ndarray], np.ndarray]:
    """``∂f/∂θ w`` at the rows as a function of w."""
    if field.analytic:
        held = rows.astype(complex)
        return lambda w: np.imag(field(held, s, field.params + 1j * STEP * w)) / STEP

    def real(w: np.ndarray) -> np.ndarray:
        # a step of fixed length along w, whatever w is scaled to
        length = float(np.max(np.abs(w))) or 1.0
        return stencil(lambda t: field(rows, s, field.params + t * w), field.width / length)

    return real


def _reverse(
    field: BlackBoxField,
    z: np.ndarray,
    s: float,
    a: np.ndarray,
    nu: np.ndarray,
    mix: np.ndarray,
) -> np.ndarray:
    of = field.guard.prepare or (lambda v: v)
    arguments = (of(field.params), of(z), of(a), of(nu))
    field.guard.calls += 1
    try:
        if field.framework == "jax":
            return as_numpy(_compiled(field)(*arguments, s, of(mix))).astype(float)
        _, pull = field.ad.vjp(lambda p: _scalars(field, p, *arguments[1:], s), arguments[0])
        return np.stack([as_numpy(pull(of(row))[0]).astype(float) for row in mix])
    except Exception as error:
        raise CallableError(
            field.guard.name,
            f"be differentiable in params by {field.framework}, in reverse mode",
            f"{type(error).__name__}: {error}",
            "write it without in-place operations, as a function of z and params",
        ) from error


def _scalars(field: BlackBoxField, p: Any, z: Any, a: Any, nu: Any, s: Any) -> Any:
    """``a f + νᵀJν`` at rows z."""
    f, jnu = field.ad.jvp(lambda q: field.guard.function(q, p, s), (z,), (nu,))
    return (a * f).sum(-1) + (nu * jnu).sum(-1)


def _compiled(field: BlackBoxField) -> Callable[..., Any]:
    """One compilation for all stages, where the field takes a traced s; else op by op."""

    def rows(p: Any, z: Any, a: Any, nu: Any, s: Any, mix: Any) -> Any:
        _, pull = field.ad.vjp(lambda q: _scalars(field, q, z, a, nu, s), p)
        return field.ad.vmap(lambda row: pull(row)[0])(mix)

    if field.compiled is None:
        fast = field.ad.jit(rows)

        def either(*arguments: Any) -> Any:
            try:
                return fast(*arguments)
            except Exception:  # a field that asks s for its value
                return rows(*arguments)

        field.compiled = either
    return field.compiled
