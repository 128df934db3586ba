"""The one reading under which nothing is wrong: the data are blurred first by what the marginal
declares at t = 0, as a variance-exploding class does that declares σ(t).
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.marginals.verdict import Case, errors
from scoreproof.public.marginals.words import short

__all__ = ["of_blurred_data"]

#: what σ_0, fitted, makes the same law of: only the first is what people mean
ALIKE = ("sigma0_missing", "sigma0_added", "sigma0_not_squared")


def of_blurred_data(case: Case) -> Diagnosis | None:
    """That the law is the one of blurred data, if it is at every time."""
    own = case.at_zero
    if own is None or not np.any(own > 0) or np.array_equal(own, case.start) or not case.fits(own):
        return None
    blur, error = short(own), float(np.max(errors(case, own).error[1]))
    still = np.ptp(case.implied.quadrature.log_mean) < 1e-12
    left = "σ(t)² - σ(0)²" if still else "σ(t)² - α(t)² σ(0)², α(t) the factor of the mean"
    law = (
        f"your marginal is the law of data that are blurred by σ(0) = {blur} first, as σ(t) of a"
        f" variance-exploding class is, and right to {error:.1g} then"
    )
    one = f" (or initial_std={blur})" if np.all(own == own[0]) else ""
    meant = f'if that is meant, pass reading="blurred"{one}'
    if np.any(case.start):
        return Diagnosis.cause(
            "another_blur",
            f"Cause: {law}; it was held against data that are blurred by {short(case.start)}:"
            f" {meant} (another_blur).",
        )
    return Diagnosis(
        ALIKE,
        0.0,
        None,
        f"Cause: {law}; it was held against an SDE that starts at the data themselves: {meant}; if"
        f" not, the variance due is {left} (sigma0_missing).",
    )
