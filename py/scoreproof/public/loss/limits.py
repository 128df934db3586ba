"""What rounding may explain of what is read: of x_t, of the minimiser, of the weight.

Conventions: relative; ``eps`` is the spacing at 1 of the coarsest numbers in the loss. Codes take
1 - ᾱ, in which 1 cancels to σ², and x_t - α x_0, in which x_0 cancels to σ ε.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.reading import Found

__all__ = ["across_bound", "alpha_bound", "off_bound", "sigma_bound", "weight_bound"]

ROUNDINGS = 16.0


def _level(found: Found) -> np.ndarray:
    """α/σ."""
    return np.asarray(found.v.alpha / found.v.sigma)


def alpha_bound(found: Found) -> np.ndarray:
    return ROUNDINGS * found.eps * (1 + np.minimum(1 / _level(found), 1e3))


def sigma_bound(found: Found) -> np.ndarray:
    r = _level(found)
    return found.eps * (r**2 + ROUNDINGS * (1 + r))


def off_bound(found: Found) -> np.ndarray:
    r = _level(found)
    tables = r**2 if found.v.prediction in ("score", "F", "velocity") else 0.0
    rates = found.v.process.rate_blur * (1 + r) if found.v.prediction == "velocity" else 0.0
    return found.eps * (tables + ROUNDINGS * (1 + r)) + ROUNDINGS * found.blur + rates


def across_bound(found: Found) -> np.ndarray:
    return 4 * ROUNDINGS * (found.eps + found.blur)


def weight_bound(found: Found) -> np.ndarray:
    r = _level(found)
    rates = 2 * found.v.process.rate_blur if found.v.prediction == "velocity" else 0.0
    return found.eps * (r**2 + 2 * ROUNDINGS * (1 + r)) + ROUNDINGS * found.blur + rates
