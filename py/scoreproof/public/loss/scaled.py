"""Factors of x_t that have a name: c_in and its mistakes, and a least noise at the clean end.

Conventions: as in `noised`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.weights import Levels

__all__ = ["least_noise", "scale_of"]


def least_noise(found: Found) -> float | None:
    """σ_min of x_t = a x_0 + (1 - (1 - σ_min) a) ε, where x_t = α x_0 + (1 - α) ε is due."""
    v = found.v
    if np.max(np.abs(v.alpha + v.sigma - 1)) > 1e-12:
        return None
    with np.errstate(all="ignore"):
        least = 1 - (1 - found.b) / found.a
    middle = float(np.median(least))
    near = np.abs(least - middle) <= 1e-3 * abs(middle) + 64 * found.eps / np.abs(found.a)
    return middle if np.all(near) and max(1e-8, 1e3 * found.eps) < middle < 0.5 else None


def scale_of(v: Levels, factor: np.ndarray) -> str:
    """What x_t is multiplied by, in words."""
    known = {"1/√(σ² + σ_data²)": 1 / np.hypot(v.sigma, v.sigma_data), "1/α": 1 / v.alpha}
    known["1/√(σ² + 1)"] = 1 / np.hypot(v.sigma, 1)
    total = v.sigma**2 + v.sigma_data**2
    known |= {
        "1/(σ² + σ_data²), whose root is missing (c_in)": 1 / total,
        "1/(σ + σ_data) (c_in)": 1 / (v.sigma + v.sigma_data),
        "√(σ² + σ_data²), which is to divide (c_in)": np.sqrt(total),
        "1/√(σ² + σ_data), σ_data not squared (c_in)": 1 / np.sqrt(v.sigma**2 + v.sigma_data),
        "σ_data/√(σ² + σ_data²) (c_in)": v.sigma_data / np.sqrt(total),
        "1/σ": 1 / v.sigma,
    }
    for words, value in known.items():
        if np.allclose(factor, value, rtol=1e-4):
            return words
    low, high = float(factor.min()), float(factor.max())
    if max(abs(low - 1), abs(high - 1)) < 1e-3:
        return f"1{low - 1:+.2g} to 1{high - 1:+.2g}"
    return f"{low:.3g} to {high:.3g}"
