"""Whether a loss sees every direction of the answer: its second derivative there, as a matrix.

Conventions: of a quadratic loss the gradient is λ H (answer - target), H the same at all rows; the
errors of all pairs and rows, and more answers where these are too few, show H. Of large samples
named directions only are looked at, one a row.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.reading import Found

__all__ = ["Metric", "metric_of", "named_directions"]

#: a second derivative so small a part of the largest is none
NOTHING = 1e-6
#: so small a part is in doubt where rounding is as large
LITTLE = 0.1
#: more answers, at most, to see all directions of
MORE = 4
#: errors that are nearer to dependent show less than they say
WORST = 1e3
ROUNDINGS = 64.0


@dataclass(frozen=True)
class Metric:
    """``least``: the smallest second derivative of those along directions that were looked at, of
    the largest; ``bound``: what rounding leaves of one; ``rank`` of ``d``, if all were looked at;
    ``name``: of a direction that is not trained.
    """

    least: float
    bound: float
    rank: int | None
    name: str = ""

    @property
    def singular(self) -> bool:
        return self.least <= self.bound <= NOTHING

    @property
    def unclear(self) -> bool:
        return self.bound > NOTHING and self.least <= min(self.bound, LITTLE)


def named_directions(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Flat, of length 1; those that a mean, a difference or a filter does not see.

    >>> sorted(named_directions((3,)))
    ['alternating 0', 'constant', 'free of the mean']
    """
    rng = np.random.default_rng(41)
    z = rng.standard_normal(shape)
    out = {"free of the mean": z - z.mean()}
    several = len(shape) > 1
    for axis, n in enumerate(shape):
        if several and n > 1:
            out[f"free of means {axis}"] = z - z.mean(axis=axis, keepdims=True)
    out["constant"] = np.ones(shape)
    for axis, n in enumerate(shape):
        if several and n > 1:
            out[f"constant {axis}"] = np.broadcast_to(z.mean(axis=axis, keepdims=True), shape)
    if several:
        each = z.mean(axis=tuple(range(1, len(shape))), keepdims=True)
        out["constant inside"] = np.broadcast_to(each, shape)
    for axis, n in enumerate(shape):
        if n > 1 and (axis or not several):
            out[f"alternating {axis}"] = _alternating(z, axis)
    if several:
        signs = 1.0 - 2.0 * (np.indices(shape)[1:].sum(axis=0) % 2)
        if np.ptp(signs):
            out["alternating inside"] = signs * each
    return {k: (v / np.linalg.norm(v)).ravel() for k, v in out.items()}


def _alternating(z: np.ndarray, axis: int) -> np.ndarray:
    """Each second entry minus the one before it."""
    z = np.moveaxis(z, axis, -1).copy()
    even = z.shape[-1] // 2 * 2
    z[..., 1:even:2] = -z[..., 0:even:2]
    z[..., even:] = 0
    return np.moveaxis(z, -1, axis)


def metric_of(job: Job, asking: Asking, found: Found) -> Metric | None:
    """``None`` where nothing is told: of a loss that is no square, or of an H that rows do not
    share.
    """
    if not found.straight:
        return None
    level = found.curvature
    size = np.max(np.abs(level))
    with np.errstate(all="ignore"):
        clear = np.all(level > 1e-9 * size, axis=0) & (found.blur * ROUNDINGS < 1e-3)
    if not np.any(clear):
        return None
    errors, gradients = _known(found, clear)
    d, names = job.d, named_directions(job.shape)
    lacking = d - (2 * int(np.sum(clear)) + 1)
    blur = found.eps + float(np.max(found.blur[clear]))
    if lacking > MORE * int(np.sum(clear)) or lacking > 0 and job.framework == "numpy":
        return _of_names(job, asking, found, clear, names, blur)
    rng = np.random.default_rng([job.seed, 43])
    for _ in range(-(-lacking // int(np.sum(clear))) if lacking > 0 else 0):
        away = rng.standard_normal((len(clear), d)) / np.sqrt(d)
        errors = np.concatenate([errors, away[clear]])
        gradients = np.concatenate([gradients, _asked(asking, found, away)[clear]])
    stretch = np.linalg.svd(errors, compute_uv=False)
    if len(stretch) < d or stretch[-1] * WORST < stretch[0]:
        return _of_names(job, asking, found, clear, names, blur)
    matrix = np.linalg.lstsq(errors, gradients, rcond=None)[0]
    size = float(np.max(np.abs(gradients)))
    worst = float(stretch[0] / stretch[-1])
    bound = ROUNDINGS * d * blur * worst
    if np.max(np.abs(errors @ matrix - gradients)) > (1e-6 + bound) * size:
        return _of_names(job, asking, found, clear, names, blur)
    values = np.linalg.eigvalsh((matrix + matrix.T) / 2)
    values = values / np.max(np.abs(values))
    name = next((k for k, u in names.items() if np.linalg.norm(u @ matrix) <= NOTHING * size), "")
    return Metric(float(values[0]), bound, int(np.sum(values > bound)), name)


def _known(found: Found, clear: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Errors of length 1, and their gradients in the measure of λ: of all pairs, and of one step
    along the direction that λ is read of.
    """
    error = (found.answer - found.due)[:, clear]
    length = np.linalg.norm(error, axis=2, keepdims=True)
    level = found.curvature[:, clear, None]
    d = error.shape[2]
    errors = (error / length).reshape(-1, d)
    gradients = (found.gradients[:, clear] / (level * length)).reshape(-1, d)
    row = int(np.argmin(np.where(clear, found.blur, np.inf)))
    step = found.step[row]
    long = np.linalg.norm(step)
    moved = found.weights[0, row] * step / found.curvature[0, row]
    return np.vstack([errors, step / long]), np.vstack([gradients, moved / long])


def _asked(asking: Asking, found: Found, away: np.ndarray) -> np.ndarray:
    """What the gradients change by along these, in the measure of λ."""
    size = found.size[:, None]
    times = found.v.times if found.alone is not None else None
    pairs = found.given
    run = asking.run(
        Given(pairs.x0[0], pairs.noise[0], found.extra, found.answer + size * away, times)
    )
    with np.errstate(all="ignore"):
        return np.asarray(
            (run.gradient - found.gradients[0]) / (size * found.curvature[0][:, None])
        )


def _of_names(
    job: Job,
    asking: Asking,
    found: Found,
    clear: np.ndarray,
    names: dict[str, np.ndarray],
    blur: float,
) -> Metric:
    """Along named directions only, one a row."""
    rows, root = np.flatnonzero(clear), np.sqrt(job.d)
    along: list[float] = []
    every = list(names.items())
    while len(along) < len(every):
        some = every[len(along) : len(along) + len(rows)]
        away = np.zeros((len(clear), job.d))
        for b, (_, u) in zip(rows, some, strict=False):
            away[b] = u * root
        change = _asked(asking, found, away)
        along += [
            float(change[b] @ u) / root / max(1.0, float(np.max(np.abs(change[b]))))
            for b, (_, u) in zip(rows, some, strict=False)
        ]
    least = int(np.argmin(along))
    return Metric(along[least], ROUNDINGS * blur * root, None, every[least][0])
