"""The forward process that a loss trains for, in whatever form it is handed over, and its times.

Conventions: ``x_t = α x_0 + σ ε``; σ is a standard deviation. Times of a table are its indices,
without a process they are σ itself.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.objects.discrete import DiscreteVE, DiscreteVP
from scoreproof.public.given_process import DOUBLE, NoiseList, process_given
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.levels import level_of_sigma, levels_of_process

__all__ = ["Process", "process_of"]

#: where EDM trains: σ of the log-normal law of its paper, and beyond
SIGMAS = (0.01, 60.0)
#: relative: of the five-point rule for dα/dt and dσ/dt, generously
DIFFERENCES = 1e-9


@dataclass(frozen=True, eq=False)
class Process:
    """``level_of(t)``; ``steps``: of a table, whose times are 0 … steps - 1. ``g2``: g(t)², if
    it is known. ``eps``: the spacing at 1 of the numbers that it was given as.
    """

    level_of: Callable[[float], Level]
    low: float
    high: float
    steps: int | None = None
    g2: Callable[[float], float] | None = None
    eps: float = DOUBLE
    is_sigma: bool = False
    #: relative: what rates that are differences are off by
    rate_blur: float = 0.0

    @property
    def discrete(self) -> bool:
        return self.steps is not None

    def levels(self, times: np.ndarray) -> list[Level]:
        return [self.level_of(float(t)) for t in times]

    def times(self, count: int) -> np.ndarray:
        """Over the whole span, both ends among them."""
        if self.steps is not None:
            return np.unique(np.round(np.linspace(0, self.steps - 1, count)))
        if self.is_sigma:
            return np.geomspace(self.low, self.high, count)
        inner = np.linspace(0.0, 1.0, count)
        return self.low + (self.high - self.low) * inner


def process_of(given: Any) -> Process:
    """Raises ``ArgumentError``."""
    if given is None:
        return Process(level_of_sigma, *SIGMAS, g2=lambda s: 2 * s, is_sigma=True)
    given, eps = process_given(given)
    level_of = levels_of_process(given, True)
    steps = int(given.steps) if isinstance(given, DiscreteVP | DiscreteVE | NoiseList) else None
    if steps is not None:
        level_of = levels_of_process(given, False)
        return Process(level_of, 0.0, steps - 1.0, steps, _rate_of(given), eps)
    horizon = float(getattr(given, "horizon", 1.0))
    blur = 0.0 if callable(getattr(given, "derivatives", None)) else DIFFERENCES
    ends = _span(level_of, horizon)
    return Process(level_of, *ends, g2=_rate_of(given), eps=eps, rate_blur=blur)


def _span(level_of: Callable[[float], Level], horizon: float) -> tuple[float, float]:
    """The part of (0, horizon) that is looked at: not the ends, where there may be no noise or no
    signal.
    """
    ends = []
    for near, far in ((0.0, 0.02), (1.0, 0.98)):
        level = level_of(near * horizon)
        clear = level.sigma > 1e-3 * level.alpha and level.alpha > 1e-3 * level.sigma
        ends.append((near if clear else far) * horizon)
    return ends[0], ends[1]


def _rate_of(process: Any) -> Callable[[float], float] | None:
    diffusion = getattr(process, "diffusion", None)
    return (lambda t: float(np.ravel(diffusion(t))[0]) ** 2) if callable(diffusion) else None
