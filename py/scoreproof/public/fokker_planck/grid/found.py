"""What a solution left of the equation, place by place: a test function in a stretch of time.

Conventions: as in `measure`; errors, bounds and gains are relative to the size of all terms at the
place. A stretch is looked at where the saved times resolve it, a function where there is mass.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck.grid.coefficients import Process
from scoreproof.public.fokker_planck.grid.measure import Measure, Parts
from scoreproof.public.fokker_planck.grid.solution import Solution
from scoreproof.public.fokker_planck.grid.windows import LITTLE, Windows, windows
from scoreproof.public.rule import COARSEST

__all__ = ["STRETCHES", "Found", "look", "measured", "stretches", "weighed"]

#: of time, at most
STRETCHES = 8
#: the order that the quadrature has at a kink of the solution, and more where it is smooth
ORDER = 2


@dataclass(frozen=True, eq=False)
class Found:
    """``seen``: which places are judged ``(stretches, functions)``; ``unresolved``: stretches that
    are not; ``gain``: the error that a relative deviation of the least visible coefficient would
    have shown in a stretch ``(stretches,)``; ``excuse``: what a solver of first order may leave;
    ``grid``: the points of each axis.
    """

    measure: Measure
    parts: Parts
    error: np.ndarray
    bound: np.ndarray
    excuse: np.ndarray
    seen: np.ndarray
    gain: np.ndarray
    unresolved: np.ndarray
    grid: tuple[int, ...]

    @property
    def scale(self) -> np.ndarray:
        return np.where(self.parts.size > 0, self.parts.size, np.inf)

    @property
    def ends(self) -> np.ndarray:
        return self.measure.solution.times[self.measure.ends]

    @property
    def resolution(self) -> float:
        """The least relative deviation, at the least favourable stretch, of any coefficient."""
        worst = 0.0
        for a in np.flatnonzero(~self.unresolved):
            for part in _coefficients(self.parts):
                gain = np.where(self.seen[a], np.abs(part[a]) / self.scale[a], 0.0)
                if np.any(gain > 0):
                    with np.errstate(divide="ignore"):
                        worst = max(worst, float(np.min(2 * self.bound[a] / gain)))
        return worst if np.any(self.seen) else np.inf


def stretches(times: np.ndarray) -> np.ndarray:
    """Indices of the ends of stretches, all of them among every second saved time."""
    half = np.unique([*range(0, len(times), 2), len(times) - 1])
    count = min(STRETCHES, len(half) - 1)
    return half[np.unique(np.round(np.linspace(0, len(half) - 1, count + 1)).astype(int))]


def look(solution: Solution, process: Process) -> Found | None:
    """The weak form of one solution; ``None`` where its mass is in too few cells."""
    chosen = windows(solution, [solution])
    if chosen is None:
        return None
    return measured(solution, process, chosen, stretches(solution.times))


def measured(solution: Solution, process: Process, chosen: Windows, ends: np.ndarray) -> Found:
    """The weak form on given functions and stretches."""
    whole = solution.wrapped(0.5) if solution.boundary == "periodic" else solution
    measure, grid = Measure(whole, chosen, ends), solution.p.shape[1:]
    measure.parts(process)
    return weighed(measure, grid)


def weighed(measure: Measure, grid: tuple[int, ...]) -> Found:
    """What is left of it against what may be left."""
    fine, space, time = measure.summed()
    scale = np.where(fine.size > 0, fine.size, np.inf)
    # the difference to half the points bounds what is left by them, summand by summand
    change = (_apart(fine, space) + _apart(fine, time)) / (2**ORDER - 1)
    rounding = 16 * measure.solution.eps * (fine.ends + fine.size) + measure.rule * fine.size
    bound = (change + 0.1 * np.max(change, axis=1, keepdims=True) + rounding) / scale
    error = np.abs(fine.residual) / scale
    tops = np.max(fine.mass, axis=1, keepdims=True)
    seen = (fine.mass >= 10 * LITTLE * tops) & (fine.size > 0)
    gain = _gain(fine, scale, seen)
    with np.errstate(all="ignore"):
        best = np.min(np.where(seen, 2 * bound / gain[:, None], np.inf), axis=1)
    lost = ~(best <= COARSEST) & ~np.any(seen & (error > 4 * bound), axis=1)
    seen = seen & ~lost[:, None]
    return Found(measure, fine, error, bound, 2 * fine.first_order / scale, seen, gain, lost, grid)


def _apart(one: Parts, other: Parts) -> np.ndarray:
    gap = np.abs(one.gained - other.gained) + np.abs(one.cross - other.cross)
    for a, b in ((one.drift, other.drift), (one.noise, other.noise)):
        gap = gap + np.abs(a - b).sum(axis=0)
    return np.asarray(gap)


def _coefficients(parts: Parts) -> list[np.ndarray]:
    whole = [*parts.drift, *parts.noise]
    return [part for part in whole if np.any(part)]


def _gain(parts: Parts, scale: np.ndarray, seen: np.ndarray) -> np.ndarray:
    gains = [
        np.max(np.where(seen, np.abs(part) / scale, 0.0), axis=1) for part in _coefficients(parts)
    ]
    return np.min(gains, axis=0) if gains else np.ones(len(scale))
