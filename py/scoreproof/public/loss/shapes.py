"""What a loss is that is no square: an absolute value, a root, a weight that looks at the error.

Conventions: residuals r = answer - target at the exact answer, with the due target; a loss that is
no square has another minimiser than the mean wherever the targets of one x_t are not symmetric.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.reading import Found

__all__ = ["cause_of_shape"]

#: relative: gradients so near are alike
ALIKE = 1e-5
MEDIAN = (
    "its minimiser is the median of the targets of one x_t, and what samplers need is their mean:"
    " square it"
)


@np.errstate(all="ignore")
def cause_of_shape(found: Found, rounding: float) -> tuple[str, str]:
    """A name and words; both empty if none is known."""
    r, g = found.answer - found.due, found.gradients
    within = max(ALIKE, 100 * rounding)
    size = np.abs(g)
    level = size / np.max(size, axis=(0, 2), keepdims=True)
    if np.all(np.abs(level - 1) <= within) and np.all(np.sign(g) == np.sign(r)):
        return "absolute", f"the loss is the absolute error (L1): {MEDIAN}"
    norms = np.linalg.norm(g, axis=2)
    along = np.abs(np.einsum("kbd,kbd->kb", g, r)) / (norms * np.linalg.norm(r, axis=2))
    parallel = np.all(np.abs(along - 1) <= within)
    if parallel and np.all(np.abs(norms / norms[0] - 1) <= within):
        return "norm", (
            "the loss is the length of the error, not its square: its minimiser is the geometric"
            " median of the targets of one x_t, not their mean: square it"
        )
    if parallel and np.any(found.across > within):
        return "root", (
            "a root is taken of the loss of the whole batch, or the loss is divided by one of its"
            " own: the weight of a sample depends on the errors of all others"
        )
    if parallel:
        return "adaptive", (
            "the weight of a sample depends on its own error (an adaptive weight, detached or not,"
            " or the root in pseudo-Huber): samples with a large error count less, and the"
            " minimiser is no mean; let the weight depend on t alone"
        )
    if np.all(np.sign(g) == np.sign(r)):
        # elementwise: the larger the residual the smaller the part of it that counts
        part = size / np.abs(r)
        order = np.argsort(np.abs(r), axis=2)
        falls = np.diff(np.take_along_axis(part, order, axis=2), axis=2)
        if np.all(falls <= within * np.max(part)):
            return "huber", (
                "a large error counts for less than its size (Huber, smooth L1, log-cosh, or an L1"
                " term): the minimiser lies between the median and the mean of the targets of one"
                " x_t, and what samplers need is the mean: square it"
            )
    return "", ""
