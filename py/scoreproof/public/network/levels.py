"""The noise levels of a schedule: which there are, and which to look at.

Conventions: ``x = α x_0 + σ ε``; ``when`` is the schedule's own time: the timestep (index) of a
table, t of a process, σ of a list of noise levels.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, to_float

__all__ = ["Levels", "NoiseLevel"]

#: beyond this σ/α there is no x_0 left in x
NO_SIGNAL = 1e6


@dataclass(frozen=True)
class NoiseLevel:
    """α and σ at ``when``; ``rates`` = (dα/dt, dσ/dt), where they are known; ``roundings``: how
    many there may be in ᾱ = α².
    """

    when: float
    alpha: float
    sigma: float
    rates: tuple[float, float] | None = None
    roundings: float = 8.0

    def blur(self, u: float) -> tuple[float, float]:
        """By what part α and σ may be off in a network that has them in arithmetic of unit roundoff
        u: ᾱ is a product of ``roundings`` factors, and σ² = 1 - ᾱ loses digits where it is small.
        """
        told = u * (4 + 2 * abs(np.log(self.ratio)))
        if self.alpha == 1:
            return 0.0, told
        lost = (self.alpha / self.sigma) ** 2
        return u * (self.roundings + 1 / self.alpha), told + u * self.roundings * lost

    @property
    def ratio(self) -> float:
        """σ/α: the noise in units of the data; infinite without signal."""
        return self.sigma / self.alpha if self.alpha > 0 else np.inf


@dataclass(frozen=True, eq=False)
class Levels:
    """``of`` gives the level of a time; ``when``: the times there are (of a process: a grid).

    ``whole``: times are timesteps, integers; ``name`` is what they are called; ``prediction`` where
    the schedule says so; ``eps`` is the spacing at 1 of the table's floating type.
    """

    of: Callable[[float], NoiseLevel]
    when: np.ndarray
    whole: bool
    name: str
    prediction: str | None = None
    eps: float = 0.0

    @property
    def total(self) -> float:
        """The number of timesteps, or the last time."""
        return float(len(self.when)) if self.whole else float(np.max(self.when))

    def spread(self, most: int) -> list[NoiseLevel]:
        """So many levels, even in log σ/α, with noise and with signal; rising."""
        every = [self.of(float(t)) for t in self.when]
        usable = sorted((v for v in every if 0 < v.ratio <= NO_SIGNAL), key=lambda v: v.ratio)
        if not usable:
            raise ArgumentError(
                "schedule",
                "a level with noise and with signal",
                "none",
                "pass levels with σ > 0 and α > 0",
            )
        logs = np.log([v.ratio for v in usable])
        targets = np.linspace(logs[0], logs[-1], most)
        picked = np.unique([int(np.argmin(np.abs(logs - target))) for target in targets])
        return [usable[int(k)] for k in picked]

    def silent(self) -> list[float]:
        """Times at which no x_0 is left."""
        return [float(t) for t in self.when if self.of(float(t)).ratio > NO_SIGNAL]

    def at(self, times: Any) -> list[NoiseLevel]:
        """The levels that the caller asks for; raises ``ArgumentError``."""
        asked = to_float("levels", np.atleast_1d(as_numpy(times)), shape=(None,))
        if len(asked) == 0:
            raise ArgumentError("levels", "one time or more", "none", "or leave it out")
        known = set(self.when.tolist())
        for t in asked:
            if self.whole and float(t) not in known:
                raise ArgumentError(
                    "levels",
                    f"timesteps of the schedule, {self.when.min():g} to {self.when.max():g}",
                    f"{t:g}",
                    "timesteps are indices of the table, not fractions of it",
                )
        found = [self.of(float(t)) for t in asked]
        for level in found:
            if not 0 < level.ratio <= NO_SIGNAL:
                raise ArgumentError(
                    "levels",
                    "with σ > 0 and α > 0",
                    f"{level.when:g}, where α = {level.alpha:.3g} and σ = {level.sigma:.3g}",
                    "without noise or without signal there is nothing to denoise: leave it out",
                )
        return found
