"""What rounding may explain of what is read: of x_t, of the minimiser, of the weight.

Conventions: relative; ``eps`` is the spacing at 1 of the coarsest numbers in the loss. Codes take
1 - ᾱ, in which 1 cancels to σ², and x_t - α x_0, in which x_0 cancels to σ ε.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.reading import ROUNDINGS, Found

__all__ = ["across_bound", "input_bound", "input_size", "off_bound", "weight_bound"]


def _level(found: Found) -> np.ndarray:
    """α/σ."""
    return np.asarray(found.v.alpha / found.v.sigma)


def input_size(found: Found) -> np.ndarray:
    """What an error of x_t is relative to: the smaller of α x_0 and σ ε, ``(K, B)``."""
    v, pairs = found.v, found.pairs
    x0, noise = (np.sqrt(np.mean(a**2, axis=2)) for a in (found.inside, pairs.noise))
    return np.minimum(np.maximum(v.alpha, 1e-3 * v.sigma) * x0, v.sigma * noise)


def input_bound(found: Found) -> np.ndarray:
    r = _level(found)
    apart = r + np.minimum(1 / r, 1e3)
    return found.eps * (r**2 + ROUNDINGS * (1 + apart)) + found.drawn * (1 + apart)


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
