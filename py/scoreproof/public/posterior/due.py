"""What is due at given points: the posterior mean, the score, and who has a say in them.

Conventions: means are those of ``alpha x_0``; they come from a softmax average or a Kalman update,
the score from the derivative of log p_Y in closed form, never from the posterior mean.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoreproof.objects.empirical import Atoms
from scoreproof.objects.mixtures import GaussianMixture
from scoreproof.public.posterior.problem import Problem
from scoreproof.streams import stream

__all__ = ["MANY", "REFERENCE", "Due", "Scale", "draw", "least", "make_scale", "perplexity"]

#: draws of y from which the usual size of a movement is read
REFERENCE = 64
#: up to so many components each is asked for by itself
MANY = 32


@dataclass(frozen=True, eq=False)
class Due:
    """What is due at the rows of y ``(m, d)``."""

    problem: Problem
    y: np.ndarray

    @cached_property
    def shares(self) -> tuple[np.ndarray, np.ndarray]:
        """Of a mixture: each component's posterior probability ``(m, k)`` and mean ``(m, k,
        d)``.
        """
        known, law = self.problem.known, self.problem.law
        assert isinstance(known, GaussianMixture)
        gaps = np.swapaxes(self.y[:, None, :] - known.means, 0, 1)
        moved = gaps @ np.swapaxes(self.problem.gains, -1, -2)
        return law.responsibilities(self.y), known.means + np.swapaxes(moved, 0, 1)

    @cached_property
    def mean(self) -> np.ndarray:
        """E[alpha x_0 | y]: ``(m, d)``."""
        if isinstance(self.problem.known, Atoms):
            return np.asarray(self.problem.law.posterior_mean(self.y))
        r, means = self.shares
        return np.asarray(np.einsum("nk,nkd->nd", r, means))

    @cached_property
    def spread(self) -> np.ndarray:
        """How far the components that share in the mean lie from it, coordinate by coordinate."""
        if not isinstance(self.problem.known, Atoms):
            r, means = self.shares
            away = (means - self.mean[:, None, :]) ** 2
            return np.asarray(np.sqrt(np.einsum("nk,nkd->nd", r, away)))
        x = self.problem.known.points - self.problem.known.mean()
        squares = np.concatenate([r @ x**2 for _, r in self.problem.law.weights(self.y)])
        middle = self.mean - self.problem.known.mean()
        # the floor is the rounding of this difference itself
        floor = float(np.finfo(float).eps) * squares
        return np.asarray(np.sqrt(np.maximum(squares - middle**2, 0.0) + floor))

    @cached_property
    def score(self) -> np.ndarray:
        """∇ log p_Y: ``(m, d)``."""
        return np.asarray(self.problem.law.score(self.y))

    def rows(self, which: np.ndarray) -> Due:
        """The same at some of the rows."""
        return Due(self.problem, self.y[which])

    def influence(self) -> np.ndarray:
        """How far the mean moves, to first order, if a component's weight grows by its own size:
        ``(m, components, d)``.
        """
        known = self.problem.known
        if isinstance(known, Atoms):
            r = np.concatenate([block for _, block in self.problem.law.weights(self.y)])
            means = np.broadcast_to(known.points, (len(self.y), *known.points.shape))
        else:
            r, means = self.shares
        return np.asarray(r[:, :, None] * np.abs(means - self.mean[:, None, :]))


def perplexity(problem: Problem, y: np.ndarray) -> np.ndarray:
    """How many components share in the answer at each row of y: between 1 and all of them."""
    if isinstance(problem.known, Atoms):
        return np.asarray(problem.law.perplexity(y))
    r = problem.law.responsibilities(y)
    return np.asarray(np.exp(-np.sum(r * np.log(np.where(r > 0, r, 1.0)), axis=1)))


def least(problem: Problem) -> float:
    """The perplexity from which more than one component is at work (two alike have 2)."""
    return 1.5 if problem.components > 1 else 1.0


def draw(problem: Problem, rng: np.random.Generator, m: int) -> np.ndarray:
    """m draws of y in random order, stratified: a component of weight 1/m has one or two."""
    known = problem.known
    weights = np.asarray(known.weights)
    order = rng.permutation(len(weights))
    ends = np.cumsum(weights[order])
    cells = (rng.permutation(m) + rng.random(m)) / max(m, 1)
    which = order[np.minimum(np.searchsorted(ends, cells * ends[-1]), len(order) - 1)]
    noise = rng.standard_normal((m, problem.dimension))
    if isinstance(known, Atoms):
        return np.asarray(known.points[which] + problem.noise.times(noise, 0.5))
    for k in np.unique(which):
        noise[which == k] = noise[which == k] @ problem.roots[k].T
    return np.asarray(known.means[which] + noise)


@dataclass(frozen=True, eq=False)
class Scale:
    """How far things go, coordinate by coordinate, over draws of y: the largest distance of the
    posterior mean from the prior's mean ``centre`` and from y, and the largest score.
    """

    centre: np.ndarray
    from_centre: np.ndarray
    from_y: np.ndarray
    score: np.ndarray
    white_score: np.ndarray

    def mean(self, due: Due) -> tuple[np.ndarray, np.ndarray]:
        """``(m, d)``: how far the mean moves from the centre, and the less of that and how far from
        y; at points that move further than draws do, by as much more.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            own = _stretched(due.mean - self.centre, self.from_centre)
            # half way between two data the mean may be y; what moves it there is how far they are
            noise = _stretched(np.hypot(due.mean - due.y, due.spread), self.from_y)
        # a coordinate in which the data have no extent: there is nothing but the way from y
        own = np.where(self.from_centre > 0, own, noise)
        return own, np.minimum(own, noise)

    def scores(self, due: Due, *, white: bool) -> np.ndarray:
        """``(m, d)``: the size of a score, or of ``Σ^{1/2}`` times it."""
        noise, exponent = due.problem.noise, -0.5 if white else -1.0
        size = np.hypot(
            noise.times(due.score, exponent + 1), noise.times(due.spread, exponent, sizes=True)
        )
        return _stretched(size, self.white_score if white else self.score)


def _stretched(move: np.ndarray, usual: np.ndarray) -> np.ndarray:
    ratio = np.abs(move) / np.where(usual > 0, usual, np.inf)
    return np.asarray(usual * np.maximum(1.0, np.max(ratio, axis=1, keepdims=True)))


def make_scale(problem: Problem) -> Scale:
    """The sizes over ``REFERENCE`` draws of y."""
    due = Due(problem, draw(problem, stream(problem.seed, problem.name, "reference"), REFERENCE))
    known = problem.known
    centre = known.mean()
    spread = np.max(np.abs(due.mean - centre), axis=0)
    if isinstance(known, Atoms):
        spread = np.where(np.ptp(known.points, axis=0) > 0, spread, 0.0)
    return Scale(
        centre,
        spread,
        np.max(np.abs(due.mean - due.y), axis=0),
        np.max(np.abs(due.score), axis=0),
        np.max(np.abs(problem.noise.times(due.score, 0.5)), axis=0),
    )
