"""What was looked at of a loss, and what was not."""

from __future__ import annotations

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.coupled_words import coupling_seen
from scoreproof.public.loss.metric import Metric
from scoreproof.public.loss.reading import Found

__all__ = ["coverage"]


def coverage(job: Job, found: Found, metric: Metric | None) -> Coverage:
    """Times and pairs; the ends of a table whose t are drawn by a law that was not read."""
    times = found.v.times
    most = float(np.max(np.abs(found.pairs.x)))
    span = (
        f"t from {times.min():.4g} to {times.max():.4g}, three pairs of data and noise at each,"
        f" |x_t| up to {most:.3g}"
    )
    if found.coupling is not None:
        span += f"; {coupling_seen(found.coupling)}"
    if job.draws_times:
        span += ", the t that it draws, but for 3 % at each end of its law"
    if metric is not None and metric.rank is None:
        span += f"; of the {job.d} directions of a sample a dozen that means and filters drop"
    if job.weight is None:
        span += "; the weight is read, and not compared"
    if job.learned_variance:
        span += "; the outputs of a learned variance are not looked at"
    asked = {"times": len(np.unique(times)), "pairs": 3 * len(times)}
    left: tuple[Omission, ...] = ()
    if job.draws_times and job.process.steps is not None and not _ends_known(found):
        ends = {0, job.process.steps - 1}
        unseen = sorted(ends - set(np.round(times).astype(int).tolist()))
        if unseen:
            one = len(unseen) == 1
            where = f"the end{'' if one else 's'} t = {' and '.join(map(str, unseen))} of the table"
            why = f"for the law of t was not read: {'it' if one else 'they'} may never be drawn"
            asked["times"] += len(unseen)
            left = (Omission("times", len(unseen), why, where, wished=True),)
    return Coverage(asked, left, span)


def _ends_known(found: Found) -> bool:
    """Whether the law of t says from where to where it is drawn."""
    return found.law is not None and found.law.low is not None
