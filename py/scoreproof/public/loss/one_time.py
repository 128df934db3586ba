"""Losses that draw one t for the whole batch: their rows are asked one by one, and all together.

Conventions: as in `reading`. A batch of one has another t each; what goes from row to row, a target
of another sample or a mean over the batch, is seen in the whole batch alone.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.pairing import PAIRED
from scoreproof.public.loss.rows import Run
from scoreproof.public.loss.times import times_of

__all__ = ["times_drawn", "with_the_whole_batch"]

NOTE = "It draws one t for the whole batch: rows were asked one by one, and once all together"


def times_drawn(
    job: Job, asking: Asking, start: Given, x0: np.ndarray
) -> tuple[Run, np.ndarray | None]:
    """A run of a loss that draws its t, and the t of each row; of one for all, row by row; ``x0``:
    the data as the loss has them.
    """
    run = asking.run(start)
    times = times_of(job, run, x0, start.noise)
    if asking.together or times is None or np.ptp(times) > 0 or not run.served.single:
        return run, times
    asking.apart = True
    run = asking.run(start)
    return run, times_of(job, run, x0, start.noise)


def with_the_whole_batch(apart: Evidence, whole: Evidence) -> Evidence:
    """The verdict of rows that were asked one by one, and of the batch at one of its t."""
    if whole.verdict == "refuted" or (whole.verdict == "undecided" and apart.verdict == "holds"):
        return whole
    # alone, a row meets no other
    paired = [n for n in whole.notes if n == PAIRED and n not in apart.notes]
    return replace(apart, notes=(*apart.notes, *paired, f"{NOTE}."))
