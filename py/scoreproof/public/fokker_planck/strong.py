"""Derivatives of a user's density and drift at points: Cauchy circles and complex steps for NumPy,
forward mode for PyTorch and JAX.

Conventions: as in `statement`; points are rows. Every function here returns the `Jets` of the
user's own callables and ∂_t p, with a
bound of the error of the difference ``∂_t p - right side`` at each point.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.claims.fokker_planck.statement import Jets
from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.numerics.cauchy import circle, from_circles

__all__ = ["Found", "NotAnalytic", "by_circles", "by_forward_mode", "join"]

POINTS_ON_CIRCLE = 24
RADII = np.array([1.0, 0.5, 0.25, 0.125, 0.0625, 0.03125])
STEP = 1e-30


class NotAnalytic(Exception):
    """The callable cannot be differentiated this way; the text says which and why."""


@dataclass(frozen=True)
class Found:
    """Jets, ∂_t p, the size of the terms and the error bound at each point that could be judged;
    how many had no density (p = 0).
    """

    jets: Jets
    rate: np.ndarray
    scale: np.ndarray
    bound: np.ndarray
    empty: int = 0


def _found(
    p: np.ndarray,
    dp: np.ndarray,
    d2p: np.ndarray,
    f: np.ndarray,
    df: np.ndarray,
    rho: float,
    rho0: float,
    rate: np.ndarray,
    error: np.ndarray,
) -> Found:
    """All but ``rho`` per point; ``dp``, ``d2p``, ``f``, ``df`` are (n, d); ``error`` is the bound
    apart from plain rounding.
    """
    jets = Jets(p, list(dp.T), list(d2p.T), list(f.T), list(df.T), rho, rho0)
    scale = np.abs(rate) + (
        np.abs(f * dp) + np.abs(df) * p[:, None] + rho**2 / 2 * np.abs(d2p)
    ).sum(axis=1)
    return Found(jets, rate, scale, error)


def join(parts: list[Found]) -> Found:
    """Several times as one set of points."""

    def cat(pick: Callable[[Found], Any]) -> np.ndarray:
        return np.concatenate([np.asarray(pick(part)) for part in parts], axis=-1)

    jets = Jets(
        p=cat(lambda q: q.jets.p),
        dp=list(cat(lambda q: q.jets.dp)),
        d2p=list(cat(lambda q: q.jets.d2p)),
        f=list(cat(lambda q: q.jets.f)),
        df=list(cat(lambda q: q.jets.df)),
        rho=cat(lambda q: np.full(q.rate.shape, q.jets.rho)),
        rho_start=cat(lambda q: np.full(q.rate.shape, q.jets.rho_start)),
    )
    return Found(
        jets,
        cat(lambda q: q.rate),
        cat(lambda q: q.scale),
        cat(lambda q: q.bound),
        sum(part.empty for part in parts),
    )


def by_circles(
    log_or_density: Guarded,
    is_log: bool,
    drift: Guarded,
    x: np.ndarray,
    t: float,
    rho: float,
    rho0: float,
    length: float,
) -> Found:
    """NumPy callables, analytic in x and t. Calls of the density: 5, of the drift: 2. Raises
    `NotAnalytic`.
    """
    n, d = x.shape

    def relative(z: np.ndarray, when: Any, base: np.ndarray, repeat: int) -> np.ndarray:
        with np.errstate(all="ignore"):
            value = as_numpy(log_or_density.raw(z, when))
            value = np.broadcast_to(value, (len(z),)) if value.shape != (len(z),) else value
            reference = np.tile(base, repeat)
            return np.exp(value - reference) if is_log else value / reference

    base = log_or_density(x, t, shape=(n,))
    if np.iscomplexobj(base) or (not is_log and np.any(base < 0)):
        raise CallableError(
            log_or_density.name,
            "return non-negative real densities",
            "it returned negative or complex ones",
            "pass log_density= for a log",
        )
    kept = np.isfinite(base) if is_log else base > 1e-290
    if not np.any(kept):
        raise NotAnalytic("the density vanishes at every point")
    empty = int(np.sum(~kept))
    x, base, n = x[kept], base[kept], int(kept.sum())
    eps = max(log_or_density.eps, drift.eps)
    logs = base if is_log else np.log(base)
    digits = 4 + np.abs(logs)  # a density's relative rounding is that of its exponent

    roots, radii = circle(POINTS_ON_CIRCLE), RADII * length
    offsets = (radii[:, None] * roots).ravel()
    moved = np.broadcast_to(x.astype(complex), (d, offsets.size, n, d)).copy()
    for i in range(d):
        moved[i, :, :, i] += offsets[:, None]
    try:
        rings = relative(moved.reshape(-1, d), t, base, d * offsets.size)
        turned = relative(x, t + 1j * STEP, base, 1)
        delta = 1e-4 * max(abs(t), 1e-3)
        later, earlier = relative(x, t + delta, base, 1), relative(x, t - delta, base, 1)
    except CallableError as caught:
        raise NotAnalytic(str(caught)) from caught
    rings = np.moveaxis(
        rings.reshape(d, len(radii), POINTS_ON_CIRCLE, n), (1, 0, 3, 2), (0, 1, 2, 3)
    ).reshape(len(radii), d * n, POINTS_ON_CIRCLE)
    finite = np.where(np.isfinite(rings), rings, np.nan)
    slopes = [from_circles(finite, radii, k, np.tile(2 * eps * digits, d)) for k in (1, 2)]
    (first, first_error), (second, second_error) = (
        (v.reshape(d, n).T, e.reshape(d, n).T) for v, e in slopes
    )
    rate = np.imag(turned) / STEP
    difference = (later - earlier) / (2 * delta)

    shift = 1e-4 * length
    both = np.concatenate(
        [np.tile(x, (d, 1)) + s * np.repeat(np.eye(d), n, axis=0) for s in (shift, -shift)]
    )
    answer = drift(np.concatenate([x, both]), t, shape=((2 * d + 1) * n, d)).real
    f, plus, minus = (
        answer[:n],
        answer[n : n + d * n].reshape(d, n, d),
        answer[n + d * n :].reshape(d, n, d),
    )
    try:
        stepped = as_numpy(
            drift.raw(np.tile(x, (d, 1)) + 1j * STEP * np.repeat(np.eye(d), n, axis=0), t)
        )
    except CallableError as caught:
        raise NotAnalytic(str(caught)) from caught
    stepped = np.broadcast_to(stepped, (d * n, d)).reshape(d, n, d)
    df = np.stack([np.imag(stepped[i, :, i]) / STEP for i in range(d)], axis=1)
    coarse = np.stack([(plus[i, :, i] - minus[i, :, i]) / (2 * shift) for i in range(d)], axis=1)

    # complex steps pass unseen through abs() or a cast to real: plain differences, good to 1e-4,
    # expose that
    size = np.abs(rate) + (np.abs(f * first) + np.abs(df) + rho**2 / 2 * np.abs(second)).sum(axis=1)
    tolerance = 1e-3 + 1e4 * eps
    if not np.all(np.isfinite(rate)) or np.median(np.abs(rate - difference) / size) > tolerance:
        raise NotAnalytic(
            f"{log_or_density.name} is not analytic in t (its complex step and its differences"
            " disagree)"
        )
    if not np.all(np.isfinite(df)) or np.max(np.abs(df - coarse)) > tolerance * (
        1 + np.max(np.abs(df)) + np.max(np.abs(f))
    ):
        raise NotAnalytic(
            f"{drift.name} is not analytic in x (its complex step and its differences disagree)"
        )
    error = (np.abs(f) * first_error + rho**2 / 2 * second_error).sum(axis=1)
    good = error <= 1e-6 * size + 1e5 * eps * size
    if np.mean(good) < 0.5:
        raise NotAnalytic(
            f"{log_or_density.name} is not analytic in x, or varies too fast for circles of radius"
            f" {radii[-1]:.3g} and more"
        )
    p = np.exp(logs)
    error = p * (error + 8 * eps * digits * size)
    part = _found(p, p[:, None] * first, p[:, None] * second, f, df, rho, rho0, p * rate, error)
    return replace(_select(part, good), empty=empty)


def _select(part: Found, good: np.ndarray) -> Found:
    j = part.jets
    dp, d2p, f, df = ([v[good] for v in column] for column in (j.dp, j.d2p, j.f, j.df))
    return Found(
        Jets(j.p[good], dp, d2p, f, df, j.rho, j.rho_start),
        part.rate[good],
        part.scale[good],
        part.bound[good],
    )


def by_forward_mode(
    density: Guarded,
    is_log: bool,
    drift: Guarded,
    x: np.ndarray,
    t: float,
    rho: float,
    rho0: float,
    framework: str,
) -> Found:
    """PyTorch or JAX callables, by nested forward mode. Calls of the density: d + 2, of the drift:
    d + 1.
    """
    n, d = x.shape
    package = require(framework)
    jvp = package.func.jvp if framework == "torch" else package.jvp
    # t goes in as an array of the framework: a Python float would often become float32 on its way
    clock = np.asarray(float(t))
    base = density(x, clock, shape=(n,))
    f = drift(x, clock, shape=(n, d))
    eps = max(density.eps, drift.eps)
    kept = np.isfinite(base) if is_log else base > (1e-30 if eps > 1e-10 else 1e-290)
    if not np.any(kept):
        raise NotAnalytic("the density vanishes at every point")
    empty = int(np.sum(~kept))
    x, base, f = x[kept], base[kept], f[kept]
    logs = base if is_log else np.log(base)
    to, n = density.prepare or (lambda a: a), len(x)
    rows, now = to(x), to(clock)

    def axis(i: int) -> Any:
        return to(np.broadcast_to(np.eye(d)[i], (n, d)).copy())

    def log_p(z: Any, s: Any) -> Any:
        value = density.function(z, s)
        return (
            value
            if is_log
            else package.log(value)
            if framework == "torch"
            else package.numpy.log(value)
        )

    try:
        rate = as_numpy(jvp(lambda s: log_p(rows, s), (now,), (to(np.asarray(1.0)),))[1])
        first, second, df = np.empty((n, d)), np.empty((n, d)), np.empty((n, d))
        for i in range(d):
            e = axis(i)

            def slope(z: Any, e: Any = e) -> Any:
                return jvp(lambda y: log_p(y, now), (z,), (e,))[1]

            g, h = jvp(slope, (rows,), (e,))
            first[:, i], second[:, i] = as_numpy(g), as_numpy(h)
            df[:, i] = as_numpy(jvp(lambda y: drift.function(y, now), (rows,), (e,))[1])[:, i]
    except (
        Exception
    ) as caught:  # whatever the framework raises: the function cannot be differentiated
        raise NotAnalytic(
            f"{framework} cannot differentiate the callables ({type(caught).__name__}: {caught})"
        ) from caught
    density.calls += d + 1
    drift.calls += d
    p = np.exp(logs)
    curvature = first * first + second
    # a derivative carries the rounding of the exponent's parts, which a mixture weighs against each
    # other
    size = np.abs(rate) + (
        np.abs(f * first) + np.abs(df) + rho**2 / 2 * (np.abs(second) + first * first)
    ).sum(axis=1)
    error = p * size * eps * 16 * (4 + np.abs(logs))
    return replace(
        _found(p, p[:, None] * first, p[:, None] * curvature, f, df, rho, rho0, p * rate, error),
        empty=empty,
    )
