"""Which noises a step is given, so that the mean and covariance of its answer can be read off.

Conventions: noises are rows ``(m, d)``, standard normal in law. Sign vectors ±1 that are orthogonal
in the coordinates have mean 0 and covariance I exactly, and none of them has a coordinate at zero,
where a two-point or three-point noise made from the sign of a normal draw would be silent.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.linalg import hadamard
from scipy.special import ndtri

from scoreproof.public.reverse_sampler.places import coarse

__all__ = [
    "PROBE_SIZES",
    "grid_error",
    "normal_grid",
    "normal_passes",
    "probes",
    "signs",
    "some_signs",
]

#: sizes of the noises that show whether a step is linear in its noise: a clip, a sign, a rounding
PROBE_SIZES = (0.3, 0.6, 1.7, 3.0, 4.5)
#: sign vectors that are always given; of more (in many dimensions) a quarter of this are drawn
FEW = 32
#: sizes of the normal draws given to a step that is not linear in its noise; rows of a call
SIZES, ROWS = 512, 1 << 14


@lru_cache(maxsize=8)
def signs(d: int) -> np.ndarray:
    """``(2m, d)``: sign vectors and their opposites with zᵀz/(2m) = I, m the power of two from d
    up.

    >>> z = signs(3)
    >>> z.shape, bool(np.array_equal(z.T @ z / len(z), np.eye(3))), bool(np.all(z.sum(axis=0) == 0))
    ((8, 3), True, True)
    """
    m = 1 << (d - 1).bit_length()
    rows = hadamard(m)[:, m - d :].astype(float)
    return np.concatenate([rows, -rows])


def some_signs(d: int, rng: np.random.Generator) -> np.ndarray:
    """``(2m, d)``: all of `signs` where they are few, else eight of them, drawn at random, and
    their opposites. Every coordinate still has a unit of noise in each.
    """
    full = signs(d)
    if len(full) <= FEW:
        return full
    half = full[rng.choice(len(full) // 2, FEW // 4, replace=False)]
    return np.concatenate([half, -half])


def probes(d: int, rng: np.random.Generator) -> np.ndarray:
    """``(5, d)``: noises of several sizes in random directions; their mean is not zero."""
    sign = rng.choice([-1.0, 1.0], (len(PROBE_SIZES), d))
    return coarse(sign * np.array(PROBE_SIZES)[:, None] * rng.uniform(0.9, 1.1, sign.shape))


def _sizes(n: int) -> np.ndarray:
    return np.asarray(ndtri(0.5 + (np.arange(n) + 0.5) / (2 * n)))


def normal_passes(d: int, rng: np.random.Generator) -> tuple[np.ndarray, ...]:
    """Two passes ``(2 · 512, d)`` over the same normal draws, one pass in one dimension: in each
    the sizes of every coordinate are evenly spread and come with both signs, but what the other
    coordinates have at the same time differs between the passes.
    """
    passes = []
    for _ in range(1 if d == 1 else 2):
        each = np.stack([rng.permutation(_sizes(SIZES)) for _ in range(d)], axis=1)
        each *= rng.choice([-1.0, 1.0], each.shape)
        passes.append(np.concatenate([each, -each]))
    return tuple(passes)


def normal_grid(d: int, rng: np.random.Generator) -> tuple[np.ndarray, int]:
    """``(k · 2m, d)`` normal draws, and k: in each coordinate k sizes are evenly spread, and every
    draw comes with all the `signs`, so that odd functions of different coordinates are
    uncorrelated. Many dimensions have fewer sizes.
    """
    full = signs(d)
    k = min(SIZES, max(ROWS // len(full), 64))
    each = np.stack([rng.permutation(_sizes(k)) for _ in range(d)], axis=1)
    return (each[:, None, :] * full).reshape(-1, d), k


def grid_error(answers: np.ndarray, sizes: int = SIZES) -> float:
    """What the grid may be off by in the variance of ``answers``, which are centred.

    Koksma: variation times discrepancy. The square of an answer that rises (or falls) with the size
    of the noise varies by its largest value; the discrepancy of n evenly spread sizes is 1/(2n).
    """
    return float(np.max(answers**2)) / (2 * sizes)
