"""ν of one length, as those that were divided by their norm: E[νν^T] is then |ν|²/D times I."""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.trace_estimator.consistency import Linear

__all__ = ["of_one_length"]

#: standard errors that a mean is allowed, and what rounding leaves of a length
SURE, ROUNDED = 6.0, 1e-5


def of_one_length(linear: Linear, d: int) -> Diagnosis | None:
    """On f(z) = z an estimate is |ν|²: the same for all rows, while those of one coordinate are
    not. Signs ±1 and a factor would leave both the same.
    """
    squares = linear(np.eye(d))
    unit = np.zeros((d, d))
    unit[0, 0] = 1.0
    first = linear(unit)
    size = float(squares.mean())
    if not size > 0 or np.ptp(squares) > ROUNDED * size or abs(size / d - 1) <= ROUNDED:
        return None
    error = float(first.std()) / np.sqrt(len(first))
    if first.std() <= 1e-2 * size / d or abs(float(first.mean()) - size / d) > SURE * error:
        return None
    length = number(size**0.5, ROUNDED)
    mend = (
        "multiply ν by √D, or the estimate by D"
        if abs(size - 1) <= ROUNDED
        else f"multiply the estimate by {number(d / size, ROUNDED, {'D': d})}"
    )
    return Diagnosis.cause(
        "nu_of_one_length",
        f"Cause: every ν has the length {length} where √D = {d**0.5:.6g} is due, as of a draw that"
        f" is divided by its norm: E[νν^T] is {number(size / d, ROUNDED, {'D': d})} times I, not I"
        f" (nu_of_one_length): {mend}.",
    )
