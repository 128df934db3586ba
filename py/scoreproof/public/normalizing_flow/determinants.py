"""``log |det J|`` of each row, and how far it may be off.

Conventions: errors are in nats. ``δ log |det J| = tr(J⁻¹ δJ)``; entries that are rounded
independently add up like random numbers.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.normalizing_flow.jacobians import Jacobian

__all__ = ["Determinants", "determinants"]

RANDOM = 6.0
DOUBLE = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Determinants:
    """``log_det``, ``sign`` and ``error`` ``(n,)``; ``inverse`` J⁻¹; an error is infinite where J
    is singular.
    """

    log_det: np.ndarray
    sign: np.ndarray
    error: np.ndarray
    inverse: np.ndarray


def determinants(jac: Jacobian) -> Determinants:
    """Of a Jacobian.

    >>> from scoreproof.public.normalizing_flow.jacobians import Jacobian
    >>> entries = np.array([[[2.0, 0.0], [1.0, -3.0]]])
    >>> found = determinants(Jacobian(entries, 1e-16 * abs(entries), True, "by hand"))
    >>> float(np.exp(found.log_det[0])).__round__(12), float(found.sign[0])
    (6.0, -1.0)
    """
    j = np.where(np.isfinite(jac.entries), jac.entries, 0.0)
    d = j.shape[1]
    sign, log_det = np.linalg.slogdet(j)
    inverse = np.zeros_like(j)
    error = np.full(len(j), np.inf)
    for k, one in enumerate(j):
        if sign[k] == 0 or not np.all(np.isfinite(jac.entries[k])):
            continue
        inverse[k] = np.linalg.inv(one)
        terms = np.abs(inverse[k].T) * (jac.error[k] + 4 * DOUBLE * np.abs(one))
        lu = 4 * DOUBLE * d * np.linalg.norm(np.abs(inverse[k].T) * np.abs(one))
        # at least as much as one entry may be off, at most all of them together
        sum_of = float(np.sum(terms))
        grown = RANDOM * float(np.linalg.norm(terms))
        error[k] = (min(sum_of, grown) if jac.rounding else sum_of) + lu
    return Determinants(log_det, sign, error, inverse)
