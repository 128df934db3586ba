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
#: Longer steps, where rounding is all that the error consists of.
LONGER = (0.125, 0.03)
SETTLED = 1e-7  # relative error up to which no further level is tried
RANDOM = 4.0  # roundings of many entries add up like random numbers, each a fraction of its bound
ROUNDINGS = 8.0  # units by which an entry of f may be rounded, against its own and the given size


@dataclass(frozen=True, eq=False)
class Directional:
    """``value`` ± ``error`` of each entry of f, of which ``floor`` is rounding (as good as random);
    at kinks the interval ``[lower, upper]`` replaces the value. An entry whose error is
    infinite has no finite values around the point.
    """

    value: np.ndarray
    error: np.ndarray
    floor: np.ndarray
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
        if not np.all(np.isfinite(self.error)):
            return low, high, float("inf")
        systematic = float(np.sum(np.abs(g) * np.maximum(self.error - self.floor, 0)))
        rounding = np.abs(g) * self.floor
        random = float(min(np.sum(rounding), RANDOM * np.linalg.norm(rounding)))
        return low, high, systematic + random


def directional(
    f: Callable[[float], np.ndarray], unit: float, size: np.ndarray | float = 0.0
) -> Directional:
    """The derivative of ``f`` at 0. ``unit``: its unit roundoff; ``size``: the size of the terms
    that cancel in its entries, where that is known to exceed the entries.

    Calls of f: 7 to 31.

    >>> d = directional(lambda s: np.array([np.exp(s), abs(s), abs(s - 1e-5)]), 2.0**-52)
    >>> np.round(d.value, 8).tolist(), d.kinked.tolist(), d.lower[1].round(8), d.upper[1].round(8)
    ([1.0, 0.0, -1.0], [False, True, False], np.float64(-1.0), np.float64(1.0))
    """
    with np.errstate(all="ignore"):
        zero = np.asarray(f(0.0), float)
        best = _level(f, zero, unit ** LEVELS[0], unit, size)
        for power in LEVELS[1:]:
            if np.all(_settled(best) | _rounds(best)):
                break
            best = _better(best, _level(f, zero, unit**power, unit, size))
        for power in LONGER if np.any(~_settled(best) & _rounds(best)) else ():
            best = _better(best, _level(f, zero, unit**power, unit, size))
    best["kinked"] = best["kinked"].astype(bool)
    return Directional(**best)


def _settled(found: dict[str, np.ndarray]) -> np.ndarray:
    typical = np.max(np.abs(found["value"]), initial=0.0)
    size = np.maximum(np.abs(found["value"]), 0.1 * typical)
    return np.asarray((found["error"] <= SETTLED * size) & ~found["kinked"])


def _rounds(found: dict[str, np.ndarray]) -> np.ndarray:
    """Entries whose error is mostly rounding: shorter steps make it larger."""
    return np.asarray((found["error"] <= 2 * found["floor"]) & ~found["kinked"])


def _better(best: dict[str, np.ndarray], found: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Entry by entry; where both see the kink, the later, shorter step has the better slopes."""
    alike = found["kinked"] == best["kinked"]
    take = (best["kinked"] & ~found["kinked"]) | (alike & (found["error"] < best["error"]))
    take |= found["kinked"] & best["kinked"]
    return {k: np.where(take, found[k], best[k]) for k in best}


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
