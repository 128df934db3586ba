"""What a loss does not train: times, entries, samples of the batch, or anything at all.

Conventions: as in `words`; a cause is a name and words.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.reading import Found

__all__ = ["of_nothing", "untrained"]

LEFT_OUT = (
    "some samples of the batch are left out (an index or a slice of the batch, a median, a largest"
    " or smallest loss, a clamp of it): take the mean over all of them"
)


def untrained(found: Found, trained: np.ndarray) -> tuple[str, tuple[str, str]]:
    """A sentence and its cause."""
    v, weight = found.v, found.weight
    wrong = ~trained
    k = int(np.argmin(weight))
    if weight[k] < -1e-9 * np.max(weight):
        text = f"the weight is below 0 at t = {v.times[k]:.4g}, where the loss pushes away from it"
        return text, (
            "negative",
            f"the weight is {weight[k]:.3g} at t = {v.times[k]:.4g}; a weight must be > 0",
        )
    each = np.max(np.abs(found.weights), axis=(0, 1))
    if np.all(weight > 1e-30 * np.max(weight)):
        none = each <= 1e-30 * np.max(each)
        text = f"the loss does not train {int(none.sum())} of the {none.size} entries of a sample"
        return text, (
            "entries",
            "the errors of some entries do not enter the loss (a mask, a slice of the channels,"
            " zip or broadcasting of unequal shapes): sum over all of them",
        )
    left = found.left_out
    if left is not None and np.array_equal(left, wrong):
        text = (
            f"{int(wrong.sum())} of the {wrong.size} samples of a batch get no gradient, whatever"
            " their t"
        )
        return text, ("rows", LEFT_OUT)
    if left is not None and found.alone is not None and np.any(left):  # which ones changes
        text = (
            f"{int(wrong.sum())} of the {wrong.size} samples of a batch get no gradient, and some"
            " get none in a batch of one t in which others do"
        )
        return text, ("rows", LEFT_OUT)
    times = ", ".join(f"{t:.4g}" for t in np.sort(v.times[wrong])[:4])
    count = f"{int(wrong.sum())} of {wrong.size}"
    text = f"the loss does not train the model at {count} times (t = {times})"
    return text, (
        "zero",
        f"the weight is 0 at t = {v.times[k]:.4g}: leave such t out of what"
        " is drawn, or give them a weight",
    )


def of_nothing(found: Found, learned: bool) -> tuple[str, str]:
    if np.all(found.weight < -1e-30 * np.max(np.abs(found.weight), initial=1e-300)):
        return "sign", "the sign of the loss is wrong: it is largest at the target"
    none = found.runs[0].calls[-1].gradient is not None and not np.any(found.gradients)
    if none and learned:
        return "unused", (
            "the part of the model's output that is its mean gets no gradient (of a model with a"
            " learned variance the first half of the channels is the mean)"
        )
    if none:
        return "nothing", (
            "the gradient in the model's output is 0 everywhere: the loss, or its weight, is"
            " multiplied by 0, or what is compared is not the output"
        )
    return "", ""
