"""The times that a loss is first asked at, and why those that it draws cannot be told.

Conventions: ``(B,)``.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.rows import Run

__all__ = ["times_chosen", "untold"]


def times_chosen(job: Job, rng: np.random.Generator) -> np.ndarray | None:
    """Times of the rows, in disorder; of a table, whole numbers."""
    if job.draws_times:
        return None
    times = job.process.times(job.rows) if job.times is None else job.times
    times = np.resize(times, job.rows) if len(times) <= job.rows else times[: job.rows]
    return np.asarray(rng.permutation(times))


def untold(probe: Run) -> str:
    if not probe.served.noises:
        return (
            "it asks its model at an x of which neither t nor the noise can be told: it draws no"
            " normal noise of the shape of the data; let it take the noise as an argument"
        )
    return (
        "the t that it draws can be told neither from what its model is told nor from x_t; let it"
        " take t as an argument: loss(model, x0, t)"
    )
