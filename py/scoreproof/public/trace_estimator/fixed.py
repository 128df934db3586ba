"""The ν of an estimator that draws its own, and draws the same at every call.

Conventions: as in `law`: on linear fields with one entry of J the estimate ``uᵀJv`` is ``u_i v_j``.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.consistency import Linear
from scoreproof.words import point

__all__ = ["FIXED", "fixed_nu"]

FIXED = Diagnosis.cause(
    "fixed_nu",
    "Cause: two calls return the same: the ν is fixed, and its error does not average out"
    " (fixed_nu). Draw it anew at each call: a new seed or key.",
)
#: D up to which ν is read, and rows for it
MOST, ROWS = 6, 8
#: relative: so near is the same
SAME = 1e-4


def fixed_nu(given: Given, d: int, rng: np.random.Generator) -> Diagnosis:
    """Its entries, if the estimates are νᵀJν with one and the same ν at every call."""
    if d > MOST:
        return FIXED
    linear = Linear(given, given.rounded(rng.standard_normal((ROWS, d))))
    products = linear.of_units()
    first = products[:, :, 0]
    k = int(np.argmax(np.abs(np.diagonal(first))))
    if first[k, k] <= 0:
        return FIXED
    nu = first[:, k] / np.sqrt(first[k, k])
    nu = nu * np.sign(nu[np.abs(nu) > SAME * np.max(np.abs(nu))][0])
    if np.max(np.abs(np.outer(nu, nu) - first)) > SAME * np.max(np.abs(first)):
        return FIXED
    if np.max(np.ptp(products, axis=2)) > SAME * np.max(np.abs(first)):
        return Diagnosis.cause(
            "fixed_nu",
            f"Cause: the ν is fixed: each row has one that is the same at every call, of row 0 it"
            f" is {point(nu, d)} or its negative (fixed_nu). Draw it anew at each call: a seed"
            " or key that is set inside gives the same draws.",
        )
    if np.ptp(nu) > SAME * np.max(np.abs(nu)):
        return Diagnosis.cause(
            "fixed_nu",
            f"Cause: the ν is fixed: it is the same for all rows and at every call, {point(nu, d)}"
            " or its negative (fixed_nu). Draw it anew at each call, a row of it for each row of"
            " z.",
        )
    c = float(nu[0])
    plain = abs(c - 1) <= SAME
    whole = "the sum of all entries of J" + ("" if plain else f", times {c * c:.4g},")
    exact = "; for the exact divergence sum the diagonal alone" if plain else ""
    why = " (the upper end of randint is exclusive: randint(0, 1) is always 0)" if plain else ""
    return Diagnosis.cause(
        "constant_nu",
        f"Cause: the ν does not vary: it is ({c:.4g}, …, {c:.4g}) or its negative in every row and"
        f" at every call, so that {whole} comes back (constant_nu). Draw signs or Gaussian"
        f" numbers{why}{exact}.",
    )
