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

__all__ = ["Limit", "Placed", "Steps", "in_the_limit", "read_steps"]

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


@dataclass(frozen=True, eq=False)
class Placed:
    """Where a kernel begins, and on what noise. ``still``: without; ``places``: whitened, other
    than a dozen drawn ones; ``other``: other noise; ``shocks`` ``(m, d)``: that of the last m rows.
    """

    still: bool = False
    places: np.ndarray | None = None
    other: bool = False
    shocks: np.ndarray | None = None


PLAIN = Placed()


def read_steps(
    kernel: Kernel, target: Target, draws: int, h: float | None, placed: Placed = PLAIN
) -> Steps | None:
    """One call; ``None`` where a step cannot be told from the next."""
    job = kernel.job
    rng = stream(job.seed, "corrector", "steps")
    drawn = rng.standard_normal((ROWS, job.d))
    state = unwhitened(target, drawn if placed.places is None else placed.places)
    if placed.other:
        rng = stream(job.seed, "corrector", "other noise")
    noise = rng.standard_normal((draws, len(state), job.d)) * (0.0 if placed.still else 1.0)
    if placed.shocks is not None:
        noise[:, -len(placed.shocks) :] = placed.shocks
    answer = kernel(target, state, noise_script(job, noise), h)
    asked = [a for a in answer.asked if a.x.shape == state.shape]
    kept = [asked[0]] if asked else []
    for one in asked[1:]:
        if not np.array_equal(one.x, kept[-1].x):
            kept.append(one)
    if len(kept) != draws or draws == 0:
        return None
    ways = [a.x for a in kept] + [answer.state]
    scores = np.stack([target.score(p.reshape((-1, *job.shape))).reshape(p.shape) for p in ways])
    moved = np.diff(np.stack(ways), axis=0)
    found = [_fit(m, s, z) for m, s, z in zip(moved, scores[:-1], noise, strict=True)]
    a, b, left, least = (np.stack(v) for v in zip(*found, strict=True))
    reach = ROUNDINGS * kernel.eps * max(float(np.max(np.abs(p))) for p in ways)
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


@dataclass(frozen=True, eq=False)
class Limit:
    """Of small steps, all as parts: what does not match, what is ``left`` of the drift; ``sizes``,
    the drift of a call over h · score, of each row; what is ``open`` of both (of each entry:
    ``each``) and ``loose`` in the sizes. ``noisy``: the noise differs from row to row, at however
    small a step.
    """

    unmatched: np.ndarray
    left: np.ndarray
    open: float
    sizes: np.ndarray
    loose: float
    each: np.ndarray
    finest: Steps
    noisy: bool

    def words(self) -> str:
        """``h · score(x) + √(2h) z``."""
        c = float(np.median(self.sizes))
        by = "h" if abs(c - 1) <= 1e-3 else f"{c:.4g} h"
        return f"{by} · score(x) + √(2{by if by == 'h' else f' · {by}'}) z"

    def of_rows(self) -> tuple[np.ndarray, np.ndarray]:
        """The largest deviation in each row, and what is open of it."""
        n = len(self.sizes)
        both = np.concatenate([np.abs(self.unmatched), np.abs(self.left)]).reshape(-1, n)
        return both.max(axis=0), self.each.reshape(-1, n).max(axis=0)

    @property
    def spread(self) -> np.ndarray:
        """Of the rows' sizes about their middle."""
        middle = float(np.median(self.sizes))
        return np.asarray(self.sizes / middle - 1) if middle else np.zeros_like(self.sizes)


def in_the_limit(
    kernel: Kernel,
    target: Target,
    draws: int,
    h: float,
    placed: Placed = PLAIN,
) -> Limit | None:
    """A call at each of five smaller steps."""
    found = []
    for k in range(1, LEVELS + 1):
        one = read_steps(kernel, target, draws, h / RATIO**k, placed)
        if one is None:
            return None
        found.append(one)
    off = [np.stack([v.unmatched, v.left]).ravel() for v in found]
    blurs = [float(np.max(v.blur)) for v in found]
    if not all(np.all(np.isfinite(o)) for o in off):
        return None
    nodes = RATIO ** -np.arange(len(off))
    at, left = limit(off, blurs, nodes)
    before, _ = limit(off[1:], blurs[1:], nodes[1:])
    # from its second step on a kernel is at places that are √h away
    totals = [v.a.sum(axis=0) / (h / RATIO ** (k + 1)) for k, v in enumerate(found)]
    scale = float(np.max(np.abs(totals[-1])))
    shaken = [b * scale for b in blurs]
    sizes, loose = limit(totals, shaken, nodes if draws == 1 else nodes**0.5)
    cut = found[0].a.size
    spreads = [
        float(np.max(np.abs(v.b / np.median(v.b, axis=1, keepdims=True) - 1))) for v in found
    ]
    # by other factors than √h, and by more than rounding
    noisy = spreads[-1] > max(spreads[0] / 4, 1e3 * blurs[-1])
    each = np.abs(at - before)
    return Limit(at[:cut], at[cut:], left, sizes, loose, each, found[-1], noisy)
