"""The integral of a density over the line or the plane, on panels that are halved where it is not
resolved.

Conventions: the integrand comes as a logarithm, one value a row of points; widths of its peaks are
known.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from scipy.spatial import cKDTree

__all__ = ["integral"]

NODES = {1: 20, 2: 10}
ROUNDS = {1: 40, 2: 9}
#: points asked for at most
MOST = 600_000
#: how far out the outermost panel reaches, in half sides of the box and widths of the peaks, and
#: steps
FAR = {1: 10.0 ** np.arange(0, 10), 2: 10.0 ** np.arange(0, 6)}
#: the same with finer steps, in half sides of the box alone: a flat density has peaks of any width
SIDES = {1: 2.0 ** np.arange(1, 31), 2: 10.0 ** np.arange(1, 4)}
#: steps around a peak, in standard deviations
NEAR = np.array([0.0, 1.5, 3.0, 6.0, 12.0, 40.0])
TARGET = 1e-10
#: log p, against its largest value, below which a panel that cannot be asked is left out
FAINT = -40.0


def integral(
    logs: Callable[[np.ndarray], np.ndarray],
    peaks: Sequence[tuple[np.ndarray, np.ndarray]],
    sides: np.ndarray,
) -> tuple[float, float]:
    """The integral and its error; an infinite error where values are missing or too many points are
    needed.

    ``peaks``: ``(mean, covariance)`` each.
    """
    d = len(sides)
    cuts = [_cuts(peaks, sides, i) for i in range(d)]
    low = np.stack(np.meshgrid(*(c[:-1] for c in cuts), indexing="ij"), axis=-1).reshape(-1, d)
    high = np.stack(np.meshgrid(*(c[1:] for c in cuts), indexing="ij"), axis=-1).reshape(-1, d)
    outer = np.any((low <= [c[0] for c in cuts]) | (high >= [c[-1] for c in cuts]), axis=1)
    top = float(np.max(logs(np.stack([mean for mean, _ in peaks]))))
    value, asked, far = _panels(logs, low, high, top)
    missing = ~np.isfinite(value)
    if np.any(missing):
        # far points may be outside of what the callable promises: they count only where p is large
        # at the nearest point that can be asked
        centre = np.mean([mean for mean, _ in peaks], axis=0)
        if not _negligible(low[missing], high[missing], centre, far):
            return np.nan, np.inf
        low, high, outer, value = (v[~missing] for v in (low, high, outer, value))
    total, error = 0.0, 3 * float(value[outer].sum())
    for _ in range(ROUNDS[d]):
        children = _halves(low, high)
        parts, more, _ = _panels(logs, *children, top)
        asked += more
        if not np.all(np.isfinite(parts)):
            return np.nan, np.inf
        summed = parts.reshape(2**d, -1).sum(axis=0)
        off = np.abs(summed - value)
        whole = total + float(summed.sum())
        done = off <= TARGET * whole / np.sqrt(len(off))
        total += float(summed[done].sum())
        error += float(off[done].sum())
        if np.all(done):
            scale = np.exp(min(top, 700.0))
            return total * scale, (error + 1e-14 * total) * scale
        if asked > MOST:
            break
        keep = np.tile(~done, 2**d)
        low, high, value = children[0][keep], children[1][keep], parts[keep]
    rest = float(np.abs(value).sum())
    scale = np.exp(min(top, 700.0))
    remaining = float(off[~done].sum())
    return (total + rest) * scale, (error + remaining) * scale if rest < 1e-3 * total else np.inf


def _cuts(peaks: Sequence[tuple[np.ndarray, np.ndarray]], sides: np.ndarray, i: int) -> np.ndarray:
    centre, half = float(sides[i].mean()), float(sides[i, 1] - sides[i, 0]) / 2
    found = [sides[i]]
    d = len(sides)
    spread = half
    for mean, covariance in peaks:
        width = float(np.sqrt(covariance[i, i]))
        steps = NEAR if d == 1 else NEAR[[0, 2, 3, 4]]
        found += [mean[i] + width * steps, mean[i] - width * steps]
        spread = max(spread, abs(float(mean[i]) - centre), 40 * width)
    found += [centre + spread * FAR[d], centre - spread * FAR[d]]
    found += [centre + half * SIDES[d], centre - half * SIDES[d]]
    cuts = np.unique(np.concatenate(found))
    # cuts that nearly meet make panels of nothing
    apart = np.concatenate([[True], np.diff(cuts) > 1e-9 * np.maximum(np.abs(cuts[1:]), 1e-9)])
    return cuts[apart]


def _halves(low: np.ndarray, high: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    middle = (low + high) / 2
    lows, highs = [low], [high]
    for i in range(low.shape[1]):
        lower, upper = [], []
        for a, b in zip(lows, highs, strict=True):
            left_high, right_low = b.copy(), a.copy()
            left_high[:, i], right_low[:, i] = middle[:, i], middle[:, i]
            lower += [a, right_low]
            upper += [left_high, b]
        lows, highs = lower, upper
    return np.concatenate(lows), np.concatenate(highs)


def _panels(
    logs: Callable[[np.ndarray], np.ndarray], low: np.ndarray, high: np.ndarray, top: float
) -> tuple[np.ndarray, int, tuple[np.ndarray, np.ndarray]]:
    """The integral of ``exp(logs - top)`` on each panel, how many points were asked, and which of
    them ``(n, d)`` have which value of ``logs - top``.
    """
    d = low.shape[1]
    nodes, weights = np.polynomial.legendre.leggauss(NODES[d])
    unit = np.stack(np.meshgrid(*([nodes] * d), indexing="ij"), axis=-1).reshape(-1, d)
    w = weights if d == 1 else np.outer(weights, weights).ravel()
    half = (high - low) / 2
    x = ((low + high) / 2)[:, None] + half[:, None] * unit
    flat = x.reshape(-1, d)
    values = np.concatenate(
        [logs(flat[k : k + 2**18]) for k in range(0, len(flat), 2**18)]
    ).reshape(len(low), -1)
    with np.errstate(all="ignore"):
        found = np.exp(values - top) @ w * np.prod(half, axis=1)
    return found, len(flat), (flat, values.ravel() - top)


def _negligible(
    low: np.ndarray,
    high: np.ndarray,
    centre: np.ndarray,
    far: tuple[np.ndarray, np.ndarray],
) -> bool:
    """Whether p is next to nothing at the known point nearest to each panel."""
    x, height = far
    known = np.isfinite(height) | np.isneginf(height)
    if not np.any(known):
        return False
    inner = np.clip(centre, low, high)
    _, which = cKDTree(x[known]).query(inner)
    return bool(np.all(height[known][which] < FAINT))
