"""Derivatives of PyTorch and JAX callables by nested forward mode, and whether their values agree.

Conventions: as in `derivatives`. Forward mode does not see what a ``detach`` or ``stop_gradient``
hides, nor a jump; `blind` compares it with differences of values along a random direction and in t.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.numerics.local_series import nodes, on_intervals
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.derivatives import CLOCK, Derivatives, Spot
from scoreproof.public.fokker_planck.ladder import chunks

__all__ = ["NotDifferentiable", "blind", "forward"]


#: relative accuracy of values at which no smaller steps are tried
ENOUGH = 1e-8


class NotDifferentiable(Exception):
    """The framework cannot differentiate the callables."""


def forward(
    s: Subject, x: np.ndarray, t: float
) -> tuple[Derivatives, np.ndarray, np.ndarray, np.ndarray]:
    """Derivatives of p in x, ∂_t p/p ``(n,)``, f and ∂_i f_i ``(n, d)`` (0 where the drift is
    written in another framework); the errors are the caller's to add.

    Calls: two of the density and two of the drift, and one more of each for every `LARGEST`
    numbers.
    """
    package = require(s.framework)
    jvp = package.func.jvp if s.framework == "torch" else package.jvp
    n, d = x.shape
    to_law, to_drift = s.law.prepare or (lambda a: a), s.f.prepare or (lambda a: a)
    clock = s.clock(float(t))

    def log_p(z: Any, when: Any) -> Any:
        value = s.law.function(z, when)
        if s.is_log:
            return value
        return package.log(value) if s.framework == "torch" else package.numpy.log(value)

    f = s.drift(x, t)
    first, second, df = np.empty(n * d), np.empty(n * d), np.zeros(n * d)
    theirs = s.f.framework == s.framework  # else its divergence is not to be had by this mode
    point, axis = np.repeat(np.arange(n), d), np.tile(np.arange(d), n)
    try:
        rate = jvp(lambda u: log_p(to_law(x), u), (to_law(clock),), (to_law(np.asarray(1.0)),))[1]
        for part in chunks(np.arange(n * d), d):
            rows, along = x[point[part]], np.eye(d)[axis[part]]
            e = to_law(along)

            def slope(z: Any, e: Any = e) -> Any:
                return jvp(lambda y: log_p(y, to_law(clock)), (z,), (e,))[1]

            g, h = jvp(slope, (to_law(rows),), (e,))
            first[part], second[part] = as_numpy(g), as_numpy(h)
            s.law.calls += 1
            if not theirs:
                continue
            pushed = jvp(
                lambda y: s.f.function(y, to_drift(clock)), (to_drift(rows),), (to_drift(along),)
            )[1]
            df[part] = np.broadcast_to(as_numpy(pushed), rows.shape)[
                np.arange(len(part)), axis[part]
            ]
            s.f.calls += 1
    except Exception as caught:  # whatever the framework raises: it cannot be differentiated
        raise NotDifferentiable from caught
    s.law.calls += 1
    first, second, df = (v.reshape(n, d) for v in (first, second, df))
    none = np.zeros((n, d))
    rate = np.broadcast_to(as_numpy(rate).astype(float), (n,))
    return Derivatives(first, second + first * first, none, none), rate, f, df


def blind(
    s: Subject, spot: Spot, slopes: tuple[np.ndarray, np.ndarray], rng: np.random.Generator
) -> tuple[bool, float]:
    """Whether values contradict forward mode, and the relative deviation that they would have
    shown.

    ``slopes``: ∇log p ``(n, d)`` and ∂_t log p ``(n,)`` by forward mode. Calls of the density: 5 +
    4 · 16.
    """
    x, base, t, length = spot.x, spot.base, spot.t, spot.length
    n, d = x.shape
    gradient, rate = slopes
    direction = rng.standard_normal((n, d))
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    steep = np.abs(gradient).sum(axis=1)
    rounding = s.law.eps * (4 + np.abs(base))
    reach = np.minimum(length, 4 / (steep + 1 / length))
    found = [np.zeros(n), np.zeros(n)]
    error = [np.full(n, np.inf), np.full(n, np.inf)]

    def take(k: int, values: np.ndarray, radius: np.ndarray) -> None:
        slope, wrong = on_intervals(values, radius, rounding)
        better = wrong[:, 0] < error[k]
        found[k][better], error[k][better] = slope[better, 0], wrong[better, 0]

    for shrink in (1.0, 0.3, 0.1, 0.03, 0.01):
        radius = shrink * reach
        z = x[:, None] + (radius[:, None] * nodes())[:, :, None] * direction[:, None]
        values = s.change(z.reshape(-1, d), t, np.repeat(base, nodes().size))
        take(0, values.reshape(n, -1), radius)
        if np.median(error[0]) <= ENOUGH * np.median(steep):
            break
    for part in CLOCK:
        values = np.stack([s.change(x, t + part * t * u, base) for u in nodes()], axis=1)
        take(1, values, np.full(n, part * t))
        if np.median(error[1]) <= ENOUGH / t:
            break
    along = (gradient * direction).sum(axis=1)
    sizes = (np.abs(gradient * direction).sum(axis=1), np.abs(rate) + 1 / t)
    own = 16 * s.law.eps * (4 + np.abs(base))
    off = [np.abs(along - found[0]), np.abs(rate - found[1])]
    wrong = any(
        bool(np.any(gap > 4 * e + own * size))
        for gap, e, size in zip(off, error, sizes, strict=True)
    )
    with np.errstate(all="ignore"):
        seen = [float(np.median(2 * e / size)) for e, size in zip(error, sizes, strict=True)]
    return wrong, max(seen)
