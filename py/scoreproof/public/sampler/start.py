"""What a whole sampler makes of the x that it is given, before it asks its model at all.

Conventions: rows ``(n, d)``; times run down.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.sampler.data import Level

__all__ = ["answers", "near", "scale_of"]


def near(times: list[float], when: float) -> int | None:
    """The index of the time that ``when`` is, to single precision."""
    k = int(np.argmin([abs(t - when) for t in times]))
    return k if abs(times[k] - when) <= 1e-5 * max(abs(when), 1e-30) else None


def answers(seen: np.ndarray, given: np.ndarray) -> bool:
    """Whether what the model is asked at first has anything to do with what was given."""
    return bool(np.any(np.ptp(seen, axis=0) > 1e-9 * np.ptp(given, axis=0)))


def scale_of(given: np.ndarray, seen: np.ndarray, start: Level) -> float:
    """The factor between what was given and what the model is asked at first, if it makes the first
    level of unit noise; any other is the sampler's own.
    """
    with np.errstate(all="ignore"):
        factor = float((seen * given).sum() / (given * given).sum())
        off = np.max(np.abs(seen - factor * given)) / np.max(np.abs(seen))
    known = (start.sigma, float(np.hypot(start.alpha, start.sigma)))
    return factor if off < 1e-5 and any(abs(factor / k - 1) < 1e-3 for k in known) else 1.0
