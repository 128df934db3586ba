"""One batched call of a step, and what is read off it: mean images, and the noise's covariance.

Conventions: the first point comes with many sign vectors, the others with a pair of opposite ones
each, the first again with the probes. The rows are in another order in each call.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.reverse_sampler.noises import probes, signs, some_signs

__all__ = ["Batch", "Read", "batch"]


@dataclass(frozen=True, eq=False)
class Read:
    """``means`` (n, d) of the images, ``cov`` (d, d) of those of the first point; and three
    deviations: of the probes from linear, of the other points' noise from the first one's, of the
    first one's from diagonal (0 unless that was taken for granted).
    """

    means: np.ndarray
    cov: np.ndarray
    bend: float
    elsewhere: float
    skew: float


@dataclass(frozen=True, eq=False)
class Batch:
    """Rows of one call: n points, of which the first has ``nodes`` sign vectors."""

    x: np.ndarray
    z: np.ndarray
    n: int
    nodes: int

    @property
    def full(self) -> bool:
        """Whether the sign vectors are all of them, so that a covariance is read off exactly."""
        return self.nodes >= self.x.shape[1]

    def read(self, out: np.ndarray, *, deviations: bool = True) -> Read:
        """What the images say; the three deviations only if asked for."""
        q, n, tail = self.nodes, self.n, self.nodes + 2 * (self.n - 1)
        pairs = out[q:tail].reshape(2, n - 1, -1)
        means = np.concatenate([out[:q].mean(axis=0)[None], pairs.mean(axis=0)])
        centred, z = out[:q] - means[0], self.z
        if not deviations:
            whole = centred.T @ centred / q if self.full else np.diag(np.mean(centred**2, axis=0))
            return Read(means, whole, 0.0, 0.0, 0.0)
        if self.full:
            cov, matrix = centred.T @ centred / q, centred.T @ z[:q] / q
        else:
            cov = np.diag(np.mean(centred**2, axis=0))
            matrix = np.diag(np.mean(centred * z[:q], axis=0))
        largest = 1 + np.max(np.abs(z[tail:]), axis=1)
        off = np.max(np.abs(out[tail:] - means[0] - z[tail:] @ matrix.T), axis=1) / largest
        other = np.abs((pairs[0] - pairs[1]) / 2 - z[q : q + n - 1] @ matrix.T)
        skew = 0.0 if self.full else float(np.max(np.abs(centred - z[:q] @ matrix.T)))
        return Read(means, cov, float(np.max(off)), float(np.max(other, initial=0.0)), skew)


def batch(x: np.ndarray, rng: np.random.Generator, *, full: bool = False) -> Batch:
    """A batch for the points x; ``full``: every sign vector, however many there are."""
    d, n = x.shape[1], len(x)
    nodes, tests = signs(d) if full else some_signs(d, rng), probes(d, rng)
    pair = rng.choice([-1.0, 1.0], (n - 1, d))
    points = [np.repeat(x[:1], len(nodes), axis=0), x[1:], x[1:], np.repeat(x[:1], len(tests), 0)]
    noises = [nodes, pair, -pair, tests]
    return Batch(np.concatenate(points), np.concatenate(noises), n, len(nodes))
