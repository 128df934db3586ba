"""Whether the α and σ that a loss works with are of single precision, as their values show.

Conventions: as read of x_t = a x_0 + b ε, ``(B,)``. A table may hold ᾱ or its root, 1 - ᾱ or its
root; a number of double precision is one of single precision by an accident of 1 in 10^4 or less.
"""

from __future__ import annotations

import numpy as np

__all__ = ["SINGLE", "single"]

SINGLE = float(np.finfo(np.float32).eps)
#: of the larger of a and b: what reading them off x_t may be off by
READ = 64 * float(np.finfo(float).eps)
#: so many rows must show it
ROWS = 4


def single(a: np.ndarray, b: np.ndarray) -> bool:
    """Whether all are such numbers.

    >>> bar = np.linspace(0.9, 0.1, 9)
    >>> single(np.sqrt(bar), np.sqrt(1 - bar))
    False
    >>> coarse = bar.astype(np.float32)
    >>> single(np.sqrt(coarse).astype(float), np.sqrt(1 - coarse).astype(float))
    True
    """
    both = READ * np.hypot(a, b)
    shown = [_any(both, a, a**2), _any(both, b, b**2, 1 - b**2)]
    # 0, 1 and 0.5 are numbers of any precision
    told = np.max([_digits(np.abs(x)) for x in (a, b)], axis=0)
    return bool(np.sum(told) >= ROWS and all(np.all(s) for s in shown))


def _any(within: np.ndarray, *forms: np.ndarray) -> np.ndarray:
    return np.any([np.abs(x - np.float32(x)) <= within for x in forms], axis=0)


def _digits(x: np.ndarray) -> np.ndarray:
    """Whether a number needs more than half precision has."""
    with np.errstate(over="ignore"):
        return np.abs(x - x.astype(np.float16)) > SINGLE * x
