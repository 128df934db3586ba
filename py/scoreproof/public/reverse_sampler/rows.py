"""Are the rows of a batch apart? A step must use the noise it is given, each row its own.

Conventions: one call with a batch, then calls in which a single row has another noise or another
point.
"""

from __future__ import annotations

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_step
from scoreproof.public.reverse_sampler.places import coarse, points_at
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.streams import stream

__all__ = ["insist_on_given_noise", "rows_apart"]

ROWS = 5


def _batch(
    job: Job, target: Diffused, t: float
) -> tuple[np.ndarray, np.ndarray, np.random.Generator]:
    rng = stream(job.seed, "check_reverse_sampler", "rows", str(t))
    return (
        points_at(target, t, rng, ROWS, 0),
        coarse(rng.normal(size=(ROWS, target.dimension))),
        rng,
    )


def _times(job: Job, target: Diffused, t: float) -> tuple[float, float]:
    """A step from t that is no longer than the process allows: 1 - β h, say, has a root."""
    width = (job.span[1] - job.span[0]) / 16
    rate = 2 * abs(target.rate(t))
    return t, max(job.span[0], t - (min(width, 0.5 / rate) if rate else width))


def insist_on_given_noise(job: Job, target: Diffused) -> None:
    """Two equal calls must agree: a step that draws its own noise cannot be read off."""
    high = job.span[1]
    x, z, _ = _batch(job, target, high)
    first, second = (
        ask_step(job, target, x, z, _times(job, target, high), job.lambdas[0]) for _ in range(2)
    )
    if not np.array_equal(first, second):
        raise CallableError(
            "sampler",
            "use the noise it is given",
            "two calls with the same arguments differ",
            "draw no noise inside: take it as an argument",
        )


def rows_apart(job: Job, target: Diffused, t: float, lam: float) -> tuple[str, str] | None:
    """``None`` if they are; else a verdict and what is wrong. Four calls, and five more if not."""
    if t <= job.span[0]:
        t = job.span[0] + (job.span[1] - job.span[0]) / 16
    x, z, rng = _batch(job, target, t)
    times, row = _times(job, target, t), int(rng.integers(1, ROWS - 1))
    first, equal = (ask_step(job, target, x, z, times, lam) for _ in range(2))
    where = f"at λ = {lam:g}, t = {t:.3g}"
    if not np.array_equal(first, equal):
        return (
            "undecided",
            f"{where} two calls with the same arguments differ: it draws noise inside",
        )
    rest = np.arange(ROWS) != row
    other = z + 1.5 * rest[:, None]
    if _moved(first, ask_step(job, target, x, other, times, lam), job.call.eps)[row]:
        moves = []
        for k in range(ROWS):
            other = z + 1.5 * (np.arange(ROWS) == k)[:, None]
            moves.append(_moved(first, ask_step(job, target, x, other, times, lam), job.call.eps))
        if np.all(np.sum(moves, axis=0) == 1) and np.all(np.sum(moves, axis=1) == 1):
            # a permutation of independent draws: the law is right, but cannot be read off
            return "undecided", f"{where} a row is moved by the noise of another row, not its own"
        return "refuted", (
            f"{where} one row's noise moves {int(np.max(np.sum(moves, axis=1)))} of {ROWS} rows:"
            " every sample of a batch needs a draw of its own (noise of x's shape, not of its first"
            " row, no mean over rows)"
        )
    shifted = coarse(x + 0.5 * target.spread(t) * rest[:, None])
    if _moved(first, ask_step(job, target, shifted, z, times, lam), job.call.eps)[row]:
        return "refuted", (
            f"{where} a row moves when the other rows of its batch do: a sample must not depend on "
            "the rest of its batch (a mean, a norm or a quantile over rows)"
        )
    return None


def _moved(first: np.ndarray, second: np.ndarray, eps: float) -> np.ndarray:
    # compilers may add up the rows of equal batches in another order
    least = 64 * eps * (np.max(np.abs(first)) + 1)
    return np.max(np.abs(second - first), axis=1) > least
