"""What people put in place of ν, of a row's estimate, or of the sum over its coordinates.

Conventions: ν ``(b, D)`` is one batch as it was asked; so is what is made of it. A name of a pair
``left·J right`` is ``left|right``; ``reason``: what that is, in words, and what would mend it.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.noise_vectors import Rows

__all__ = ["MULTIPLES", "OTHERS", "PAIRS", "REDUCED", "SPOKEN", "TERMS", "batchwise"]


#: how the vectors are called where they stand for ν on one side, or on both
SPOKEN = {
    "nu": "ν",
    "ones": "a vector of ones",
    "signs": "the signs of ν",
    "unit": "ν/|ν|",
    "sphere": "√D ν/|ν|",
    "absolute": "|ν_k|",
    "squares": "ν²",
    "previous": "the ν of another row",
    "first": "the ν of the first row",
}
#: what is done to the terms ν_k (Jν)_k of a row ``(m, D)`` in place of their sum
TERMS: dict[str, tuple[Rows, str]] = {
    "largest_term": (lambda q: q.max(axis=1), "the largest (maximum) of the terms ν_k (Jν)_k"),
    "smallest_term": (lambda q: q.min(axis=1), "the smallest (minimum) of the terms ν_k (Jν)_k"),
    "absolute_terms": (lambda q: np.abs(q).sum(axis=1), "the sum of |ν_k (Jν)_k|"),
    "norm_of_terms": (lambda q: np.sqrt((q * q).sum(axis=1)), "the norm of the terms ν_k (Jν)_k"),
    "squared_terms": (lambda q: (q * q).sum(axis=1), "the sum of the squares of ν_k (Jν)_k"),
    "product_of_terms": (lambda q: q.prod(axis=1), "the product of the terms ν_k (Jν)_k"),
    "median_of_terms": (lambda q: np.median(q, axis=1), "the median of the terms ν_k (Jν)_k"),
}

_ANOTHER_ROW = "each row got the ν of another row of its batch"
#: the pairs that are tried, simplest first: name -> (left, right, reason, what mends it)
PAIRS: dict[str, tuple[str, str, str, str]] = {
    "last_nu_missing": (
        "nu",
        "ones",
        "νᵀJ was summed over its coordinates and not multiplied by ν first",
        "Multiply by ν before the sum, (νᵀJ * ν).sum(1)",
    ),
    "first_nu_missing": (
        "ones",
        "nu",
        "it is 1ᵀJν, with ones in place of the ν on the left: grad_outputs of a vector-Jacobian"
        " product is ones, not ν, or Jν was summed and not multiplied by ν first",
        "Pass ν as grad_outputs, or (Jν * ν).sum(1)",
    ),
    "nu_missing": (
        "ones",
        "ones",
        "the sum of all entries of J, as grad(f.sum()).sum(1) gives it, and no ν in it",
        "For the exact divergence sum the diagonal alone, grad(f[:, i].sum())[:, i] over i; for an"
        " estimate use ν twice, νᵀJν",
    ),
    "signs_of_nu": (
        "signs",
        "signs",
        "the signs of ν in place of ν: right for ν = ±1 only",
        "Use ν as it is given",
    ),
    "nu_of_length_one": (
        "unit",
        "unit",
        "ν brought to unit length, so that E[νν^T] = I/D",
        "Multiply by D, or leave ν as it is given",
    ),
    "nu_normalised": (
        "sphere",
        "sphere",
        "ν brought to length √D: right for |ν|² = D only",
        "Use ν as it is given",
    ),
    "batch_normalised": (
        "unit_in_batch",
        "unit_in_batch",
        "ν divided by the norm of the whole batch",
        "Use ν as it is given",
    ),
    "standardised": (
        "standardised",
        "standardised",
        "ν divided by its standard deviation over the whole batch",
        "Use ν as it is given",
    ),
    "absolute_nu": ("absolute", "absolute", "|ν| in place of ν", "Keep the signs of ν"),
    "absolute_left": ("absolute", "nu", "|ν| in place of the first ν", "Keep the signs of ν"),
    "absolute_right": ("nu", "absolute", "|ν| in place of the last ν", "Keep the signs of ν"),
    "one_sign": ("signs", "nu", "the signs of ν in place of the first ν", "Use ν twice"),
    "other_sign": ("nu", "signs", "the signs of ν in place of the last ν", "Use ν twice"),
    "half_normalised": (
        "unit",
        "nu",
        "one ν of νᵀJν is brought to unit length, the other is not",
        "Use ν as it is given, twice",
    ),
    "centred_nu": (
        "mean_removed",
        "mean_removed",
        "the mean over a row's coordinates was taken from ν",
        "Use ν as it is given",
    ),
    "squares_right": ("nu", "squares", "ν² in place of the last ν", "Use ν as it is given"),
    "squares_left": ("squares", "nu", "ν² in place of the first ν", "Use ν as it is given"),
    "cubed_in_all": ("squares", "squares", "ν² in place of ν", "Use ν as it is given"),
    "one_nu_for_all_rows": (
        "first",
        "first",
        "all rows got the ν of the first row of the batch",
        "Give each row its own ν",
    ),
    "last_nu_for_all_rows": (
        "last",
        "last",
        "all rows got the ν of the last row of the batch",
        "Give each row its own ν",
    ),
    "nu_of_another_row": ("previous", "previous", _ANOTHER_ROW, "Use row k of ν for row k of z"),
    "nu_of_the_next_row": ("next", "next", _ANOTHER_ROW, "Use row k of ν for row k of z"),
    "nu_of_rows_turned": (
        "turned",
        "turned",
        "the rows of ν were taken in the opposite order",
        "Use row k of ν for row k of z",
    ),
    "coordinates_turned": (
        "backward",
        "backward",
        "the coordinates of ν were taken in the opposite order",
        "Use coordinate k of ν for coordinate k of z",
    ),
    "nu_reshaped": (
        "reshaped",
        "reshaped",
        "ν (n, D) was read as (D, n) and transposed: rows and coordinates of ν are mixed",
        "Reshape does not transpose: use ν as it is given",
    ),
    "nu_unfolded": (
        "unfolded",
        "unfolded",
        "ν was transposed and read as (n, D): rows and coordinates of ν are mixed",
        "Reshape does not transpose: use ν as it is given",
    ),
    "another_row_left": ("previous", "nu", "the first ν is that of another row", "Use ν twice"),
    "another_row_right": ("nu", "previous", "the last ν is that of another row", "Use ν twice"),
    "first_row_left": ("first", "nu", "the first ν is that of the first row", "Use ν twice"),
    "first_row_right": ("nu", "first", "the last ν is that of the first row", "Use ν twice"),
    "shifted_left": ("shifted", "nu", "the first ν is off by one coordinate", "Use ν twice"),
    "backward_left": ("backward", "nu", "the first ν is in the opposite order", "Use ν twice"),
}

#: pairs of those that are no known mistake; a length of ν is the same on either side
OTHERS = [
    (a, b)
    for a in SPOKEN
    for b in SPOKEN
    if (a == "nu" or b == "nu" or a == b or "ones" in (a, b))
    and (a, b) not in {("nu", "nu"), ("nu", "unit"), ("nu", "sphere")}
    and (a, b) not in {pair[:2] for pair in PAIRS.values()}
]

#: what is done to the estimates of a batch ``(b,)``
REDUCED: dict[str, tuple[Rows, str, str]] = {
    "mean_over_the_rows": (
        lambda q: np.full(q.shape, q.mean()),
        "the rows of the batch were averaged: one number where one a row is due",
        "Sum over the coordinates of each row by itself",
    ),
    "sum_over_the_rows": (
        lambda q: np.full(q.shape, q.sum()),
        "the rows of the batch were summed: one number where one a row is due",
        "Sum over the coordinates of each row by itself, axis 1",
    ),
    "first_row_for_all": (
        lambda q: np.full(q.shape, q[0]),
        "all rows got the estimate of the first row of the batch",
        "Return one number a row",
    ),
    "rows_added_up": (np.cumsum, "each row has those before it added", "Start each row at 0"),
    "rows_turned": (
        lambda q: q[::-1],
        "the rows come back in the opposite order",
        "Return them in the order of z",
    ),
    "divided_by_rows": (
        lambda q: q / len(q),
        "each row is divided by the number of rows: a mean over the batch",
        "Do not divide by the size of the batch",
    ),
    "times_rows": (
        lambda q: q * len(q),
        "each row is multiplied by the number of rows",
        "Do not multiply by the size of the batch",
    ),
}

#: factors ``(b,)`` that depend on ν
MULTIPLES: dict[str, tuple[Rows, str, str]] = {
    "factor_length": (
        lambda nu: (nu * nu).mean(axis=1),
        "a factor |ν|²/D: right for |ν|² = D only",
        "Leave that factor out",
    ),
    "factor_square": (
        lambda nu: (nu * nu).sum(axis=1),
        "a factor |ν|²",
        "Leave that factor out",
    ),
    "factor_of_length": (
        lambda nu: np.sqrt((nu * nu).sum(axis=1)),
        "a factor |ν|",
        "Leave that factor out",
    ),
}


def batchwise(of: Rows, values: np.ndarray, bounds: tuple[int, ...]) -> np.ndarray:
    """``of`` each batch; the batches begin at ``bounds``."""
    parts = [of(values[a:b]) for a, b in zip(bounds, (*bounds[1:], len(values)), strict=True)]
    return np.concatenate(parts)
