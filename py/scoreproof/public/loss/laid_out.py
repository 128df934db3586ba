"""x_t whose α and σ lie along another axis than the batch, or of which entries are masked.

Conventions: rows are flat ``(B, d)``; an axis of a sample can take numbers of ``(B,)`` only if it
is as long as the batch.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.weights import Levels

__all__ = ["clean_entries", "laid_out", "masked"]


def laid_out(
    shape: tuple[int, ...],
    v: Levels,
    x: np.ndarray,
    x0: np.ndarray,
    noise: np.ndarray,
    fine: np.ndarray,
) -> str:
    """Words; empty if the factors are those of the rows, or of nothing known."""
    rows = len(x)
    own_a, own_s = v.alpha[:, None], v.sigma[:, None]
    for axis, size in enumerate(shape):
        if size != rows:
            continue
        view = [1] * len(shape)
        view[axis] = rows
        a, s = (np.broadcast_to(c.reshape(view), shape).reshape(1, -1) for c in (v.alpha, v.sigma))
        for p, q in ((a, s), (own_a, s), (a, own_s)):
            made = p * x0 + q * noise
            if np.max(np.abs(x - own_a * x0 - own_s * noise)) > np.max(fine) and np.all(
                np.abs(x - made) <= fine
            ):
                return (
                    f"α and σ of ({rows},) go along axis {axis + 1} of {(rows, *shape)}, which is"
                    " as long as the batch, and not along the batch: reshape them to"
                    f" ({', '.join(['-1', *['1'] * len(shape)])})"
                )
    return ""


def masked(x: np.ndarray, due: np.ndarray, fine: np.ndarray) -> str:
    """Words; empty unless some entries are 0 in every sample, and the others what is due."""
    gone = np.all(x == 0, axis=0)
    right = np.all(np.abs(x - due) <= fine, axis=0)
    if not np.any(gone) or not np.all(gone | right):
        return ""
    return (
        f"{int(gone.sum())} of the {gone.size} entries of x_t are 0 in every sample (a mask): the"
        " model does not see there what it is trained on; mask the loss, or pass what is kept as"
        " further channels"
    )


def clean_entries(x: np.ndarray, due: np.ndarray, x0: np.ndarray, fine: np.ndarray) -> str | None:
    """Why an x_t is not judged of which some entries are the data as they are, in every sample, and
    the others what is due; ``None`` if that is not so.
    """
    right = np.all(np.abs(x - due) <= fine, axis=0)
    clean = np.all(np.abs(x - x0) <= fine, axis=0) & ~right
    if not np.any(clean) or not np.any(right) or not np.all(clean | right):
        return None
    return (
        f"{int(clean.sum())} of the {clean.size} entries of x_t are the data as they are, in every"
        " sample (inpainting: a condition): x_t is not α x_0 + σ ε there, and what is trained"
        " elsewhere is not judged with it; pass the loss with no entry kept"
    )
