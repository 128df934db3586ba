"""Pairs of points that a Metropolis kernel goes between, with what detailed balance is made of.

Conventions: ``p(x) q(x, y) a(x, y) = p(y) q(y, x) a(y, x)``; of two, the way there comes first.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.corrector.proposals import Moved
from scoreproof.public.corrector.target import Target

__all__ = ["Pairs", "bounded"]

ROUNDINGS = 64


@dataclass(frozen=True, eq=False)
class Pairs:
    """Points x and y, the noise of both ways, and for each way (there, back) the logarithm of the
    acceptance and of the proposal's density; ``log_p`` of x and y. ``error``: of the balance, and
    ``bound``, what rounding explains of it.
    """

    target: Target
    x: np.ndarray
    y: np.ndarray
    noise: tuple[np.ndarray, np.ndarray]
    moved: tuple[Moved, Moved]
    log_a: tuple[np.ndarray, np.ndarray]
    log_q: tuple[np.ndarray, np.ndarray]
    log_p: tuple[np.ndarray, np.ndarray]
    bound: np.ndarray

    def of(self, take: np.ndarray) -> Pairs:
        """Some of them."""

        def cut(pair: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
            return pair[0][take], pair[1][take]

        maps = [Moved(m.y[take], m.jacobian[take], m.off[take], m.width) for m in self.moved]
        return Pairs(
            self.target,
            self.x[take],
            self.y[take],
            cut(self.noise),
            (maps[0], maps[1]),
            cut(self.log_a),
            cut(self.log_q),
            cut(self.log_p),
            self.bound[take],
        )

    @property
    def size(self) -> np.ndarray:
        """Of the terms of a ratio."""
        energies = [np.sum(z * z, axis=1) / 2 for z in self.noise]
        return np.asarray(1 + sum(np.abs(v) for v in (*self.log_p, *energies)))

    @property
    def error(self) -> np.ndarray:
        """log of the left side over the right one."""
        there, again = (
            p + q + a for p, q, a in zip(self.log_p, self.log_q, self.log_a, strict=True)
        )
        return np.asarray(there - again)


def bounded(pairs: Pairs, eps: float, rounding: np.ndarray) -> Pairs:
    """With what rounding explains of the balance: in log p, log q, the threshold and y."""
    bound = ROUNDINGS * eps * pairs.size
    for a, m, z in zip(pairs.log_a, pairs.moved, pairs.noise, strict=True):
        least = np.linalg.svd(m.jacobian, compute_uv=False)[:, -1]
        with np.errstate(all="ignore"):
            bound = bound + 4 * eps / np.exp(a) + m.log_det_off(rounding)
            bound = bound + 4 * rounding * np.sum(np.abs(z), axis=1) / least
    return replace(pairs, bound=bound)
