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

__all__ = ["MANY", "Due", "draw", "least", "perplexity"]

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

    def shown(self, passes: np.ndarray) -> np.ndarray:
        """Which components move the mean, to first order, by more than ``passes`` ``(m, d)``
        somewhere if their weight grows by its own size.
        """
        known, seen = self.problem.known, np.zeros(self.problem.components, bool)
        atoms = isinstance(known, Atoms)
        blocks = self.problem.law.weights(self.y) if atoms else [(slice(None), self.shares[0])]
        # a share below the least of ``floor`` shows nothing
        reach = np.ptp(known.points, axis=0) if isinstance(known, Atoms) else np.array([np.inf])
        with np.errstate(divide="ignore", invalid="ignore"):
            floor = np.nanmin(passes / reach, axis=1)
        for part, shares in blocks:
            for i, r in zip(np.arange(len(self.y))[part], shares, strict=True):
                ks = np.flatnonzero(~seen & (r > floor[i]))
                means = known.points[ks] if isinstance(known, Atoms) else self.shares[1][i, ks]
                move = r[ks, None] * np.abs(means - self.mean[i])
                seen[ks] = np.any(move > passes[i], axis=1)
        return seen


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
