"""Directional derivatives of a black box from its values, with the error that they may have.

Conventions
-----------
- The black box is ``f(s)``, the flat value at the step s along one direction; f(0) is the point.
- Three central differences at h, h/2 and h/4 are extrapolated twice (Richardson), so that the
  truncation error is O(h⁶). ``error`` is the last difference between once extrapolated values,
  which is larger than the error of the twice extrapolated one by a factor 1/h² where f is smooth,
  plus the rounding of f over the smallest step.
- Where f has a kink at the point itself the two one-sided derivatives differ, and no step is small
  enough: then any value between the two is a derivative (``lower``, ``upper``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

__all__ = ["Directional", "directional"]

#: Steps as powers of the unit roundoff: the second and third are taken where the first crosses a
#: kink or is too long for f.
LEVELS = (0.25, 0.375, 0.5)
SETTLED = 1e-7  # relative error up to which no further level is tried
ROUNDINGS = 8.0  # units by which an entry of f may be rounded, against its own and the given size


@dataclass(frozen=True, eq=False)
class Directional:
    """``value`` ± ``error`` of each entry of f; at kinks the interval ``[lower, upper]`` replaces
    the value. An entry whose error is infinite has no finite values around the point.
    """

    value: np.ndarray
    error: np.ndarray
    kinked: np.ndarray
    lower: np.ndarray
    upper: np.ndarray

    def paired(self, g: np.ndarray) -> tuple[float, float, float]:
        """``(lowest, highest, slack)`` of ⟨g, derivative⟩."""
        at_kinks = (
            np.where(self.kinked, g * self.lower, 0),
            np.where(self.kinked, g * self.upper, 0),
        )
        smooth = float(np.sum(np.where(self.kinked, 0, g * self.value)))
        low = smooth + float(np.sum(np.minimum(*at_kinks)))
        high = smooth + float(np.sum(np.maximum(*at_kinks)))
        return low, high, float(np.sum(np.abs(g) * self.error))


def directional(
    f: Callable[[float], np.ndarray], unit: float, size: np.ndarray | float = 0.0
) -> Directional:
    """The derivative of ``f`` at 0. ``unit``: its unit roundoff; ``size``: the size of the terms
    that cancel in its entries, where that is known to exceed the entries.

    Calls of f: 7 to 19.

    >>> d = directional(lambda s: np.array([np.exp(s), abs(s), abs(s - 1e-5)]), 2.0**-52)
    >>> np.round(d.value, 8).tolist(), d.kinked.tolist(), d.lower[1].round(8), d.upper[1].round(8)
    ([1.0, 0.0, -1.0], [False, True, False], np.float64(-1.0), np.float64(1.0))
    """
    with np.errstate(all="ignore"):
        zero = np.asarray(f(0.0), float)
        best: dict[str, np.ndarray] = {}
        for power in LEVELS:
            found = _level(f, zero, unit**power, unit, size)
            if not best:
                best = found
            else:
                better = (found["kinked"] < best["kinked"]) | (
                    (found["kinked"] == best["kinked"]) & (found["error"] < best["error"])
                )
                # where every level sees the kink, the shortest step has the best one-sided slopes
                better |= found["kinked"] & best["kinked"]
                best = {k: np.where(better, found[k], best[k]) for k in best}
            typical = np.max(np.abs(best["value"]), initial=0.0)
            enough = best["error"] <= SETTLED * np.maximum(np.abs(best["value"]), 1e-3 * typical)
            enough |= best["error"] <= best["floor"] * 2
            if np.all(enough & ~best["kinked"]):
                break
    best["kinked"] = best["kinked"].astype(bool)
    best.pop("floor")
    return Directional(**best)


def _level(
    f: Callable[[float], np.ndarray],
    zero: np.ndarray,
    h: float,
    unit: float,
    size: np.ndarray | float,
) -> dict[str, np.ndarray]:
    steps = (h, h / 2, h / 4)
    sides = [(np.asarray(f(s), float), np.asarray(f(-s), float)) for s in steps]
    # an entry that is infinite here and at every step (a mask) does not change
    fixed = np.isinf(zero) & np.logical_and.reduce([(a == zero) & (b == zero) for a, b in sides])
    zero = np.where(fixed, 0.0, zero)
    sides = [(np.where(fixed, 0.0, a), np.where(fixed, 0.0, b)) for a, b in sides]
    d = [(up - down) / (2 * s) for (up, down), s in zip(sides, steps, strict=True)]
    once = (4 * d[1] - d[0]) / 3, (4 * d[2] - d[1]) / 3
    largest = np.maximum(np.abs(zero), np.maximum(np.abs(sides[0][0]), np.abs(sides[0][1])))
    floor = ROUNDINGS * unit * (largest + size) / steps[2]
    floor = np.broadcast_to(floor, zero.shape)
    gaps = [np.abs(up + down - 2 * zero) / s for (up, down), s in zip(sides, steps, strict=True)]
    # a second derivative makes the gap shrink with the step; at a kink it stays
    kinked = (gaps[2] > 0.6 * gaps[0]) & (gaps[2] > 4 * floor) & np.isfinite(gaps[2])
    up, down = (sides[2][0] - zero) / steps[2], (zero - sides[2][1]) / steps[2]
    error = np.abs(once[1] - once[0]) + floor
    error = np.where(kinked, floor, np.where(np.isfinite(error), error, np.inf))
    value = np.where(np.isfinite(once[1]), (16 * once[1] - once[0]) / 15, 0.0)
    lost = ~np.isfinite(error)
    return {
        "value": value,
        "error": error,
        "kinked": kinked & ~lost,
        "lower": np.where(kinked, np.minimum(up, down), value),
        "upper": np.where(kinked, np.maximum(up, down), value),
        "floor": np.where(np.isfinite(floor), floor, np.inf),
    }
