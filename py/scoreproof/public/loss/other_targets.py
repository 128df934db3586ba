"""Targets that are a sum of x_0 and ε in another way: one step back, of other pairs, with axes
exchanged.

Conventions: as in `targets`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.weights import Levels

__all__ = ["of_other_pairs", "one_step_back", "turned"]


def one_step_back(job: Job, v: Levels, x0s: np.ndarray, xt: np.ndarray) -> np.ndarray:
    """The posterior mean of one step back; of t = 0, x_0."""
    with np.errstate(all="ignore"):
        w = job.levels(np.maximum(v.times - 1, 0))
        kept = (v.alpha / w.alpha)[:, None]
        rest = (v.sigma[:, None] ** 2) - kept**2 * w.sigma[:, None] ** 2
        one = w.alpha[:, None] * rest / v.sigma[:, None] ** 2 * x0s
        mean = one + kept * w.sigma[:, None] ** 2 / v.sigma[:, None] ** 2 * xt
    return np.asarray(np.where(v.times[:, None] > 0, mean, x0s))


def of_other_pairs(found: Found) -> dict[str, np.ndarray]:
    """The target with the data, or the noise, as they were before the loss paired them anew."""
    v, handed, met = found.v, found.given, found.pairs
    words = "the samples are paired anew in x_t, and in the target {what} not: take both from the"
    words += " same pairs"
    before = {
        "x_0 is": (handed.x0, met.noise),
        "the noise is": (met.x0, handed.noise),
    }
    return {
        words.format(what=what): np.stack([v.target(x, e) for x, e in zip(*both, strict=True)])
        for what, both in before.items()
    }


def turned(job: Job, found: Found) -> dict[str, np.ndarray]:
    """The target with its axes in another order, or an axis backwards."""
    due, shape = found.due, job.shape
    whole = due.reshape(*due.shape[:2], *shape)
    out = {}
    for axis in range(len(shape)):
        words = f"the target is flipped along axis {axis + 1}, and x_t is not"
        out[words] = np.flip(whole, axis + 2).reshape(due.shape)
    if len(shape) > 1:
        order = (*range(whole.ndim - 2), whole.ndim - 1, whole.ndim - 2)
        words = "the last two axes of the target are exchanged, and those of x_t are not"
        out[words] = whole.transpose(order).reshape(due.shape)
        last = np.moveaxis(whole, 2, -1).reshape(due.shape)
        out["the target has its channels last, and is read as if they were first"] = last
        first = due.reshape(*due.shape[:2], *shape[1:], shape[0])
        words = "the target is read as if its channels were last, and they are first"
        out[words] = np.moveaxis(first, -1, 2).reshape(due.shape)
    return out
