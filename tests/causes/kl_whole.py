"""Wrong KL divergences: a function around too much, another number for the dimension."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_kl


def of_matrices(put_together):
    """``put_together(ratio, d, trace, squares, n)`` of each pair of laws."""

    def kl(m0, c0, m1, c1):
        rows = []
        for a, v, b, w in zip(m0, c0, m1, c1, strict=True):
            inverse = np.linalg.inv(w)
            ratio = np.linalg.det(w) / np.linalg.det(v)
            squares = (b - a) @ inverse @ (b - a)
            rows.append(put_together(ratio, len(a), np.trace(inverse @ v), squares, len(m0)))
        return np.array(rows)

    return check_kl(kl, form="full")


@wrong(
    "the logarithm around the whole sum",
    says=r"logarithm is taken of all of the sum.*only det C1/det C0",
)
def log_of_all() -> Evidence:
    return of_matrices(lambda ratio, d, t, m, n: np.log(ratio + t + m - d) / 2)


@wrong(
    "the logarithm closes after the trace",
    says=r"logarithm is taken of more.*tr C1⁻¹C0\].*only det C1/det C0",
)
def log_of_ratio_and_trace() -> Evidence:
    return of_matrices(lambda ratio, d, t, m, n: (np.log(ratio + t) + m - d) / 2)


@wrong("a root around trace and mean term", says=r"½ √\(.*stands where ½ \(")
def root_of_two_terms() -> Evidence:
    return of_matrices(lambda ratio, d, t, m, n: (np.log(ratio) - d + np.sqrt(t + m)) / 2)


@wrong("the number of rows for the dimension", says=r"-½ n \(the number of rows\).*-½ d is due")
def rows_for_dimension() -> Evidence:
    return of_matrices(lambda ratio, d, t, m, n: (np.log(ratio) + t + m - n) / 2)


@wrong("the entries of a covariance are counted", says=r"-½ d² .*-½ d is due")
def entries_for_dimension() -> Evidence:
    return of_matrices(lambda ratio, d, t, m, n: (np.log(ratio) + t + m - d * d) / 2)


@wrong(
    "the logarithm around each coordinate's terms",
    says=r"logarithm is taken of more.*only σ1²/σ0²",
)
def log_of_each_coordinate() -> Evidence:
    def kl(m0, v0, m1, v1):
        terms = np.log(v1 / v0 + (v0 + (m1 - m0) ** 2) / v1)
        return (terms - 1).sum(axis=1) / 2

    return check_kl(kl, form="diagonal", parameterization="variance")


@wrong("mu.size in place of the dimension", says=r"n d \(the number of all entries")
def entries_of_the_batch() -> Evidence:
    def kl(mu, std):
        return ((mu**2 + std**2 - 2 * np.log(std)).sum(axis=1) - mu.size) / 2

    return check_kl(kl, form="diagonal", against="standard")
