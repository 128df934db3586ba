"""Why log p has no limit as its ODE is solved more finely.

Conventions: nats; a refinement doubles the steps, so that a sum without its dt doubles as well.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.log_likelihood.runs import Run

__all__ = ["of_growth"]

#: of what a refinement adds, what traces may leave
LEFT = 0.1


def of_growth(runs: Sequence[Run]) -> Diagnosis | None:
    """``None`` where it has one."""
    grown = [r for r in runs if r.growth is not None and not r.far]
    if not grown:
        return None
    added = np.concatenate([r.growth for r in grown if r.growth is not None])
    trace = np.concatenate([r.due.trace for r in grown])
    c = float(added @ trace) / float(trace @ trace)
    if np.max(np.abs(added - c * trace)) <= LEFT * np.max(np.abs(added)):
        return Diagnosis.cause(
            "trace_no_dt",
            "Cause: what is summed of tr(∂f/∂x) lacks its dt, so that it grows with the number of"
            " steps: add tr(∂f/∂x) dt in each step.",
        )
    return Diagnosis.unknown(
        "It runs away as the steps get finer: look for a dt that is missing in a step of x, or of"
        " the sum."
    )
