"""The forms of an inverse: those of `check_sampler`, run upward.

Conventions: times rise from the data to the noise.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.grid import Grid
from scoreproof.public.sampler.rows import Law
from scoreproof.public.sampler.scheduler import SchedulerForm

__all__ = ["Given", "Rising", "RisingScheduler", "ToData", "law_of_rows", "place", "signs"]

#: pairs of rows on both sides of the mean
PAIRS = 4


class ToData(Grid):
    """A grid whose last step, to the data, is halved as well: without that x would not come back
    however many steps there are before it.
    """

    def _middle(self, a: float, b: float) -> float | None:
        return a / 2 if b <= 0 else super()._middle(a, b)


class Rising(ToData):
    """The same times in rising order."""

    def times(self, n: int) -> list[float]:
        """As of the grid, reversed."""
        return super().times(n)[::-1]


@dataclass(eq=False)
class RisingScheduler(SchedulerForm):
    """An object whose ``step`` leads upward; it needs no forward process of its own."""

    def levels(self, s: Any, timesteps: Any) -> list[Level]:
        """What the model is told with each timestep."""
        table = getattr(s, "alphas_cumprod", None)
        forward = getattr(s, "scale_noise", None) or getattr(s, "add_noise", None)
        if self.level_of is None and forward is None and table is not None:
            bar = np.asarray(as_numpy(table), dtype=float)
            when = np.asarray(as_numpy(timesteps), dtype=float).ravel()
            found = np.interp(when, np.arange(len(bar)), bar)
            return [
                Level(float(t), float(b) ** 0.5, float(1 - b) ** 0.5)
                for t, b in zip(when, found, strict=True)
            ]
        return super().levels(s, timesteps)

    def taken_for(self, s: Any) -> Level | None:
        """What the object takes the x of its first step for, where it says so."""
        bar = getattr(s, "initial_alpha_cumprod", None)
        if bar is None:
            return None
        return Level(0.0, float(bar) ** 0.5, max(0.0, 1 - float(bar)) ** 0.5)


def law_of_rows(off: np.ndarray, where: np.ndarray) -> np.ndarray:
    """Errors ``(2, d)`` of mean and standard deviation of rows that are ``off`` their places by so
    many standard deviations; a row that is mirrored has the law of what it mirrors.
    """
    slope = ((off[1:] - off[0]) * where[1:]).mean(axis=0)
    return np.stack([off[0], np.abs(1 + slope) - 1])


def signs(d: int, rng: np.random.Generator) -> np.ndarray:
    """The rows' places ``(1 + 2 PAIRS, d)`` in standard deviations: the mean, and a standard
    deviation to either side of it in every coordinate.
    """
    drawn = rng.choice([-1.0, 1.0], (PAIRS, d))
    drawn[0] = 1.0
    return np.concatenate([np.zeros((1, d)), drawn, -drawn])


class Given:
    """Rows that a run is started from, in the place of those that carry a law; its draws come from
    ``rng``, or are 0.
    """

    def __init__(self, rows: np.ndarray, rng: np.random.Generator | None = None) -> None:
        self.rows, self.rng = rows, rng
        self.count = len(rows)
        self.own: np.ndarray | None = None

    def begin(self) -> None:
        """Nothing is counted."""

    def start(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """The rows, whatever law they are due to have."""
        return self.rows.copy()

    def noise(self, draw: Any) -> np.ndarray:
        """What stands in for a draw."""
        if draw.kind != "normal":
            return np.full(draw.shape, 0.5)
        return np.zeros(draw.shape) if self.rng is None else self.rng.standard_normal(draw.shape)

    def law(self, x: np.ndarray) -> Law:
        """The rows themselves, where a law is asked for."""
        zero = np.zeros(x.shape[1])
        return Law(x.copy(), zero, None, 0.0, 0.0, 0.0, zero, 0.0, 0.0)


def place(data: Data, level: Level, where: np.ndarray) -> np.ndarray:
    """The rows that lie so many standard deviations from the mean at that level."""
    mean, std = data.moments(level)
    return np.asarray(mean + std * where)
