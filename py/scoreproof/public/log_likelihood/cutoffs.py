"""Where a code begins or stops a little beside the ends of the time: what its cutoffs change.

Conventions: times of the clock; nats. A code that begins at t = ε has log p of x_ε, not of x_0,
which is what score_sde's eps = 1e-5 does and everybody who follows it.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.public.log_likelihood.arguments import Job
from scoreproof.public.log_likelihood.due import due_at
from scoreproof.public.log_likelihood.runs import Question, Run
from scoreproof.public.log_likelihood.spans import CUTOFF, Span

__all__ = ["as_it_runs", "cut_off", "said_of_start"]

#: of the span: nearer to an end is the end
NOTHING = 1e-9


def cut_off(job: Job, span: Span) -> Span | None:
    """The span with the ends between which the code itself goes, where they are that near to those
    that are due, and were left to it; else ``None``.
    """
    whole = CUTOFF * abs(span.end - span.start)
    said = {"times", "t", "t_min", "t_max"} & set(job.taken.positional)
    late, early = abs(span.began - span.start), abs(span.reached - span.end)
    if said or span.turned or max(late, early) > whole:
        return None
    if max(late, early) <= NOTHING * whole:
        return None
    return replace(span, start=span.began, end=span.reached)


def as_it_runs(asked: list[Question], runs: list[Run], span: Span) -> list[Run]:
    """The same answers against what is due between other ends."""
    return [
        replace(r, due=due_at(r.due.job, q.law, span, q.way, q.x))
        for q, r in zip(asked, runs, strict=True)
    ]


def said_of_start(job: Job, runs: list[Run], start: float) -> str:
    """What it makes that the code begins at ``start``; "" where that is the time of the data."""
    beside = abs(start - job.clock.data)
    if beside <= NOTHING * job.clock.span:
        return ""
    levels = [[float(v) for v in job.clock.at(t)[:2]] for t in (start, job.clock.data)]
    with np.errstate(all="ignore"):
        off = max(
            float(np.max(np.abs(r.due.law.log_density(r.due.y, *levels[0])
                                - r.due.law.log_density(r.due.y, *levels[1]))))
            for r in runs if not r.far
        )  # fmt: skip
    return (
        f"It begins at t = {start:.4g}, {beside:.3g} beside the time of the data: what comes back"
        f" is log p of x there, by up to {off:.2g} nats another than that of the data."
    )
