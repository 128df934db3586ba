"""One place of a one-step sampler, read off: drift and noise in the limit of short steps.

Conventions: as in `asking`; each step width is one batched call. Every row has its own noise, and
from one width to the next the rows change places, so that what one row takes from another does not
settle.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_step
from scoreproof.public.reverse_sampler.batches import Batch, Read, batch
from scoreproof.public.reverse_sampler.bending import of_normal_draws
from scoreproof.public.reverse_sampler.limits import (
    best_limit,
    noise_jumps,
    rows_that_jump,
    same_images,
    stays,
)
from scoreproof.public.reverse_sampler.places import FINE, MIDDLE, WIDE, Steps, short, steps_at
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.velocity import Found, around

__all__ = ["Place", "read_place"]

#: units of eps of an entry of x_next that rounding may take away in the same way at every width;
#: what differs from width to width is in the change from one extrapolation to the next
ROUNDINGS = 1
#: an extrapolation that leaves this part of the velocity open is tried once more with longer steps
LOOSE = 1e-3


@dataclass(frozen=True, eq=False)
class Place:
    """Where a step is read. ``exact``: the time is the caller's and is not moved."""

    job: Job
    target: Diffused
    x: np.ndarray
    t: float
    lam: float
    exact: bool


def read_place(place: Place, rng: np.random.Generator) -> Found:
    """4 calls in double precision, 6 in others; 6 more where its limit does not settle, 2 more
    where the step is not linear in its noise (4 if it mixes coordinates too); as many again in many
    dimensions if its noise is not diagonal.
    """
    # a schedule in single precision behind arrays in double: longer steps hide it less
    fine = short(place.job.call.eps)
    kinds = (FINE, WIDE) if fine else (WIDE, MIDDLE)
    found = _limit(place, kinds[0], rng)
    # of short steps that bend in their noise, the grid of noises leaves most open: no others help
    settled = np.max(found.bound) <= LOOSE or (fine and found.bent is not None)
    if not settled and not np.all(found.jumps):
        again = _limit(place, kinds[1], rng)
        found = again if np.max(again.bound) < np.max(found.bound) else found
    return found


def _called(place: Place, rows: Batch, steps: Steps, h: float, rng: np.random.Generator) -> Read:
    """One call with the rows in a random order."""
    order = rng.permutation(len(rows.x))
    out = np.empty_like(rows.x)
    out[order] = ask_step(
        place.job, place.target, rows.x[order], rows.z[order], steps.pair(h), place.lam
    )
    return rows.read(out, deviations=h < 3 * steps.widths[-1])  # the last two widths


def _limit(
    place: Place, kind: tuple[float, int], rng: np.random.Generator, *, full: bool = False
) -> Found:
    """The limit of short steps, by extrapolation in h, h/2, h/4, …"""
    target, x = place.target, place.x
    steps = steps_at(target, place.job.span, place.t, kind, exact=place.exact)
    t, widths = steps.t, steps.widths
    rows = batch(x, rng, full=full)
    read = [_called(place, rows, steps, h, rng) for h in widths]
    here, units = around(target, x, t), target.diffusion(t) * np.sqrt(widths)
    reach = np.max(np.abs(x), axis=1) + float(np.max(target.spread(t)))
    rounding = ROUNDINGS * place.job.call.eps * reach
    noisy = 4 * float(np.max(rounding)) / float(units[-1])

    def lasting(name: str) -> float:
        parts = [float(getattr(r, name) / unit) for r, unit in zip(read, units, strict=True)]
        return parts[-1] if stays(parts, noisy) else 0.0

    if lasting("skew") > 0:
        return _limit(place, kind, rng, full=True)
    slopes = [(x - r.means) / h for r, h in zip(read, widths, strict=True)]
    covs = [r.cov / h for r, h in zip(read, widths, strict=True)]
    bent, blur = None, 0.0
    if lasting("bend") > 0:

        def moved(z: np.ndarray, h: float) -> np.ndarray:
            points = np.repeat(x[:1], len(z), axis=0)
            mean = read[widths.index(h)].means[0]
            return ask_step(place.job, target, points, z, steps.pair(h), place.lam) - mean

        seen = of_normal_draws(moved, widths[-2:], units[-2:], target.dimension, noisy, rng)
        unit, blur = float(np.trace(covs[-1])), seen.error
        covs, bent = [seen.cov] * len(covs), float(np.trace(seen.cov)) / unit if unit else np.inf
        slopes = [s - seen.bias * u / h for s, u, h in zip(slopes, units, widths, strict=True)]
    values = [here.implied(s, c) for s, c in zip(slopes, covs, strict=True)]
    best = best_limit(values, widths, rounding, here.size)
    cov = best.of(covs)
    # noise that differs between points has no place in b + ½ C ∇log p
    uneven, rate = lasting("elsewhere"), max(float(np.trace(cov)) / (here.g2 * len(cov)), 0.0)
    blur += uneven * (uneven + 2 * rate**0.5) * here.g2
    jumps = rows_that_jump(slopes, widths, here.size)
    jumps |= noise_jumps(covs, widths, here.g2 * (1 + abs(place.lam)))
    return Found(
        x=x,
        t=t,
        lam=place.lam,
        b=best.of(slopes),
        cov=cov,
        excess=best.of(values) - here.due,
        open=best.open + blur / 2 * np.max(np.abs(here.score), axis=1),
        size=here.size,
        jumps=jumps,
        bent=bent,
        clipped=bool(np.any(jumps)) and same_images(x - widths[-1] * slopes[-1], x),
        uneven=uneven > 0,
    )
