"""All second derivatives at some of the places, for what another noise would have brought.

Conventions: as in `terms`; ``bent[i, j] = ∂_i ∂_j p/p``. On segments everything is the difference
of both ends.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck import derivatives
from scoreproof.public.fokker_planck.general.curls import noise_at
from scoreproof.public.fokker_planck.general.local import jacobian
from scoreproof.public.fokker_planck.general.noise import Noise
from scoreproof.public.fokker_planck.general.slopes import slopes
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.general.terms import Terms
from scoreproof.public.fokker_planck.strong import Found

__all__ = ["Bank", "Bent", "bank"]

#: times at which another noise is tried, and places at each
TIMES, PLACES = 8, 16


@dataclass(frozen=True, eq=False)
class Bent:
    """∇log p ``(n, d)`` and ``∂_i ∂_j p/p`` ``(n, d, d)`` at points x."""

    x: np.ndarray
    s: np.ndarray
    bent: np.ndarray


@dataclass(frozen=True, eq=False)
class Bank:
    """The terms of one time, and what a noise is applied to there, at the ends of segments with
    their signs.
    """

    terms: Terms
    ends: list[tuple[float, Bent]]

    def whole(self, of: Callable[[Bent], np.ndarray]) -> np.ndarray:
        """``of`` both ends, or of the points."""
        return np.asarray(sum(sign * of(end) for sign, end in self.ends))

    def brought(self, g: General, noise: Noise, flux: bool, length: float) -> np.ndarray:
        """``½ ∂_i∂_j (Σ_ij p)/p`` of another Σ in the same reading, or ``½ ∇·(Σ ∇p)/p``."""
        t = self.terms.t

        def one(end: Bent) -> np.ndarray:
            near = noise_at(noise, end.x, t, length)
            middle = ((near.C * end.s).sum(axis=1) + near.div_C) / 2
            fick = middle + ((near.E * end.s).sum(axis=1) + near.div_E) / 2
            ito = np.einsum("nij,nij->n", near.sigma, end.bent) / 2
            ito = ito + ((near.C + near.E) * end.s).sum(axis=1) / 2 + fick
            if flux:
                return np.asarray(ito - fick)
            # of a Σ of x alone nothing is known of a root of it
            alpha = 2 * g.reading.alpha if near.whole and noise.is_g else 0.0
            return np.asarray(ito - alpha * middle - g.reading.fick * fick)

        return self.whole(one)

    def of_x(self, of: Callable[[np.ndarray], np.ndarray], length: float) -> np.ndarray:
        """The same of a function D(x) in one dimension, as Itô reads it."""

        def one(end: Bent) -> np.ndarray:
            value = of(end.x)
            axes = np.ones((len(end.x), 1, 1))
            v = slopes(of, end.x, axes, value, 2.3e-16, length)
            total = value * end.bent[:, 0] / 2 + v.first[:, 0] * end.s + v.second[:, 0] / 2
            return np.asarray(total[:, 0])

        return self.whole(one)


def bank(g: General, found: Found, length: float) -> list[Bank]:
    """At some of the times, the worst among them."""
    terms: list[Terms] = found.terms
    worst = int(np.argmax([np.max(np.abs(t.residual) / t.size) for t in terms]))
    chosen = np.unique([*np.linspace(0, len(terms) - 1, TIMES).round().astype(int), worst])
    out = []
    for k in chosen:
        now = terms[int(k)]
        order = np.argsort(-np.abs(now.residual) / now.size)[:PLACES]
        now = now.at(np.sort(order))
        if g.only_score:
            ends = [(1.0, _of_score(g, now.x, now.t, length))]
            ends.append((-1.0, _of_score(g, now.start, now.t, length)))
        else:
            ends = [(1.0, _of_density(g, now.x, now.t, length))]
        out.append(Bank(now, ends))
    return out


def _of_score(g: General, x: np.ndarray, t: float, length: float) -> Bent:
    s = g.score(x, t)
    J, _ = jacobian(g, x, t, s, length)
    return Bent(x, s, (J + np.swapaxes(J, 1, 2)) / 2 + s[:, :, None] * s[:, None])


def _of_density(g: General, x: np.ndarray, t: float, length: float) -> Bent:
    n, d = x.shape
    base = g.logs(x, t)
    v = derivatives.spatial(g, derivatives.Spot(x, base, t, length), np.ones((n, d)))
    bent = np.zeros((n, d, d))
    at = np.arange(d)
    bent[:, at, at] = v.second
    i, j = np.triu_indices(d, 1)
    if len(i):
        lines = np.eye(d)[i] + np.eye(d)[j]
        along = np.broadcast_to(lines, (n, *lines.shape))
        both = derivatives.spatial(
            g, derivatives.Spot(x, base, t, length, along), np.zeros((n, len(i)))
        ).second
        bent[:, i, j] = bent[:, j, i] = (both - v.second[:, i] - v.second[:, j]) / 2
    return Bent(x, v.first, bent)
