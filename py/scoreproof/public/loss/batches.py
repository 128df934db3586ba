"""Whether the weight of a sample is its own: λ in batches of one time, and of other times.

Conventions: rows ``(B, d)``; λ is half the second derivative of the loss, up to one factor.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.pairs import Pairs
from scoreproof.public.loss.weights import Levels

__all__ = ["alone", "along", "shifted"]


def along(change: np.ndarray, step: np.ndarray) -> np.ndarray:
    """Of each sample, the second derivative along the step."""
    return np.asarray(np.sum(change * step, axis=-1) / np.sum(step**2, axis=-1))


def alone(
    job: Job, asking: Asking, v: Levels, rng: np.random.Generator, extra: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """λ at two times of batches in which all rows have that time, in the rows of these times; and
    which rows have none there, though they have the t of those that do.
    """
    rows, d = len(v.times), job.d
    out, idle = np.full(rows, np.nan), np.zeros(rows, bool)
    x0, noise = (rng.standard_normal((rows, d)) for _ in range(2))
    answers, step = rng.standard_normal((rows, d)), rng.standard_normal(d)
    for which in (int(np.argmin(v.times)), int(np.argmax(v.times))):
        times = np.full(rows, v.times[which])
        one, two = (
            asking.run(Given(x0, noise, extra, a, times)).gradient
            for a in (answers, answers + step)
        )
        each = along(two - one, np.broadcast_to(step, one.shape))
        out[which] = float(np.mean(each))
        if np.any(each):
            idle |= each == 0
    return out, idle


def shifted(
    asking: Asking,
    pairs: Pairs,
    extra: np.ndarray,
    answers: tuple[np.ndarray, np.ndarray],
    curvature: np.ndarray,
) -> tuple[float, np.ndarray]:
    """λ in a batch of other t over that in the first, on average: weights that are averaged over
    the batch are others if the t in it are. And which rows have none in it.
    """
    one, two = (
        asking.run(Given(pairs.x0[0], pairs.noise[0], extra, a, None, turn=1)).gradient
        for a in answers
    )
    each = along(two - one, answers[1] - answers[0])
    if asking.together:  # all rows have another t there, and its weight
        return 1.0, each == 0
    with np.errstate(all="ignore"):
        return float(np.mean(each) / np.mean(curvature[0])), each == 0
