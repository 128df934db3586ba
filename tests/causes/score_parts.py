"""Wrong scores of a mixture: a triangular solve missing, in the wrong order, not a solve."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes.denoiser_parts import NOISE, PRIOR, score
from scoreproof import GaussianMixture, check_score


@wrong("one triangular solve missing", says=r"triangular solve.*missing")
def one_solve():
    return check_score(
        lambda y: score(y, lambda s, r: np.linalg.solve(np.linalg.cholesky(s), r.T).T),
        PRIOR,
        NOISE,
    )


@wrong("the triangular solves in the wrong order", says=r"wrong order")
def solves_in_the_wrong_order():
    def solved(total, gap):
        factor = np.linalg.cholesky(total)
        return np.linalg.solve(factor, np.linalg.solve(factor.T, gap.T)).T

    return check_score(lambda y: score(y, solved), PRIOR, NOISE)


@wrong("the second triangular solve without the transpose", says=r"not transposed|transpose")
def second_solve_not_transposed():
    def solved(total, gap):
        factor = np.linalg.cholesky(total)
        return np.linalg.solve(factor, np.linalg.solve(factor, gap.T)).T

    return check_score(lambda y: score(y, solved), PRIOR, NOISE)


@wrong("divided by the covariances' diagonal", says=r"diagonal")
def by_the_diagonal():
    return check_score(lambda y: score(y, lambda s, r: r / np.diag(s)), PRIOR, NOISE)


@wrong("multiplied by the covariance, not solved", says=r"not inverted|C r stands|not solved")
def multiplied():
    return check_score(lambda y: score(y, lambda s, r: r @ s), PRIOR, NOISE)


WIDTHS, CENTRES, SHARES = np.array([0.4, 0.9, 0.6]), np.eye(3) * 1.5, np.array([0.5, 0.2, 0.3])
ROUND = GaussianMixture(SHARES, CENTRES, [s**2 * np.eye(3) for s in WIDTHS])
SIGMA = 0.8


def rounded(variances, normalised=True):
    """The score of round components with these variances after the noise."""

    def wrong_score(y):
        gap = y[:, None] - CENTRES
        logs = np.log(SHARES) - (gap**2).sum(-1) / (2 * variances)
        logs -= 1.5 * np.log(variances) if normalised else 0.0
        p = np.exp(logs - logs.max(1, keepdims=True))
        return -np.einsum("mk,mkd->md", p / p.sum(1, keepdims=True) / variances, gap)

    return check_score(wrong_score, ROUND, SIGMA**2)


@wrong("standard deviations are added, not variances", says=r"standard deviations are added")
def deviations_added():
    return rounded((WIDTHS + SIGMA) ** 2)


@wrong("variances are multiplied, not added", says=r"C Σ stands where C \+ Σ .*product for a sum")
def variances_multiplied():
    return rounded(WIDTHS**2 * SIGMA**2)


@wrong("the root of the variance stands for it", says=r"√\(C \+ Σ\) stands where C \+ Σ is due")
def variances_rooted():
    return rounded(np.sqrt(WIDTHS**2 + SIGMA**2))


@wrong("no normalising constants", says=r"Cause: the responsibilities are without .*normalising")
def constants_missing():
    return rounded(WIDTHS**2 + SIGMA**2, normalised=False)
