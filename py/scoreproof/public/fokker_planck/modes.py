"""Where the mass of a density is: its modes with their widths, by Newton's method on differences.

Conventions: as in `asking`; a mode is ``(mean (d,), covariance (d, d), log p there)``, the
covariance that of the Gaussian which touches p at its top.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.streams import stream

__all__ = ["Mode", "climbed", "completed", "highest", "modes"]

ROUNDS = 25
#: points of the caller's from which modes are searched
OWN = 24
#: looks for what the modes do not explain, and points of each
SEARCHES, LOOKED = 6, 8192


@dataclass(frozen=True, eq=False)
class Mode:
    mean: np.ndarray
    covariance: np.ndarray
    log: float


def modes(
    s: Subject,
    box: Box,
    t: float,
    seed: int,
    starts: int = 12,
    points: np.ndarray | None = None,
) -> list[Mode]:
    """The modes that a search from random points of the box, from far outside of it, and from some
    of the caller's ``points`` ends in.

    At most `ROUNDS` · 2 calls of the density, of (``starts`` · 4/3 + `OWN`) · (1 + 3d/2 + d²/2)
    rows each.
    """
    rng = stream(seed, "fokker_planck", "modes")
    sides, d = box.sides, box.dimension
    middle, half = sides.mean(axis=1), (sides[:, 1] - sides[:, 0]) / 2
    x = np.concatenate(
        [
            middle[None],
            rng.uniform(sides[:, 0], sides[:, 1], (starts, d)),
            middle + half * rng.standard_normal((starts // 3, d)) * 3,
        ]
    )
    if points is not None:
        x = np.concatenate([x, points[rng.permutation(len(points))[:OWN]]])
    height = s.change(x, t, np.zeros(len(x)))
    if d <= 2:  # a dense look is cheap there
        grid = rng.uniform(sides[:, 0], sides[:, 1], (4096, d))
        seen = s.change(grid, t, np.zeros(len(grid)))
        seen = np.where(np.isfinite(seen), seen, -np.inf)
        best = np.argsort(-seen)[:4]
        x, height = np.concatenate([x, grid[best]]), np.concatenate([height, seen[best]])
    return climbed(s, x, height, half, t)


def highest(s: Subject, box: Box, t: float, seed: int) -> list[Mode]:
    """The highest of many points, and the spread of p among them: of a density that ends where it
    is largest, as one of a half line does, no climb comes to rest at a top.
    """
    sides, d = box.sides, box.dimension
    middle, half = sides.mean(axis=1), (sides[:, 1] - sides[:, 0]) / 2
    rng = stream(seed, "fokker_planck", "highest")
    x = middle + half * rng.uniform(-1, 1, (LOOKED, d)) * rng.choice([1.0, 3.0], (LOOKED, 1))
    height = s.change(x, t, np.zeros(LOOKED))
    kept = np.isfinite(height)
    if not np.any(kept):
        return []
    x, height = x[kept], height[kept]
    top = int(np.argmax(height))
    weights = np.exp(height - height[top])
    away = x - x[top]
    covariance = (away * weights[:, None]).T @ away / weights.sum()
    covariance += np.diag((1e-3 * half) ** 2)
    return [Mode(x[top], covariance, float(height[top]))]


def completed(
    s: Subject,
    box: Box,
    t: float,
    found: list[Mode],
    rng: np.random.Generator,
    points: np.ndarray | None = None,
) -> list[Mode]:
    """More modes, from random points, and those given, where p is more than the Gaussians at the
    modes explain.

    At most `SEARCHES` times a call of `LOOKED` rows and the given ones, and a climb from 8 points.
    """
    sides, d = box.sides, box.dimension
    middle, half = sides.mean(axis=1), (sides[:, 1] - sides[:, 0]) / 2
    own = np.zeros((0, d)) if points is None else points[rng.permutation(len(points))[:LOOKED]]
    for _ in range(SEARCHES):
        means = np.stack([m.mean for m in found])
        roots = np.stack([np.linalg.cholesky(m.covariance) for m in found])
        which = rng.integers(len(found), size=LOOKED // 2)
        spread = rng.standard_normal((LOOKED // 2, d)) * rng.uniform(1, 2.5, (LOOKED // 2, 1))
        # where it is cheap, far outside of the box too
        wide = 10 ** rng.uniform(0, 1, (LOOKED // 2, 1)) if d <= 2 else 1.5
        x = np.concatenate(
            [
                middle + half * wide * rng.uniform(-1, 1, (LOOKED // 2, d)),
                means[which] + np.einsum("nij,nj->ni", roots[which], spread),
                own,
            ]
        )
        height = s.change(x, t, np.zeros(len(x)))
        explained = np.full(len(x), -np.inf)
        for m, root in zip(found, roots, strict=True):
            r = np.linalg.solve(root, (x - m.mean).T)
            explained = np.logaddexp(explained, m.log - 0.5 * (r * r).sum(axis=0))
        more = np.where(np.isfinite(height), height - explained, -np.inf)
        best = np.argsort(-more)[:8]
        best = best[more[best] > 0.3]
        if best.size == 0:
            break
        new = climbed(s, x[best], height[best], half, t)
        both = [*found, *new]
        merged = _distinct(
            np.stack([m.mean for m in both]),
            np.stack([m.covariance for m in both]),
            np.array([m.log for m in both]),
        )
        if len(merged) == len(found):
            break
        found = merged
    return found


def climbed(
    s: Subject, x: np.ndarray, height: np.ndarray, half: np.ndarray, t: float
) -> list[Mode]:
    """Where Newton's method ends from each of the points."""
    d = x.shape[1]
    kept = np.isfinite(height)
    x, height = x[kept], height[kept]
    step = np.broadcast_to(1e-3 * half, x.shape).copy()
    covariance = np.zeros((len(x), d, d))
    for _ in range(ROUNDS):
        if len(x) == 0:
            return []
        g, hessian = _quadratic(s, x, height, step, t)
        fine = np.isfinite(g).all(axis=1) & np.isfinite(hessian).all(axis=(1, 2))
        x, height, step, g, hessian = (v[fine] for v in (x, height, step, g, hessian))
        if len(x) == 0:
            return []
        values, vectors = np.linalg.eigh(-hessian)
        clipped = np.maximum(np.abs(values), 1e-8 / np.max(half) ** 2)
        covariance = np.einsum("nik,nk,njk->nij", vectors, 1 / clipped, vectors)
        newton = np.einsum("nij,nj->ni", covariance, g)
        longest = np.max(np.abs(newton) / (4 * half), axis=1, keepdims=True)
        newton = newton / np.maximum(longest, 1.0)
        sizes = np.array([1.0, 0.3, 0.05])
        tries = x[None] + sizes[:, None, None] * newton
        seen = s.change(tries.reshape(-1, d), t, np.zeros(3 * len(x))).reshape(3, -1)
        seen = np.where(np.isfinite(seen), seen, -np.inf)
        k = np.argmax(seen, axis=0)
        up = seen[k, np.arange(len(x))] > height
        x = np.where(up[:, None], tries[k, np.arange(len(x))], x)
        gain = np.where(up, seen[k, np.arange(len(x))] - height, 0.0)
        height = height + gain
        step = 0.05 / np.sqrt(np.maximum(np.einsum("nii->ni", np.abs(hessian)), 1e-4 / half**2))
        if np.all(gain <= 1e-9 * (1 + np.abs(height))):
            break
    # a point that stopped on a slope is no top
    settled = np.einsum("ni,nij,nj->n", g, covariance, g) < 0.1
    return _distinct(x[settled], covariance[settled], height[settled])


