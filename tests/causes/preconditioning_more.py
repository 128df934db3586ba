"""More wrong preconditionings: a numerator, a root."""

from __future__ import annotations

from causes import wrong
from scoreproof import check_preconditioning


@wrong("the numerator σ_data² of c_skip is 1", says=r"1/σ_data²|σ_data² is missing")
def numerator_of_c_skip():
    def scalings(sigma):
        total = sigma**2 + 0.25
        return 1 / total, 0.5 * sigma / total**0.5, 1 / total**0.5

    return check_preconditioning(scalings, sigma_data=0.5)


@wrong("c_in without its square root", says=r"square root is missing")
def c_in_without_root():
    def scalings(sigma):
        total = sigma**2 + 0.25
        return 0.25 / total, 0.5 * sigma / total**0.5, 1 / total

    return check_preconditioning(scalings, sigma_data=0.5)
