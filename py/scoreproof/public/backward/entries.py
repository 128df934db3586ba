"""The whole gradient, entry by entry, against the sum over paths in double precision.

Why this bound
--------------
The reference is exact to float64; what is judged was computed in the function's own type. How far
rounding moves each entry is measured: the graph is run again in double precision with every
argument of every node, and every gradient that comes back to it, moved by a random relative error
of half the spacing of the own type (more in long sums). The root mean square over these runs, times
`SPREAD`, is the bound of that entry: unit roundoff times its conditioning times its count. Where
the nodes can be run in the own type (for float64: in float32, scaled) they are, so that what they
round inside counts as well.

An entry is judged relative to itself. Where its terms cancel to zero even in double precision, it
is judged relative to its array, or to its terms; where they cancel to less than the own type
resolves it is counted as left out. With a tolerance an array is judged as a whole, by norms, and
each entry relative to the larger of it and the array's root mean square.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.coverage import SMALL_PART
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.running import gradients
from scoreproof.interop.traced import Program
from scoreproof.public.rule import COARSEST

__all__ = ["MORE_RUNS", "RUNS", "Entries", "Places", "flat", "spread"]

RUNS, MORE_RUNS = 6, 26
SPREAD = 12.0  # of 10⁵ entries one moves by 4.4 times its spread; functions err by a few units
SPREAD_OF_NORMS = 3.0
SMALLEST_MOVE = 2.0**-40  # so that the runs themselves are not rounded
COARSE, HALF = 2.0, 0.5  # parts of a tolerance
FLOAT16 = 2.0**-10  # the spacing of numbers at 1 in float16, whose exponents are few
NEUTRAL = 1e300  # the gain of an entry that is counted as left out


@dataclass(frozen=True, eq=False)
class Places:
    """``error``, ``bound``, ``gain`` and ``excuse`` as in ``compared``; ``lost``: how many are left
    out.
    """

    error: np.ndarray
    bound: np.ndarray
    gain: np.ndarray
    lost: int = 0
    excuse: np.ndarray | float = 0.0


@dataclass(frozen=True, eq=False)
class Entries:
    """All entries of some sources in one vector: ``found``, what is ``due`` (``again``: by the
    other loop), and how far rounding moves them. ``source``: which one an entry belongs to.
    ``eps``, ``unit``, ``stored``: as of the program.
    """

    found: np.ndarray
    due: np.ndarray
    again: np.ndarray
    rounding: np.ndarray
    source: np.ndarray
    eps: float
    unit: float
    stored: float

    @property
    def bound(self) -> np.ndarray:
        tiny = float(np.finfo(np.float32 if self.eps > 1e-10 else float).tiny)
        if self.eps == FLOAT16:
            tiny = 2.0**-24
        bound = SPREAD * self.rounding + 2 * self.stored * np.abs(self.due)
        return np.where((bound > 0) | (self.typical > 0), bound + tiny, bound)

    @property
    def typical(self) -> np.ndarray:
        """The root mean square of each entry's array."""
        sizes = self.norms(self.due) / np.sqrt(np.maximum(self.counts, 1))
        return np.asarray(sizes[self.source])

    @property
    def counts(self) -> np.ndarray:
        return np.bincount(self.source, minlength=int(self.source.max(initial=-1)) + 1)

    def norms(self, x: np.ndarray) -> np.ndarray:
        """The norm of each source's part."""
        return np.sqrt(np.bincount(self.source, x**2, minlength=self.counts.size))

    @property
    def error(self) -> np.ndarray:
        with np.errstate(invalid="ignore"):
            return np.maximum(np.abs(self.found - self.due), np.abs(self.again - self.due))

    @property
    def zero(self) -> np.ndarray:
        """Entries whose terms cancel to zero in double precision, or that have none."""
        return np.abs(self.due) <= 4 * SPREAD * self.rounding * self.unit / self.eps

    @property
    def still(self) -> list[int]:
        """Sources whose gradient is zero here, without any term."""
        nothing = (self.norms(self.due) == 0) & (self.norms(self.rounding) == 0)
        return [int(p) for p in np.flatnonzero(nothing & (self.counts > 0))]

    def wrong(self, tolerance: float | None) -> np.ndarray:
        """Which entries cannot be right; with a tolerance all of the arrays that are off."""
        if not tolerance:
            return self.error > self.bound
        off = self.off_by_norm(tolerance)[self.source] & (self.error > 0)
        return np.asarray(off | (self.error > tolerance * self.size + self.bound))

    def off_by_norm(self, tolerance: float) -> np.ndarray:
        """Which arrays are off as a whole."""
        norms = self.by_norms()
        return np.asarray(norms.error > tolerance * norms.gain + norms.bound)

    @property
    def size(self) -> np.ndarray:
        """What a tolerance of an entry is relative to."""
        terms = self.rounding / (self.eps / 2)
        own = np.where(self.zero, terms, np.abs(self.due))
        return np.asarray(np.maximum(own, self.typical))

    def places(self, tolerance: float | None) -> Places:
        """One place an entry; with a tolerance one an array as well."""
        if not tolerance:
            return self.by_entries()
        norms, size = self.by_norms(), self.size
        judged = size > 0
        error, rounding = self.error[judged] / size[judged], self.bound[judged] / size[judged]
        # the largest of many entries is many times its typical rounding off: that is no mistake,
        # and smaller deviations of all entries show in the norm
        bound = np.where(
            rounding <= COARSE * tolerance, np.minimum(rounding, HALF * tolerance), 1.0
        )
        excuse = np.maximum(rounding - bound, 0.0)
        left = np.flatnonzero(rounding > COARSE * tolerance)
        left = left[np.argsort(-rounding[left])][: int(SMALL_PART * size.size)]
        gain = np.ones(error.size)
        gain[left] = NEUTRAL
        return Places(
            np.concatenate([norms.error, error]),
            np.concatenate([norms.bound, bound]),
            np.concatenate([norms.gain, gain]),
            left.size,
            np.concatenate([0 * norms.error, excuse]),
        )

    def by_entries(self) -> Places:
        """One place an entry; up to `SMALL_PART` of them may be lost in rounding."""
        bound, own = self.bound, np.abs(self.due)
        terms = self.rounding / (self.eps / 2)
        gain = np.where(self.zero, np.maximum(self.typical, terms), own)
        gain = np.where(gain > 0, gain, NEUTRAL)
        resolution = 2 * bound / gain
        coarse = np.flatnonzero(resolution > COARSEST)
        left = coarse[np.argsort(-resolution[coarse])][: int(SMALL_PART * own.size)]
        gain[left] = NEUTRAL
        return Places(self.error, bound, gain, left.size)

    def by_norms(self) -> Places:
        """One place an array, relative to its norm (where that cancels, to that of its terms)."""
        size = self.norms(self.due)
        moved = SPREAD_OF_NORMS * self.norms(self.rounding) + self.stored * size
        terms = self.norms(self.rounding) / (self.eps / 2)
        vanishing = size <= 4 * SPREAD * self.norms(self.rounding) * self.unit / self.eps
        size = np.where(vanishing, terms, size)
        error = self.norms(self.error)
        size = np.where(size > 0, size, np.maximum(error, 1e-300))  # nothing due: nothing accepted
        gain = np.where(terms + self.norms(self.due) > 0, 1.0, 0.0)
        keep = np.where(gain > 0, gain, np.where(error > 0, 0.0, NEUTRAL))
        return Places(error / size, moved / size, np.where(gain > 0, 1.0, keep))

    def suggested(self) -> float:
        """A tolerance at which the arrays would be decided."""
        places, size = self.by_norms(), self.size
        norms = np.max(2 * places.bound / np.maximum(places.gain, 1e-300), initial=0.0)
        single = self.bound[size > 0] / size[size > 0]
        most = np.quantile(single, 1 - SMALL_PART) if single.size else 0.0
        return float(max(norms, most / COARSE))

    def joined(self, other: Entries) -> Entries:
        """Both, the other's sources numbered on."""
        shift = self.counts.size
        return Entries(
            np.concatenate([self.found, other.found]),
            np.concatenate([self.due, other.due]),
            np.concatenate([self.again, other.again]),
            np.concatenate([self.rounding, other.rounding]),
            np.concatenate([self.source, other.source + shift]),
            self.eps,
            self.unit,
            self.stored,
        )


