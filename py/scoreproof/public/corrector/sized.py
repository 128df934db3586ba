"""What a row takes from its batch: the size of its step, or more than that.

Conventions: a step is a score + Σ b_j z_j, with numbers a, b_j of its own in each row where the
rest of the batch says how large it is; a kernel that mixes rows adds what is neither.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.corrector.affine import unwhitened
from scoreproof.public.corrector.asking import Kernel
from scoreproof.public.corrector.draws import noise_script
from scoreproof.public.corrector.steps import ROWS
from scoreproof.public.corrector.target import gaussian
from scoreproof.streams import stream

__all__ = ["of_the_batch"]

#: roundings of a step that are none of a fit's
ROUNDINGS = 1e4


def of_the_batch(kernel: Kernel, draws: int) -> Evidence | Diagnosis | None:
    """Undecided where only sizes come from the batch, in a way that is not read; the cause where
    something is added that is the same in all rows; ``None`` for rows that are mixed.
    """
    job = kernel.job
    if job.two or draws == 0:
        return None
    found = [_read(kernel, draws, factor) for factor in (1.0, 0.6)]
    one, other = found
    if one is None or other is None:
        return None
    if one.sizes_only and other.sizes_only:
        text = (
            f"{job.name}: the size of its step, and no more, depends on the other rows of its"
            f" batch; {draws} draws of noise are told apart where it asks its model once for"
            " each: let it measure the noise that it adds, or pass the step size"
        )
        return Evidence.undecided("float", text)
    if one.added is None or other.added is None:
        return None
    if np.max(np.abs(one.added - other.added)) > 1e-6 * np.max(np.abs(one.added)):
        return None  # a mean of the batch, say
    return Diagnosis.cause(
        "offset",
        "Cause: beside score and noise the same is added to x in all rows, which is no part of a"
        " Langevin step: the mean moves by it.",
    )


@dataclass(frozen=True, eq=False)
class _Read:
    """``added``: what is the same in all rows, where that and sizes for all are all there is."""

    sizes_only: bool
    added: np.ndarray | None


def _read(kernel: Kernel, draws: int, factor: float) -> _Read | None:
    """``None`` where it asks at more places than one."""
    job, target = kernel.job, gaussian(kernel.job.shape)
    rng = stream(job.seed, "corrector", "sizes", f"{factor:g}")
    state = unwhitened(target, factor * rng.standard_normal((ROWS, job.d)))
    noise = rng.standard_normal((draws, ROWS, job.d))
    answer = kernel(target, state, noise_script(job, noise), job.h)
    places = {a.x.tobytes() for a in answer.asked if a.x.shape == state.shape}
    if len(places) != 1:
        return None
    moved = answer.state - state
    score = target.score(state.reshape((-1, *job.shape))).reshape(state.shape)
    small = ROUNDINGS * kernel.eps * max(float(np.max(np.abs(answer.state))), 1.0)
    columns = np.stack([score, *noise], axis=2)
    rest = [
        m - c @ np.linalg.lstsq(c, m, rcond=None)[0] for m, c in zip(moved, columns, strict=True)
    ]
    sizes_only = columns.shape[2] < job.d and float(np.max(np.abs(rest))) <= small
    constant = np.tile(np.eye(job.d), (ROWS, 1))
    whole = np.concatenate([columns.reshape(-1, columns.shape[2]), constant], axis=1)
    solved = np.linalg.lstsq(whole, moved.ravel(), rcond=None)[0]
    left = float(np.max(np.abs(moved.ravel() - whole @ solved)))
    added = solved[columns.shape[2] :]
    told = left <= small and float(np.max(np.abs(added))) > 100 * small
    return _Read(sizes_only, added if told else None)