def _quadratic(
    s: Subject, x: np.ndarray, height: np.ndarray, step: np.ndarray, t: float
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient ``(n, d)`` and Hessian ``(n, d, d)`` of log p by differences."""
    n, d = x.shape
    pairs = [(i, j) for i in range(d) for j in range(i)]
    moves = np.concatenate(
        [np.eye(d), -np.eye(d), *([np.eye(d)[i] + np.eye(d)[j]] for i, j in pairs)]
    )
    rows = x[:, None] + moves[None] * step[:, None]
    seen = s.change(rows.reshape(-1, d), t, np.repeat(height, len(moves))).reshape(n, -1)
    up, down = seen[:, :d], seen[:, d : 2 * d]
    hessian = np.zeros((n, d, d))
    hessian[:, range(d), range(d)] = (up + down) / step**2
    for k, (i, j) in enumerate(pairs):
        mixed = (seen[:, 2 * d + k] - up[:, i] - up[:, j]) / (step[:, i] * step[:, j])
        hessian[:, i, j] = hessian[:, j, i] = mixed
    return (up - down) / (2 * step), hessian


def _distinct(x: np.ndarray, covariance: np.ndarray, height: np.ndarray) -> list[Mode]:
    found: list[Mode] = []
    for k in np.argsort(-height):
        near = [(x[k] - m.mean) @ np.linalg.solve(m.covariance, x[k] - m.mean) < 0.3 for m in found]
        if not any(near):
            found.append(Mode(x[k], covariance[k], float(height[k])))
    return found
