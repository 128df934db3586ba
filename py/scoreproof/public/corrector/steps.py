"""A kernel whose step size depends on the score and the noise, read step by step.

Conventions: a step is ``x' - x = a score(x) + b z``, with a and b of its own in each row: from
where a kernel asks its model to where it asks next, with the draw between. Drift and noise match
where ``b² = 2 a``. Where the kernel takes a step size, the limit of small ones is judged.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.corrector.affine import unwhitened
from scoreproof.public.corrector.asking import Answer, Kernel
from scoreproof.public.corrector.draws import noise_script
from scoreproof.public.corrector.refining import LEVELS, limit
from scoreproof.public.corrector.target import Target
from scoreproof.streams import stream

__all__ = ["Steps", "in_the_limit", "read_steps"]

ROWS = 12
ROUNDINGS = 32
RATIO = 4.0


@dataclass(frozen=True, eq=False)
class Steps:
    """Of k steps and n rows: coefficients ``a``, ``b`` ``(k, n)``, the part of the drift that is
    ``left``, and what rounding explains of a; scores and noises ``(k, n, d)``.
    """

    a: np.ndarray
    b: np.ndarray
    left: np.ndarray
    blur: np.ndarray
    scores: np.ndarray
    noises: np.ndarray
    answer: Answer
    moved: np.ndarray

    @property
    def unmatched(self) -> np.ndarray:
        """b²/(2 a) - 1, half of it: the relative error of the noise's size."""
        with np.errstate(all="ignore"):
            return np.asarray((self.b**2 / (2 * self.a) - 1) / 2)


def read_steps(
    kernel: Kernel,
    target: Target,
    draws: int,
    h: float | None,
    *,
    still: bool = False,
) -> Steps | None:
    """One call; ``None`` where a step cannot be told from the next. ``still``: without noise."""
    job = kernel.job
    rng = stream(job.seed, "corrector", "steps")
    state = unwhitened(target, rng.standard_normal((ROWS, job.d)))
    noise = rng.standard_normal((draws, ROWS, job.d)) * (0.0 if still else 1.0)
    answer = kernel(target, state, noise_script(job, noise), h)
    asked = [a for a in answer.asked if a.x.shape == state.shape]
    kept = [asked[0]] if asked else []
    for one in asked[1:]:
        if not np.array_equal(one.x, kept[-1].x):
            kept.append(one)
    if len(kept) != draws or draws == 0:
        return None
    places = [a.x for a in kept] + [answer.state]
    scores = np.stack([target.score(p.reshape((-1, *job.shape))).reshape(p.shape) for p in places])
    moved = np.diff(np.stack(places), axis=0)
    found = [_fit(m, s, z) for m, s, z in zip(moved, scores[:-1], noise, strict=True)]
    a, b, left, least = (np.stack(v) for v in zip(*found, strict=True))
    reach = ROUNDINGS * kernel.eps * max(float(np.max(np.abs(p))) for p in places)
    with np.errstate(all="ignore"):
        blur = reach / (np.abs(a) * least)
    return Steps(a, b, left, blur, scores[:-1], noise, answer, moved)


def _fit(
    moved: np.ndarray, score: np.ndarray, noise: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Least squares row by row."""
    a, b, left, least = [], [], [], []
    for m, s, z in zip(moved, score, noise, strict=True):
        columns = np.stack([s, z], axis=1)
        if not np.any(z):
            columns = columns[:, :1]
        solved, _, _, sizes = np.linalg.lstsq(columns, m, rcond=None)
        rest = m - columns @ solved
        a.append(solved[0])
        b.append(solved[1] if len(solved) > 1 else 0.0)
        drift = abs(solved[0]) * np.linalg.norm(s)
        left.append(np.linalg.norm(rest) / max(drift, 1e-300))
        least.append(sizes[-1])
    return np.array(a), np.array(b), np.array(left), np.array(least)


def in_the_limit(
    kernel: Kernel, target: Target, draws: int, h: float
) -> tuple[np.ndarray, np.ndarray, float, Steps] | None:
    """What does not match, and what is left of the drift, in the limit of small steps."""
    levels = [read_steps(kernel, target, draws, h / RATIO**k) for k in range(1, LEVELS + 1)]
    found = [v for v in levels if v is not None]
    if len(found) < len(levels):
        return None
    off = [np.stack([v.unmatched, v.left]).ravel() for v in found]
    blurs = [float(np.max(v.blur)) for v in found]
    if not all(np.all(np.isfinite(o)) for o in off):
        return None
    at, left = limit(off, blurs, RATIO ** -np.arange(len(off)))
    half = len(at) // 2
    return at[:half], at[half:], left, found[-1]
