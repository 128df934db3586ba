"""What a trip that does not lead back is, in words."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from scoreproof.public.inversion.asking import Trip
from scoreproof.public.sampler.words import deviations
from scoreproof.words import listed

__all__ = ["coordinate", "diverges", "trend"]

#: an error that is no size any more, in standard deviations
HUGE = 1e4


def trend(trips: Sequence[Trip], sizes: Sequence[float], whole: str = "") -> str:
    """``with 50, 100, 200 steps 1.9 %, 1.6 %, 1.5 %``; ``whole``: what the percent are of."""
    steps = listed((t.steps[1] for t in trips), 8)
    return f"with {steps} steps {deviations(sizes, whole)}"


def diverges(trips: Sequence[Trip], errors: Callable[[Trip], np.ndarray]) -> str:
    """That x runs off to infinity as the steps become more; empty where it does not."""
    sizes = [float(np.nan_to_num(np.abs(errors(t)).max(), nan=np.inf)) for t in trips]
    if not sizes[-1] > max(HUGE, 10 * sizes[-2]):
        return ""
    first = next(t.steps[1] for t, size in zip(trips, sizes, strict=True) if size > HUGE)
    return (
        "it diverges, the faster the more steps there are (with"
        f" {first} steps it is already off by more than {HUGE:,.0f} times the standard deviation)"
    )


def coordinate(i: int, shape: tuple[int, ...]) -> str:
    """`` in coordinate (0, 1)``; empty where there is one."""
    if int(np.prod(shape)) == 1:
        return ""
    place = tuple(int(k) for k in np.unravel_index(i, shape))
    return f" in coordinate {place if len(shape) > 1 else i}"
