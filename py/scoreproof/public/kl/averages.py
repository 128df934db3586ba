"""How the whole of a divergence is averaged where its sum is due, over dimensions or the batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.fit import Combination
from scoreproof.public.kl.laws import Laws

__all__ = ["AVERAGED", "FIXED", "averages", "believed", "beside_the_number"]

#: what names begin with where a number that is known by heart stands for the batch's size
FIXED = "fixed_batch"
#: relative: two factors this near are the same; a number this near to a whole one is that
SAME, WHOLE = 1e-6, 1e-4

Average = Callable[[np.ndarray, Laws], np.ndarray]
_OVER_DIMENSIONS: dict[str, Average] = {"mean_over_dimensions": lambda v, b: v / b.shape[1]}
_NOT_OVER_THEM: dict[str, Average] = {
    "sum_over_dimensions": lambda v, b: v * b.shape[1],
    "mean_over_dimensions_twice": lambda v, b: v / b.shape[1],
}
#: what is done to the divergences ``(n,)`` of a batch, by the reduction that is due
_DONE: dict[str, dict[str, Average]] = {
    "none": {
        "sum_over_batch": lambda v, b: np.full(len(v), v.sum()),
        "mean_over_batch": lambda v, b: np.full(len(v), v.mean()),
        "divided_by_batch": lambda v, b: v / len(v),
    },
    "sum": {},
    # before the mean over the batch: what comes back does not depend on its size
    "mean": {
        FIXED: lambda v, b: v * len(v),
        f"{FIXED}_over_dimensions": lambda v, b: v * len(v) / b.shape[1],
    },
}
AVERAGED = {
    "mean_over_dimensions": "it is an average over the dimensions where their sum is due (1/d too"
    " many)",
    "sum_over_dimensions": "it is a sum over the dimensions where their average is due (d times too"
    " much)",
    "mean_over_dimensions_twice": "the average over the dimensions is divided by d once more",
    "sum_over_batch": "every row gets the sum over the whole batch: sum over the last axis alone",
    "mean_over_batch": "every row gets the average over the whole batch: keep the rows apart",
    "divided_by_batch": "each row is divided by the number of rows (1/n too many)",
    FIXED: "the sum over the batch is divided by one number, whatever the batch's size is",
    f"{FIXED}_over_dimensions": "the average over the dimensions is summed over the batch and"
    " divided by one number, whatever the batch's size is",
}


def averages(options: Options) -> Mapping[str, Average]:
    """By name, for what is due over the coordinates and the batch."""
    over = {"sum": _OVER_DIMENSIONS, "mean": _NOT_OVER_THEM, "none": {}}[options.wanted.dims]
    done = _DONE[options.reduction]
    if options.wanted.dims == "mean":  # whatever number it is, it is found in the factors
        done = {name: of for name, of in done.items() if not name.startswith(FIXED)}
    return over | done


def believed(name: str, found: Combination) -> bool:
    """Whether a number that stands for the batch's size is a whole one."""
    if not name.startswith(FIXED):
        return True
    number = beside_the_number(found)[0]
    return number > 1.5 and abs(number / round(number) - 1) <= WHOLE


def beside_the_number(found: Combination) -> tuple[float, Combination]:
    """The number by which most of the summands are divided, and what is wrong beside it."""
    ratios = [r for r in found.ratios if r != 0]
    if not ratios:
        return 0.0, found
    most = max(ratios, key=lambda r: sum(abs(r / v - 1) < SAME for v in ratios))
    rest = tuple(1.0 if abs(r / most - 1) < SAME else r / most for r in found.ratios)
    return 1 / most, replace(found, ratios=rest)
