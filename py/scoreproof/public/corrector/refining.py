"""The invariant law of a kernel along a sequence of smaller steps, and its limit.

Conventions: as in `affine`. Where the kernel takes a step size h it is h, h/4, h/16, …; where it
takes none the target gets wider instead, twice at a time: a step of the same size is then a
quarter, beside the variance. In coarse floating types halves stand for quarters. Deviations are in
standard deviations: of the mean, and half the relative error of a variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.corrector.affine import Affine, read
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.target import gaussian

__all__ = ["Law", "Sequence", "invariant", "limit", "sequence", "settled"]

LEVELS = 5
#: how far a first step goes, as a part of the width
FIRST = 0.3
LEAST = 0.05
SEARCHES = 14
COARSE = 1e-10


@dataclass(frozen=True, eq=False)
class Law:
    """N(mean, cov) in whitened coordinates. ``gap``: 1 - the spectral radius; not above 0 where
    there is no invariant law.
    """

    mean: np.ndarray
    cov: np.ndarray
    gap: float

    def off(self, d: int) -> np.ndarray:
        """Deviations from N(0, I), in standard deviations; of velocities, the coordinates after the
        first d, the mean and whether they are independent of x: their mass is the kernel's own.
        """
        e = (self.cov - np.eye(len(self.mean))) / 2
        rows, columns = np.triu_indices(len(e))
        return np.concatenate([self.mean, e[rows, columns][rows < d]])


@dataclass(frozen=True, eq=False)
class Sequence:
    """``found``: the kernel at smaller and smaller steps. ``fixed``: its step is the same beside
    the target whatever is done; then there is one.
    """

    found: tuple[Affine, ...]
    fixed: bool
    by_step: bool
    ratio: float = 4.0

    @property
    def finest(self) -> Affine:
        return self.found[-1]


def sequence(kernel: Kernel, draws: int) -> Sequence:
    """2 calls a level, and 2 for each that is tried on the way to the first."""
    job = kernel.job
    base = gaussian(job.shape)
    scale, h = 1.0, job.h
    by_step = h is not None
    last, tries = read(kernel, base, draws, h), 0
    if not last.affine:
        return Sequence((last,), True, by_step)
    while last.rate < LEAST and tries < SEARCHES and last.rate > 64 * last.blur:
        scale *= max((last.rate / (FIRST / 2)) ** 0.5, 1e-3)
        now = read(kernel, base.widened(scale), draws, h)
        tries += 1
        if not now.affine or abs(now.rate / last.rate - 1) < 1e-2:
            break
        last = now
    # rounding of what is pulled back less and less: in coarse types the steps stay longer
    ratio, levels = (4.0, LEVELS) if kernel.eps < COARSE else (2.0, LEVELS - 1)

    def at(k: int) -> Affine:
        if h is not None:
            return read(kernel, base.widened(scale), draws, h / ratio**k)
        return read(kernel, base.widened(scale * ratio ** (k / 2)), draws, None)

    k = 0
    while not last.rate <= FIRST and k < SEARCHES:
        k += 1
        now = at(k)
        stays = now.affine and last.affine and abs(now.rate / last.rate - 1) < 1e-2 and k > 2
        if stays and not by_step:
            return Sequence((last,), True, by_step)
        last = now
        if stays:
            break
    if (last.rate > FIRST and not by_step) or last.rate <= 64 * last.blur:
        return Sequence((last,), True, by_step)
    found = [last, *(at(k + j) for j in range(1, levels))]
    # what moves as far at every step size has a limit of small ones all the same
    same = not by_step and abs(found[-1].rate / found[0].rate - 1) < 1e-2
    return Sequence(tuple(found[:1] if same else found), same, by_step, ratio)


def invariant(a: np.ndarray, b: np.ndarray, q: np.ndarray) -> Law:
    """By doubling: S ← S + Aᵏ S Aᵏᵀ, k ← 2 k."""
    radius = float(np.max(np.abs(np.linalg.eigvals(a))))
    size = len(b)
    if not radius < 1:
        return Law(np.full(size, np.nan), np.full((size, size), np.nan), 1 - radius)
    mean = np.linalg.solve(np.eye(size) - a, b)
    power, cov = a.copy(), (q + q.T) / 2
    for _ in range(60):
        more = power @ cov @ power.T
        cov = cov + more
        power = power @ power
        if np.max(np.abs(more)) <= 1e-18 * (1 + np.max(np.abs(cov))):
            break
    return Law(mean, cov, 1 - radius)


def limit(
    values: list[np.ndarray], roundings: list[float], nodes: np.ndarray
) -> tuple[np.ndarray, float]:
    """The value at 0 of a polynomial through ``values`` at ``nodes``, and what it leaves open: the
    change from one without the first node, and rounding.
    """
    whole, fewer = _weights(nodes), _weights(nodes[1:])
    at = np.tensordot(whole, np.stack(values), 1)
    before = np.tensordot(fewer, np.stack(values[1:]), 1)
    return at, float(np.max(np.abs(at - before)) + np.abs(whole) @ np.asarray(roundings))


def settled(
    values: list[np.ndarray], roundings: list[float], ratio: float
) -> tuple[np.ndarray, float, bool, float]:
    """`limit` in powers of h, or of √h where those do not fit; and whether the one that is taken
    does. Limits from windows of levels get nearer to the limit by a known factor from one window
    to the next: what shares its finest levels agrees whether it fits or not.
    The last number is by how much both differ, where that is hardly told: of fewer levels than
    five, or where neither is the order in which the values fall.
    """
    nodes = ratio ** -np.arange(len(values))
    roots = nodes**0.5
    found, other = limit(values, roundings, nodes), limit(values, roundings, roots)
    doubt = float(np.max(np.abs(found[0] - other[0]))) if len(values) < LEVELS else 0.0
    if _fits(values, roundings, nodes):
        return *found, True, doubt
    last, before = (float(np.max(np.abs(values[-k]))) for k in (1, 2))
    if before * ratio**-0.75 > last:  # it falls as h does: what does not fit is a small part of it
        return *found, True, float(np.max(np.abs(found[0] - other[0])))
    return *other, _fits(values, roundings, roots), doubt


def _fits(values: list[np.ndarray], roundings: list[float], nodes: np.ndarray) -> bool:
    """Whether windows of m levels converge as polynomials in the nodes do, m powers at a time: the
    mark lies midway, in the exponent, between that and one of half a power.
    """
    m = len(values) - 2
    ends, blurs = [], []
    for k in range(3):
        weights = _weights(nodes[k : k + m])
        ends.append(np.tensordot(weights, np.stack(values[k : k + m]), 1))
        blurs.append(float(np.abs(weights) @ np.asarray(roundings[k : k + m])))
    before, after = (float(np.max(np.abs(ends[k + 1] - ends[k]))) for k in range(2))
    if after <= 8 * (blurs[1] + blurs[2]):
        return True
    return after <= before * (nodes[1] / nodes[0]) ** ((m + 0.5) / 2)


def _weights(nodes: np.ndarray) -> np.ndarray:
    return np.array(
        [
            np.prod([other / (other - x) for j, other in enumerate(nodes) if j != i])
            for i, x in enumerate(nodes)
        ]
    )
