"""Between which times the function goes, and what it makes of x before it begins.

Conventions: ``start`` is the time of the data, ``end`` that of the noise, whichever is the larger.
The first x that the model is asked at is ``scale * x + shift``, coordinate by coordinate.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.log_likelihood.arguments import Job
from scoreproof.public.log_likelihood.asking import Answer

__all__ = ["Affine", "Span", "affine_of", "span_of"]

#: a time as near to that of the data, beside the span, is a cutoff of the code's own
CUTOFF = 0.02
#: an x as near is the same
SAME = 1e-6
#: more is no width of differences
WIDTH = 0.05


@dataclass(frozen=True)
class Span:
    """``first``: the time at which the model is asked first; ``low``, ``high``: of all."""

    start: float
    end: float
    first: float
    low: float
    high: float
    distinct: int

    @property
    def turned(self) -> bool:
        """Whether it begins at the time of the noise."""
        return abs(self.first - self.end) < abs(self.first - self.start)

    @property
    def reached(self) -> float:
        """The time farthest on the way from the data to the noise."""
        return self.high if self.end > self.start else self.low

    @property
    def began(self) -> float:
        """The time nearest to the data."""
        return self.low if self.end > self.start else self.high


def span_of(job: Job, answer: Answer) -> Span:
    clock, taken = job.clock, job.taken
    times = np.array(answer.times)
    low, high = float(times.min()), float(times.max())
    start, end = clock.data, clock.noise
    rising = end > start
    handed = "times" in taken.positional
    least, most = ("t_min", "t_max") if rising else ("t_max", "t_min")
    near = low if rising else high
    close = abs(near - start) <= CUTOFF * clock.span
    if clock.open and not handed and not {least, "t"} & set(taken.positional) and close:
        start = near
    if clock.name.endswith("time σ") and not handed and most not in taken.positional:
        end = high  # of σ there is no end but its own
    return Span(start, end, float(times[0]), low, high, len(np.unique(np.round(times, 9))))


@dataclass(frozen=True, eq=False)
class Affine:
    scale: np.ndarray
    shift: np.ndarray
    known: bool = True

    @property
    def same(self) -> bool:
        return bool(np.all(self.scale == 1) and np.all(self.shift == 0))

    @property
    def log_det(self) -> float:
        return float(np.sum(np.log(np.abs(self.scale))))

    def ahead(self, x: np.ndarray) -> np.ndarray:
        return x * self.scale + self.shift

    def back(self, y: np.ndarray) -> np.ndarray:
        return (y - self.shift) / self.scale


def affine_of(x: np.ndarray, first: np.ndarray | None) -> Affine:
    """What became of x; as it was, and not ``known``, where that is no map of each coordinate. One
    coordinate that is a little off is the first of somebody's differences in x.
    """
    d = x.shape[1]
    none = Affine(np.ones(d), np.zeros(d), False)
    if first is None or first.shape != x.shape:
        return Affine(np.ones(d), np.zeros(d))
    centre = x.mean(axis=0)
    spread = np.sum((x - centre) ** 2, axis=0)
    scale = np.sum((x - centre) * (first - first.mean(axis=0)), axis=0) / spread
    shift = first.mean(axis=0) - scale * centre
    left = np.max(np.abs(first - scale * x - shift))
    size = 1 + np.max(np.abs(first))
    if left > SAME * size or np.any(np.abs(scale) < SAME):
        return none
    plain = np.abs(scale - 1) < SAME
    moved = np.abs(shift) >= SAME * size
    if d > 1 and np.all(plain) and moved.sum() == 1 and np.max(np.abs(shift)) < WIDTH:
        return Affine(np.ones(d), np.zeros(d))
    return Affine(np.where(plain, 1.0, scale),
                  np.where(np.abs(shift) < SAME * size, 0.0, shift))  # fmt: skip
