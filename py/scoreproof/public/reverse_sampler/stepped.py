"""A step, whatever its width, read off as x_next = A x + B model + C noise.

Conventions: the model answers with numbers of ours, so that A, B and C are told apart; they are the
same for all rows and coordinates. Rows with a small x_0 come first, then some with a large one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.public.laws import number
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_step
from scoreproof.public.reverse_sampler.model import answer_like
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.streams import stream

__all__ = ["ANSWERS", "Stepped", "clipped", "long_steps", "stepped"]

#: the models whose answer is a multiple of x_0 and ε
ANSWERS = ("eps", "x0", "score", "v")
#: rows with a small x_0, and with a large one; sizes of x_0
SMALL, LARGE, SIZES = 24, 24, (0.2, 8.0)
#: steps (t, t_next), as parts of the span from its lower end
PAIRS = ((0.95, 0.5), (0.7, 0.45), (0.55, 0.1), (0.35, 0.2), (0.2, 0.05))
#: roundings that a coefficient may be off by, and no less than this part
ROUNDINGS, LEAST = 512, 1e-9


@dataclass(frozen=True, eq=False)
class Stepped:
    """One step from t to ``t_next``: its coefficients of x, of the model's answer and of the noise,
    to a relative ``tol``; the x_0 of the rows, and what is left of their x_next.
    """

    t: float
    t_next: float
    lam: float
    a: float
    b: float
    c: float
    tol: float
    x0: np.ndarray
    left: np.ndarray


def long_steps(job: Job, target: Diffused) -> list[Stepped] | None:
    """Some long steps for each λ; ``None`` if one of them is not of this form."""
    low, high = job.span
    if not low < high or job.prediction not in ANSWERS:
        return None
    found = []
    for lam in job.lambdas:
        for k, (u, v) in enumerate(PAIRS):
            # in single precision the same times, for a model or a schedule that rounds them
            times = [float(np.float32(low + p * (high - low))) for p in (u, v)]
            one = stepped(job, target, (times[0], times[1]), lam, k)
            if one is None:
                return None
            found.append(one)
    return found


def stepped(
    job: Job, target: Diffused, times: tuple[float, float], lam: float, k: int = 0
) -> Stepped | None:
    """The step from ``times[0]`` to ``times[1]``, of one call of the model."""
    rng = stream(job.seed, "check_reverse_sampler", "stepped", str(k))
    alpha, shift, var = target.level(times[0])
    if np.any(shift):
        return None
    n, d, sigma = SMALL + LARGE, target.dimension, var**0.5
    size = np.repeat(SIZES, (SMALL, LARGE))[:, None]
    x0 = size * rng.standard_normal((n, d))
    eps, z = rng.standard_normal((2, n, d))
    x = alpha * x0 + sigma * eps
    answer = {"eps": eps, "x0": x0, "score": -eps / sigma, "v": alpha * eps - sigma * x0}
    said, calls = answer[job.prediction], []

    def model(asked: Any, _: Any) -> Any:
        calls.append(1)
        return answer_like(asked, said)

    with np.errstate(all="ignore"):  # the root of 1 - β h, say
        out = ask_step(replace(job, model=lambda *_: model), target, x, z, times, lam)
    if len(calls) != 1 or not np.all(np.isfinite(out)):
        return None
    parts = np.stack([v[:SMALL].ravel() for v in (x, said, z)], axis=1)
    scale = np.max(np.abs(parts), axis=0)
    fit, *_ = np.linalg.lstsq(parts / scale, out[:SMALL].ravel(), rcond=None)
    a, b, c = (float(v) for v in fit / scale)
    left = out - a * x - b * said - c * z
    tol = max(LEAST, ROUNDINGS * job.call.eps)
    most = abs(a) * scale[0] + abs(b) * scale[1] + abs(c) * scale[2]
    if np.max(np.abs(left[:SMALL])) > tol * most:
        return None
    return Stepped(times[0], times[1], lam, a, b, c, tol, x0[SMALL:], left[SMALL:])


def clipped(target: Diffused, steps: list[Stepped]) -> Told | None:
    """The x_0 that is made of the model's answer is clipped: one and the same range in all steps,
    which are right otherwise.
    """
    ends, alone = [], True
    for s in steps:
        flat, left = s.x0.ravel(), s.left.ravel()
        off = np.abs(left) > 1e-6 * np.max(np.abs(left))
        pair = []
        for side in (-1, 1):
            mine = off & (np.sign(flat) == side)
            if np.sum(mine) < 4:
                return None
            slope, start = np.polyfit(flat[mine], left[mine], 1)
            if slope == 0:
                return None
            miss = np.max(np.abs(left[mine] - slope * flat[mine] - start))
            # where clipping begins
            end = -start / slope
            if miss > 1e-4 * np.max(np.abs(left)) or np.any(np.abs(flat[mine]) < side * end - 1e-6):
                return None
            pair.append(end)
            alone = alone and abs(slope / target.level(s.t_next)[0] + 1) < 1e-4
        ends.append(pair)
    low, high = np.median(ends, axis=0)
    if np.max(np.abs(np.array(ends) - [low, high])) > 1e-4 * max(abs(low), abs(high)):
        return None
    low, high = (number(float(f"{v:.4g}")) for v in (low, high))
    return Told(
        "x0_clipped",
        f"the x_0 that the step makes of the model's answer is clipped to [{low}, {high}]"
        f"{', and ε is not made anew from it' if alone else ''}; the step is right where x_0 lies"
        " within, and not all data of this check do: leave the clipping out (clip_sample=False)",
    )
