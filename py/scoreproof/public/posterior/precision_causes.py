"""A coarser floating type than the one that comes back."""

from __future__ import annotations

import numpy as np

from scoreproof.public.posterior.cases import Case
from scoreproof.public.posterior.problem import on_grid
from scoreproof.public.posterior.rounding import mean_rounding, of_prediction

__all__ = ["coarser"]

#: what rounding comes to in practice, in roundings of a value: the bound allows much more
COMES_TO = 16.0
TYPES = {"float32": 2.0**-23, "float16": 2.0**-10, "bfloat16": 2.0**-7}


def coarser(case: Case) -> str:
    """A sentence where its numbers, or the points as it sees them, are those of a coarser type,
    and rounding in that type would explain the error; empty otherwise.
    """
    for name, spacing in TYPES.items():
        if spacing <= case.eps:
            continue
        ours = np.array_equal(on_grid(case.value, spacing), case.value)
        seen = not ours and _same_when_rounded(case, spacing)
        if not (ours or seen):
            continue
        within = mean_rounding(case.due, spacing)
        mean = of_prediction(case.kind, case.y, case.due.mean, within, spacing)
        off = np.abs(case.mean_of(case.value) - case.due.mean)
        size = float(np.sqrt(np.mean(case.due.mean**2)))
        if np.all(off <= mean) and np.sqrt(np.mean(off**2)) <= COMES_TO * spacing * size:
            half = " (half precision)" if name == "float16" else ""
            what = (
                f"every number it returns is one of {name}{half}"
                if ours
                else f"it answers the same when x is rounded to {name}{half}"
            )
            return (
                f"Cause: it computes in {name}: {what}, and rounding in that type explains the"
                " error."
            )
    return ""


def _same_when_rounded(case: Case, spacing: float) -> bool:
    if case.again is None:
        return False
    coarse = on_grid(case.y, spacing)
    if np.array_equal(coarse, case.y):
        return False
    return bool(np.array_equal(case.again(coarse), case.value))
