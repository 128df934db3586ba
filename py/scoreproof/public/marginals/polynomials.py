"""A declared log α that has one wrong coefficient as a polynomial in time.

Conventions: log α = c_1 t + c_2 t² + c_3 t³; for a drift -½ β(t) x with β = β_0 + β_1 t it is
c_1 = -β_0/2, c_2 = -β_1/4.
"""

from __future__ import annotations

import numpy as np

__all__ = ["one_coefficient"]

#: degree; what a fit leaves of the deviation, and of the polynomial due
DEGREE, LEFT, DUE = 3, 1e-3, 1e-5


def one_coefficient(t: np.ndarray, log: np.ndarray, due: np.ndarray) -> str | None:
    """Which coefficient it is, and by how much: a clause; ``None`` if there is no such one."""
    off = log - due
    if len(t) < 2 * DEGREE or not np.any(off):
        return None
    powers = t[:, None] ** np.arange(1, DEGREE + 1)
    scale = np.max(np.abs(powers), axis=0)
    right = np.linalg.lstsq(powers / scale, due, rcond=None)[0] / scale
    if np.max(np.abs(powers @ right - due)) > DUE * np.max(np.abs(due)):
        return None
    for n in range(DEGREE):
        more = float(np.sum(powers[:, n] * off) / np.sum(powers[:, n] ** 2))
        if np.max(np.abs(off - more * powers[:, n])) > LEFT * np.max(np.abs(off)):
            continue
        # a coefficient that is no part of the polynomial due is rounding of the others
        own = float(right[n])
        if abs(own) * scale[n] < DUE * np.max(np.abs(due)):
            return None
        found = own + more
        if found / own < DUE:  # left out, or of the other sign: other readings say that better
            return None
        term = ("t", "t²", "t³")[n]
        text = (
            f"the coefficient of {term} in the declared log α is {found / own:.6g} times the one"
            f" due: {found:.4g} where {own:.4g} is"
        )
        rate = (("β(0)", -2.0), ("the slope of β, β_max - β_min,", -4.0))[n] if n < 2 else None
        if rate is not None:
            text += f" (for a drift -½ β(t) x: {rate[0]} {rate[1] * found:.4g} for"
            text += f" {rate[1] * own:.4g})"
        return text
    return None
