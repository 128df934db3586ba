"""Derivatives of the density or the score, and of the drift, at points of one time.

Conventions: as in `terms`. NumPy functions by complex circles or real intervals, PyTorch and JAX
ones by forward mode, and by their values where that cannot be had.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.public.fokker_planck import derivatives
from scoreproof.public.fokker_planck.divergence import divergence
from scoreproof.public.fokker_planck.general.curls import Around
from scoreproof.public.fokker_planck.general.pushed import (
    NotDifferentiable,
    Valued,
    pushed,
    rate_of,
)
from scoreproof.public.fokker_planck.general.slopes import Slopes, slopes
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.general.terms import Local

__all__ = ["density_rate", "jacobian", "log_of", "of_density", "of_score", "principal"]

#: the weight of a first derivative where the second does not matter
FIRST_ONLY = 1e12

Array = np.ndarray


def principal(near: Around) -> tuple[Array, Array | None]:
    """The eigenvalues of Σ ``(n, q)`` and their directions ``(n, q, d)``; ``None``: the
    coordinates'.
    """
    if near.diagonal:
        return np.einsum("nii->ni", near.sigma), None
    weights, axes = np.linalg.eigh(near.sigma)
    return weights, np.swapaxes(axes, 1, 2)


def _drift(g: General, x: Array, t: float, length: float, by_values: bool) -> tuple[Array, ...]:
    """f, its rounding, ∂_i f_i and its error."""
    n, d = x.shape
    if by_values or g.f.framework == "numpy":
        return divergence(g, x, t, length)
    axes = np.broadcast_to(np.eye(d), (n, d, d))
    f = g.drift(x, t)
    v = pushed(Valued.of_rows(g.f, d), x, t, axes)
    none = np.zeros((n, d))
    return f, none, np.einsum("nii->ni", v.first), none


def log_of(g: General) -> Any:
    """log p in the caller's framework."""

    def log_p(z: Any, when: Any) -> Any:
        value = g.law.function(z, when)
        if g.is_log:
            return value
        from scoreproof.interop.frameworks import require

        package = require(g.law.framework)
        return package.log(value) if g.law.framework == "torch" else package.numpy.log(value)

    return log_p


def of_density(
    g: General, x: Array, logs: Array, t: float, near: Around, how: tuple[float, bool]
) -> Local:
    """``how``: a quarter of the shortest side of the box, and whether by values."""
    length, by_values = how
    n, d = x.shape
    by_values = by_values or g.law.framework == "numpy"
    f, f_error, df, df_error = _drift(g, x, t, length, by_values)
    weights, axes = principal(near)
    keen = np.abs(f) + np.abs(near.C) + np.abs(near.E)
    if by_values:
        if axes is None:
            weight = keen / np.maximum(np.abs(weights) / 2, 1 / FIRST_ONLY)
            v = derivatives.spatial(g, derivatives.Spot(x, logs, t, length), weight)
            s, e, second, e2 = v.first, v.first_error, v.second, v.second_error
        else:
            v = derivatives.spatial(
                g, derivatives.Spot(x, logs, t, length), FIRST_ONLY * (keen + 1e-12)
            )
            s, e = v.first, v.first_error
            spot = derivatives.Spot(x, logs, t, length, axes)
            v = derivatives.spatial(g, spot, np.zeros(axes.shape[:2]))
            second, e2 = v.second, v.second_error
    else:
        eye = np.broadcast_to(np.eye(d), (n, d, d))
        one = _push_density(g, x, t, eye, axes is None)
        s = one.first[:, :, 0]
        none = np.zeros((n, d))
        e, second, e2 = none, one.second[:, :, 0] + s**2, none
        if axes is not None:
            two = _push_density(g, x, t, axes, True)
            second, e2 = two.second[:, :, 0] + two.first[:, :, 0] ** 2, np.zeros(axes.shape[:2])
    return Local(f, df, s, second, weights, f_error, df_error, e, e2)


def _push_density(g: General, x: Array, t: float, along: Array, twice: bool) -> Slopes:
    return pushed(Valued.of_numbers(g.law, twice, log_of(g)), x, t, along)


def density_rate(
    g: General, x: Array, logs: Array, t: float, by_values: bool
) -> tuple[Array, Array]:
    """∂_t log p and its error."""
    if by_values or g.law.framework == "numpy":
        return derivatives.rate(g, x, logs, t)
    found = rate_of(g.law, x, t, log_of(g))
    return np.broadcast_to(found.reshape(-1), (len(x),)).copy(), np.zeros(len(x))


def jacobian(g: General, x: Array, t: float, s: Array, length: float) -> tuple[Array, Array]:
    """``∂_j s_i`` ``(n, j, i)`` of the score, and its error."""
    n, d = x.shape
    axes = np.broadcast_to(np.eye(d), (n, d, d))
    guard = g.slopes
    assert guard is not None
    if guard.framework != "numpy":
        try:
            v = pushed(Valued.of_rows(guard, d), x, t, axes)
            return v.first, _solved(v, guard.eps)
        except NotDifferentiable:
            pass
    v = slopes(lambda z: g.score_field(z, t), x, axes, s, guard.eps, length)
    return v.first, _solved(v, guard.eps)


def _solved(v: Slopes, eps: float) -> Array:
    """With the rounding of a linear system: a score is the solution of one, ``-Σ⁻¹ (x - m)``, and
    its Jacobian has that matrix's condition.
    """
    J = v.first
    size = np.max(np.abs(J), axis=(1, 2), keepdims=True)
    with np.errstate(all="ignore"):
        condition = np.linalg.cond(np.where(np.isfinite(J), J, 0.0))
    rounding = np.where(np.isfinite(condition), condition, np.inf) * J.shape[1] * eps
    return v.first_error + np.minimum(rounding, np.sqrt(eps))[:, None, None] * size


def of_score(
    g: General, x: Array, t: float, near: Around, length: float
) -> tuple[Local, Array, Array]:
    """With the score's Jacobian and its error."""
    try:
        f, f_error, df, df_error = _drift(g, x, t, length, False)
    except NotDifferentiable:
        f, f_error, df, df_error = _drift(g, x, t, length, True)
    s = g.score(x, t)
    J, wrong = jacobian(g, x, t, s, length)
    weights, axes = principal(near)
    if axes is None:
        second = np.einsum("nii->ni", J) + s**2
        e2 = np.einsum("nii->ni", wrong)
    else:
        second = np.einsum("nqi,nij,nqj->nq", axes, J, axes) + np.einsum("nqi,ni->nq", axes, s) ** 2
        size = np.abs(axes)
        e2 = np.einsum("nqi,nij,nqj->nq", size, wrong, size)
    return (
        Local(f, df, s, second, weights, f_error, df_error, np.zeros_like(s), e2),
        J,
        wrong,
    )
