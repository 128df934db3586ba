"""The terms of a score: between two points of one time, along the segment that joins them.

Conventions: as in `terms`. A score s = ∇log p knows log p up to a constant at each time, so that
``∫ ∂_t s · dx`` along a segment is held against the difference of the right side of the equation
for log p at its ends. That is the score's own equation ``∂_t s = ∇(…)`` integrated; whether s is a
gradient at all its Jacobian tells, which is to be symmetric.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.derivatives import in_time
from scoreproof.public.fokker_planck.general.curls import noise_at
from scoreproof.public.fokker_planck.general.jitter import jitter
from scoreproof.public.fokker_planck.general.local import of_score
from scoreproof.public.fokker_planck.general.look import few, length_of, resolved
from scoreproof.public.fokker_planck.general.pushed import NotDifferentiable, rate_of
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.general.terms import ROUNDINGS, Terms, terms
from scoreproof.public.fokker_planck.strong import Found

__all__ = ["Skew", "between"]

Whole = Callable[[np.ndarray], np.ndarray]
#: nodes of the two rules on a segment; the finer one counts, and the coarser one says how well
RULES = (12, 20)
#: parts of the way to the next point, from which a segment is chosen
PARTS = (1.0, 0.5, 0.25, 0.125, 0.0625)
#: relative difference of both rules at which a longer segment is kept
SMOOTH = 1e-10


@dataclass(frozen=True, eq=False)
class Skew:
    """At one time: ``J - Jᵀ`` of the score's Jacobian ``J[i, j] = ∂_i s_j`` ``(n, d, d)``, its
    error, and J itself.
    """

    t: float
    x: np.ndarray
    jacobian: np.ndarray
    error: np.ndarray

    @property
    def skew(self) -> np.ndarray:
        return self.jacobian - np.swapaxes(self.jacobian, 1, 2)


def between(g: General, place: Place) -> tuple[Found, list[Skew]]:
    """Segments between the points of each time, and the Jacobians at their ends."""
    found, skews = Found([]), []
    length, asked, guard = length_of(place), 0, g.slopes
    assert guard is not None
    for k, t in enumerate(place.times.times):
        a, t = few(g, place, k), float(t)
        if len(a) < 2:
            a = np.concatenate([a, a + 0.05 * length])
        asked += len(a)
        b = _ends(g, a, t)
        rate, wrong = _rates(g, a, b, t)
        sides = []
        for x in (a, b):
            near = noise_at(g.coefficient, x, t, length)
            local, J, error = of_score(g, x, t, near, length)
            blur = jitter(lambda when, x=x: g.score(x, when), local.s, t, guard.eps)  # type: ignore[misc]
            sides.append(terms(t, x, g.reading, local, near, g.eps + blur / ROUNDINGS))
            size = np.max(np.abs(J), axis=(1, 2), keepdims=True)
            skews.append(Skew(t, x, J, error + 8 * g.eps * np.abs(J) + blur * size))
        now: Terms = sides[1].less(sides[0], rate, wrong)
        now, left = resolved(now)
        if left:
            found.unresolved.append((t, left))
        if len(now.x):
            found.terms.append(now)
    return Found(found.terms, [], found.unresolved, asked), skews


def _nodes(a: np.ndarray, b: np.ndarray, size: int) -> tuple[np.ndarray, np.ndarray]:
    u, w = np.polynomial.legendre.leggauss(size)
    x = a[:, None] + (u[:, None] + 1) / 2 * (b - a)[:, None]
    return x.reshape(-1, a.shape[1]), w / 2


def _ends(g: General, a: np.ndarray, t: float) -> np.ndarray:
    """The longest segment from each point toward the next one that both rules integrate alike."""
    way = np.roll(a, -1, axis=0) - a
    part = np.full(len(a), PARTS[-1])
    open_ = np.ones(len(a), bool)
    for size in PARTS[:-1]:
        which = np.flatnonzero(open_)
        if not which.size:
            break
        both = []
        for rule in RULES:
            x, w = _nodes(a[which], a[which] + size * way[which], rule)
            s = g.score(x, t).reshape(len(which), rule, -1)
            both.append(np.einsum("q,nqi,ni->n", w, s, way[which]))
            sized = np.einsum("q,nqi,ni->n", w, np.abs(s), np.abs(way[which]))
        good = np.abs(both[1] - both[0]) <= (SMOOTH + 64 * g.eps) * sized
        part[which[good]] = size
        open_[which[good]] = False
    return a + part[:, None] * way


def _rates(g: General, a: np.ndarray, b: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray]:
    """``∫ ∂_t s · dx`` from a to b ``(n,)`` and its error."""
    way, n = b - a, len(a)
    both = []
    for rule in RULES:
        x, w = _nodes(a, b, rule)

        def whole(s: np.ndarray, along: np.ndarray = way, w: np.ndarray = w) -> np.ndarray:
            return np.einsum("q,nqi,ni->n", w, s.reshape(n, len(w), -1), along)

        guard = g.slopes
        assert guard is not None
        if guard.framework != "numpy":
            try:
                v = np.broadcast_to(rate_of(guard, x, t, guard.function), x.shape)
                both.append((whole(v), 16 * guard.eps * whole(np.abs(v), np.abs(way))))
                continue
            except NotDifferentiable:
                pass
        # relative to the size of what is summed, and beside 1: what cancels keeps its rounding
        size = whole(np.abs(g.score(x, t)), np.abs(way))
        size = np.where(size > 0, size, 1.0)

        def one(s: np.ndarray, whole: Whole = whole, size: np.ndarray = size) -> np.ndarray:
            return 1 + whole(s) / size

        value, error = in_time(
            lambda when, x=x, one=one: one(g.score_field(x, when)),  # type: ignore[misc]
            lambda when, x=x, one=one: one(g.score_field(x, when).real),  # type: ignore[misc]
            t,
            np.full(n, 8 * guard.eps),
        )
        both.append((value * size, error * size))
    (coarse, _), (fine, error) = both
    return fine, error + np.abs(fine - coarse)