def flat(leaves: Sequence[Leaves]) -> np.ndarray:
    """All entries in one vector."""
    return np.concatenate([np.zeros(0), *[x.flat() for x in leaves]])


def spread(
    program: Program, point: Sequence[Leaves], seed: Leaves, runs: range, salt: float
) -> tuple[np.ndarray, np.ndarray]:
    """Mean squares of what rounding does to the entries of all gradients, and to the value."""
    squares, values = _spread(program, point, seed, runs, salt)
    if program.held:
        # the path that the function holds constant may cancel the rounding of the others (the
        # maximum that a softmax subtracts), which its own backward shows
        held = program.held
        program.held = set()
        try:
            squares = np.maximum(squares, _spread(program, point, seed, runs, salt)[0])
        finally:
            program.held = held
    return squares, values


def _spread(
    program: Program, point: Sequence[Leaves], seed: Leaves, runs: range, salt: float
) -> tuple[np.ndarray, np.ndarray]:
    value, due = gradients(program, point, seed)
    base = np.nan_to_num(flat(due))
    squares, values = np.zeros(base.size), np.zeros(value.size)
    own = program.coarse is not None and program.coarse.eps == program.eps
    for run in runs:
        for ran in (program.coarse, None if own else program):
            if ran is None:
                continue
            ran.held = program.held
            # a float64 function in float32 stands for itself, on a larger scale; nodes that round
            # by themselves need no more than a nudge
            size = ran.unit / 2 if ran is not program else max(program.eps / 2, SMALLEST_MOVE)
            move = size / 2 if ran is not program else size
            scale = (program.eps / 2 / size) ** 2
            with np.errstate(invalid="ignore", over="ignore"):
                at, grads = gradients(ran, point, seed, (move, salt + 17.0 * run))
                squares += scale * np.nan_to_num(flat(grads) - base) ** 2
                values += scale * np.nan_to_num(at.flat() - value.flat()) ** 2
    return squares / len(runs), values / len(runs)
