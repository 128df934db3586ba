"""The empirical law of a data set as a prior: under Gaussian noise its ideal denoiser is a softmax
over the data.

Conventions: points are rows ``(n, d)``, ``cov`` is the covariance ``(d, d)`` of the noise. Work on
m query points goes in
blocks, so memory stays bounded whatever m and n are.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from scipy.linalg import cho_solve, solve_triangular

from scoreproof.errors import ArgumentError, ScoreproofError
from scoreproof.interop.callables import to_float
from scoreproof.numerics.linear import check_covariance, log_sum_exp, softmax
from scoreproof.objects.given import covariance_of, weights_of

__all__ = ["Atoms", "NoisyAtoms"]

BLOCK = 1 << 22  # numbers in one (m, n) block of log weights
DIRECT = 1 << 25  # up to so many numbers (m, n, d) every difference is taken by itself


@dataclass(frozen=True)
class Atoms:
    """The law that puts ``weights`` (uniform by default) on the rows of ``points`` ``(n, d)``.

    >>> atoms = Atoms(np.array([[-1.0], [1.0]]))
    >>> found = atoms.posterior_mean(np.array([[0.5]]), np.eye(1))
    >>> bool(np.isclose(found[0, 0], np.tanh(0.5)))
    True
    """

    points: np.ndarray
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        points = to_float("points", self.points, shape=(None, None))
        if points.shape[0] == 0:
            raise ArgumentError(
                "points", "at least one row", f"shape {points.shape}", "pass the data as rows"
            )
        n = points.shape[0]
        weights = np.full(n, 1 / n) if self.weights is None else weights_of(self.weights, n)
        object.__setattr__(self, "points", points)
        object.__setattr__(self, "weights", weights)

    @property
    def dimension(self) -> int:
        """The dimension d of the space."""
        return int(self.points.shape[1])

    @property
    def size(self) -> int:
        """The number n of atoms."""
        return int(self.points.shape[0])

    def noised(self, cov: np.ndarray) -> NoisyAtoms:
        """The law of ``X + N(0, cov)``."""
        cov = covariance_of("cov", cov, self.dimension)
        return NoisyAtoms(self, check_covariance("cov", cov))

    def posterior_mean(self, y: np.ndarray, cov: np.ndarray) -> np.ndarray:
        """``E[X | X + N(0, cov) = y]``: the softmax average of the data, ``(m, d)``."""
        return self.noised(cov).posterior_mean(y)

    def posterior_covariance(self, y: np.ndarray, cov: np.ndarray) -> np.ndarray:
        """``Cov[X | X + N(0, cov) = y]``: ``(m, d, d)``."""
        return self.noised(cov).posterior_covariance(y)

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """n independent draws as rows."""
        return self.points[rng.choice(self.size, size=n, p=self.weights)]

    def mean(self) -> np.ndarray:
        """E[X]: ``(d,)``."""
        return np.asarray(self.weights) @ self.points

    def covariance(self) -> np.ndarray:
        """Cov[X]: ``(d, d)``."""
        centred = self.points - self.mean()
        return (centred * np.asarray(self.weights)[:, None]).T @ centred


@dataclass(frozen=True)
class NoisyAtoms:
    """The law of ``X + Z`` with X drawn from ``prior`` and ``Z ~ N(0, cov)``."""

    prior: Atoms
    cov: np.ndarray

    @cached_property
    def _factor(self) -> np.ndarray:
        return np.linalg.cholesky(self.cov)

    @cached_property
    def _roots(self) -> np.ndarray | None:
        """The standard deviations ``(d,)`` of a diagonal covariance: nothing to solve with then."""
        diagonal = np.diagonal(self.cov)
        return np.sqrt(diagonal) if np.count_nonzero(self.cov) <= len(diagonal) else None

    def _divided(self, rows: np.ndarray) -> np.ndarray:
        """``L⁻¹`` times each row."""
        if self._roots is not None:
            return rows / self._roots
        return solve_triangular(self._factor, rows.T, lower=True).T

    @cached_property
    def _whitened(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The data's mean, the whitened centred data ``(n, d)``, and the log weight of each atom
        minus half its norm².
        """
        centre = self.prior.mean()
        z = self._divided(self.prior.points - centre)
        return centre, z, np.log(np.asarray(self.prior.weights)) - 0.5 * np.sum(z**2, axis=1)

    def _whiten(self, y: np.ndarray) -> np.ndarray:
        return self._divided(y - self._whitened[0])

    def _blocks(self, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray, np.ndarray]]:
        """Row blocks of y: the slice, the whitened rows, and ``log w_i + z·z_i - |z_i|²/2`` for
        every atom.
        """
        rows = max(1, BLOCK // self.prior.size)
        _, data, offsets = self._whitened
        for start in range(0, len(y), rows):
            part = slice(start, min(start + rows, len(y)))
            z = self._whiten(y[part])
            yield part, z, z @ data.T + offsets

    def log_density(self, y: np.ndarray) -> np.ndarray:
        """``log p_Y`` at the rows of y ``(m, d)``: ``(m,)``; analytic in y, so a complex step
        differentiates it.
        """
        norm = -0.5 * self.prior.dimension * np.log(2 * np.pi) - np.sum(
            np.log(np.diag(self._factor))
        )
        out = np.empty(len(y), dtype=np.result_type(y, float))
        for part, z, logs in self._blocks(y):
            out[part] = log_sum_exp(logs) - 0.5 * np.sum(z * z, axis=1) + norm
        return out

    def log_components(self, y: np.ndarray) -> np.ndarray:
        """Log of each atom's share in the density at the rows of y, up to a number common to the
        row: ``(m, n)``.
        """
        return np.concatenate([logs for _, _, logs in self._blocks(y)])

    def weights(self, y: np.ndarray) -> Iterator[tuple[slice, np.ndarray]]:
        """Row blocks of y: the slice, and the posterior probability of every atom at its rows."""
        d, n = self.prior.dimension, self.prior.size
        if len(y) * n * d > DIRECT:
            for part, _, logs in self._blocks(y):
                yield part, softmax(logs)
            return
        # differences first: expanded squares cancel where y and the atoms are far from their mean
        _, data, offsets = self._whitened
        offsets = offsets + 0.5 * np.sum(data**2, axis=1)
        rows = max(1, BLOCK // (n * d))
        for start in range(0, len(y), rows):
            part = slice(start, min(start + rows, len(y)))
            gaps = self._whiten(y[part])[:, None, :] - data
            logs = offsets - 0.5 * np.einsum("mnd,mnd->mn", gaps, gaps)
            yield part, softmax(logs)

    def posterior_mean(self, y: np.ndarray) -> np.ndarray:
        """``E[X | Y = y]``: ``(m, d)``."""
        out = np.empty((len(y), self.prior.dimension))
        for part, r in self.weights(y):
            out[part] = r @ self.prior.points
        return out

    def posterior_covariance(self, y: np.ndarray) -> np.ndarray:
        """``Cov[X | Y = y]``: ``(m, d, d)``."""
        d = self.prior.dimension
        out = np.empty((len(y), d, d))
        for part, r in self.weights(y):
            for row, weights in zip(range(part.start, part.stop), r, strict=True):
                centred = self.prior.points - weights @ self.prior.points
                out[row] = (centred * weights[:, None]).T @ centred
        return out

    def score(self, y: np.ndarray) -> np.ndarray:
        """``∇ log p_Y`` at the rows of y: ``(m, d)``."""
        out = np.empty((len(y), self.prior.dimension))
        for part, r in self.weights(y):
            out[part] = r @ self.prior.points - y[part]
        if self._roots is not None:
            return out / self._roots**2
        return cho_solve((self._factor, True), out.T).T

    def perplexity(self, y: np.ndarray) -> np.ndarray:
        """exp of the entropy of the softmax weights at each row of y, between 1 and n: how many
        atoms share in it.
        """
        out = np.empty(len(y))
        for part, r in self.weights(y):
            out[part] = np.exp(-np.sum(r * np.log(np.where(r > 0, r, 1.0)), axis=1))
        return out

    def exponent(self, y: np.ndarray) -> float:
        """The largest number whose rounding enters an exponent here: what a bound on the softmax
        weights scales with.
        """
        z = self._whiten(y)
        return float(np.max(np.sum(z**2, axis=1)) + np.max(np.sum(self._whitened[1] ** 2, axis=1)))

    def noisy(
        self,
        rng: np.random.Generator,
        m: int,
        perplexity: tuple[float, float] | None = None,
        *,
        tries: int = 64,
    ) -> np.ndarray:
        """m draws of Y whose perplexity lies in the given range: elsewhere Tweedie's formula says
        nothing of interest.

        Raises ``ScoreproofError`` when ``tries`` batches do not contain m such points.
        """
        low, high = perplexity or (2.0, self.prior.size / 2)
        kept: list[np.ndarray] = []
        found = 0
        for _ in range(tries):
            y = (
                self.prior.sample(rng, 4 * m)
                + rng.standard_normal((4 * m, self.prior.dimension)) @ self._factor.T
            )
            p = self.perplexity(y)
            kept.append(y[(p >= low) & (p <= high)])
            found += len(kept[-1])
            if found >= m:
                return np.concatenate(kept)[:m]
        raise ScoreproofError(
            f"only {found} of {m} noisy points have a softmax perplexity in [{low:.3g}, {high:.3g}]"
            f" after {tries} batches; choose larger or smaller noise"
        )
