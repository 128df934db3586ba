"""A loss that is a square near the exact model, and no longer far from it: an x_0 that is clipped
where no data are, whose weight is read near by.

Conventions: as in `reading`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.batches import along
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.limits import across_bound, off_bound
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.rows import Run

__all__ = ["nearer"]

#: of the step that other losses are asked at, and of what it makes of x_0
PART, OF_X0 = 2.0**-5, 2.0**-5
#: how many steps of the size of a target, or of data, errors and outputs may well be away
AWAY = 2.0


def nearer(job: Job, asking: Asking, found: Found) -> Found:
    """The same with smaller steps, if the loss would be accepted and is bent beyond them."""
    if found.straight:
        return found
    with np.errstate(all="ignore"):
        good = np.all(found.off <= off_bound(found)) and np.all(found.across <= across_bound(found))
        slope = np.maximum(found.v.slope() * found.size, 1e-300)
    if not good:
        return found
    part = np.minimum(PART, OF_X0 / slope)
    step = found.step * part[:, None]
    times = None if job.draws_times else found.v.times
    pairs = found.given

    def ask(k: int, answers: np.ndarray) -> Run:
        return asking.run(Given(pairs.x0[k], pairs.noise[k], found.extra, answers, times))

    moved = np.stack([ask(k, found.answer + step).gradient for k in range(len(pairs.x0))])
    third = ask(0, found.answer + 2 * step).gradient
    change = moved - found.gradients
    curvature = along(change, step)
    with np.errstate(all="ignore"):
        unit = np.sqrt(np.mean(change[0] ** 2, axis=-1))
        bend = np.sqrt(np.mean((third - 2 * moved[0] + found.gradients[0]) ** 2, axis=-1)) / unit
        level = curvature[:, :, None]
        targets = found.answer - found.gradients / np.where(level != 0, level, np.nan)
    again = replace(
        found,
        step=step,
        weights=change / step,
        curvature=curvature,
        targets=targets,
        bend=np.where(unit > 0, bend, np.inf),
        blur=(found.blur + found.eps) / part,
        near=True,
    )
    if not again.straight:
        return found
    far = AWAY * np.minimum(1.0, 1.0 / slope) / part
    change = ask(0, found.answer + far[:, None] * step).gradient - found.gradients[0]
    with np.errstate(all="ignore"):
        bend = np.max(np.abs(change / far[:, None] - again.weights[0] * step), axis=1) / unit
    return replace(again, doubtful=bool(np.any(bend > 1e-3)))
