"""A function on a panel from its values at Gauss nodes: its Legendre series, integrals of it, and
what the nodes may have missed.

Conventions: values are ``(panels, n, d)`` at the `NODES` Gauss nodes of each panel ``[low, high]``.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np

__all__ = ["NODES", "antiderivatives", "expansion", "hidden", "tail", "unit_nodes"]

NODES = 16
#: Roundings of the values, over the width, that a slope at a panel's end may have
SLOPE = 20_000


@lru_cache(maxsize=1)
def expansion() -> np.ndarray:
    """Values at the nodes to Legendre coefficients ``(n, n)``."""
    x, w = np.polynomial.legendre.leggauss(NODES)
    k = np.arange(NODES)
    return (2 * k + 1)[:, None] / 2 * np.polynomial.legendre.legvander(x, NODES - 1).T * w


@lru_cache(maxsize=1)
def unit_nodes() -> np.ndarray:
    """The nodes on [0, 1]."""
    return (np.polynomial.legendre.leggauss(NODES)[0] + 1) / 2


def antiderivatives(u: np.ndarray) -> np.ndarray:
    """``∫_0^u P_k(2v - 1) dv`` for k < n: ``(m, n)``."""
    x = 2 * np.asarray(u, dtype=float) - 1
    p = np.polynomial.legendre.legvander(x, NODES)
    k = np.arange(NODES)
    low = np.concatenate([np.zeros((len(x), 1)), p[:, : NODES - 1]], axis=1)
    out = (p[:, 1:] - low) / (2 * k + 1)
    out[:, 0] = x + 1
    return out / 2


def tail(values: np.ndarray) -> np.ndarray:
    """Size of the last three Legendre coefficients on each panel ``(panels, d)``: the truncation
    error of an integral per unit length, at most.
    """
    return np.abs(np.einsum("kn,pnd->pkd", expansion()[-3:], values)).max(axis=1)


def hidden(values: np.ndarray, width: np.ndarray, smooth: np.ndarray) -> np.ndarray:
    """What a kink or jump between a panel's end and its outermost node could contribute to its
    integral: ``(panels, d)``.

    The nodes do not see it; but then the polynomials of two neighbours do not join smoothly at
    their common edge. ``smooth`` ``(panels - 1,)``: the edges where they should (not at a known
    break).
    """
    series = np.einsum("kn,pnd->pkd", expansion(), values)
    k = np.arange(NODES)
    sign, rise = (-1.0) ** k, k * (k + 1) / 2
    ends = [np.einsum("k,pkd->pd", w, series) for w in (np.ones(NODES), sign)]
    slopes = [np.einsum("k,pkd->pd", w, series) * 2 / width for w in (rise, -sign * rise)]
    jump, bend = np.abs(ends[1][1:] - ends[0][:-1]), np.abs(slopes[1][1:] - slopes[0][:-1])
    # a slope read in a very short panel is made of roundings
    noise = SLOPE * np.finfo(float).eps * np.max(np.abs(values), axis=1) / width
    bend = np.maximum(bend - noise[1:] - noise[:-1], 0.0)
    out = np.zeros_like(ends[0])
    for side in (slice(None, -1), slice(1, None)):
        blind = unit_nodes()[0] * width[side]
        out[side] += np.where(smooth[:, None], jump * blind + bend * blind**2 / 2, 0.0)
    return out
