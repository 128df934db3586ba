"""Samplers that take the width of all their steps from the first two times: right where all gaps
are alike, so that they are judged on grids whose gaps stay alike.
"""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.asking import passed
from scoreproof.public.sampler.batch import Three
from scoreproof.public.sampler.data import gaussian
from scoreproof.public.sampler.functions import WholeForm
from scoreproof.public.sampler.grid import Grid

__all__ = ["SAID", "alike"]

SAID = (
    "What it returns does not change with its last time: it takes the width of its steps from"
    " others, which is right as long as all of them are alike. It was judged on such grids."
)


class _Fixed(Grid):
    """The times of one run, as they are."""

    def times(self, n: int) -> list[float]:
        """All of them."""
        return list(self.base)


def alike(job: Job) -> Job | None:
    """The same with gaps that stay alike, if it does not use its last time although it takes all
    of its steps.
    """
    form = job.form
    if not isinstance(form, WholeForm) or (grid := form.grid.straightened()) is None:
        return None
    times = form.grid.times(job.steps)
    moved = [*times[:-1], times[-1] + (times[-2] - times[-1]) / 3]
    (end, calls), (other, _), (_, fewer) = (_run(job, t) for t in (times, moved, times[1:]))
    taken = -(-calls // max(calls - fewer, 1))
    if not np.array_equal(end, other) or taken < len(times) - 1:
        return None
    return replace(job, form=replace(form, grid=grid))


def _run(job: Job, times: list[float]) -> tuple[np.ndarray, int]:
    """What becomes of x, and how often the model is asked."""
    form = copy(job.form)
    form.grid = _Fixed(tuple(times), job.form.grid.whole)
    three: Any = Three(job.shape, job.seed, False)
    tape, law = passed(form, job.steps, gaussian(int(np.prod(job.shape))), three)
    return law.mean, tape.calls
