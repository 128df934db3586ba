"""What is read of a loss: how x_t is made, the gradient at the exact model over all pairs that lead
to x_t, the target and the weight of each row.

Conventions: rows ``(B, d)``; pairs come first, ``(K, B, d)``. Each row has data of its own: K atoms
near enough for several to be likely at its level.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.batches import alone, along, shifted
from scoreproof.public.loss.calls import sorted_out
from scoreproof.public.loss.coarse import SINGLE, single
from scoreproof.public.loss.found import ROUNDINGS, Found, rms
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.one_time import times_drawn
from scoreproof.public.loss.pairs import PRIOR, encoded, pairs_of, spacing_drawn
from scoreproof.public.loss.rows import Run
from scoreproof.public.loss.starting import times_chosen, untold
from scoreproof.public.loss.times import law_of, mixed

__all__ = ["ROUNDINGS", "Found", "read"]


#: how many steps from the exact model a loss is still due to be quadratic
BEYOND = 12.0


def read(job: Job, asking: Asking) -> Found | str | list[int]:
    """What was found, or why nothing can be, or the calls of the model that are to be judged each
    by itself.
    """
    rng = np.random.default_rng([job.seed, 17])
    rows, d = job.rows, job.d
    extra = rng.standard_normal((3, rows, d))
    times = times_chosen(job, rng)
    law = None
    if times is None:
        x0, noise = rng.standard_normal((rows, d)) * 0.7 + 0.2, rng.standard_normal((rows, d))
        start = Given(x0, noise, extra, 0.3 * rng.standard_normal((rows, d)))
        probe, times = times_drawn(job, asking, start, encoded(job, x0))
        reason = sorted_out(job, asking, start, probe)
        if reason:
            return reason
        if times is None:
            return untold(probe)
        law = law_of(job, probe.served, times)
        if asking.apart and np.ptp(times) == 0:
            return "it draws one t for the whole batch; let it take t as an argument"
        if np.any(job.levels(times).sigma <= 0):
            return (
                "it draws a t at which there is no noise (σ = 0): no two data lead to one x there"
            )
    v = job.levels(times)
    pairs = pairs_of(job, v, rng)
    inside = np.stack([encoded(job, x0) for x0 in pairs.x0])
    due = np.stack([v.target(x0, e) for x0, e in zip(inside, pairs.noise, strict=True)])
    answer = np.einsum("kb,kbd->bd", pairs.chance, due)
    size = np.sqrt(np.mean(due**2, axis=(0, 2)))[:, None]
    # one direction for all: what a metric makes of it is the same at all t
    step = size * rng.choice([-1.0, 1.0], d) * rng.uniform(0.5, 1.0, d)
    given_times = None if job.draws_times else times

    def ask(k: int, answers: np.ndarray) -> Run:
        return asking.run(Given(pairs.x0[k], pairs.noise[k], extra, answers, given_times))

    first = [ask(k, answer) for k in range(len(PRIOR))]
    start = Given(pairs.x0[0], pairs.noise[0], extra, answer, given_times)
    reason = sorted_out(job, asking, start, first[0])
    if reason:
        return reason
    second = [ask(k, answer + step) for k in range(len(PRIOR))]
    third = ask(0, answer + BEYOND * step)
    half = np.arange(rows) % 2 == 0
    other = ask(0, np.where(half[:, None], answer, answer - 1.7 * step))
    gradients, moved = (np.stack([r.gradient for r in runs]) for runs in (first, second))
    weights = (moved - gradients) / step
    curvature = along(moved - gradients, step)
    with np.errstate(all="ignore"):
        level = curvature[:, :, None]
        targets = answer - gradients / np.where(level != 0, level, np.nan)
        unit = rms(moved[0] - gradients[0])
        bent = third.gradient - gradients[0] - BEYOND * (moved[0] - gradients[0])
        unit = np.maximum(unit, rms(gradients[0]))
        bend = rms(bent) / np.where(unit > 0, unit, np.nan)
        across = rms(other.gradient - gradients[0]) / np.where(unit > 0, unit, np.nan)
    mixes = [mixed(r.asked.x, x, e) for r, x, e in zip(first, inside, pairs.noise, strict=True)]
    a, b = (np.stack([m[i] for m in mixes]) for i in (0, 1))
    rest = np.stack(
        [
            rms(r.asked.x - p[:, None] * x - q[:, None] * e)
            for r, p, q, x, e in zip(first, a, b, inside, pairs.noise, strict=True)
        ]
    )
    blur = np.max([np.broadcast_to(r.blur, (rows,)) for r in [*first, *second]], axis=0)
    mean_weight = np.abs(np.mean(curvature, axis=0))
    floor = blur / size[:, 0]
    blurred = floor / np.maximum(mean_weight, np.maximum(1e-3 * floor, 1e-300))
    drawn = spacing_drawn(job, asking.eps, pairs.noise)
    eps = max(asking.eps, job.process.eps)
    if eps < SINGLE and single(a[0], b[0]):
        eps = SINGLE
        asking.notes.append("has α and σ of float32, as their values show")
    of_one = of_others = None
    if given_times is None:
        both = (answer, answer + step)
        of_others, left_out = shifted(asking, pairs, extra, both, curvature)
    else:
        of_one, left_out = alone(job, asking, v, rng, extra)
    return Found(
        v,
        pairs,
        a,
        b,
        rest,
        first[0].asked.label,
        inside,
        answer,
        due,
        gradients,
        weights,
        curvature,
        targets,
        np.nan_to_num(bend),
        np.nan_to_num(np.where(half, across, 0.0)),
        blurred + drawn / ROUNDINGS,
        extra,
        drawn,
        floor,
        step,
        first,
        law,
        eps,
        of_one,
        of_others,
        left_out=left_out,
    )
