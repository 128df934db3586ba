"""How the noise of a step changes as the steps become narrower: it has to fall as the root of their
width.

Conventions: as in `steps`; whole sentences, with a space before them.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import measured

__all__ = ["said"]

#: the power of the width that the noise falls with is told to this
NEAR = 0.15


def said(job: Job, steps: Steps) -> str:
    """The power of the width of a step that its noise falls with, where it is not 1/2."""
    if job.kind == "scheduler":  # its widths depend on its own list
        return ""
    try:
        table = measured(job, job.form.finer(job.steps))
    except (CallableError, ArgumentError):
        return ""
    finer = None if table is None else steps_of(table)
    one = _noise(steps)
    if finer is None or one is None or (other := _noise(finer)) is None:
        return ""
    if finer.count <= steps.count:  # a table has no more of them
        return ""
    power = float(np.log(one / other) / np.log(finer.count / steps.count))
    counts = f"with {steps.count} steps {one:.3g} of σ, with {finer.count} steps {other:.3g}"
    if abs(power) < NEAR:
        return (
            f" The noise of a step does not become less as the steps become narrower ({counts}): a"
            " factor like √(t - t_next) is missing in front of it."
        )
    if abs(power - 1) < NEAR:
        return (
            f" The noise of a step falls as its width ({counts}), where it has to fall as the root"
            " of that: √(t - t_next) for t - t_next."
        )
    return ""


def _noise(steps: Steps) -> float | None:
    """What a step adds in the middle of the chain, in parts of the σ it ends at."""
    z = steps.coefficients.get("x_next.z")
    sigma = np.array([v.sigma for v in steps.after])
    if z is None:
        return None
    kept = (sigma > 0) & np.isfinite(z[:, 0]) & (z[:, 0] > 0)
    return float(np.median((z[:, 0] / np.where(kept, sigma, 1.0))[kept])) if np.any(kept) else None
