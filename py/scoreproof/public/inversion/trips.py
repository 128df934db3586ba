"""Trips of ever more steps: their errors, what these tend to, and by which power of the step.

Conventions: errors are relative to the standard deviation due there; of the law of x in the noise
its mean and standard deviation, of x that came back each row by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from scipy.interpolate import PchipInterpolator

from scoreproof.errors import CallableError
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.asking import Trip, trip
from scoreproof.public.inversion.forms import law_of_rows
from scoreproof.public.sampler.convergence import FLOOR, extrapolated
from scoreproof.public.sampler.data import Level

__all__ = [
    "ROUNDINGS",
    "Trips",
    "along",
    "law_of",
    "laws",
    "levels_of",
    "limit",
    "mixed",
    "off_home",
    "order_of",
    "roundoff",
    "sizes_of",
]

#: at most so many times the caller's number of steps, and so many steps
FINEST, MOST = 64, 1600
#: roundings of a trip, each relative to its unit
ROUNDINGS = 1e4
#: the same of tables of low precision
TABLES = 1e3
#: two pairs of rows that tell standard deviations apart by more are of coordinates that mix
MIXED = 1e-5


@dataclass(eq=False)
class Trips:
    """Trips of ever more steps, made when asked for."""

    job: Job
    made: list[Trip] = field(default_factory=list)

    def __post_init__(self) -> None:
        n = self.job.steps
        self.made = [trip(self.job, n)]

    def grow(self) -> bool:
        """One with about twice as many steps, if the sampler takes them."""
        n = self.job.down.finer(self.made[-1].n)
        if n > FINEST * self.job.steps or n > MOST:
            return False
        try:
            finer = trip(self.job, n)
        except CallableError:
            return False
        broken = np.all(np.isfinite(self.made[-1].home)) and not np.all(np.isfinite(finer.home))
        if broken or not finer.width < 0.8 * self.made[-1].width:
            return False
        self.made.append(finer)
        return True

    def coarser(self) -> None:
        """Trips with half and a quarter of the caller's steps, where there are no finer ones."""
        n = self.job.steps
        self.made = [*(trip(self.job, k) for k in (n // 4, n // 2)), self.made[0]]

    @property
    def eps(self) -> float:
        """The unit roundoff of the arithmetic."""
        double = self.job.down.double or (
            self.job.down.framework == "numpy" and self.job.down.dtype is None
        )
        return float(np.finfo(float).eps) if double else roundoff(self.job.down.dtype)

    @property
    def table(self) -> float:
        """That of the coarsest numbers that go into it."""
        return max(self.eps, self.made[0].eps)


def roundoff(dtype: Any) -> float:
    """Of a floating type, named or not; by default of single precision."""
    name = str(dtype or "float32").removeprefix("torch.")
    return 2.0**-7 if name == "bfloat16" else float(np.finfo(np.dtype(name)).eps)


def law_of(t: Trip) -> np.ndarray:
    """Errors ``(2, d)`` of the law of x where the inverse ends."""
    mean, std = t.data.moments(t.high)
    return law_of_rows((t.noised - mean) / std - t.where, t.where)


def levels_of(trips: Trips) -> list[Level]:
    """The levels on the way up at which the coarsest of the last three trips is judged: those that
    all three of them span.
    """
    spans = [[np.log(v.snr) for v, _ in t.up] for t in trips.made[-3:]]
    if min(len(s) for s in spans) < 2:
        return []
    low, high = max(min(s) for s in spans), min(max(s) for s in spans)
    room = 1e-9 * (1 + abs(low) + abs(high))
    return [v for v, _ in trips.made[-3:][0].up if low - room <= np.log(v.snr) <= high + room]


def along(t: Trip, levels: Sequence[Level]) -> np.ndarray:
    """Errors ``(levels, 2, d)`` of the law of x on the way up; between those of the trip's own they
    are interpolated in log α/σ.
    """
    own, found = [], []
    for level, x in t.up:
        mean, std = t.data.moments(level)
        own.append(-np.log(level.snr))
        found.append(law_of_rows((x - mean) / std - t.where, t.where))
    wanted = [-np.log(v.snr) for v in levels]
    smooth = PchipInterpolator(np.array(own), np.array(found), axis=0)
    return np.asarray(smooth(np.clip(wanted, own[0], own[-1])))


def laws(trips: Trips) -> tuple[list[Level], Callable[[Trip], np.ndarray]]:
    """The levels at which the laws on the way up are judged, and their errors there."""
    levels = [*levels_of(trips), trips.made[-1].high]

    def errors(t: Trip) -> np.ndarray:
        end = law_of(t)[None]
        return np.concatenate([along(t, levels[:-1]), end]) if len(levels) > 1 else end

    return levels, errors


def off_home(t: Trip) -> np.ndarray:
    """Errors ``(rows, d)`` of x that came back."""
    return np.asarray((t.home - t.start) / t.data.moments(t.low)[1])


def limit(trips: Trips, errors: Callable[[Trip], np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """What the errors of the last three trips tend to, and how far that is known."""
    last = trips.made[-3:]
    rows = [np.nan_to_num(errors(t), nan=1e12, posinf=1e12, neginf=-1e12) for t in last]
    floor = ROUNDINGS * trips.eps
    with np.errstate(all="ignore"):
        once, twice = extrapolated(rows, [t.width for t in last])
        exact = np.all([np.abs(r) <= floor for r in rows], axis=0)
        blur = 2 * np.max(np.abs(twice - once)) + floor
    found = np.where(exact, rows[-1], twice)
    bound = np.where(exact, floor, blur)
    coarse = np.minimum(np.abs(found), TABLES * trips.table)
    return found, np.maximum(np.maximum(bound, coarse), FLOOR)


def sizes_of(trips: Sequence[Trip], errors: Callable[[Trip], np.ndarray]) -> list[float]:
    """The largest error of each."""
    return [float(np.max(np.abs(errors(t)))) for t in trips]


def order_of(trips: Trips) -> float:
    """The power of the step by which x comes back; infinite where it is rounding only."""
    before, last = trips.made[-2:]
    sizes = [float(np.sqrt(np.mean(off_home(t) ** 2))) for t in (before, last)]
    if sizes[-1] <= ROUNDINGS * trips.eps:
        return np.inf
    return float(np.log(sizes[0] / sizes[1]) / np.log(before.width / last.width))


def mixed(trips: Trips) -> bool:
    """Whether a coordinate of x in the noise answers to others of x_0."""
    last = trips.made[-1]
    slopes = (last.noised[1:] - last.noised[0]) * last.where[1:]
    apart = np.abs(slopes - slopes[0]) / last.data.moments(last.high)[1]
    return bool(np.max(np.nan_to_num(apart)) > MIXED + ROUNDINGS * trips.eps)
