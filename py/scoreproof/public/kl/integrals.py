"""What is due of a quantity that is no divergence of Kullback and Leibler, from its integral.

Conventions: ``E_0[-log p_1]`` and its like by the cubature of `truth`, exact for quadratics;
integrals of powers by `overlap`. Sizes and roundings as in `truth`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.numerics.cubature import expectation, random_rotation
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.overlap import log_overlap, overlap_sizes
from scoreproof.public.kl.wanted import Wanted

__all__ = ["Integral", "integral", "other_way"]

LOG_2_PI = float(np.log(2 * np.pi))


@dataclass(frozen=True, eq=False)
class Integral:
    """One entry a law: the value, the sum of its absolute terms, and what an error in a variance,
    or in the exponent of one, does to it.
    """

    value: np.ndarray
    size: np.ndarray
    moved: np.ndarray
    exponents: np.ndarray


def other_way(laws: Laws) -> Laws:
    """The two laws exchanged."""
    return replace(laws, m0=laws.m1, v0=laws.v1, m1=laws.m0, v1=laws.v0)


def integral(laws: Laws, wanted: Wanted, rng: np.random.Generator) -> Integral:
    """The quantity of each law, summed over the coordinates, in nats."""
    if wanted.overlap:
        alpha = wanted.alpha
        value = log_overlap(laws, alpha) / (alpha - 1)
        value = value.sum(axis=1) if value.ndim == 2 else value
        size, moved, exponents = overlap_sizes(laws, alpha)
        half = 0.5 if wanted.quantity == "bhattacharyya" else 1.0
        return Integral(*(half * a for a in (value, size, moved, exponents)))
    same = replace(laws, m1=laws.m0, v1=laws.v0)
    if wanted.quantity == "entropy":
        return _cross(same, rng, mean=False)
    cross = _cross(laws, rng)
    if wanted.quantity == "cross_entropy":
        return cross
    back, last = other_way(laws), replace(laws, m0=laws.m1, v0=laws.v1)
    parts = [cross, _cross(back, rng), _cross(same, rng), _cross(last, rng)]
    value = parts[0].value + parts[1].value - parts[2].value - parts[3].value
    sums = [sum(getattr(p, n) for p in parts) for n in ("size", "moved", "exponents")]
    half = 0.5 if wanted.quantity == "symmetric" else 1.0
    return Integral(half * value, *(half * np.asarray(s) for s in sums))


def _cross(laws: Laws, rng: np.random.Generator, mean: bool = True) -> Integral:
    """``E_0[-log p_1]``; ``mean``: whether the means come in."""
    n, d = laws.shape
    if laws.v0.ndim == 3:
        return _cross_of_matrices(laws, rng, mean)
    v0, v1 = (np.broadcast_to(v, (n, d)) for v in (laws.v0, laws.v1))
    shift, total = laws.m0 - laws.m1, np.zeros((n, d))
    for z in (np.sqrt(v0), -np.sqrt(v0)):
        total += ((z + shift) ** 2 / v1 + np.log(v1) + LOG_2_PI) / 4
    gap = (np.abs(laws.m0) + np.abs(laws.m1)) ** 2 / (2 * v1) * mean
    l0, l1 = np.abs(np.log(v0)), np.abs(np.log(v1))
    trace = v0 / v1 / 2
    parts = (gap + trace + l1 / 2 + LOG_2_PI / 2, gap + trace + 0.5, (gap + trace) * (l0 + l1))
    return Integral(total.sum(axis=1), *(p.sum(axis=1) for p in parts))


def _cross_of_matrices(laws: Laws, rng: np.random.Generator, mean: bool) -> Integral:
    n, d = laws.shape
    value, size, moved = np.empty((3, n))
    for i, (m0, c0, m1, c1) in enumerate(zip(laws.m0, laws.v0, laws.m1, laws.v1, strict=True)):
        log_det = float(np.linalg.slogdet(c1)[1])

        def surprise(x: np.ndarray, c: np.ndarray = c1, l: float = log_det) -> np.ndarray:
            quadratic = np.sum(np.linalg.solve(c, x.T).T * x, axis=1)
            return np.asarray((quadratic + l + d * LOG_2_PI) / 2)

        root = np.linalg.cholesky(c0)
        value[i] = float(expectation(surprise, m0 - m1, root, random_rotation(rng, d)))
        both = (np.abs(m0) + np.abs(m1)) * mean
        trace = float(np.trace(np.linalg.solve(c1, c0))) / 2
        terms = both @ np.abs(np.linalg.inv(c1)) @ both / 2 + trace
        logs = float(np.sum(np.abs(np.log(np.linalg.eigvalsh(c1)))))
        size[i], moved[i] = terms + logs / 2 + d * LOG_2_PI / 2, terms + d / 2
    return Integral(value, size, moved, np.zeros(n))
