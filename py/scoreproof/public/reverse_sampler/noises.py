"""Which noises a step is given, so that mean and covariance of what it makes of them can be read off.

Conventions: noises are rows ``(m, d)``, standard normal in law. Sign vectors ±1 that are orthogonal in
the coordinates have mean 0 and covariance I exactly, and none of them has a coordinate at zero, where
a two-point or three-point noise made from the sign of a normal draw would be silent.
"""

from __future__ import annotations

import numpy as np
from scipy.linalg import hadamard
from scipy.special import ndtri

from scoreproof.public.reverse_sampler.places import coarse

__all__ = ["PROBE_SIZES", "lattice", "lattice_error", "probes", "signs"]

#: sizes of the noises that show whether a step is linear in its noise: a clip, a sign, a rounding
PROBE_SIZES = (0.3, 0.6, 1.7, 3.0, 4.5)
LATTICE, GENERATOR = 2039, 1487


def signs(d: int) -> np.ndarray:
    """``(2m, d)``: sign vectors and their opposites with zᵀz/(2m) = I, m the power of two from d up.

    >>> z = signs(3)
    >>> z.shape, bool(np.array_equal(z.T @ z / len(z), np.eye(3))), bool(np.all(z.sum(axis=0) == 0))
    ((8, 3), True, True)
    """
    m = 1 << (d - 1).bit_length()
    rows = hadamard(m)[:, m - d :].astype(float)
    return np.concatenate([rows, -rows])


def probes(d: int, rng: np.random.Generator) -> np.ndarray:
    """``(5, d)``: noises of several sizes in random directions; their mean is not zero."""
    sign = rng.choice([-1.0, 1.0], (len(PROBE_SIZES), d))
    return coarse(sign * np.array(PROBE_SIZES)[:, None] * rng.uniform(0.9, 1.1, sign.shape))


def lattice(d: int, rng: np.random.Generator) -> np.ndarray:
    """``(2 · 2039, d)`` normal draws that are evenly spread in each coordinate (a shifted lattice of
    rank one), with the opposite of each.
    """
    steps = np.array([pow(GENERATOR, i, LATTICE) for i in range(d)])
    u = (np.outer(np.arange(LATTICE), steps) / LATTICE + rng.uniform(0, 1, d)) % 1.0
    z = ndtri(np.clip(u, 0.25 / LATTICE, 1 - 0.25 / LATTICE))
    return np.concatenate([z, -z])


def lattice_error(answers: np.ndarray) -> float:
    """What the lattice may be off by in the variance of ``answers`` (n, d), which are centred.

    Koksma: variation times discrepancy. The square of an answer that rises (or falls) on either side of
    zero varies by at most twice its largest value; the discrepancy of the evenly spread draws is 1/n.
    """
    return 2 * float(np.max(answers**2)) / len(answers)
