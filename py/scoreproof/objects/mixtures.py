"""Gaussian mixtures in R^n: exact density, score, Hessian, posterior moments under Gaussian noise,
sampling.

Conventions
-----------
- Points are rows ``(n, d)``; ``covariances`` are covariances ``(k, d, d)``, never standard
  deviations.
- The score is ``∇ log p`` as rows; Hessians are ``(n, d, d)``.
- ``noised(cov)`` is the law of ``X + Z`` with ``Z ~ N(0, cov)`` independent of ``X``.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from scoreproof.interop.callables import to_float
from scoreproof.numerics.linear import check_covariance, log_sum_exp, softmax
from scoreproof.objects.given import covariances_of, weights_of

__all__ = ["GaussianMixture"]


@dataclass(frozen=True)
class GaussianMixture:
    """``Σ_k w_k N(m_k, C_k)`` with weights ``(k,)``, means ``(k, d)`` and covariances ``(k, d,
    d)``.

    The weights must be positive and sum to 1 (to the roundings of their type; they are then
    normalised). Raises
    ``ArgumentError`` for wrong shapes, non-finite numbers, and covariances that are not symmetric
    positive definite.

    >>> m = GaussianMixture([0.5, 0.5], [[-1.0], [1.0]], [[[1.0]], [[1.0]]])
    >>> m.score(np.zeros((1, 1))).tolist(), m.covariance().tolist()
    ([[0.0]], [[2.0]])
    """

    weights: np.ndarray
    means: np.ndarray
    covariances: np.ndarray

    def __post_init__(self) -> None:
        weights = weights_of(self.weights, None)
        means = to_float("means", self.means, shape=(weights.size, None))
        covariances = covariances_of(self.covariances, weights.size, means.shape[1])
        for c in covariances:
            check_covariance("covariances", c)
        object.__setattr__(self, "weights", weights)
        object.__setattr__(self, "means", means)
        object.__setattr__(self, "covariances", covariances)

    @classmethod
    def gaussian(cls, mean: np.ndarray, covariance: np.ndarray) -> GaussianMixture:
        """The mixture of one Gaussian."""
        return cls(
            np.ones(1),
            np.asarray(mean, dtype=float)[None],
            np.asarray(covariance, dtype=float)[None],
        )

    @property
    def dimension(self) -> int:
        """The dimension d of the space."""
        return int(self.means.shape[1])

    @cached_property
    def _precisions(self) -> np.ndarray:
        return np.linalg.inv(self.covariances)

    @cached_property
    def _log_norms(self) -> np.ndarray:
        _, logdet = np.linalg.slogdet(self.covariances)
        return np.log(self.weights) - 0.5 * (logdet + self.dimension * np.log(2 * np.pi))

    def _terms(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Log of each weighted component at x ``(n, k)`` and each component's score ``(n, k, d)``;
        complex x allowed.
        """
        centred = x[:, None, :] - self.means
        scores = -np.swapaxes(np.swapaxes(centred, 0, 1) @ self._precisions, 0, 1)
        # no conjugation anywhere, so that a complex step through here differentiates
        return self._log_norms + 0.5 * np.einsum("nkd,nkd->nk", centred, scores), scores

    def log_components(self, x: np.ndarray) -> np.ndarray:
        """Log of each weighted component's density at the rows of x: ``(n, k)``."""
        return self._terms(x)[0]

    def log_density(self, x: np.ndarray) -> np.ndarray:
        """``log p`` at the rows of x ``(n, d)``: ``(n,)``; analytic in x (it may be complex)."""
        return log_sum_exp(self._terms(x)[0])

    def density(self, x: np.ndarray) -> np.ndarray:
        """``p`` at the rows of x: ``(n,)``."""
        return np.exp(self.log_density(x))

    def responsibilities(self, x: np.ndarray) -> np.ndarray:
        """Posterior probability of each component at the rows of x: ``(n, k)``."""
        return softmax(self._terms(x)[0])

    def score(self, x: np.ndarray) -> np.ndarray:
        """``∇ log p`` at the rows of x: ``(n, d)``."""
        logs, scores = self._terms(x)
        r = softmax(logs)
        return np.einsum("nk,nkd->nd", r, scores)

    def hessian_log_density(self, x: np.ndarray) -> np.ndarray:
        """``∇² log p`` at the rows of x: ``(n, d, d)``."""
        logs, scores = self._terms(x)
        r = softmax(logs)
        mean = np.einsum("nk,nkd->nd", r, scores)
        deviations = scores - mean[:, None, :]
        return np.einsum("nk,nki,nkj->nij", r, deviations, deviations) - np.einsum(
            "nk,kij->nij", r, self._precisions
        )

    def noised(self, cov: np.ndarray) -> GaussianMixture:
        """The law of ``X + N(0, cov)``."""
        return GaussianMixture(self.weights, self.means, self.covariances + np.asarray(cov))

    def affine(self, matrix: np.ndarray, shift: np.ndarray | float = 0.0) -> GaussianMixture:
        """The law of ``A X + b`` (invertible A)."""
        matrix = np.asarray(matrix, dtype=float)
        return GaussianMixture(
            self.weights, self.means @ matrix.T + shift, matrix @ self.covariances @ matrix.T
        )

    def component_posteriors(
        self, y: np.ndarray, cov: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Kalman update of each component: responsibilities ``(n, k)``, means ``(n, k, d)``,
        covariances ``(k, d, d)``.
        """
        r = self.noised(cov).responsibilities(y)
        total = self.covariances + cov
        gains = np.swapaxes(np.linalg.solve(total, np.swapaxes(self.covariances, -1, -2)), -1, -2)
        moved = np.swapaxes(y[:, None, :] - self.means, 0, 1) @ np.swapaxes(gains, -1, -2)
        means = self.means + np.swapaxes(moved, 0, 1)
        return r, means, self.covariances - gains @ self.covariances

    def posterior_mean(self, y: np.ndarray, cov: np.ndarray) -> np.ndarray:
        """``E[X | X + N(0, cov) = y]`` at the rows of y, by a Kalman update of each component:
        ``(n, d)``.
        """
        r, means, _ = self.component_posteriors(y, cov)
        return np.einsum("nk,nkd->nd", r, means)

    def posterior_covariance(self, y: np.ndarray, cov: np.ndarray) -> np.ndarray:
        """``Cov[X | X + N(0, cov) = y]`` at the rows of y: ``(n, d, d)``."""
        r, means, covariances = self.component_posteriors(y, cov)
        deviations = means - np.einsum("nk,nkd->nd", r, means)[:, None, :]
        return np.einsum("nk,kij->nij", r, covariances) + np.einsum(
            "nk,nki,nkj->nij", r, deviations, deviations
        )

    def sample(self, rng: np.random.Generator, n: int) -> np.ndarray:
        """n independent draws as rows ``(n, d)``."""
        which = rng.choice(self.weights.size, size=n, p=self.weights)
        roots = np.linalg.cholesky(self.covariances)
        noise = rng.standard_normal((n, self.dimension))
        for k, root in enumerate(roots):  # a gather of roots would hold n matrices
            noise[which == k] = noise[which == k] @ root.T
        return self.means[which] + noise

    def mean(self) -> np.ndarray:
        """E[X]: ``(d,)``."""
        return self.weights @ self.means

    def covariance(self) -> np.ndarray:
        """Cov[X]: ``(d, d)``."""
        deviations = self.means - self.mean()
        return np.einsum("k,kij->ij", self.weights, self.covariances) + np.einsum(
            "k,ki,kj->ij", self.weights, deviations, deviations
        )
