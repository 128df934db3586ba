"""The order that a caller asks for: by which power of the step x comes back.

Conventions: as in `trips`.
"""

from __future__ import annotations

from dataclasses import replace

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.inversion import words
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.trips import Trips, off_home, sizes_of
from scoreproof.public.rule import settled

__all__ = ["in_order"]

#: as in the verdict of `check_sampler`
SHORT = 0.3


def in_order(job: Job, trips: Trips, order: float) -> Evidence | None:
    """Whether it comes back as fast as was asked for."""
    if job.order is None:
        return None
    text = (
        f"{job.name}: x comes back with the power {order:.2f} of the step, asked for is"
        f" {job.order:g} ({words.trend(trips.made[-3:], sizes_of(trips.made[-3:], off_home))})"
    )
    evidence = Evidence.measured(max(0.0, job.order - order), SHORT, text, kind="convergent")
    if evidence.verdict == "refuted":
        evidence = replace(
            evidence, sentence=f"{text}: it comes back with order {max(0, round(order))}"
        )
    return settled(evidence, resolution=0.0, coverage=Coverage({"trips": len(trips.made)}))
