"""The arguments of the public check: where to look, whose noise it is, what is accepted.

Conventions: as in `statement`; times are increasing and positive, a domain is ``(low, high)`` or
one such pair for each coordinate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float
from scoreproof.interop.signatures import needed
from scoreproof.public import sweep
from scoreproof.public.fokker_planck.readings import EXPECTED, Reading
from scoreproof.streams import stream

__all__ = ["METHODS", "Box", "Place", "depends_on_state", "one_density", "where"]

METHODS = ("auto", "strong", "weak")
#: points a time that the caller did not name: in few dimensions, else at most, at least
POINTS = {1: 64, 2: 32, 3: 32, 4: 32}
MOST, LEAST = 16, 2
#: complex numbers handed to the density in one verdict, about: it sets the number of points
BUDGET = 2**25


@dataclass(frozen=True)
class Box:
    """An interval of time and a box in R^d."""

    times: tuple[float, float]
    domain: tuple[tuple[float, float], ...]

    @property
    def dimension(self) -> int:
        return len(self.domain)

    @property
    def sides(self) -> np.ndarray:
        """``(d, 2)``."""
        return np.array(self.domain)


@dataclass(frozen=True, eq=False)
class Place:
    """Where to look: the caller's times, a sweep over their span, a box, and perhaps points of his
    own.
    """

    own: np.ndarray
    times: sweep.Sweep
    box: Box
    points: np.ndarray | None
    seed: int

    @property
    def dimension(self) -> int:
        return self.box.dimension

    @property
    def count(self) -> int:
        """Random points at each time."""
        return int(np.clip(self._affordable, LEAST, POINTS.get(self.dimension, MOST)))

    @property
    def _affordable(self) -> int:
        return BUDGET // (24 * self.dimension**2 * len(self.times.times))

    def at(self, k: int) -> np.ndarray:
        """Points ``(n, d)`` for the k-th time: the caller's, or random ones in the box."""
        rng = stream(self.seed, "fokker_planck", "points", str(k))
        if self.points is not None:
            # at the caller's own times all of them; between those as many as d allows
            some = max(self._affordable, LEAST)
            if self.times.times[k] in self.own or len(self.points) <= some:
                return self.points
            return self.points[rng.permutation(len(self.points))[:some]]
        sides = self.box.sides
        return rng.uniform(sides[:, 0], sides[:, 1], (self.count, self.dimension))

    @property
    def seen(self) -> Box | None:
        """The box that may be looked at as a whole: with points of his own, the caller promises no
        more than what they span.
        """
        if self.points is None:
            return self.box
        low, high = self.points.min(axis=0), self.points.max(axis=0)
        if not np.all(low < high):
            return None
        return Box(
            self.box.times, tuple((float(a), float(b)) for a, b in zip(low, high, strict=True))
        )


def where(times: Any, domain: Any, dimension: int | None, points: Any, seed: int) -> Place:
    """The four arguments that say where to look, held to each other."""
    t = to_float("times", times, shape=(None,))
    if t.size < 2 or t[0] <= 0 or np.any(np.diff(t) <= 0):
        raise ArgumentError(
            "times",
            "two or more increasing numbers > 0",
            times,
            "t = 0 is left out: there p need not be smooth",
        )
    sides = to_float("domain", domain)
    if sides.shape != (2,) and (sides.ndim != 2 or sides.shape[1] != 2):
        raise ArgumentError(
            "domain",
            "(low, high) or a list of such pairs",
            domain,
            "e.g. (-3, 3), or [(-3, 3), (0, 5)]",
        )
    rows = None if points is None else to_float("points", points, shape=(None, None))
    d = dimension or (rows.shape[1] if rows is not None else (len(sides) if sides.ndim == 2 else 1))
    if rows is not None and (rows.shape[1] != d or len(rows) == 0):
        raise ArgumentError(
            "points",
            f"of shape (n, {d})",
            f"shape {rows.shape}",
            "points are rows; they, domain and dimension must agree",
        )
    if sides.ndim == 2 and len(sides) != d:
        raise ArgumentError(
            "domain",
            f"one pair for each of the {d} coordinates",
            f"{len(sides)} pairs",
            "domain and dimension must agree",
        )
    sides = np.broadcast_to(sides, (d, 2))
    if np.any(sides[:, 0] >= sides[:, 1]):
        raise ArgumentError("domain", "pairs with low < high", domain, "swap the ends")
    span = float(t[0]), float(t[-1])
    swept = sweep.over(*span, stream(seed, "fokker_planck", "times"))
    return Place(
        t,
        sweep.Sweep(np.unique(np.concatenate([t, swept.times])), *span),
        Box(span, tuple((float(a), float(b)) for a, b in sides)),
        rows,
        seed,
    )


def one_density(density: Any, log_density: Any, score: Any = None) -> tuple[Any, bool]:
    """The one of both that was given, and whether it is the log; neither where a score stands for
    them.
    """
    if density is None and log_density is None and score is not None:
        return None, True
    if (density is None) == (log_density is None):
        raise ArgumentError(
            "density",
            "given, or log_density, but not both",
            "both" if density is not None else "neither",
            "pass one of them, or score= alone",
        )
    return (density, False) if log_density is None else (log_density, True)


def depends_on_state(
    diffusion: Callable[..., Any], interpretation: Reading | None, method: str
) -> bool:
    """Whether ``diffusion`` takes (x, t); raises where the other arguments do not go with that."""
    if method not in METHODS:
        raise ArgumentError(
            "method", f"one of {', '.join(METHODS)}", repr(method), "use 'auto' if in doubt"
        )
    of_state = len(needed(diffusion)) >= 2
    if of_state and interpretation is None:
        raise ArgumentError(
            "interpretation",
            f"{EXPECTED}, when diffusion takes (x, t)",
            None,
            "the equations differ when the noise depends on x; for Itô the noise term is ½ Σ"
            " ∂_i ∂_j ((g gᵀ)_ij p), for Fick's law ½ ∇·(g gᵀ ∇p)",
        )
    return of_state
