"""The number in a weight that has one: γ of min(SNR, γ), σ_data of EDM's.

Conventions: of the weight of x_0, which is that of the prediction over (∂x_0/∂(prediction))².
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.limits import weight_bound
from scoreproof.public.loss.reading import Found

__all__ = ["clamp_of", "spread_of"]

#: a σ_data so far beyond the levels that were looked at is another formula
BEYOND = 10.0


def clamp_of(found: Found) -> float | None:
    """γ, if the weight of x_0 is min(SNR, γ)."""
    v = found.v
    order = np.argsort(v.snr)
    with np.errstate(all="ignore"):
        weight = found.weight / v.slope() ** 2
        unit = (weight / v.snr)[order[0]]
        scaled = weight / unit
    top = float(np.max(scaled))
    if not np.isfinite(top) or top >= np.max(v.snr) or top <= np.min(v.snr):
        return None
    due = np.minimum(v.snr, top)
    fits = np.all(
        np.abs(scaled / due - 1) <= 4 * weight_bound(found) + 4 * weight_bound(found)[order[0]]
    )
    return top if fits else None


def spread_of(found: Found) -> float | None:
    """σ_data, if the weight of x_0 is EDM's: σ² times it is c (σ² + σ_data²)."""
    v = found.v
    square = (v.sigma / v.alpha) ** 2
    with np.errstate(all="ignore"):
        scaled = found.weight / v.slope() ** 2 * square
    if not np.all(np.isfinite(scaled)) or np.min(scaled) <= 0:
        return None
    low, high = int(np.argmin(square)), int(np.argmax(square))
    slope = (scaled[high] - scaled[low]) / (square[high] - square[low])
    start = scaled[low] - slope * square[low]
    if slope <= 0 or start <= 0:
        return None
    fits = np.abs(scaled / (start + slope * square) - 1) <= 1e-9 + 8 * weight_bound(found)
    spread, level = float(np.sqrt(start / slope)), np.sqrt(square)
    inside = level.min() / BEYOND < spread < level.max() * BEYOND
    return spread if inside and np.all(fits) else None
