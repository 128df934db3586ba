"""What known mistakes return at the rows asked, and what they are, in words."""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose
from scoreproof.public.trace_estimator.rows import Rows

__all__ = ["REASONS", "explained", "of_the_mean"]

#: mean squares of ν beyond this are scaled down to it
LONG = 100.0

REASONS = {
    "last_nu_missing": "νᵀJ was summed without its last ν",
    "first_nu_missing": "Jν was summed without its first ν",
    "ell_sign": "the sign: -νᵀJν",
    "ell_doubled": "2 νᵀJν",
    "mean_for_sum": "an average over the dimensions where a sum is due",
    "nu_missing": "the sum of all entries of J: no ν at all",
    "frobenius": "the squared length of Jν, as if for the Frobenius norm of J",
    "nu_of_another_row": "each row got the ν of its neighbour in the batch",
    "one_nu_for_all_rows": "all rows got the ν of the first row of the batch",
    "mean_over_the_rows": "the rows of the batch were averaged: one number where one a row is due",
    "signs_of_nu": "the signs of ν in place of ν: right for ν = ±1 only",
    "factor_length": "a factor |ν|²/D: right for |ν|² = D only",
    "nu_normalised": "ν brought to length √D: right for |ν|² = D only",
    "uniform_nu": "ν uniform on [-1, 1]: E[νν^T] = I/3",
    "last_coordinate_missing": "the last coordinate was left out",
    "first_coordinate_missing": "the first coordinate was left out",
    "nothing": "it returns 0",
}


def explained(
    rows: Rows, values: np.ndarray, due: np.ndarray, bounds: tuple[int, ...]
) -> Diagnosis:
    """Which mistake returns ``values`` at the rows, asked in batches that begin at ``bounds``."""
    z, nu, trial = rows.z, rows.nu, rows.trial
    d = rows.dimension
    ones = np.ones_like(nu)
    rolled, first, mean = np.empty_like(nu), np.empty_like(nu), np.empty(len(z))
    for a, b in zip(bounds, (*bounds[1:], len(z)), strict=True):
        rolled[a:b], first[a:b], mean[a:b] = np.roll(nu[a:b], 1, axis=0), nu[a], due[a:b].mean()

    def quad(v: np.ndarray) -> np.ndarray:
        return trial.quadratic(z, v)[0]

    length = (nu**2).mean(axis=1)
    candidates = {
        "ell_sign": -due,
        "ell_doubled": 2 * due,
        "mean_for_sum": due / d,
        "factor_length": due * length,
        "nu_normalised": due / length,
        "nothing": 0 * due,
        "nu_of_another_row": quad(rolled),
        "one_nu_for_all_rows": quad(first),
        "mean_over_the_rows": mean,
        "signs_of_nu": quad(np.sign(nu)),
    }
    along, summed = trial.product(z, nu), trial.product(z, ones)
    candidates |= {
        "first_nu_missing": along.sum(axis=1),
        "last_nu_missing": (nu * summed).sum(axis=1),
        "nu_missing": summed.sum(axis=1),
        "frobenius": (along**2).sum(axis=1),
        "last_coordinate_missing": due - nu[:, -1] * along[:, -1],
        "first_coordinate_missing": due - nu[:, 0] * along[:, 0],
    }
    # a row with a ν of 1e4 counts as one of the others
    weight = 1 / np.maximum(1.0, length / LONG)
    candidates = {name: weight * value for name, value in candidates.items()}
    return diagnose(weight * values, weight * due, candidates, reasons=REASONS)


def of_the_mean(measured: np.ndarray, due: np.ndarray, d: int) -> Diagnosis:
    """Which mistake moves the mean of estimates that draw their own ν, ``(groups,)``."""
    candidates = {
        "ell_sign": -due,
        "ell_doubled": 2 * due,
        "mean_for_sum": due / d,
        "nothing": 0 * due,
        "uniform_nu": due / 3,
    }
    return diagnose(measured, due, candidates, resolution=0.02, reasons=REASONS)
