"""Densities of Gaussian proposals that are not the proposal's own.

Conventions: y = x + m(x) + B z; Q = log q(y, x) - log q(x, y), for the pairs there and then back.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.corrector.pairs import Pairs

__all__ = ["old_gradient", "other_density"]


def old_gradient(pairs: Pairs) -> np.ndarray:
    """Q with the way back centred at y plus the drift at x."""
    shifts = _drifts(pairs)
    own = [np.sum(z**2, axis=1) / 2 for z in pairs.noise]
    return np.concatenate(
        [
            _exponent(pairs, pairs.y, pairs.x, shifts[0]) + own[0],
            _exponent(pairs, pairs.x, pairs.y, shifts[1]) + own[1],
        ]
    )


def other_density(pairs: Pairs, drift: float, variance: float) -> np.ndarray:
    """Q with so many times the drift and the variance."""
    at_x, at_y = (drift * m for m in _drifts(pairs))
    there = _exponent(pairs, pairs.y, pairs.x, at_y) - _exponent(pairs, pairs.x, pairs.y, at_x)
    return np.concatenate([there, -there]) / variance


def _drifts(pairs: Pairs) -> list[np.ndarray]:
    """m at x and at y."""
    return [
        there.y - (there.jacobian @ z[:, :, None])[:, :, 0] - at
        for there, z, at in zip(pairs.moved, pairs.noise, (pairs.x, pairs.y), strict=True)
    ]


def _exponent(pairs: Pairs, start: np.ndarray, end: np.ndarray, shift: np.ndarray) -> np.ndarray:
    rest = end - start - shift
    z = np.linalg.solve(pairs.moved[0].jacobian, rest[:, :, None])[:, :, 0]
    return np.asarray(-np.sum(z * z, axis=1) / 2)
