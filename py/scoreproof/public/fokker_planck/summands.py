"""Which summand of the equation has the wrong coefficient: one number, or one at each time.

Conventions: everything is divided by p, at all points that were judged. ``∂_t p = -a f·∇p - b p
∇·f + c ½ρ²Δp``; (a, b, c) = (1, 1, 1) is due. ``limit`` ``(n,)`` is what the check cannot tell
from nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
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
    blur: np.ndarray
    accepted: float
    size: np.ndarray

    @property
    def limit(self) -> np.ndarray:
        return self.blur + self.accepted * self.size

    @property
    def residual(self) -> np.ndarray:
        return self.rate + self.along + self.squeezed - self.spread

    def sized(self, along: float = 1.0, squeezed: float = 1.0, spread: float = 1.0) -> np.ndarray:
        """The size of all terms with other coefficients ``(n,)``."""
        parts = [
            np.abs(t.rate)
            + abs(along) * np.abs(t.f * t.first).sum(axis=1)
            + abs(squeezed) * np.abs(t.df).sum(axis=1)
            + abs(spread) * t.rho**2 / 2 * np.abs(t.second).sum(axis=1)
            for t in self.terms
        ]
        return np.concatenate(parts)

    def room(self, size: np.ndarray, scale: float = 1.0) -> np.ndarray:
        """What an equation may leave whose terms have that size: rounding grows with a coefficient,
        ``scale``; what the caller accepts is a part of the terms as they are to be, however large
        those were that came to be judged.
        """
        return self.blur * max(scale, 1.0) + self.accepted * size

    def explained(
        self, left: np.ndarray, scale: float = 1.0, size: np.ndarray | None = None
    ) -> bool:
        """Within that room at each point, and little of what there was to explain."""
        if np.any(np.abs(left) > self.room(self.size if size is None else size, scale)):
            return False
        was = float(np.linalg.norm(self.residual / self.size))
        # what rounding leaves of a deviation that is as small grows with a coefficient as well
        most = REST * was + float(np.linalg.norm(self.blur * (max(scale, 1.0) - 1) / self.size))
        return float(np.linalg.norm(left / self.size)) <= most


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
        ROOM * blur + NEGLIGIBLE * size + 1e-300,
        tolerance or 0.0,
        size,
    )


@dataclass(frozen=True, eq=False)
class Family:
    """``column · c`` is added to ``rest``: together they are ∂_t p/p for the right c. ``due``: the
    c of the equation; ``size``: of the terms, by c.
    """

    name: str
    column: np.ndarray
    rest: np.ndarray
    size: Callable[[float], np.ndarray]
    due: float = 1.0


def families(j: Judged) -> Iterator[Family]:
    """The coefficients that people get wrong, one at a time."""
    turned, spread = -j.along - j.squeezed, j.spread
    yield Family("noise", spread, turned, lambda c: j.sized(spread=c))
    yield Family("drift", turned, spread, lambda c: j.sized(c, c))
    yield Family("clock", turned + spread, 0 * j.rate, lambda c: j.sized(c, c, c))
    yield Family("squeezed", -j.squeezed, spread - j.along, lambda c: j.sized(squeezed=c))
    yield Family("along", -j.along, spread - j.squeezed, lambda c: j.sized(along=c))
    yield Family(
        "normaliser", np.ones_like(j.rate), spread + turned, lambda c: j.sized() + abs(c), 0.0
    )


def constant(j: Judged, family: Family) -> tuple[float, float] | None:
    """The c that explains all points, and how well it is known."""
    w = 1 / j.limit
    column = family.column * w
    size = float(column @ column)
    # what is nowhere more than its own rounding is no evidence, whatever multiple of it would fit
    if not np.any(np.abs(family.column) > np.minimum(j.blur, j.limit)):
        return None
    c = float(column @ ((j.rate - family.rest) * w)) / size
    if not j.explained(j.rate - family.rest - c * family.column, abs(c), family.size(c)):
        return None
    return c, min(2 * float(np.sqrt(len(column) / size)) + 1e-12, CAP * max(abs(c), 1e-3))


def in_time(j: Judged, family: Family) -> tuple[np.ndarray, np.ndarray] | None:
    """One c at each time ``(T,)``, and how well each is known, if that explains all points; nan at
    a time at which c does not matter.
    """
    values, within = np.full(len(j.times), np.nan), np.full(len(j.times), np.nan)
    sizes = np.zeros(len(j.rate))
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
        sizes[rows] = family.size(c)[rows]
        if np.any(left > j.room(sizes, abs(c))[rows]):
            return None
        if size > 1:
            values[k], within[k] = c, 2 * float(np.sqrt(rows.sum() / size))
    left = j.rate - family.rest - np.nan_to_num(values)[j.which] * family.column
    most = float(np.nanmax(np.abs(values), initial=0.0))
    if not j.explained(left, most, sizes):
        return None
    return (values, within) if np.sum(np.isfinite(values)) > 2 else None
