"""At which t a loss that draws it itself has put each row, and the law that it draws it from.

Conventions: t is read from the label and confirmed by x_t; where no known label fits, it is the
time at which the process has the σ/α of x_t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.interop.draws import Draw
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.pairing import rows_of
from scoreproof.public.loss.rows import Run
from scoreproof.public.loss.served import Served
from scoreproof.public.loss.whole_numbers_jax import range_of

__all__ = ["Law", "law_of", "mixed", "times_of"]

#: relative: two levels so near are the same
NEAR = 1e-4
#: the spacing at 1 of the coarsest numbers that x_t may be made of
COARSE = float(np.finfo(np.float32).eps)
#: how often the stretch that t is in is halved
HALVED = 54


@dataclass(frozen=True)
class Law:
    """``words``: the law of t; ``low``, ``high``: of whole numbers, both among them; ``bent``: t is
    made of the number that is drawn, and is not it.
    """

    words: str
    low: int | None = None
    high: int | None = None
    bent: bool = False


def mixed(x: np.ndarray, x0: np.ndarray, noise: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a and b of each row that is nearest to ``a x_0 + b ε``."""
    out = []
    for row, one, other in zip(x, x0, noise, strict=True):
        found = np.linalg.lstsq(np.stack([one, other], axis=1), row, rcond=None)[0]
        out.append(found)
    both = np.array(out)
    return both[:, 0], both[:, 1]


def times_of(job: Job, run: Run, x0: np.ndarray, noise: np.ndarray) -> np.ndarray | None:
    """t of each row; ``None`` where it cannot be told."""
    asked = run.asked
    # of a batch that is paired anew, of those that met
    rows = rows_of(asked.x, x0, noise, COARSE)
    if rows is not None:
        x0, noise = x0[rows[0]], noise[rows[1]]
    a, b = mixed(asked.x, x0, noise)
    if job.prediction == "F" and job.process.is_sigma and np.all(a > 0):
        a, b = np.ones_like(a), b / a  # inside of c_in
    if asked.label is not None:
        # functions of t may go on beyond 1, as an angle does
        beyond = [] if job.process.discrete or np.any(asked.label <= 0) else [asked.label]
        for times in [*_candidates(job, asked.label), *beyond]:
            v = job.levels(times)
            if _close(a, v.alpha) and _close(b, v.sigma):
                return times
    found = _by_level(job, a, b)
    if found is not None:
        middle = np.median(found)
        return np.full_like(found, middle) if np.ptp(found) <= 1e-9 * abs(middle) else found
    # x_t is not what is due anywhere: t is what the model is told, if that can be one
    if asked.label is None:
        return None
    return next(iter(_candidates(job, asked.label)), None)


def _candidates(job: Job, label: np.ndarray) -> list[np.ndarray]:
    """Times that the label may stand for, all within the process."""
    steps, process = job.process.steps, job.process
    if steps is not None:
        found = [label, label * steps, label * (steps - 1), label * steps - 1, label * steps / 1000]
        found = [np.round(t) for t in found if np.max(np.abs(t - np.round(t))) < 1e-3]
        return [t for t in found if np.all((t >= 0) & (t <= steps - 1))]
    found = [label, label / 999, label / 1000, label / 998, label * process.high]
    if process.is_sigma:
        with np.errstate(over="ignore"):  # told 1000 σ, say
            found = [label, np.exp(4 * label), np.exp(label)]
    top = np.inf if process.is_sigma else max(1.0, process.high)
    return [t for t in found if np.all((t > 0) & (t <= top * (1 + 1e-9)) & np.isfinite(t))]


def _close(found: np.ndarray, due: np.ndarray) -> bool:
    return bool(np.all(np.abs(found - due) <= NEAR * (np.abs(due) + 1e-6)))


def _by_level(job: Job, a: np.ndarray, b: np.ndarray) -> np.ndarray | None:
    """Where the process has that σ/α, with these very α and σ."""
    process = job.process
    if process.is_sigma:
        times = np.abs(b)
    elif process.steps is not None:
        grid = np.arange(process.steps, dtype=float)
        v = job.levels(grid)
        gap = np.hypot(a[:, None] - v.alpha, b[:, None] - v.sigma)
        times = grid[np.argmin(gap, axis=1)]
    else:
        times = _bisected(job, a, b)
    if not np.all(times > 0) and process.steps is None:
        return None
    v = job.levels(times)
    return times if _close(a, v.alpha) and _close(b, v.sigma) else None


