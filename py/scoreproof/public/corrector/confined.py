"""Whether a kernel keeps x inside a box: what is clamped after the step.

Conventions: the box is the same in every coordinate, ``[low, high]``; an end may be infinite.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import norm

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.corrector.asking import Kernel, zeros
from scoreproof.public.corrector.target import Target

__all__ = ["confined"]

#: standard deviations: no step that is not clamped comes back from there to one value
FAR = 1e4
#: a mass outside that no run of a chain would show
LEAST = 1e-9


def confined(kernel: Kernel, target: Target, seen: Coverage) -> Evidence | None:
    """Refuted where x never leaves a box and the target does."""
    box = _box(kernel, target)
    if box is None:
        return None
    low, high = box
    widths = np.sqrt(np.diag(target.covariance))
    mean = np.ravel(target.mean)
    outside = norm.cdf((low - mean) / widths) + norm.sf((high - mean) / widths)
    share = float(np.max(outside))
    if share <= LEAST:
        return None
    ends = [f"below {low:.6g}"] * (low > -np.inf) + [f"above {high:.6g}"] * (high < np.inf)
    where = " or ".join(ends)
    text = (
        f"{kernel.job.name}: x is never {where}, it comes back there from {FAR:g} standard"
        f" deviations away; p_t has {share:.3g} of its mass there in one coordinate, which is lost"
    )
    cause = Diagnosis.cause(
        "x_clipped",
        f"Cause: x itself is clipped, to [{low:.6g}, {high:.6g}]: p_t is not. Clip the prediction"
        " of x_0, or the sample at the end of sampling.",
    )
    return Evidence("float", "refuted", share, 0.0, text, diagnosis=cause, coverage=seen)


def _box(kernel: Kernel, target: Target) -> tuple[float, float] | None:
    """The ends that all coordinates come back to, from either side or from one."""
    widths = np.sqrt(np.diag(target.covariance))
    mean = np.ravel(target.mean)
    ends = np.stack([mean - FAR * widths, mean + FAR * widths])
    if kernel.job.two:
        return None
    try:
        out = kernel(target, ends, zeros, kernel.job.h).state
    except CallableError:
        return None
    near = FAR * float(np.min(widths)) / 10
    low, high = (
        float(side[0]) if np.all(side == side[0]) and abs(side[0]) < near else end
        for side, end in zip(out, (-np.inf, np.inf), strict=True)
    )
    return (low, high) if low < high and (low, high) != (-np.inf, np.inf) else None
