"""The pairs of data and noise that lead to one x_t, several of them likely, and their chances.

Conventions: rows ``(B, d)``; pairs come first, ``(K, B, d)``. Each row has data of its own: K atoms
near enough, for the noise at its level.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.weights import Levels

__all__ = ["PRIOR", "Pairs", "encoded", "pairs_of", "served_by_jax", "spacing_drawn"]

#: of the atoms, none like another
PRIOR = np.array([0.5, 0.3, 0.2])
#: how far apart they are in two entries, in deviations of the noise: a loss that is a square for
#: small errors only is seen to be none
FAR = 6.0
#: the same where JAX draws the noise: it makes large normal numbers of few bits
NEAR = 2.0
#: the noise in one entry of each sample: few normal numbers are further out
OUTLYING = 4.5


@dataclass(frozen=True, eq=False)
class Pairs:
    """The pairs that lead to x_t: ``x0``, ``noise`` ``(K, B, d)``; ``chance`` ``(K, B)``."""

    x: np.ndarray
    x0: np.ndarray
    noise: np.ndarray
    chance: np.ndarray


def pairs_of(job: Job, v: Levels, rng: np.random.Generator) -> Pairs:
    """Atoms so near, for the noise, that several are likely, and no further apart than data."""
    rows, d, k = len(v.times), job.d, len(PRIOR)
    centre = rng.choice([-1.0, 1.0], (rows, d)) * rng.uniform(0.2, 0.9, (rows, d))
    away = rng.standard_normal((k, rows, d))
    away *= 1.3 / np.linalg.norm(away, axis=2, keepdims=True)
    # far apart in two entries, and each as likely as the others by what is between them
    first, second = (rng.permuted(np.tile(np.arange(d), (rows, 1)), axis=1)[:, i] for i in (0, 1))
    at = np.arange(rows)
    far = NEAR if served_by_jax(job) else FAR
    away[:, at, first] += far * np.array([1.0, -0.2, 0.1])[:, None]
    away[:, at, second] += far * np.array([0.1, 0.9, -0.3])[:, None]
    level = v.sigma / np.maximum(v.alpha, 1e-300)
    inside = centre + np.minimum(level, 1.0)[:, None] * away
    z = rng.choice([-1.0, 1.0], (rows, d)) * rng.uniform(0.4, 1.8, (rows, d))
    if not served_by_jax(job):  # what is clipped there is seen
        third = np.argsort(np.abs(away[0]), axis=1)[:, 0]
        z[at, third] = OUTLYING * np.sign(z[at, third])
    alpha, sigma = v.alpha[:, None], v.sigma[:, None]
    z = _between(z, np.where(level[:, None] < 1, 1.0, alpha / sigma) * away)
    x = alpha * centre + sigma * z
    # not (x - α x_0)/σ, in which x and α x_0 cancel
    noise = z + (alpha / sigma) * (centre - inside)
    noise = np.where(level[:, None] < 1, z - away, noise)
    logs = np.log(PRIOR)[:, None] - 0.5 * np.sum(noise**2, axis=2)
    chance = np.exp(logs - logs.max(axis=0))
    x0 = inside
    if job.encode is not None:
        x0 = _decoded(job, inside)
    return Pairs(x, x0, noise, chance / chance.sum(axis=0))


def served_by_jax(job: Job) -> bool:
    return job.framework == "jax" and "noise" not in [r for r, _ in job.takes]


def spacing_drawn(job: Job, eps: float, noise: np.ndarray) -> np.ndarray:
    """Relative, of each row: of the normal numbers that JAX can make, where it draws these."""
    if not served_by_jax(job):
        return np.zeros(noise.shape[1])
    return np.asarray(4 * eps * np.exp(0.5 * np.max(noise**2, axis=(0, 2))))


def _between(z: np.ndarray, away: np.ndarray) -> np.ndarray:
    """z moved so that all atoms are about equally far from x."""
    out = z.copy()
    for row in range(len(z)):
        sides = away[1:, row] - away[0, row]
        wanted = 0.5 * (np.sum(away[1:, row] ** 2, axis=1) - np.sum(away[0, row] ** 2))
        # not quite, and of atoms that are near for this noise hardly
        wanted = wanted + np.array([0.3, -0.4]) * np.tanh(np.linalg.norm(sides, axis=1))
        out[row] += np.linalg.lstsq(sides, wanted - sides @ z[row], rcond=None)[0]
    return out


def encoded(job: Job, x0: np.ndarray) -> np.ndarray:
    return x0 if job.encode is None else np.asarray(job.encode(x0), dtype=float)


def _decoded(job: Job, inside: np.ndarray) -> np.ndarray:
    """What `encode`, which is affine in every entry, leads there from."""
    assert job.encode is not None
    zero = np.asarray(job.encode(np.zeros_like(inside)), dtype=float)
    slope = np.asarray(job.encode(np.ones_like(inside)), dtype=float) - zero
    return np.asarray((inside - zero) / slope)
