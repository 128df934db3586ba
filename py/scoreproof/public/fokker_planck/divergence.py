"""The caller's NumPy drift at points, its rounding, and its derivatives along each own coordinate.

Conventions: as in `derivatives`; every number has an error of its own.
"""

from __future__ import annotations

import numpy as np

from scoreproof.numerics.local_series import nodes, on_circles, on_intervals, roots
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.derivatives import COARSE
from scoreproof.public.fokker_planck.ladder import Around, Parts, chunks, floor, joined, ladder

__all__ = ["divergence"]


def divergence(
    s: Subject, x: np.ndarray, t: float, length: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """f, its rounding, ∂_i f_i and its error, each ``(n, d)``."""
    n, d = x.shape
    f, blur = _field(s, x, t)
    point, axis = np.repeat(np.arange(n), d), np.tile(np.arange(d), n)
    noise = np.full(n * d, 4 * s.f.eps)

    def values(pairs: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        z = np.repeat(x[point[pairs]], offsets.shape[1], axis=0).astype(offsets.dtype)
        column = np.repeat(axis[pairs], offsets.shape[1])
        z[np.arange(len(z)), column] += offsets.ravel()
        return s.field(z, t)[np.arange(len(z)), column].reshape(offsets.shape)

    def around(complex_: bool) -> Around:
        def look(which: np.ndarray, radius: np.ndarray) -> Parts:
            rows = []
            unit = roots(12) if complex_ else nodes()
            for part in chunks(np.arange(len(which)), len(unit) * d):
                seen = values(which[part], radius[part, None] * unit)
                relative = noise[which[part]]
                least = floor(seen, radius[part], relative, 0)
                if complex_:
                    found, error = on_circles(seen, radius[part], relative)
                else:
                    found, error = on_intervals(seen, radius[part], least * radius[part])
                rows.append((found, error, least))
            return joined(rows)

        return look

    start = np.full(n * d, 0.25 * length)
    few = np.arange(n * d)[:: max(1, n * d // 16)]
    looked = around(True)(few, start[few] / 4)
    if np.any(
        np.isfinite(looked[1][:, 0]) & (looked[1][:, 0] < 0.1 * (1 + np.abs(looked[0][:, 0])))
    ):
        best = ladder(around(True), start, 0, 4.0)
    else:
        best = np.column_stack([np.zeros((n * d, 2)), np.full((n * d, 2), np.inf)])
    size = np.abs(f).ravel() / length + np.abs(best[:, 0])
    bad = np.flatnonzero(~(best[:, 2] <= COARSE * size))
    if bad.size:
        real = ladder(
            lambda which, radius: around(False)(bad[which], radius),
            start[bad],
            0,
            2.5,
        )
        better = real[:, 2] < best[bad, 2]
        best[bad[better]] = real[better]
    return f, blur, best[:, 0].reshape(n, d), best[:, 2].reshape(n, d)


def _field(s: Subject, x: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """f and its rounding ``(n, d)``: a sum that cancels has more than its value tells, and shows it
    by what is not linear in a step of a few units in the last place.
    """
    n = len(x)
    step = 32 * s.f.eps * np.abs(x)
    signs = np.sign(np.sin(1 + 7 * np.arange(x.size))).reshape(x.shape)
    moved = np.concatenate([x, *(x + k * signs * step for k in (1, -1, 2, -2))])
    f = s.drift(moved, t).reshape(5, n, -1)
    bent = np.maximum(np.abs(f[1] + f[2] - 2 * f[0]), np.abs(f[3] + f[4] - 2 * f[0]))
    return f[0], 4 * s.f.eps * np.abs(f[0]) + 2 * bent
