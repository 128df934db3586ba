"""What is said of a loss that pairs its batch anew: what was looked at, what is wrong, what is in
doubt.

Conventions: as in `coupled`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.coupled import Coupling
from scoreproof.public.loss.pairing import rows_of
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.shapes import cause_of_shape

__all__ = [
    "bent_and_coupled",
    "by_entries",
    "coupling_doubt",
    "coupling_seen",
    "coupling_words",
    "paired_otherwise",
]

#: what is an average of velocities, whatever the coupling
FLOWS = ("flow", "velocity")
#: of the size of x_t: what is left of an entry that is made of two
LEFT = 1e-10


def coupling_seen(coupling: Coupling) -> str:
    """For the coverage."""
    if not coupling.by_value:
        return (
            "it shuffles the batch, in x_t and in the target alike; labels that go with samples are"
            " not looked at"
        )
    text = (
        "data and noise are paired anew within the batch, and x_t and the target were judged by"
        " these pairs: the field is that of this coupling; the score, and labels that go with"
        " samples, are not looked at"
    )
    if coupling.keeps:
        return f"{text}; each sample of both is in one pair, so that both laws are kept"
    return f"{text}; pairs are drawn, and whether all have the same chance is not looked at"


def coupling_words(job: Job, coupling: Coupling) -> tuple[str, Diagnosis | None] | None:
    """A sentence and its cause, where the pairs are wrong ones for what is trained."""
    if not coupling.by_value:
        return None
    if not coupling.keeps and not coupling.drawn:
        data, noise = coupling.repeats
        what, count = ("the noise", noise) if noise >= data else ("x_0", data)
        text = (
            f"of the {len(coupling.rows[0][0])} samples of {what} {count} are in no x_t, and others"
            f" are in several: in the pairs, {what} has another law than what the loss was given"
        )
        cause = (
            "Cause: each sample is given its nearest, or best, partner (argmin, argmax), which"
            " others may have too: take a permutation (linear_sum_assignment), or draw pairs from"
            " a plan with both marginals"
        )
        return text, Diagnosis.cause("repeated", f"{cause}.")
    if job.prediction == "score":
        text = (
            "data and noise are paired by their values within the batch: given x_t, -ε/σ is not"
            " the score on average"
        )
        cause = (
            "Cause: the score is E[-ε/σ | x_t] where ε is independent of x_0: do not pair"
            " samples by their values, or train a velocity"
        )
        return text, Diagnosis.cause("coupled", f"{cause}.")
    return None


def coupling_doubt(job: Job, coupling: Coupling) -> str:
    """Why a loss is left undecided whose pairs are what its target is of; empty if it is not."""
    if not coupling.by_value:
        return ""
    if not coupling.keeps and not coupling.apart:
        return (
            "it draws pairs of data and noise in which one sample has several partners (a Sinkhorn"
            " plan): x_t and the target are of the same pairs, but whether the plan has both"
            " marginals cannot be seen in a batch; see that its rows and columns have the same"
            " sums, and pass the loss with an exact assignment, or without pairing, to be decided"
        )
    if job.prediction not in FLOWS:
        return (
            "it pairs data and noise by their values within the batch: x_t and the target are of"
            " the same pairs, but E[ε | x_t] is -σ times the score for independent pairs alone;"
            " the model is right for ODE samplers, and not for samplers with noise: say"
            " prediction='flow' or 'velocity' where it is a velocity, or pass the loss without"
            " pairing"
        )
    return ""


def bent_and_coupled(found: Found) -> str | None:
    """Why the minimiser of a loss that is no square is not told."""
    if found.coupling is None or found.straight or cause_of_shape(found, found.eps)[0]:
        return None
    return (
        "it pairs data and noise anew within the batch, and is no square in its model's answer: no"
        " two pairs lead to one x_t, over which its gradient could be averaged; pass the loss"
        " without pairing"
    )


def by_entries(job: Job, found: Found) -> str | None:
    """Why an x_t is not told of which every entry is made of another pair of samples."""
    v, x = found.v, found.runs[0].asked.x
    x0, noise = found.inside[0], found.pairs.noise[0]
    limit = max(LEFT, 64 * found.eps) * (np.max(np.abs(x)) + 1)
    mixed = 0
    for b, row in enumerate(x):
        made = v.alpha[b] * x0[:, None, :] + v.sigma[b] * noise[None, :, :]
        close = np.abs(row - made) <= limit
        if not np.all(np.any(close, axis=(0, 1))):
            return None
        mixed += not np.any(np.all(close, axis=2))
    if not mixed:
        return None
    return (
        "it pairs each coordinate by itself within the batch (sort along axis 0): of data with one"
        f" coordinate that is a coupling, and of the {job.d} here it makes other data of them; sort"
        " whole samples (x_0[order]), or pass the loss without pairing"
    )


def paired_otherwise(x: np.ndarray, x0: np.ndarray, noise: np.ndarray, eps: float) -> str:
    """Which samples are in x_t where the target is of the samples in their own rows."""
    rows = rows_of(x, x0, noise, eps)
    if rows is None:
        return ""
    own = np.arange(len(x))
    others = [w for w, r in zip(("x_0", "noise"), rows, strict=True) if not np.array_equal(r, own)]
    return (
        f"x_t has the {' and the '.join(others)} of other samples of the batch, and the target has"
        " not (are they paired anew, or shuffled?): make both of the same pairs"
        if others
        else ""
    )
