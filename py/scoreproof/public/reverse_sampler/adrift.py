"""A step whose mean displacement shrinks as √h: of a noise that is squared, say.

Conventions: displacements are in units of g √h. The mean over normal draws is taken over sizes that
are the same in every coordinate, with both signs; the even part is the mean of the images under z
and -z less the image under 0. A drift moves x by a multiple of h, in these units of √h, which two
widths tell: what stays besides has no limit, x moves without bound as steps are added.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.asking import ask_step
from scoreproof.public.reverse_sampler.explaining import step_slip
from scoreproof.public.reverse_sampler.laws import number
from scoreproof.public.reverse_sampler.places import FINE, MIDDLE, Steps, short, steps_at
from scoreproof.public.reverse_sampler.shrinking import shrinking, shrunk
from scoreproof.public.reverse_sampler.targets import Diffused
from scoreproof.public.reverse_sampler.terms import Told
from scoreproof.public.reverse_sampler.velocity import Found
from scoreproof.public.rule import COARSEST, settled

__all__ = ["adrift"]

SIZES = np.linspace(0.25, 4, 16)
#: where in them a unit of noise is; the normal weights of 0 and of all sizes, of both signs
UNIT = 3
WEIGHTS = np.exp(-(np.append(0.0, SIZES) ** 2) / 2) * np.append(0.5, np.ones(16))
#: widths; a mean displacement that is smaller, or changes by more from one to the next, is none
PARTS, LEAST, CHANGE = (1.0, 1 / 4, 1 / 16, 1 / 64), 0.01, 0.05
#: points at which it must stay
ROWS = 3
#: part of it that may differ from a power of the size: what is above the limit, as √h
SAME = 0.02


@dataclass(frozen=True, eq=False)
class _Mean:
    """At one point: the displacement that stays, that without noise, and the even part."""

    last: float
    still: float
    even: np.ndarray


def _mean(job: Job, target: Diffused, found: Found, steps: Steps, row: int) -> _Mean | None:
    """Four calls; ``None`` where nothing stays."""
    z = np.repeat(np.concatenate([[0.0], SIZES, -SIZES])[:, None], target.dimension, axis=1)
    x = np.repeat(found.x[row : row + 1], len(z), axis=0)
    g, means, evens, still = target.diffusion(found.t), [], [], 0.0
    for h in (steps.widths[0] * np.array(PARTS)).tolist():
        out = (ask_step(job, target, x, z, steps.pair(h), found.lam) - x)[:, 0] / (g * h**0.5)
        still, plus, minus = float(out[0]), *np.split(out[1:], 2)
        both = (plus + minus) / 2
        means.append(float(WEIGHTS @ np.append(still, both) / WEIGHTS.sum()))
        evens.append(both - still)
    # from a width to a quarter of it what a drift adds is halved
    limits = 2 * np.array(means[1:]) - np.array(means[:-1])
    last = float(limits[-1])
    if not abs(last) > LEAST or np.max(np.abs(limits - last)) > CHANGE * abs(last):
        return None
    return _Mean(last, still, evens[-1])


def adrift(job: Job, target: Diffused, found: Found, coverage: Coverage) -> Evidence | None:
    """A refutation, if the mean displacement stays at each of some points: at one alone it may be
    that of a state that is clipped there. Four calls at a point, and four more.
    """
    kind = FINE if short(job.call.eps) else MIDDLE
    steps = steps_at(target, job.span, found.t, kind, exact=True)
    seen: list[_Mean] = []
    for row in range(min(ROWS, len(found.x))):
        one = _mean(job, target, found, steps, row)
        if one is None:
            return None
        seen.append(one)
    last, still = seen[0].last, seen[0].still
    due = (1 - found.lam) ** 0.5

    def explain() -> Diagnosis | None:
        slip = step_slip(job, target)
        if slip is not None:
            return Diagnosis.cause(slip.name, f"Cause: {slip.text}.")
        if abs(last - still) > 0.5 * abs(last) and due:
            cause: Told | None = _of_noise(seen[0].even / due)
        else:
            cause = _of_all(job, target, found, steps, steps.widths[0] * PARTS[-1]) or shrunk(
                target, found, shrinking(job, target, found)
            )
        named = cause is not None and cause.name
        return Diagnosis.cause(cause.name, f"Cause: {cause.text}.") if cause and named else None

    evidence = Evidence.measured(
        abs(last),
        COARSEST,
        f"at λ = {found.lam:g}, t = {found.t:.3g} the mean of x_next - x over the noise shrinks as"
        f" √h, h = t - t_next, where h is due (it is {last:.3g} g √h): over ever more steps x moves"
        " without bound",
        kind="convergent",
        diagnosis=safely(explain),
        cost={"calls": job.call.calls},
    )
    return settled(evidence, resolution=1.0, coverage=coverage)


def _of_all(job: Job, target: Diffused, found: Found, steps: Steps, h: float) -> Told | None:
    """A number that is added, whatever x is."""
    one, four = (
        (ask_step(job, target, found.x, 0 * found.x, pair, found.lam) - found.x)
        / (target.diffusion(found.t) * (pair[0] - pair[1]) ** 0.5)
        for pair in (steps.pair(h), steps.pair(4 * h))
    )
    moved = 2 * one - four  # what the drift adds grows as √h
    middle = float(np.median(moved))
    if np.max(np.abs(moved - middle)) > 0.05 * abs(middle):
        return None
    return Told(
        "noise_not_centred",
        f"{number(float(f'{middle:.2g}'))} g √h is added to x at every step, whatever x is: as by a"
        " noise whose mean is not 0; the mean has to be f and the score's term, times h",
    )


def _of_noise(even: np.ndarray) -> Told:
    """What the even part is, in units of √(1-λ) g √h."""
    times = float(even[UNIT])
    much = "" if abs(times - 1) < SAME else f"{number(float(f'{times:.3g}'))} times "
    if np.all(np.abs(even - SIZES**2 * times) <= SAME * np.abs(even)):
        return Told(
            "noise_squared",
            f"it is not linear in the noise: {much}the square of the draw is added, as if it were"
            " multiplied by noise once more (does a coefficient hold the draw already?); multiply"
            " the draw by √(1-λ) g √h, once",
        )
    if np.all(np.abs(even - SIZES * times) <= SAME * np.abs(even)):
        return Told(
            "noise_absolute",
            f"it is not linear in the noise: {much}the absolute value of the draw is added; add the"
            " draw itself",
        )
    return Told(
        "noise_even",
        "it is not linear in the noise: z and -z move x by different amounts, or to one side; add"
        " the draw itself, times √(1-λ) g √h",
    )
