"""Wrong scores of a mixture: a triangular solve missing, in the wrong order, not a solve."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes.denoiser_parts import NOISE, PRIOR, score
from scoreproof import check_score


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
