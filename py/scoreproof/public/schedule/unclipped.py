"""A table that was made of β before those were clipped, in its place or shifted by one.

Conventions: the steps of its ᾱ are 1 - β, but where β is at the smallest or the largest of all:
there they lie beyond.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.schedule.reading import READERS
from scoreproof.public.schedule.shapes import span
from scoreproof.public.schedule.tables import Base

__all__ = ["unclipped"]

#: the part of the steps that has to agree
MOST = 0.5


def unclipped(name: str, values: np.ndarray, base: Base, allowed: np.ndarray) -> str:
    """A clause after "it is …", empty if it is no such table.

    >>> raw = np.append(np.linspace(0.01, 0.5, 11), 0.9)
    >>> base = Base(np.minimum(raw, 0.45), np.cumprod(1 - np.minimum(raw, 0.45)), 1e-16)
    >>> unclipped("alphas_cumprod", np.cumprod(1 - raw), base, np.full(12, 1e-6))
    'it is made of β before they were clipped (from entry 9 on)'
    """
    if name not in READERS or name == "alphas" or len(values) < 4:
        return ""
    with np.errstate(all="ignore"):
        bar = READERS[name](values)
        steps = bar[1:] / bar[:-1]
    alphas = 1 - base.betas
    for own, shift in ((np.append(bar[0], steps), 0), (np.append(steps, np.nan), 1)):
        if shift and abs(bar[0] - 1) > allowed[0]:
            continue
        seen = np.isfinite(own)
        same = np.abs(own - alphas) <= allowed * np.abs(alphas)
        off = seen & ~same
        low, high = alphas == alphas.min(), alphas == alphas.max()
        beyond = (low & (own < alphas)) | (high & (own > alphas))
        if np.sum(off) < 2 or np.any(off & ~beyond) or np.mean(same[seen]) < MOST:
            continue
        which = f"it is made of β before they were clipped ({span(off)})"
        return (
            f"it is shifted by one (entry t holds that of t - 1), and {which}" if shift else which
        )
    return ""
