"""Times to look at: a whole span, some random, closer together where the answer changes.

Conventions: a `Sweep` is increasing; ``chosen`` means that the caller named the times, and then
none is added. Between two neighbours nothing is seen: ``describe`` says how far apart they are at
most.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float
from scoreproof.words import listed

__all__ = ["COUNT", "Sweep", "named", "over", "refined"]

#: Times of a sweep that the caller did not name.
COUNT = 32


@dataclass(frozen=True, eq=False)
class Sweep:
    """Increasing ``times`` in ``[low, high]``."""

    times: np.ndarray
    low: float
    high: float
    chosen: bool = False

    @property
    def gap(self) -> float:
        """The largest stretch of the span without a time, as a part of it (0 if it is a point)."""
        if self.high <= self.low:
            return 0.0
        ends = np.concatenate([[self.low], self.times, [self.high]])
        return float(np.max(np.diff(ends))) / (self.high - self.low)

    def describe(self) -> str:
        """One clause for `Coverage.span`."""
        if self.chosen:
            return f"t = {listed(self.times, 8, '.3g')}, as asked"
        return (
            f"t from {self.times[0]:.3g} to {self.times[-1]:.3g}, some random, nowhere further"
            f" apart than {100 * self.gap:.2g} % of the span"
        )


def over(low: float, high: float, rng: np.random.Generator, count: int = COUNT) -> Sweep:
    """Both ends, and one random time in each of ``count - 2`` equal cells between them.

    >>> s = over(0.1, 0.9, np.random.default_rng(0))
    >>> s.times.size, float(s.times[0]), float(s.times[-1]), s.gap < 2 / 30
    (32, 0.1, 0.9, True)
    """
    if not low < high:
        return Sweep(np.array([high]), high, high)
    cells = max(count - 2, 0)
    inner = low + (high - low) * (np.arange(cells) + rng.uniform(0.02, 0.98, cells)) / max(cells, 1)
    return Sweep(np.concatenate([[low], inner, [high]]), low, high)


def named(argument: str, times: Any, *, low: float = 0.0, high: float = np.inf) -> Sweep:
    """The caller's own times, sorted, without repeats; raises ``ArgumentError`` outside ``(low,
    high]``.

    >>> named("times", [0.5, 0.1, 0.5]).times.tolist()
    [0.1, 0.5]
    """
    array = np.unique(np.atleast_1d(to_float(argument, times)).ravel())
    if array.size == 0:
        raise ArgumentError(
            argument, "one or more numbers", times, "leave it out to look at the whole span"
        )
    if array[0] <= low or array[-1] > high:
        bad = array[0] if array[0] <= low else array[-1]
        wanted = f"> {low:g}" + (f" and <= {high:g}" if np.isfinite(high) else "")
        raise ArgumentError(argument, wanted, float(bad), "name times inside the span")
    return Sweep(array, float(array[0]), float(array[-1]), chosen=True)


def refined(
    sweep: Sweep,
    values: np.ndarray,
    ask: Callable[[np.ndarray], np.ndarray],
    *,
    jump: float,
    rounds: int = 3,
    most: int = 32,
) -> tuple[Sweep, np.ndarray]:
    """More times between neighbours whose ``values`` differ by more than ``jump``; none if the
    caller chose.

    ``values``: one number or row a time; ``ask(times)`` returns them for new times. At most
    ``most`` times are added, the largest differences first; differences that are not finite count
    as none. Returns the sweep and all values in its order.
    """
    if sweep.chosen:
        return sweep, values
    added = 0
    for _ in range(rounds):
        flat = values.reshape(len(sweep.times), -1)
        with np.errstate(all="ignore"):
            steps = np.max(np.abs(np.diff(flat, axis=0)), axis=1, initial=0.0)
        steps = np.where(np.isfinite(steps), steps, 0.0)
        where = np.flatnonzero(steps > jump)
        where = where[np.argsort(-steps[where])][: most - added]
        if where.size == 0:
            break
        new = (sweep.times[where] + sweep.times[where + 1]) / 2
        added += new.size
        times = np.concatenate([sweep.times, new])
        order = np.argsort(times, kind="stable")
        values = np.concatenate([values, ask(new)])[order]
        sweep = Sweep(times[order], sweep.low, sweep.high)
    return sweep, values
