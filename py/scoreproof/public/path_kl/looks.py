"""Looks at the user's function, each a batch of paths of one problem, with what is due along them.

Conventions: as in `tracks`. Noise that the function draws makes the path that Euler's scheme makes
of it; a path that it returns, or is handed, is taken as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoreproof.interop.draws import Draw
from scoreproof.public.path_kl.arguments import Job
from scoreproof.public.path_kl.asking import Answer, Batch, User
from scoreproof.public.path_kl.problem import Problem
from scoreproof.public.path_kl.tracks import Track, euler

__all__ = ["STEPS", "Look", "again", "ended", "looked", "sampling", "times"]

#: steps of a path; paths of a batch, none of which is another size; how small the noise is made
STEPS = 8
SIZES = (4, 5, 6, 7, 10, 11)
SMALL = (1.0, 1.0, 1.0, 1.0, 0.05, 1e-3)


@dataclass(frozen=True, eq=False)
class Look:
    """``z``: the noise of each step, if it is known; ``track``: the path, if that is. ``sampled``:
    log p0 - log q0 of each start stands for its mean.
    """

    job: Job
    problem: Problem
    batch: Batch
    answer: Answer
    start: np.ndarray
    z: np.ndarray | None
    track: Track | None
    sampled: bool = False

    @property
    def n(self) -> int:
        return self.batch.n

    @property
    def scalar(self) -> bool:
        """One number came back for the whole batch."""
        return self.answer.output.values.ndim == 0

    def reduced(self, values: np.ndarray) -> np.ndarray:
        """Numbers of each path as the function is to return them."""
        if not self.scalar:
            return values
        summed = self.job.said["reduction"] == "sum"
        return np.atleast_1d(values.sum(-1) if summed else values.mean(-1))

    def ends(self, x: np.ndarray | None = None) -> dict[str, np.ndarray]:
        """What is added for the start and the end, by what it is, a row."""
        assert self.track is not None
        x = self.track.x if x is None else x
        found = ended(self.job, self.problem, x)
        if self.sampled:
            found["initial"] = found["initial"] + sampling(self.job, self.problem, x[0])
        return found


def ended(job: Job, problem: Problem, x: np.ndarray) -> dict[str, np.ndarray]:
    """The terms of both ends of paths ``(K + 1, n, d)``."""
    taken, one = job.taken, np.ones(x.shape[1])
    found: dict[str, np.ndarray] = {}
    densities = {"log_p0", "log_q0"} <= taken
    if densities or (job.ratio and {"mean1", "std1"} <= taken):
        p, q = problem.initial(x[0])
        found["initial"] = p - q
    elif {"mean1", "std1"} <= taken:
        found["initial"] = problem.initial_kl() * one
    if "boundary" in taken:
        found["boundary"] = problem.boundary * one
    if "terminal" in taken:
        found["terminal"] = problem.ends(x[-1])
    return found


def sampling(job: Job, problem: Problem, x0: np.ndarray) -> np.ndarray:
    """What log p0 - log q0 at the starts ``(n, d)`` is more than KL(p0‖q0), its mean, where that is
    added: it may stand in its place.
    """
    exact = not job.ratio and not {"log_p0", "log_q0"} <= job.taken
    if not (exact and {"mean1", "std1"} <= job.taken):
        return np.zeros(len(x0))
    p, q = problem.initial(x0)
    return p - q - problem.initial_kl()


def times(job: Job, problem: Problem, steps: int, rng: np.random.Generator | None) -> np.ndarray:
    """Of one path; of other widths, where it is told where they are."""
    t0, t1 = problem.span
    widths = np.ones(steps) if rng is None or job.even else rng.uniform(0.6, 1.5, steps)
    return t0 + (t1 - t0) * np.concatenate([[0.0], np.cumsum(widths) / widths.sum()])


@dataclass(eq=False)
class _Random:
    rng: np.random.Generator = field(default_factory=lambda: np.random.default_rng(0))

    def __call__(self, draw: Draw) -> np.ndarray:
        if draw.kind == "uniform":
            return self.rng.random(draw.shape)
        return self.rng.standard_normal(draw.shape)


def looked(user: User) -> list[Look]:
    """All looks."""
    job = user.job
    sizes = [n for n in (*SIZES, 12, 13) if n != job.d][: len(SMALL)]
    return [_look(user, k, n, small) for k, (n, small) in enumerate(zip(sizes, SMALL, strict=True))]


def again(user: User, n: int, count: int) -> list[Look]:
    """More looks of ``n`` paths each, all at one problem and at the same times."""
    return [_look(user, 0, n, 1.0, k + 1) for k in range(count)]


def _look(user: User, index: int, n: int, small: float, other: int = 0) -> Look:
    job = user.job
    problem = job.problem(index, small=small)
    rng = np.random.default_rng([job.seed, index, 731])
    t = user.rounded(times(job, problem, STEPS, rng))
    if other:
        rng = np.random.default_rng([job.seed, index, other, 733])
    start = user.rounded(0.7 * rng.standard_normal((n, job.d)))
    z = rng.standard_normal((STEPS, n, job.d))
    handed = bool({"z", "dW"} & job.taken)
    path = None if job.simulates else user.rounded(euler(problem, t, start, z).x)
    if path is not None and handed:  # the noise is that of the path, to the last digit
        z = Track(problem, t, path).dw / np.sqrt(np.diff(t))[:, None, None]
    z = user.rounded(z)
    batch = Batch(t, start, path, z if handed else None)
    answer = user(problem, batch, _Random(rng))
    track = known = None
    if path is not None:
        track, known = Track(problem, t, path), z
    else:
        if handed:
            known = z
        else:
            drawn = assembled(job, answer, n)
            if drawn is not None:
                first, known = drawn
                start = start if first is None else problem.mean[0] + problem.std[0] * first
        own = answer.output.path
        under = 0 if job.said["simulated"] == "P" else 1
        if known is not None:
            track = euler(problem, t, start, known, under=under)
        if job.ratio and own is not None and not _near(track, own):
            track, known = Track(problem, t, own), None
    return Look(job, problem, batch, answer, start, known, track)


def _near(track: Track | None, path: np.ndarray) -> bool:
    return track is not None and bool(np.max(np.abs(track.x - path)) < 1e-4)


def assembled(job: Job, answer: Answer, n: int) -> tuple[np.ndarray | None, np.ndarray] | None:
    """The draws as noise of the start, if that is drawn, and of each step; ``None`` if they are
    not laid out so.
    """
    values = [v for d, v in answer.draws if d.kind == "normal"]
    if len(values) < len(answer.draws) or not values:
        return None
    if job.single:
        each, rest = divmod(len(values), n)
        if rest:
            return None
        rows = [_laid(job, values[i * each : (i + 1) * each], 1) for i in range(n)]
        if any(r is None for r in rows):
            return None
        noise = np.concatenate([r[1] for r in rows if r is not None], axis=1)
        firsts = [r[0] for r in rows if r is not None and r[0] is not None]
        return (np.concatenate(firsts) if firsts else None), noise
    return _laid(job, values, n)


def _laid(
    job: Job, values: list[np.ndarray], n: int
) -> tuple[np.ndarray | None, np.ndarray] | None:
    d, first = job.d, None
    if job.flat:
        values = [v.reshape((*v.shape, 1)) for v in values]
    each: list[tuple[int, ...]] = [(n, d)]
    whole: list[tuple[int, ...]] = [(STEPS, n, d)]
    if n == 1:
        each.append((d,))
        whole.append((STEPS, d))
    if job.starts:
        if values[0].shape not in each:
            return None
        first, values = values[0].reshape(n, d), values[1:]
    if STEPS <= len(values) <= STEPS + 1 and all(v.shape in each for v in values):
        return first, np.stack([v.reshape(n, d) for v in values[:STEPS]])
    if len(values) == 1:
        z = values[0]
        if z.shape in whole:
            return first, z.reshape(STEPS, n, d)
        if z.shape == (n, STEPS, d):
            return first, z.swapaxes(0, 1)
    return None
