"""What rounding may explain of what is read: of x_t, of the minimiser, of the weight.

Conventions: relative; ``eps`` is the spacing at 1 of the coarsest numbers in the loss. Codes take
1 - ᾱ, in which 1 cancels to σ², and x_t - α x_0, in which x_0 cancels to σ ε.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.reading import ROUNDINGS, Found

#: how many roundings may show: what is bent by more is no line
FAR = 2.0**20

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


def measured(found: Found) -> np.ndarray:
    """What rounding did to the gradient, as it shows, ``(B,)``: of a square, gradients at three
    XX that compares means
        of x_{t-1}, which x_t cancels from, has much more of it than its tables have.
    """
    line = np.minimum(found.line, FAR * found.eps)
    with np.errstate(all="ignore"):
        # bend is told in parts of the gradient, or of what a step changes of it, if that is more
        change = np.sqrt(np.mean((found.weights[0] * found.step) ** 2, axis=1))
        part = np.sqrt(np.mean(found.gradients[0] ** 2, axis=1)) / change
    part = np.where(np.isfinite(part), np.maximum(part, 1.0), 1.0)
    return np.asarray(np.where(found.bend <= line, 0.5 * found.bend * part, 0.0))


def off_bound(found: Found) -> np.ndarray:
    r = _level(found)
    tables = r**2 if found.v.prediction in ("score", "F", "velocity") else 0.0
    rates = found.v.process.rate_blur * (1 + r) if found.v.prediction == "velocity" else 0.0
    plain = found.eps * (tables + ROUNDINGS * (1 + r)) + ROUNDINGS * found.blur + rates
    return np.asarray(plain + measured(found))


def across_bound(found: Found) -> np.ndarray:
    return 4 * ROUNDINGS * (found.eps + found.blur)


def weight_bound(found: Found) -> np.ndarray:
    r = _level(found)
    rates = 2 * found.v.process.rate_blur if found.v.prediction == "velocity" else 0.0
    plain = found.eps * (r**2 + 2 * ROUNDINGS * (1 + r)) + ROUNDINGS * found.blur + rates
    # one entry may have all that a sample has, and its step may be half of what others are
    entry = 2 * max(1.0, 0.25 * np.sqrt(found.step.shape[1]))
    return np.asarray(plain + entry * measured(found))
