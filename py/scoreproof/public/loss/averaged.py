"""Weights that are averaged over the batch: every sample gets the mean of all, and its own t counts
no more.

Conventions: as in `reading`; λ is compared with that in batches of one t, or of other t.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.limits import weight_bound
from scoreproof.public.loss.matched import constant
from scoreproof.public.loss.reading import Found

__all__ = ["AVERAGED", "averaged", "of_the_batch"]

AVERAGED = (
    "the weights are averaged over the batch before they multiply the errors: every sample gets"
    " the mean weight ((B, 1, 1, 1) met (B,), or a mean was taken too early): multiply sample"
    " by sample, then take the mean"
)


def averaged(found: Found, due: np.ndarray, uniform: bool) -> str:
    """Whether batches of one time, or of other times, have other weights than the first."""
    if not uniform:
        return ""
    mixed = False
    if found.alone is not None:
        at = np.flatnonzero(np.isfinite(found.alone))
        ratio = found.alone[at] / due[at]
        asks = len(at) == 2 and abs(due[at[0]] / due[at[1]] - 1) > 0.01
        mixed = asks and abs(ratio[0] / ratio[1] - 1) <= 1e-3
    elif found.shifted is not None:
        mixed = abs(found.shifted - 1) > 1e-6 + 100 * float(np.max(weight_bound(found)))
    if not mixed:
        return ""
    return AVERAGED


def of_the_batch(found: Found) -> str:
    """How λ depends on the t of the other samples, where it does not on a sample's own; else
    empty.
    """
    blur = weight_bound(found)
    if not found.straight or found.near or np.max(blur) > 0.01:
        return ""
    if constant(found.weight, 4 * blur) is None:
        return ""
    least = 16 * float(np.mean(blur))
    if found.alone is not None:
        at = np.flatnonzero(np.isfinite(found.alone))
        if len(at) == 2 and np.all(found.alone[at] > 0):
            ratio = float(found.alone[at[0]] / found.alone[at[1]])
            one, other = (f"t = {found.v.times[k]:.4g}" for k in at)
            told = f"in batches of one t it is {ratio:.4g} times as large at {one} as at {other}"
            return told if abs(ratio - 1) > max(0.01, least) else ""
    elif found.shifted is not None and abs(found.shifted - 1) > 1e-6 + least:
        return f"in another batch it is {found.shifted:.4g} times as large, for all"
    return ""
