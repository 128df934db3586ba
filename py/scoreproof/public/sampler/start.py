"""What a whole sampler makes of the x that it is given, before it asks its model at all.

Conventions: rows ``(n, d)``; times run down.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.public.sampler.data import Level

__all__ = ["Began", "answers", "near", "scale_of", "taken"]

#: a σ of 1 to this is that of unit noise
UNIT = 0.01


@dataclass(frozen=True)
class Began:
    """That a sampler starts from ``scale`` times N(0, 1), drawn at ``where``, at ``level``."""

    scale: float
    level: Level
    where: str

    def note(self) -> str:
        """What was put in its place."""
        return (
            f"It draws the x that it starts from itself ({self.where}), {self.scale:.4g} times"
            " N(0, 1); its steps were judged from the exact law at their first time."
        )


def near(times: list[float], when: float) -> int | None:
    """The index of the time that ``when`` is, to single precision."""
    k = int(np.argmin([abs(t - when) for t in times]))
    return k if abs(times[k] - when) <= 1e-5 * max(abs(when), 1e-30) else None


def answers(seen: np.ndarray, given: np.ndarray) -> bool:
    """Whether what the model is asked at first has anything to do with what was given."""
    return bool(np.any(np.ptp(seen, axis=0) > 1e-9 * np.ptp(given, axis=0)))


def scale_of(given: np.ndarray, seen: np.ndarray, start: Level, drawn: bool) -> float:
    """The factor between what was given and what the model is asked at first, if it makes the first
    level of unit noise, or what it multiplies its own ``drawn`` noise with; any other is the
    sampler's own.
    """
    with np.errstate(all="ignore"):
        factor = float((seen * given).sum() / (given * given).sum())
        off = np.max(np.abs(seen - factor * given)) / np.max(np.abs(seen))
    known = (start.sigma, float(np.hypot(start.alpha, start.sigma)))
    if drawn and off < 1e-5 and factor > 0:
        return factor
    return factor if off < 1e-5 and any(abs(factor / k - 1) < 1e-3 for k in known) else 1.0


def taken(form: Any, first: Level) -> str:
    """Which x a whole sampler was given, where both are usual: at σ_0, or unit noise."""
    scale = getattr(form, "scale", None)
    if scale is None or form.own or abs(first.sigma - 1) < UNIT:
        return ""
    if scale != 1.0:
        return f"; it scales unit noise itself, by {scale:.4g}"
    return (
        f"; x is passed at its first level, σ = {first.sigma:.4g}, and not as unit noise, which it"
        " does not scale"
    )
