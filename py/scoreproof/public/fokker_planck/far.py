"""What a density tends to far out: a constant there has an infinite mass.

Conventions: as in `asking`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np

from scoreproof.public.fokker_planck.arguments import Box
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.streams import stream

__all__ = ["FARTHEST", "Far", "constant_far_out", "without"]

#: distances from the middle of the box, in half sides; directions
DISTANCES, RAYS = (1e3, 1e5, 1e7), 16
FARTHEST = DISTANCES[-1]
#: logarithms that differ by less are those of one constant, in rounding of its own
ALIKE = 1e-9
#: a part of the constant by which p has to be above it to be more than its rounding
ABOVE = 1e-9


@dataclass(frozen=True)
class Far:
    """The logarithm of the constant that p tends to, and whether it does along every ray."""

    log: float
    everywhere: bool


def constant_far_out(s: Subject, box: Box, t: float, seed: int) -> Far | None:
    """The constant that p tends to along half of the rays or more, or ``None``.

    One call of the density. A density that falls off, however slowly, differs from one distance to
    the next; where p is positive and the same on many rays, up to the farthest distance, its
    integral over that ball grows as the volume does.
    """
    d = box.dimension
    sides = box.sides
    middle, half = sides.mean(axis=1), float(np.max(sides[:, 1] - sides[:, 0])) / 2
    if d == 1:
        rays = np.array([[1.0], [-1.0]])
    else:
        rays = stream(seed, "fokker_planck", "rays").standard_normal((RAYS, d))
        rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    reach = half * np.array(DISTANCES)
    x = middle + reach[:, None, None] * rays
    logs = s.change(x.reshape(-1, d), t, np.zeros(x.shape[0] * x.shape[1]))
    logs = logs.reshape(x.shape[:2])
    with np.errstate(invalid="ignore"):
        level = np.isfinite(logs).all(axis=0) & (np.ptp(logs, axis=0) <= ALIKE + 16 * s.law.eps)
    if 2 * int(level.sum()) < len(rays):
        return None
    ends = logs[-1][level]
    if np.ptp(ends) > ALIKE + 16 * s.law.eps:
        return None
    return Far(float(ends[0]), bool(np.all(level)))


@dataclass(frozen=True, eq=False)
class _Lowered(Subject):
    """A density less the constant ``exp(floor)``."""

    floor: float

    def change(self, z: np.ndarray, t: float, base: np.ndarray) -> np.ndarray:
        logs = Subject.change(self, z, t, np.zeros(len(z)))
        with np.errstate(all="ignore"):
            rest = -np.expm1(self.floor - logs)
            lowered = np.where(rest > ABOVE, logs + np.log(np.maximum(rest, ABOVE)), -np.inf)
            return np.where(np.isnan(logs), np.nan, lowered - base)


def without(s: Subject, floor: float) -> Subject:
    """The same subject with the constant taken away from its density, for ``change``."""
    return _Lowered(**{f.name: getattr(s, f.name) for f in fields(s)}, floor=floor)
