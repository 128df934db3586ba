"""Directions of the answer that are not trained, in words, and why a loss that looks right is left
undecided.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.half import HALF
from scoreproof.public.loss.idle import ignored, within_data
from scoreproof.public.loss.metric import Metric
from scoreproof.public.loss.reading import Found

__all__ = ["clipped_data", "doubt_of", "rank_words"]

KERNELS = {
    "free of the mean": "only the mean over a sample's entries is trained, because it is taken"
    " before the square: square first",
    "free of means": "only means over {axis} are trained, because they are taken before the"
    " square: square first",
    "constant": "only differences between the entries of a sample are trained, or what is left"
    " without their mean: an error that is the same everywhere costs nothing",
    "constant inside": "only differences within a channel are trained: an error that is the same"
    " all over it costs nothing",
    "alternating inside": "fine detail is not trained (pooling, a low-pass filter): an error that"
    " changes its sign from pixel to pixel costs nothing",
    "alternating": "only means over neighbours along {axis} are trained (pooling), because"
    " they are taken before the square: square first",
}
BENT = (
    "it is a square near the exact model only: for errors, or outputs, about twice the size of the"
    " target or of data its gradient is another (Huber, a clamp of the output or of the loss); let"
    " it be a square, or see to it that nothing is as large"
)
CLIPPED = (
    "the loss clips its model's x_0: of outputs beyond {low:.2g} to {high:.2g} it has no gradient,"
    " where the exact model of wider data goes; it is right if all data lie within, which is not"
    " known here; leave the clamp to the sampler"
)
UNCLEAR = (
    "along one direction of the output the loss bends {least:.2g} times as much as along another,"
    " which rounding may make of nothing: use float64, for tables too"
)


def clipped_data(found: Found) -> str:
    """Why a loss with idle entries may yet be right; empty if it is not."""
    ends = within_data(found) if np.any(ignored(found)) else None
    return "" if ends is None else CLIPPED.format(low=ends[0], high=ends[1])


def doubt_of(found: Found, metric: Metric | None, asking: Asking) -> str:
    """Of a loss whose parts are all right; empty if there is none."""
    if asking.half:
        return HALF.format(kind=" and ".join(sorted(asking.half)))
    if found.doubtful:
        return BENT
    if metric is not None and metric.unclear:
        return UNCLEAR.format(least=metric.least)
    return ""


def rank_words(job: Job, metric: Metric) -> tuple[str, Diagnosis]:
    """Some directions of the answer are not trained."""
    many = "not all" if metric.rank is None else f"{metric.rank} of {job.d}"
    text = (
        f"the loss trains {many} directions of a sample: the exact model is one of many minimisers,"
        " which differ by what it does not look at"
    )
    kind, _, axis = metric.name.rpartition(" ")
    if not axis.isdigit():
        kind, axis = metric.name, "0"
    words = KERNELS.get(kind)
    if words is None:
        return text, Diagnosis.unknown("No known fault explains it.")
    told = words.format(axis=f"axis {int(axis) + 1}")
    return text, Diagnosis.cause("rank", f"Cause: {told}.")
