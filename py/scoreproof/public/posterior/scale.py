"""What a relative error is relative to: how far the posterior mean and the score go over draws of
y.

Conventions: sizes are by point and coordinate ``(m, d)``. A *size* is what an error is relative
to; what is *visible* is the error that a relative deviation of one shows at the points looked at.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.objects.empirical import Atoms
from scoreproof.public.posterior.due import Due, draw
from scoreproof.public.posterior.problem import Problem
from scoreproof.streams import stream

__all__ = ["REFERENCE", "Scale", "make_scale"]

#: draws of y from which the usual size of a movement is read
REFERENCE = 64


@dataclass(frozen=True, eq=False)
class Scale:
    """Coordinate by coordinate, over draws of y: the largest distance of the posterior mean from
    the prior's mean ``centre`` and from y, and the largest score, as it is and in units of the
    noise; ``counts``: EDM's c_out, the size of an error that counts in any coordinate.
    """

    centre: np.ndarray
    from_centre: np.ndarray
    from_y: np.ndarray
    score: np.ndarray
    white_score: np.ndarray
    counts: np.ndarray

    def mean(self, due: Due) -> tuple[np.ndarray, np.ndarray]:
        """Size and what is visible of a posterior mean: how far it moves from the centre (c_out, if
        that is larger), and the less of how far from the centre and from y.
        """
        # half way between two data the mean may be y; what moves it there is how far they are
        reach = np.hypot(due.mean - due.y, due.spread)
        own, own_seen = _sizes(due.mean - self.centre, due.mean - self.centre, self.from_centre)
        noise, noise_seen = _sizes(reach, due.mean - due.y, self.from_y)
        # a coordinate in which the data have no extent: there is nothing but the way from y
        some = self.from_centre > 0
        size = np.maximum(np.where(some, own, noise), self.counts)
        return size, np.where(some, np.minimum(own_seen, noise_seen), noise_seen)

    def scores(self, due: Due, *, white: bool) -> tuple[np.ndarray, np.ndarray]:
        """Size and what is visible of a score, or of ``Σ^{1/2}`` times it."""
        noise, exponent = due.problem.noise, -0.5 if white else -1.0
        turned = noise.times(due.score, 0.5) if white else due.score
        reach = np.hypot(turned, noise.times(due.spread, exponent, sizes=True))
        return _sizes(reach, turned, self.white_score if white else self.score)


def _sizes(reach: np.ndarray, move: np.ndarray, usual: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """``usual``, at a point where some coordinate reaches further as much more; and the same, less
    in a coordinate that nowhere moves as far as it does over draws of y.
    """
    known = np.where(usual > 0, usual, np.inf)
    size = usual * np.maximum(
        1.0, np.max(reach / known, axis=1, keepdims=True) if len(reach) else 1
    )
    return size, size * np.minimum(1.0, np.max(np.abs(move) / known, axis=0))


def make_scale(problem: Problem) -> Scale:
    """The sizes over ``REFERENCE`` draws of y."""
    due = Due(problem, draw(problem, stream(problem.seed, problem.name, "reference"), REFERENCE))
    known, noise = problem.known, problem.noise.diagonal
    centre = known.mean()
    extent = np.max(np.abs(due.mean - centre), axis=0)
    if isinstance(known, Atoms):
        extent = np.where(np.ptp(known.points, axis=0) > 0, extent, 0.0)
    # Karras et al. 2022, with sigma_data from all coordinates, each in units of its noise
    data = float(np.mean(np.diagonal(known.covariance()) / noise))
    return Scale(
        centre,
        extent,
        np.max(np.abs(due.mean - due.y), axis=0),
        np.max(np.abs(due.score), axis=0),
        np.max(np.abs(problem.noise.times(due.score, 0.5)), axis=0),
        np.sqrt(noise * data / (1 + data)),
    )
