"""Which summand of the equation has the wrong coefficient: one number, or one at each time.

Conventions: everything is divided by p, at all points that were judged. ``∂_t p = -a f·∇p - b p
∇·f + c ½ρ²Δp``; (a, b, c) = (1, 1, 1) is due. ``limit`` ``(n,)`` is what the check cannot tell
from nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck.strong import Found, Terms

__all__ = ["Family", "Judged", "constant", "families", "in_time", "judged"]

#: bounds of the check that an explanation may leave
ROOM = 8.0
#: of the deviation, as a whole, it may leave no more than this: a tolerance is no explanation
REST = 0.05
#: the relative error at most to which a coefficient is taken as known: closed forms lie close
CAP = 0.02
#: and the part of the terms that is left in any case: densities are computed so well
NEGLIGIBLE = 1e-8
EPS = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class Judged:
    """The terms at all times one below the other; ``which``: the time of each row."""

    terms: list[Terms]
    times: np.ndarray
    rho: np.ndarray
    which: np.ndarray
    x: np.ndarray
    logs: np.ndarray
    rate: np.ndarray
    along: np.ndarray
    squeezed: np.ndarray
    spread: np.ndarray
    limit: np.ndarray
    size: np.ndarray

    @property
    def residual(self) -> np.ndarray:
        return self.rate + self.along + self.squeezed - self.spread

    def explained(self, left: np.ndarray, scale: float = 1.0) -> bool:
        """Within the limit at each point, and little of what there was to explain."""
        if np.any(np.abs(left) > self.limit * max(scale, 1.0)):
            return False
        was = float(np.linalg.norm(self.residual / self.size))
        return float(np.linalg.norm(left / self.size)) <= REST * max(scale, 1.0) * was


def judged(found: Found, tolerance: float | None) -> Judged:
    terms = [t for t in found.terms if len(t.x)]

    def all_of(of: object) -> np.ndarray:
        return np.concatenate([np.asarray(of(t)) for t in terms])  # type: ignore[operator]

    size = all_of(lambda t: t.size)
    blur = all_of(lambda t: np.maximum(t.error, 8 * EPS * t.size))
    return Judged(
        terms,
        np.array([t.t for t in terms]),
        np.array([t.rho for t in terms]),
        np.repeat(np.arange(len(terms)), [len(t.x) for t in terms]),
        all_of(lambda t: t.x),
        all_of(lambda t: t.logs),
        all_of(lambda t: t.rate),
        all_of(lambda t: (t.f * t.first).sum(axis=1)),
        all_of(lambda t: t.df.sum(axis=1)),
        all_of(lambda t: t.spread),
        ROOM * blur + ((tolerance or 0.0) + NEGLIGIBLE) * size + 1e-300,
        size,
    )


@dataclass(frozen=True, eq=False)
class Family:
    """``column · c`` is added to ``rest``: together they are ∂_t p/p for the right c. ``due``: the
    c of the equation.
    """

    name: str
    column: np.ndarray
    rest: np.ndarray
    due: float = 1.0


def families(j: Judged) -> Iterator[Family]:
    """The coefficients that people get wrong, one at a time."""
    yield Family("noise", j.spread, -j.along - j.squeezed)
    yield Family("drift", -j.along - j.squeezed, j.spread)
    yield Family("clock", -j.along - j.squeezed + j.spread, 0 * j.rate)
    yield Family("squeezed", -j.squeezed, j.spread - j.along)
    yield Family("along", -j.along, j.spread - j.squeezed)
    yield Family("normaliser", np.ones_like(j.rate), j.spread - j.along - j.squeezed, 0.0)


def constant(j: Judged, family: Family) -> tuple[float, float] | None:
    """The c that explains all points, and how well it is known."""
    w = 1 / j.limit
    column = family.column * w
    size = float(column @ column)
    if size == 0:
        return None
    c = float(column @ ((j.rate - family.rest) * w)) / size
    if not j.explained(j.rate - family.rest - c * family.column, abs(c)):
        return None
    return c, min(2 * float(np.sqrt(len(column) / size)) + 1e-12, CAP * max(abs(c), 1e-3))


def in_time(j: Judged, family: Family) -> tuple[np.ndarray, np.ndarray] | None:
    """One c at each time ``(T,)``, and how well each is known, if that explains all points; nan at
    a time at which c does not matter.
    """
    values, within = np.full(len(j.times), np.nan), np.full(len(j.times), np.nan)
    for k in range(len(j.times)):
        rows = j.which == k
        if rows.sum() < 2:
            return None
        w = 1 / j.limit[rows]
        column = family.column[rows] * w
        size = float(column @ column)
        goal = (j.rate - family.rest)[rows]
        c = float(column @ (goal * w)) / size if size > 0 else 0.0
        left = np.abs(goal - c * family.column[rows])
        if np.any(left > j.limit[rows] * max(abs(c), 1.0)):
            return None
        if size > 1:
            values[k], within[k] = c, 2 * float(np.sqrt(rows.sum() / size))
    left = j.rate - family.rest - np.nan_to_num(values)[j.which] * family.column
    if not j.explained(left, float(np.nanmax(np.abs(values), initial=0.0))):
        return None
    return (values, within) if np.sum(np.isfinite(values)) > 2 else None
