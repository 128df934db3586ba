"""The grid of times of a function that is told its grid, and its refinements: every grid holds the
coarser ones.

Conventions: times run down; a trailing 0 is the data.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float
from scoreproof.public.sampler.data import Level

__all__ = ["Grid", "grid_of", "karras"]

#: what `grid_of` makes of no argument: σ as in Karras et al. 2022, and how many steps
LARGEST, SMALLEST, RHO, STEPS = 15.0, 0.03, 7.0, 20
OUT_OF_REACH = 10**9
#: a gap is cut before the grid is refined where the noise falls by more than this power of e
WIDEST, DEEPEST = 1.0, 6
#: gaps are cut into at most so many parts at once, and unevenly only if the parts are this wide
LARGEST_CUT, NEARLY = 5, 4
#: a last level with less than this part of the noise before it is the data: a σ that is kept from 0
FAINT = 1e-3
#: relative: gaps are alike
ALIKE = 1e-6


@dataclass(frozen=True, eq=False)
class Grid:
    """The caller's grid; ``whole``: its times are timesteps of a table, with nothing between."""

    base: tuple[float, ...]
    whole: bool = False
    #: the times of the finer grids before they are halved: the caller's and what evens out his gaps
    even: tuple[float, ...] = ()
    #: gaps are cut in the middle, the last one too
    straight: bool = False
    #: the last time is a level with noise, whose law x is due to have: its gap is cut as well
    noisy: bool = False

    @property
    def steps(self) -> int:
        return len(self.base) - 1

    @property
    def finest(self) -> bool:
        """Whether it has every timestep of the table between its ends."""
        return self.whole and bool(np.all(np.diff(self.base) == -1))

    def finer(self, n: int) -> int:
        """The next number of steps: twice as many; of timesteps with nothing between, as many times
        as all gaps can be cut evenly, or nearly. Out of reach where they cannot: cut unevenly,
        errors tell no limit.
        """
        parts = max(1, n // self.steps)
        if not self.whole:
            return 2 * n
        gaps = -np.diff(self.base)
        common = int(np.gcd.reduce(gaps.astype(int)))
        even = [k for k in range(2 * parts, common + 1, parts) if common % k == 0]
        if even and even[0] <= LARGEST_CUT * parts:
            return even[0] * self.steps
        if np.min(gaps) >= 2 * parts * NEARLY:
            return 2 * n
        # all timesteps there are, which is even again
        return int(gaps.sum()) if parts * 2 <= np.max(gaps) else OUT_OF_REACH

    def times(self, n: int) -> list[float]:
        """A grid of about n steps: the caller's, or each of its steps cut into parts, or every
        second, fourth, … of its times.
        """
        times, parts = list(self.base), max(1, round(n / self.steps))
        left_out = max(1, round(self.steps / n))
        if left_out > 1:  # of what is left out at the start the chain knows the exact law
            return times[::-1][::left_out][::-1]
        if self.whole:
            every = n >= self.base[0] - self.base[-1]
            return self._cut(int(np.max(-np.diff(self.base))) if every else parts)
        if parts > 1 and self.even:
            times = list(self.even)
        while parts > 1:
            times = self._halved(times)
            parts //= 2
        return times

    def evened(self, level_of: Callable[[float], Level]) -> Grid:
        """The same grid, whose refinements do not leave one gap much wider than the others: cut
        where σ/α falls by more than `WIDEST`, its wide steps would hide the limit of the others.
        """
        if self.whole:
            return self
        before, last = (level_of(t) for t in self.base[-2:])
        if last.sigma * before.alpha > FAINT * before.sigma * last.alpha:
            self = replace(self, noisy=True)
        times = list(self.base)
        for _ in range(DEEPEST):
            made = [times[0]]
            for a, b in zip(times[:-1], times[1:], strict=True):
                middle = self._middle(a, b) if _falls(level_of, a, b) > WIDEST else None
                made += [b] if middle is None else [middle, b]
            if len(made) == len(times):
                break
            times = made
        return replace(self, even=tuple(times) if len(times) > len(self.base) else ())

    def _cut(self, parts: int) -> list[float]:
        """Timesteps: the whole numbers nearest to even cuts."""
        made = [self.base[0]]
        for a, b in zip(self.base[:-1], self.base[1:], strict=True):
            n = int(min(parts, a - b))
            made += np.ceil(np.linspace(b, a, n + 1)[:-1])[::-1].tolist()
        return made

    def _halved(self, times: list[float]) -> list[float]:
        made = [times[0]]
        for a, b in zip(times[:-1], times[1:], strict=True):
            middle = self._middle(a, b)
            made += [b] if middle is None else [middle, b]
        return made

    def straightened(self) -> Grid | None:
        """With gaps that stay alike as they are cut, where the caller's are alike: some codes take
        the width of all their steps from the first two times.
        """
        gaps = np.diff(self.base)
        if self.whole or np.ptp(gaps) > ALIKE * np.max(np.abs(gaps)):
            return None
        return replace(self, even=(), straight=True)

    def _middle(self, a: float, b: float) -> float | None:
        if self.straight:
            return (a + b) / 2
        if b <= 0:  # the last step is left as it is, if it leads to the data
            return (a + b) / 2 if self.noisy else None
        return float(((a ** (1 / RHO) + b ** (1 / RHO)) / 2) ** RHO)


def _falls(level_of: Callable[[float], Level], a: float, b: float) -> float:
    """By which power of e the noise falls between two times; 0 to the data, whose step stays."""
    one, other = level_of(a), level_of(b)
    if not (other.sigma > 0 and one.alpha > 0 and one.sigma > 0):
        return 0.0
    return float(np.log(other.snr / one.snr))


def karras(n: int) -> list[float]:
    """n noise levels as in Karras et al. 2022, and 0."""
    ramp = np.linspace(LARGEST ** (1 / RHO), SMALLEST ** (1 / RHO), n) ** RHO
    return [*ramp.tolist(), 0.0]


def grid_of(times: object, process: object) -> Grid:
    """The caller's grid, checked; raises ``ArgumentError``."""
    discrete = hasattr(process, "timesteps") or hasattr(process, "alphas_cumprod")
    if times is None:
        horizon = getattr(process, "horizon", None)
        if process is None or horizon is None:
            return Grid(tuple(karras(STEPS)))
        ends = (float(horizon), float(horizon) / 1000)
        if discrete:
            gap = 2 ** max(0, int(np.log2(max(horizon, 1) / STEPS)))
            return Grid(tuple(float(t) for t in range(0, int(horizon) + 1, gap))[::-1], True)
        return Grid(tuple(np.linspace(*ends, STEPS + 1).tolist()))
    values = to_float("times", times, shape=(None,))
    if len(values) < 3 or np.any(np.diff(values) >= 0) or values[-1] < -1:
        raise ArgumentError(
            "times",
            "three or more falling numbers (timesteps, t, or σ with the last one 0)",
            times,
            "sort them from noise to data and drop what occurs twice",
        )
    return Grid(tuple(values.tolist()), discrete and bool(np.all(values == np.round(values))))
