"""An estimate in two parts, a sketch of J and what the sketch leaves (Hutch++): is the second part
weighted right?

Conventions: on ``f(z) = z P``, P the projector on the first r coordinates, a sketch of k columns
finds k of the trace r by itself; the rest, r - k, counts ``weight`` times, 1 if all is right.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.trace_estimator.consistency import Linear

__all__ = ["of_a_sketch"]

#: standard errors that a mean is allowed; a weight known no better than so is not named
SURE, NEAR = 6.0, 0.15
ROUNDING = 1e-5


def of_a_sketch(linear: Linear, d: int) -> Diagnosis | None:
    """The weight of what the sketch leaves, if that explains the mean at every rank of J."""
    ranks = np.arange(1, d + 1)
    found = [linear(np.diag((np.arange(d) < r).astype(float))) for r in ranks]
    mean = np.array([v.mean() for v in found])
    noise = np.array([v.std() / np.sqrt(len(v)) for v in found])
    blur = SURE * noise + ROUNDING * ranks
    right = np.abs(mean - ranks) <= blur
    k = int(np.argmin(right)) if not np.all(right) else d
    if k in (0, d):
        return None
    left = (ranks - k)[k:]
    weight = float(left @ (mean[k:] - k)) / float(left @ left)
    within = SURE * float(np.sqrt(left**2 @ noise[k:] ** 2)) / float(left @ left) + ROUNDING
    if np.any(np.abs(mean[k:] - k - weight * left) > blur[k:]) or within > NEAR * max(weight, 1.0):
        return None
    shown = "0" if abs(weight) <= within else number(weight, within / abs(weight))
    columns = f"{k} column{'s' * (k > 1)}"
    measured = (
        f"on linear fields whose J has a rank up to {k} the mean is right, and each rank beyond"
        f" counts {shown} times: the estimate is"
        f" right in a sketch of {columns}"
    )
    if abs(weight) <= within:
        return Diagnosis.cause(
            "rest_of_the_sketch",
            f"Cause: {measured}, and what the sketch leaves is missing (rest_of_the_sketch). Add"
            " the mean of gᵀ(I - QQᵀ)J(I - QQᵀ)g over random g.",
        )
    whole = round(weight)
    if whole > 1 and abs(weight - whole) <= within:
        return Diagnosis.cause(
            "rest_of_the_sketch",
            f"Cause: {measured}, and what the sketch leaves is summed over {whole} random vectors"
            f" where their mean is due (rest_of_the_sketch). Divide that part by {whole}.",
        )
    return Diagnosis.cause(
        "rest_of_the_sketch",
        f"Cause: {measured}, and what the sketch leaves is {shown} times what is due"
        f" (rest_of_the_sketch). Divide that part by {shown}.",
    )
