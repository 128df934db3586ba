"""The levels that a scheduler object itself says: of its last step's end, and between two timesteps
of its grid.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.public.sampler.data import Level

__all__ = ["between", "last_level"]


def last_level(s: Any) -> Level | None:
    """Where the object says that its last step ends, if not at the data."""
    bar, sigmas = getattr(s, "final_alpha_cumprod", None), getattr(s, "sigmas", None)
    if bar is not None and float(bar) < 1:
        return Level(0.0, float(bar) ** 0.5, (1 - float(bar)) ** 0.5)
    if sigmas is not None and len(sigmas) and float(sigmas[-1]) > 0:
        sigma = float(sigmas[-1])
        scaled = hasattr(s, "alpha_t")  # its x is α x_0 + σ ε, not x_0 + σ ε
        norm = float(np.hypot(1, sigma)) if scaled else 1.0
        return Level(0.0, 1 / norm, sigma / norm)
    return None


def between(s: Any, level: Level) -> Level:
    """The level of a timestep between two of the grid, where the object's forward process gives the
    next one's: from the table of ᾱ, log σ linear between its entries.
    """
    table = getattr(s, "alphas_cumprod", None)
    if table is None:
        return level
    bar = np.asarray(as_numpy(table), dtype=float)
    ratio = np.exp(np.interp(level.when, np.arange(len(bar)), np.log(1 / bar - 1) / 2))
    norm = np.hypot(level.alpha, level.sigma) if level.alpha != 1 else np.hypot(1, ratio)
    return Level(
        level.when, float(norm / np.hypot(1, ratio)), float(norm * ratio / np.hypot(1, ratio))
    )
