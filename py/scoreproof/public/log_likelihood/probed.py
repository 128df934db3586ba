"""What is wrong with a probe ν, where the trace alone does not tell.

Conventions: nats. Rows of one point differ in ν alone; of a ν that is normalised they do not change
with the size of the numbers that are drawn.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.log_likelihood.asking import Answer, Asker
from scoreproof.public.log_likelihood.probes import Design
from scoreproof.public.log_likelihood.runs import Run

__all__ = ["of_probes"]

#: of the smaller part of log p: what rows differ by, at the least
SEEN = 1e-3
SAME = 1e-9

MEAN_ZERO = (
    "what is added of ν has the mean 0, as νᵀJ alone has, or its product with another ν:"
    " multiply νᵀJ by the same ν and sum over the axes of a sample, (e_dzdx * nu).flatten(1).sum(1)"
)
UNIFORM = (
    "∫ tr(∂f/∂x) dt is a third of what is due: ν is uniform on [-1, 1], whose variance is 1/3 (take"
    " normal numbers or signs)"
)
UNIT = (
    "∫ tr(∂f/∂x) dt is 1/d of what is due: ν has length 1, ν/|ν|, where its entries are to have"
    " variance 1 (multiply by √d, or do not normalise)"
)
OR_MEAN = "; or the mean over coordinates stands where ν·Jν is a sum: use sum, not mean"


def of_probes(
    named: Diagnosis | None, asker: Asker, run: Run, scout: tuple[Answer, Design]
) -> Diagnosis | None:
    """The cause in words of ν, of a law whose points were asked first; else as it was named."""
    if named is None or named.names not in (("trace_missing",), ("trace_mean",)):
        return named
    answer, design = scout
    unit = abs(run.due.job.units.factor)
    if named.names == ("trace_mean",):
        words = UNIFORM if design.uniform and design.d == 3 else ""
        if design.drawn and not design.uniform and _steady(asker, run, answer, design):
            words = UNIT
        return Diagnosis.cause("trace_mean", f"Cause: {words}{OR_MEAN}.") if words else named
    rows = answer.values.reshape(-1, design.m) / unit
    if float(np.max(np.ptp(rows, axis=1))) > SEEN * run.gain:
        return Diagnosis.cause("trace_mean_zero", f"Cause: {MEAN_ZERO}.")
    return named


def _steady(asker: Asker, run: Run, answer: Answer, design: Design) -> bool:
    """Whether numbers four times as large change nothing."""
    points = len(answer.values) // design.m
    rows = np.repeat(run.due.y, design.m, axis=0)
    large = Design(points * design.m, design.d, scale=(4.0, 1.7))
    other = asker(run.due.law, rows, large, 0).values
    return bool(np.max(np.abs(other - answer.values)) <= SAME * (1 + np.max(np.abs(other))))
