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
) -> np.ndarray:
    """λ at two times of batches in which all rows have that time, in the rows of these times."""
    rows, d = len(v.times), job.d
    out = np.full(rows, np.nan)
    x0, noise = (rng.standard_normal((rows, d)) for _ in range(2))
    answers, step = rng.standard_normal((rows, d)), rng.standard_normal(d)
    for which in (int(np.argmin(v.times)), int(np.argmax(v.times))):
        times = np.full(rows, v.times[which])
        one, two = (
            asking.run(Given(x0, noise, extra, a, times)).gradient
            for a in (answers, answers + step)
        )
        out[which] = float(np.mean(along(two - one, np.broadcast_to(step, one.shape))))
    return out


def shifted(
    asking: Asking,
    pairs: Pairs,
    extra: np.ndarray,
    answers: tuple[np.ndarray, np.ndarray],
    curvature: np.ndarray,
) -> float:
    """Weights that are averaged over the batch are others if the t in it are."""
    one, two = (
        asking.run(Given(pairs.x0[0], pairs.noise[0], extra, a, None, turn=1)).gradient
        for a in answers
    )
    with np.errstate(all="ignore"):
        return float(np.mean(along(two - one, answers[1] - answers[0])) / np.mean(curvature[0]))
