"""Entries of the answer that the loss does not look at, in some samples: its gradient there is
nothing for every pair that leads to x_t, and so is its second derivative.

Conventions: as in `reading`; ``(B, d)``.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.reading import Found

__all__ = ["cause_of_idle", "idle_rows", "ignored", "within_data"]


def _blur(found: Found) -> np.ndarray:
    """Of an entry of a gradient ``(B, 1)``."""
    return np.asarray(4 * (found.floor * found.size)[:, None])


def _quiet(found: Found) -> np.ndarray:
    """Entries without a gradient at the exact answer, though not for certain beside it."""
    return np.asarray(np.all(np.abs(found.gradients) <= _blur(found), axis=0))


def ignored(found: Found) -> np.ndarray:
    """Not those that rounding drowned, and not those of a sample that is wholly idle: these are
    told by its weight.
    """
    g, w = np.abs(found.gradients), np.abs(found.weights)
    blur = _blur(found)
    scale = np.max(g, axis=(0, 2))[:, None]
    idle = _quiet(found) & np.all(w * np.abs(found.step) <= blur, axis=0)
    # an error that is not small, of a sample that is trained elsewhere
    error = np.max(np.abs(found.answer - found.due), axis=0)
    error = error > 1e-3 * np.max(error, axis=1, keepdims=True)
    return np.asarray(idle & error & (scale > 1e3 * blur) & (scale > 0))


def idle_rows(found: Found) -> np.ndarray:
    """Samples without any gradient ``(B,)``."""
    return np.asarray(~np.any(found.gradients, axis=(0, 2)) & ~np.any(found.weights, axis=(0, 2)))


def within_data(found: Found) -> tuple[float, float] | None:
    """Between which x_0 the output is left as it is, if that may hold all data: they may lie
    between 0 and 1, or between ±1.
    """
    x0 = np.einsum("kb,kbd->bd", found.pairs.chance, found.inside)
    idle = _quiet(found)
    kept, beyond = x0[~idle], x0[idle]
    if not kept.size or np.any((beyond >= kept.min()) & (beyond <= kept.max())):
        return None
    above, below = beyond[beyond > kept.max()], beyond[beyond < kept.min()]
    top, bottom = np.min(above, initial=np.inf), np.max(below, initial=-np.inf)
    return (float(kept.min()), float(kept.max())) if top >= 1.0 and bottom <= 0.0 else None


def cause_of_idle(found: Found) -> tuple[str, str]:
    answer, idle = found.answer, _quiet(found)
    if np.all(answer[idle] < 0) and np.all(answer[~idle] >= 0):
        return "rectified", (
            "the output passes a relu, or is clipped at 0, before it is compared: what is below 0"
            " gets no gradient, and the targets are below 0 too; compare the output as it is"
        )
    low, high = np.max(np.abs(answer[~idle])), np.min(np.abs(answer[idle]))
    if low <= high:
        return "clipped", (
            f"the output is clipped before it is compared, at about ±{0.5 * (low + high):.2g}:"
            " beyond it there is no gradient, and the exact model goes beyond; clip what is"
            " sampled, not what is trained"
        )
    return "", (
        "is the output, or the error, clipped (clamp, relu, a mask that looks at it), or a median"
        " taken?"
    )
