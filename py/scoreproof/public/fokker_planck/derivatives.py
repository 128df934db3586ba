"""Derivatives of the caller's NumPy functions at points: complex circles, and real intervals where
those do not see an analytic function.

Conventions: as in `statement`; points are rows. Derivatives of p are divided by p: ``first[:, i] =
∂_i
p/p``, ``second[:, i] = ∂_i² p/p``. Every number has an error of its own. No array handed to a
callable holds more than `LARGEST` numbers, whatever n and d are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.numerics.local_series import NODES, ROOTS, nodes, on_circles, on_intervals
from scoreproof.public.fokker_planck.asking import Subject

__all__ = ["LARGEST", "Derivatives", "chunks", "divergence", "rate", "spatial"]

#: numbers in one array handed to a callable (32 MB of complex ones)
LARGEST = 2**21
CIRCLE = np.exp(2j * np.pi * np.arange(ROOTS) / ROOTS)
#: radii in t as parts of t
CLOCK = (0.05, 0.05 / 8, 0.05 / 64, 0.05 / 2048)
#: relative error of a term from which real intervals are tried in place of circles
COARSE = 1e-8
#: rounds of smaller radii
ROUNDS = 7

Around = Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Derivatives:
    """First and second derivatives and their errors, each ``(n, d)``."""

    first: np.ndarray
    second: np.ndarray
    first_error: np.ndarray
    second_error: np.ndarray


def chunks(pairs: np.ndarray, numbers: int) -> list[np.ndarray]:
    """``pairs`` in parts of at most `LARGEST` numbers, ``numbers`` for each."""
    size = max(1, LARGEST // numbers)
    return [pairs[k : k + size] for k in range(0, len(pairs), size)]


def _ladder(around: Around, start: np.ndarray, order: int, ratio: float) -> np.ndarray:
    """The best of falling radii for each of many functions: ``(n, 4)``, both derivatives, both
    errors.

    ``around(which, radius)`` returns derivatives and errors ``(m, 2)`` of the functions named, and
    the part of the error that a smaller radius only makes worse. ``order`` (0 or 1) decides which
    is best.
    """
    best = np.column_stack([np.zeros((len(start), 2)), np.full((len(start), 2), np.inf)])
    active, radius = np.arange(len(start)), start.copy()
    for _ in range(ROUNDS):
        if active.size == 0:
            break
        found, error, floor = around(active, radius[active])
        better = error[:, order] < best[active, 2 + order]
        best[active[better]] = np.column_stack([found, error])[better]
        # a smaller circle carries more rounding: go on only where that is not yet what limits
        active = active[best[active, 2 + order] > 4 * floor * ratio ** (order + 1)]
        radius = radius / ratio
    return best


def _floor(values: np.ndarray, radius: np.ndarray, rounding: np.ndarray, order: int) -> np.ndarray:
    with np.errstate(all="ignore"):
        height = np.max(np.abs(values), axis=1)
        height = np.where(np.isfinite(height), height, 0.0)
    return rounding * height / radius ** (order + 1) * (order + 1)


def spatial(
    s: Subject, x: np.ndarray, base: np.ndarray, t: float, length: float, weight: np.ndarray
) -> Derivatives:
    """∂_i p/p and ∂_i² p/p at the rows of x, where log p is ``base``.

    ``weight`` ``(n, d)``: that of the first derivative against the second, by which the error of a
    circle is judged. ``length``: the largest radius.
    """
    n, d = x.shape
    point, axis = np.repeat(np.arange(n), d), np.tile(np.arange(d), n)
    rounding = s.law.eps * (4 + np.abs(base))

    def moved(pairs: np.ndarray, offsets: np.ndarray) -> np.ndarray:
        """The rows x + offset e_i of the pairs: ``(m · k, d)`` for offsets ``(m, k)``."""
        z = np.repeat(x[point[pairs]], offsets.shape[1], axis=0).astype(offsets.dtype)
        z[np.arange(len(z)), np.repeat(axis[pairs], offsets.shape[1])] += offsets.ravel()
        return z

    def probe(pairs: np.ndarray, offsets: np.ndarray, log: bool) -> np.ndarray:
        rows = np.repeat(base[point[pairs]], offsets.shape[1])
        ask = s.change if log else s.ratio
        return ask(moved(pairs, offsets), t, rows).reshape(offsets.shape)

    everything = np.arange(n * d)
    h = 1e-3 * length
    start = np.empty(n * d)
    for part in chunks(everything, 2 * d):
        up, down = probe(part, np.tile([h, -h], (len(part), 1)), True).T
        with np.errstate(all="ignore"):
            slope, bend = (up - down) / (2 * h), (up + down) / h**2
            guess = 1 / (np.abs(slope) + np.sqrt(np.abs(bend)))
        start[part] = np.where(np.isfinite(guess), np.minimum(guess, length), h)

    def circles(which: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = []
        for part in chunks(np.arange(len(which)), ROOTS * d):
            values = probe(which[part], radius[part, None] * CIRCLE, False)
            r = rounding[point[which[part]]]
            rows.append((*on_circles(values, radius[part], r), _floor(values, radius[part], r, 1)))
        return _joined(rows)

    def intervals(
        which: np.ndarray, radius: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows = []
        for part in chunks(np.arange(len(which)), NODES * d):
            values = probe(which[part], radius[part, None] * nodes(), True)
            r = rounding[point[which[part]]]
            found, error = on_intervals(values, radius[part], r)
            rows.append((found, error, r * NODES**2 / radius[part] ** 2))
        return _joined(rows)

    # a first look at a few: where a callable takes no complex numbers, circles are a waste
    few = everything[:: max(1, len(everything) // 16)]
    looked = circles(few, start[few] / 4)
    analytic = np.any(looked[1][:, 0] * start[few] < 0.1)
    best = (
        _ladder(circles, start, 1, 4.0)
        if analytic
        else np.column_stack([np.zeros((n * d, 2)), np.full((n * d, 2), np.inf)])
    )

    weight = weight.ravel()
    with np.errstate(all="ignore"):
        error = np.where(weight > 0, weight * best[:, 2], 0.0) + best[:, 3]
        size = weight * np.abs(best[:, 0]) + np.abs(best[:, 1]) + 1 / start**2
    bad = np.flatnonzero(~(error <= COARSE * size))
    if bad.size:
        wide = np.minimum(8 * start[bad], length)
        log = _ladder(lambda which, radius: intervals(bad[which], radius), wide, 1, 2.5)
        g, c = log[:, 0], log[:, 1]
        with np.errstate(all="ignore"):
            real = np.column_stack([g, c + g * g, log[:, 2], log[:, 3] + 2 * np.abs(g) * log[:, 2]])
            better = weight[bad] * real[:, 2] + real[:, 3] < error[bad]
        best[bad[better]] = real[better]
    return Derivatives(*(column.reshape(n, d) for column in best.T))


def _joined(
    rows: list[tuple[np.ndarray, np.ndarray, np.ndarray]],
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    a, b, c = zip(*rows, strict=True)
    return np.concatenate(a), np.concatenate(b), np.concatenate(c)


def rate(s: Subject, x: np.ndarray, base: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """∂_t p/p and its error, each ``(n,)``. Calls of the density: 24, or up to 24 + 4 · 16 more."""
    rounding = s.law.eps * (4 + np.abs(base))
    best, error = np.zeros(len(x)), np.full(len(x), np.inf)

    def take(found: np.ndarray, wrong: np.ndarray) -> None:
        better = wrong < error
        best[better], error[better] = found[better], wrong[better]

    for part in CLOCK[:2]:
        radius = np.full(len(x), part * t)
        values = np.stack([s.ratio(x, t + part * t * z, base) for z in CIRCLE], axis=1)
        found, wrong = on_circles(values, radius, rounding)
        take(found[:, 0], wrong[:, 0])
        with np.errstate(all="ignore"):
            floor = rounding / radius * np.max(np.abs(values), axis=1)
            if np.all(np.isfinite(error) & (error <= 32 * floor)):
                return best, error
        if not np.any(np.isfinite(values)):
            break
    for part in CLOCK:
        radius = np.full(len(x), part * t)
        values = np.stack([s.change(x, t + part * t * u, base) for u in nodes()], axis=1)
        found, wrong = on_intervals(values, radius, rounding)
        take(found[:, 0], wrong[:, 0])
        if np.all(error <= COARSE * (np.abs(best) + 1 / t)):
            break
    return best, error


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

    def around(complex_: bool) -> Callable[[np.ndarray, np.ndarray], tuple[np.ndarray, ...]]:
        def look(which: np.ndarray, radius: np.ndarray) -> tuple[np.ndarray, ...]:
            rows = []
            unit = CIRCLE[::2] if complex_ else nodes()
            for part in chunks(np.arange(len(which)), len(unit) * d):
                seen = values(which[part], radius[part, None] * unit)
                relative = noise[which[part]]
                floor = _floor(seen, radius[part], relative, 0)
                if complex_:
                    found, error = on_circles(seen, radius[part], relative)
                else:
                    found, error = on_intervals(seen, radius[part], floor * radius[part])
                rows.append((found, error, floor))
            return _joined(rows)

        return look

    start = np.full(n * d, 0.25 * length)
    few = np.arange(n * d)[:: max(1, n * d // 16)]
    looked = around(True)(few, start[few] / 4)
    if np.any(
        np.isfinite(looked[1][:, 0]) & (looked[1][:, 0] < 0.1 * (1 + np.abs(looked[0][:, 0])))
    ):
        best = _ladder(around(True), start, 0, 4.0)  # type: ignore[arg-type]
    else:
        best = np.column_stack([np.zeros((n * d, 2)), np.full((n * d, 2), np.inf)])
    size = np.abs(f).ravel() / length + np.abs(best[:, 0])
    bad = np.flatnonzero(~(best[:, 2] <= COARSE * size))
    if bad.size:
        real = _ladder(
            lambda which, radius: around(False)(bad[which], radius),  # type: ignore[arg-type,return-value]
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
