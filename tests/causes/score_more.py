"""Wrong scores: what depends on the batch's size, and parts of a precision matrix."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import GaussianMixture, check_score

PRIOR = GaussianMixture(
    [0.6, 0.4], [[-1.0, 0.3, 0.8], [1.5, -0.5, 0.0]], [np.eye(3) * 0.7, np.diag([0.4, 1.1, 0.6])]
)
NOISE = np.array([[0.9, 0.3, -0.2], [0.3, 0.6, 0.15], [-0.2, 0.15, 0.8]])


@wrong("the gradient of a mean over the batch", says=r"mean over the rows was differentiated")
def batch_mean():
    return check_score(lambda y: PRIOR.noised(0.5 * np.eye(3)).score(y) / len(y), PRIOR, 0.5)


@wrong("the gradient of a mean over all entries", says=r"rows in the batch and the number of coord")
def entry_mean():
    return check_score(lambda y: PRIOR.noised(0.5 * np.eye(3)).score(y) / y.size, PRIOR, 0.5)


def by_precision(take):
    inverse = np.linalg.inv(NOISE)

    def score(y):
        return (PRIOR.posterior_mean(y, NOISE) - y) @ take(inverse).T

    return check_score(score, PRIOR, NOISE)


@wrong("only the precision's diagonal", says=r"diagonal of Σ⁻¹ alone")
def precision_diagonal():
    return by_precision(lambda p: np.diag(np.diagonal(p)))


@wrong("only the precision's upper triangle", says=r"upper triangle of Σ⁻¹ alone")
def precision_triangle():
    return by_precision(np.triu)
