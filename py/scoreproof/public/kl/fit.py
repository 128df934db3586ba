"""A divergence that was returned as a combination of summands, exact to the check's resolution.

Conventions: ``columns`` ``(k, places)`` are summands reduced as the function does; a fit counts
only if it leaves no place further off than its bound.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.summands import Summand

__all__ = ["CLOSED", "Combination", "Places", "combined"]

#: roundings of a wrong function, in bounds of the right one
ROOM = 16.0
#: a fit has to leave less than this part of the deviation, where rounding allows more
PART = 0.03
#: ratios to what is due that need no number
SIMPLE = (0.0, 1.0, -1.0, 2.0, 0.5, -2.0, -0.5, 4.0, 0.25)
#: others that have a meaning
CLOSED = {
    1 / math.log(2): "1/ln 2: logarithms to base 2",
    1 / math.log(10): "1/ln 10: logarithms to base 10",
    math.log(2): "ln 2",
    math.log(10): "ln 10",
    -math.log(2 * math.pi): "-log 2π, of a normal density",
    1 - math.log(2 * math.pi): "1 - log 2π, of a normal density",
    -math.log(2 * math.pi) - 1: "-1 - log 2π, of an entropy",
    math.sqrt(2): "√2",
    1 / math.sqrt(2): "1/√2",
    math.pi: "π",
    2 * math.pi: "2π",
    1 / 3: "1/3",
    3.0: "3",
}


@dataclass(frozen=True, eq=False)
class Places:
    """What came back at some places: the laws of its batches, and what is due there."""

    laws: list[Laws]
    options: Options
    returned: np.ndarray
    value: np.ndarray
    rounding: np.ndarray
    eps: float

    def column(self, values: Sequence[np.ndarray]) -> np.ndarray:
        """One array a batch, ``(n, d)`` or ``(n,)``, as the function would have reduced it."""
        rows = [v.sum(axis=1) if v.ndim == 2 else v for v in values]
        return np.concatenate([self.options.reduce(r) for r in rows])

    @property
    def sharp(self) -> int:
        """At how many places the deviation stands so far above its bound that a number can be
        fitted to it.
        """
        off = np.abs(self.returned - self.value)
        return int(np.sum(off > ROOM / PART * self.rounding))

    def explained(self, prediction: np.ndarray, size: np.ndarray | float = 0.0) -> bool:
        """Whether nothing is left but rounding; ``size``: of what was added up."""
        with np.errstate(all="ignore"):
            left = np.abs(self.returned - prediction)
            allowed = ROOM * (self.rounding + self.eps * (size + np.abs(prediction)))
            off = np.abs(self.returned - self.value)
            wrong = off > self.rounding
            part = np.median(left[wrong] / off[wrong]) if np.any(wrong) else 1.0
        return bool(np.all(np.isfinite(prediction)) and np.all(left <= allowed) and part < PART)


@dataclass(frozen=True, eq=False)
class Combination:
    """Summands and what each is multiplied by, relative to its due factor."""

    summands: tuple[Summand, ...]
    ratios: tuple[float, ...]

    @property
    def changes(self) -> int:
        """How many things are wrong: a ratio that several have in common counts once."""
        ratios = [r for r in self.ratios if r != 1]
        alike = len(ratios) == len(self.ratios) and len(set(ratios)) == 1
        logs = {s.slot: r for s, r in zip(self.summands, self.ratios, strict=True)}
        both = logs.get("log0", 1.0) == logs.get("log1") != 1.0
        odd = sum(r not in SIMPLE for r in ratios)
        return 1 if alike else len(ratios) - both + odd


def combined(
    places: Places, summands: Sequence[Summand], columns: np.ndarray
) -> Combination | None:
    """The factors with which the summands make what was returned; ``None`` if there are none."""
    due = np.array([s.factor for s in summands])
    columns = columns * due[:, None]
    if not np.all(np.isfinite(columns)) or columns.shape[1] < len(due) + 4:
        return None
    unit = 1 / np.maximum(places.rounding, 1e-300)
    a = (columns * unit).T
    with np.errstate(over="ignore"):
        size = np.linalg.norm(a, axis=0)
    there = size > 0  # the logarithm of a law with variance 1 is nothing
    if not np.all(np.isfinite(size)):
        return None
    ratios = np.ones(len(due))
    solved = np.linalg.lstsq(a[:, there] / size[there], places.returned * unit, rcond=1e-13)
    missing = int(np.sum(there)) - int(solved[2])
    if missing and not places.options.layout.tied:
        return None
    if missing:
        return _of_alike(places, summands, columns, a, missing)
    ratios[there] = solved[0] / size[there]
    if not places.explained(ratios @ columns, np.abs(ratios) @ np.abs(columns)):
        return None
    return _believed(places, summands, _simple(places, columns, ratios))


def _believed(
    places: Places, summands: Sequence[Summand], simple: tuple[float, ...]
) -> Combination | None:
    odd = len({r for r in simple if r not in SIMPLE and r not in CLOSED})
    if odd and places.sharp < odd + 2:
        return None
    return Combination(tuple(summands), simple)


def _of_alike(
    places: Places, summands: Sequence[Summand], columns: np.ndarray, a: np.ndarray, missing: int
) -> Combination | None:
    """Where scales are known or shared some summands are multiples of others: as many are as they
    are due, and those whose factors are simplest tell.
    """
    unit = 1 / np.maximum(places.rounding, 1e-300)
    best: Combination | None = None
    for kept in combinations(range(len(summands)), missing):
        free = np.array([k not in kept for k in range(len(summands))])
        free &= np.any(columns != 0, axis=1)
        size = np.linalg.norm(a[:, free], axis=0)
        rest = (places.returned - columns[list(kept)].sum(axis=0)) * unit
        solved = np.linalg.lstsq(a[:, free] / size, rest, rcond=1e-13)
        ratios = np.ones(len(summands))
        ratios[free] = solved[0] / size
        full = solved[2] == np.sum(free)
        if not full or not places.explained(ratios @ columns, np.abs(ratios) @ np.abs(columns)):
            continue
        found = _believed(places, summands, _simple(places, columns, ratios))
        if found is not None and (best is None or found.changes < best.changes):
            best = found
    return best


def _simple(places: Places, columns: np.ndarray, ratios: np.ndarray) -> tuple[float, ...]:
    """The ratios, all the same or each the simple number that it is near, if that explains as
    much.
    """
    near = min(max(1e-6, 1e3 * places.eps), 0.05)
    there = np.any(columns != 0, axis=1)
    one = np.where(there, np.median(ratios[there]), 1.0)
    alike = np.all(np.abs(ratios - one) <= near * np.abs(one))
    for likely in (_snapped(one, near), one) if alike else (_snapped(ratios, near),):
        if places.explained(likely @ columns, np.abs(likely) @ np.abs(columns)):
            return tuple(float(r) for r in likely)
    return tuple(float(r) for r in ratios)


def _snapped(ratios: np.ndarray, near: float) -> np.ndarray:
    known = np.array([*SIMPLE, *CLOSED])
    nearest = known[np.argmin(np.abs(ratios[:, None] - known), axis=1)]
    return np.where(
        np.abs(ratios - nearest) <= near * np.maximum(np.abs(nearest), 1), nearest, ratios
    )
