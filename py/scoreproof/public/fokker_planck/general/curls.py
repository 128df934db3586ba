"""What a noise that depends on x adds to the drift, and the divergence of it.

Conventions: g ``(d, m)``, g_k its columns, Σ = g gᵀ. ``C_i = Σ_jk g_jk ∂_j g_ik``, ``E_i = Σ_k g_ik
∇·g_k``; C + E = ∇·Σ, and ``∂_i∂_j Σ_ij = ∇·C + ∇·E``. Of a Σ that is no diagonal only the sums
are known: C and E are then half of them, which no reading but Itô's and Fick's may use.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck.general.noise import Noise
from scoreproof.public.fokker_planck.general.pushed import NotDifferentiable, Valued, pushed
from scoreproof.public.fokker_planck.general.slopes import Slopes, slopes

__all__ = ["Around", "matrix", "noise_at"]


@dataclass(frozen=True, eq=False)
class Around:
    """Σ ``(n, d, d)`` at points, C and E ``(n, d)``, their divergences ``(n,)`` and the errors of
    each; ``whole``: whether C and E are known one by one; ``diagonal``: whether Σ is one.
    """

    sigma: np.ndarray
    C: np.ndarray
    E: np.ndarray
    div_C: np.ndarray
    div_E: np.ndarray
    error: np.ndarray
    div_error: np.ndarray
    whole: bool
    diagonal: bool


def matrix(value: np.ndarray) -> np.ndarray:
    """``(n, d, m)``, of a diagonal too."""
    return value[:, :, None] * np.eye(value.shape[1]) if value.ndim == 2 else value


def noise_at(noise: Noise, x: np.ndarray, t: float, length: float) -> Around:
    """At points of one time."""
    n, d = x.shape
    value = noise.value(x, t)
    g = matrix(value)
    sigma = np.einsum("nik,njk->nij", g, g) if noise.is_g else g
    off = sigma * (1 - np.eye(d))
    none, zero = np.zeros((n, d)), np.zeros(n)
    if not noise.of_state:
        return Around(sigma, none, none, zero, zero, none, zero, True, not np.any(off))
    axes = np.broadcast_to(np.eye(d), (n, d, d))
    bare = value.ndim == 2 or (g.shape[2] == d and not np.any(g * (1 - np.eye(d))))
    if bare:
        own = value if value.ndim == 2 else np.einsum("nii->ni", g)
        v = _slopes(noise, x, t, axes, value, length)
        picked = [
            np.einsum("nii->ni", c.reshape(n, d, d))
            if value.ndim == 2
            else np.einsum("niii->ni", c.reshape(n, d, d, d))
            for c in (v.first, v.second, v.first_error, v.second_error)
        ]
        return _diagonal(noise, sigma, own, picked)
    i, j = np.triu_indices(d, 1)
    pairs = np.eye(d)[i] + np.eye(d)[j]
    v = _slopes(
        noise,
        x,
        t,
        np.concatenate([axes, np.broadcast_to(pairs, (n, *pairs.shape))], 1),
        value,
        length,
    )
    shape = (n, d + len(pairs), d, -1)
    first, second = v.first.reshape(shape)[:, :d], v.second.reshape(shape)
    e1, e2 = v.first_error.reshape(shape)[:, :d], v.second_error.reshape(shape)
    m = g.shape[2]
    mixed, wrong = np.zeros((n, d, d, d, m)), np.zeros((n, d, d, d, m))
    at = np.arange(d)
    mixed[:, at, at], wrong[:, at, at] = second[:, :d], e2[:, :d]
    for k, (a, b) in enumerate(zip(i, j, strict=True)):
        twice = second[:, d + k] - second[:, a] - second[:, b]
        mixed[:, a, b] = mixed[:, b, a] = twice / 2
        wrong[:, a, b] = wrong[:, b, a] = (e2[:, d + k] + e2[:, a] + e2[:, b]) / 2
    if not noise.is_g:
        total = np.einsum("njij->ni", first)
        twice = np.einsum("nijij->n", mixed)
        error, div_error = np.einsum("njij->ni", e1), np.einsum("nijij->n", wrong)
        half, part = total / 2, twice / 2
        return Around(sigma, half, half, part, part, error / 2, div_error / 2, False, False)
    along, own = np.einsum("njk,njik->ni", g, first), np.einsum("niik->nk", first)
    C, E = along, np.einsum("nik,nk->ni", g, own)
    T = np.einsum("njk,nijik->n", g, mixed)
    Q = np.einsum("njik,nijk->n", first, first)
    V = (own**2).sum(axis=1)
    size = np.abs(g)
    near, own_error = np.abs(first), np.einsum("niik->nk", e1)
    error = np.einsum("njk,njik->ni", size, e1) + np.einsum("nik,nk->ni", size, own_error)
    div_error = (
        np.einsum("njk,nijik->n", size, wrong)
        + 2 * np.einsum("njik,nijk->n", near, e1)
        + 2 * (np.abs(own) * own_error).sum(axis=1)
    )
    return Around(sigma, C, E, Q + T, V + T, error, div_error, True, not np.any(off))


def _diagonal(noise: Noise, sigma: np.ndarray, own: np.ndarray, picked: list[np.ndarray]) -> Around:
    first, second, e1, e2 = picked
    if noise.is_g:
        C, div = own * first, (first**2 + own * second).sum(axis=1)
        error = np.abs(own) * e1
        div_error = (2 * np.abs(first) * e1 + np.abs(own) * e2).sum(axis=1)
    else:
        C, div = first / 2, second.sum(axis=1) / 2
        error, div_error = e1 / 2, e2.sum(axis=1) / 2
    return Around(sigma, C, C, div, div, error, div_error, True, True)


def _slopes(
    noise: Noise, x: np.ndarray, t: float, along: np.ndarray, value: np.ndarray, length: float
) -> Slopes:
    n, tail = len(x), value.shape[1:]
    flat = value.reshape(n, -1)
    if noise.guard.framework != "numpy" and noise.of is None:
        try:
            # one row alone might pass for a matrix
            rows, lines = (np.repeat(a, 2, axis=0) if n == 1 else a for a in (x, along))
            valued = Valued(noise.guard, noise.linear, flat.shape[1])
            v = pushed(valued, rows, noise.when(t), lines)
            return Slopes(*(c[:n] for c in (v.first, v.second, v.first_error, v.second_error)))
        except NotDifferentiable:
            pass
    return slopes(
        lambda z: noise.field(z, t, tail).reshape(len(z), -1),
        x,
        along,
        flat,
        noise.guard.eps,
        length,
    )
