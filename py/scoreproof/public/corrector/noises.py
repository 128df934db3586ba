"""Causes in the noise alone: of kernels that are exact or wrong, and noise that is used twice.

Conventions: as in `affine` and `causes`; an affine kernel keeps N(0, I) where A Aᵀ + B Bᵀ = I.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.corrector.affine import Affine
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.matrices import SAME, Step, alike, told
from scoreproof.public.corrector.refining import Sequence

__all__ = ["exact", "reused"]


def exact(one: Affine) -> Diagnosis | None:
    """Of a kernel without a step size: what its noise is, beside what keeps p_t."""
    size = len(one.shift)
    due = np.eye(size) - one.matrix @ one.matrix.T
    if alike(one.covariance, due):
        if np.max(np.abs(one.shift)) <= SAME:
            return None
        return told(
            "offset",
            "the covariance is kept, and the mean is not: it is to move x - mean, or to add what"
            " leaves the mean where it is",
        )
    c = float(np.trace(one.covariance) / np.trace(due)) if np.trace(due) > SAME else 0.0
    if c > 0 and alike(one.covariance, c * due):
        return told(
            "noise_size",
            f"the noise has {c:.4g} times the covariance that keeps p_t beside its drift: cov -"
            " A cov Aᵀ for x' - mean = A (x - mean) + noise",
        )
    return None


def reused(job: Job, seen: Sequence, step: Step) -> Diagnosis | None:
    """One draw, in each of n steps x + a score(x) + √(2a) z: from one place where the model is
    asked to the next x moves by the same but for a times the change of the score.
    """
    one = seen.finest
    places: list[np.ndarray] = []
    for asked in one.answer.asked:
        if not places or not np.array_equal(asked.x, places[-1]):
            places.append(asked.x)
    n = len(places)
    shape = one.answer.state.shape
    if one.noise.shape[1] != job.d or n < 2 or any(p.shape != shape for p in places):
        return None
    if abs(step.q / (2 * n * step.a) - 1) > SAME:
        return None
    places.append(one.answer.state)
    moved = np.diff(np.stack(places), axis=0)
    scores = [one.target.score(p.reshape((-1, *job.shape))).reshape(shape) for p in places[:-1]]
    changes, bent = np.diff(moved, axis=0), np.diff(np.stack(scores), axis=0)
    a = step.a / n
    # one step's bias is a part a / width² of it
    if not np.max(np.abs(changes - a * bent)) <= 0.1 * np.max(np.abs(a * bent)):
        return None
    return told(
        "noise_reused",
        f"the noise is drawn once and used in each of its {n} steps, so that its variance is"
        f" {n} times what goes with that drift: draw it anew in each",
    )