def _bisected(job: Job, a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The times at which σ/α is b/a; it rises or falls in t."""
    low, high = 1e-6 * job.process.high, max(1.0, job.process.high)
    wanted = np.arctan2(b, a)

    def angle(times: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            levels = job.process.levels(times)
            return np.array([np.arctan2(v.sigma, v.alpha) for v in levels])

    rising = bool(np.diff(angle(np.array([low, high])))[0] > 0)
    left, right = np.full(len(a), low), np.full(len(a), high)
    for _ in range(HALVED):
        middle = (left + right) / 2
        later = (angle(middle) < wanted) == rising
        left, right = np.where(later, middle, left), np.where(later, right, middle)
    return np.asarray((left + right) / 2)


def law_of(job: Job, served: Served, times: np.ndarray) -> Law | None:
    """The law of t, of what was served."""
    if job.process.steps is not None and served.ranges:
        for low, high in served.ranges:
            inside = np.all((times >= low) & (times <= high - 1))
            if inside and times.min() == low and times.max() == high - 1:
                return Law(f"whole numbers from {low} to {high - 1}, each alike", low, high - 1)
        if len(served.ranges) == 1 and _follows(served.whole[0], times):
            least, most = int(times.min()), int(times.max())
            return Law(f"whole numbers from {least} to {most}", least, most, True)
    for width, bits in served.raw if job.process.steps is not None else ():
        found = range_of(bits, width, times, job.process.steps or 0)
        if found is not None:
            low, high = found
            return Law(f"whole numbers from {low} to {high - 1}, each alike", low, high - 1)
    for draw, value in served.small:
        if value.size == times.size and value.size > 3:
            law = _of_draw(job, draw, value.ravel(), times)
            if law is not None:
                return law
    return None


def _of_draw(job: Job, draw: Draw, value: np.ndarray, times: np.ndarray) -> Law | None:
    if draw.kind == "uniform":
        line = _line(value, times)
        if line is not None:
            ends = sorted((line[0], line[0] + line[1]))
            return Law(f"uniform from {_short(ends[0])} to {_short(ends[1])}")
        if job.process.steps is not None:
            slope, start = np.polyfit(value, times, 1)
            near = np.max(np.abs(times - start - slope * value)) <= 1.0
            if near and _follows(value, times):
                low, high = int(times.min()), int(times.max())
                return Law(f"whole numbers from {low} to {high}, nearly alike", low, high, True)
        line = _line(value, np.log(np.maximum(times, 1e-300)))
        if line is not None:
            ends = sorted(np.exp([line[0], line[0] + line[1]]))
            return Law(f"log-uniform from {_short(ends[0])} to {_short(ends[1])}")
    if draw.kind == "normal":
        line = _line(value, np.log(np.maximum(times, 1e-300)))
        if line is not None:
            return Law(
                f"log-normal with mean {_short(line[0])} and deviation {_short(abs(line[1]))}"
            )
        if np.all((times > 0) & (times < 1)):
            line = _line(value, np.log(times / (1 - times)))
            if line is not None:
                return Law(
                    f"logit-normal with mean {_short(line[0])} and deviation {_short(abs(line[1]))}"
                )
    steps = np.diff(times[np.argsort(value)])
    if np.all(steps > 0) or np.all(steps < 0):
        law = f"a function of a {draw.kind} number, from {times.min():.3g} to {times.max():.3g}"
        return Law(law)
    return None


def _follows(drawn: np.ndarray, times: np.ndarray) -> bool:
    """Whether t is a rising or falling function of the numbers that were drawn."""
    if drawn.size != times.size or np.unique(times).size <= 3:
        return False
    steps = np.diff(times[np.argsort(drawn.ravel(), kind="stable")])
    return bool(np.all(steps >= 0) or np.all(steps <= 0))


def _line(z: np.ndarray, y: np.ndarray) -> tuple[float, float] | None:
    slope, start = np.polyfit(z, y, 1)
    gap = np.max(np.abs(y - start - slope * z))
    return (float(start), float(slope)) if gap <= 1e-5 * max(float(np.ptp(y)), 1e-12) else None


def _short(number: float) -> str:
    return f"{0.0 if abs(number) < 1e-9 else number:.4g}"
