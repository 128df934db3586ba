"""What a trip that does not lead back is, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.public.inversion.asking import Trip
from scoreproof.public.sampler.words import deviations
from scoreproof.words import listed

__all__ = ["coordinate", "trend"]


def trend(trips: Sequence[Trip], sizes: Sequence[float], whole: str = "") -> str:
    """``with 50, 100, 200 steps 1.9 %, 1.6 %, 1.5 %``; ``whole``: what the percent are of."""
    steps = listed((t.steps[1] for t in trips), 8)
    return f"with {steps} steps {deviations(sizes, whole)}"


def coordinate(i: int, shape: tuple[int, ...]) -> str:
    """`` in coordinate (0, 1)``; empty where there is one."""
    if int(np.prod(shape)) == 1:
        return ""
    place = tuple(int(k) for k in np.unravel_index(i, shape))
    return f" in coordinate {place if len(shape) > 1 else i}"
