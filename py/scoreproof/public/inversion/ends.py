"""Whether inverse and sampler go through all their levels: a step that is left out at an end is
short where there are many, and fades from every limit.

Conventions: data at one point, whose law x = α x_0 + σ z the usual steps keep exactly, so that the
levels between which x went are read off; an error in units of σ where x ends.
"""

from __future__ import annotations

from collections.abc import Callable

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.asking import Trip, ran
from scoreproof.public.inversion.forms import place
from scoreproof.public.inversion.trips import Trips
from scoreproof.public.inversion.unused import (
    MOST,
    Gone,
    levels_of,
    listed_ends,
    not_led,
    short_of_steps,
    unused,
)
from scoreproof.public.rule import settled
from scoreproof.public.sampler.data import Level, point
from scoreproof.public.sampler.functions import StepForm, WholeForm
from scoreproof.public.sampler.words import at_level, size_of

__all__ = ["left_out"]

#: two levels are the same: to rounding, in units of σ
NEAR = 1e-8
#: and others if they are so many times as far apart
APART = 1e3


def left_out(job: Job, trips: Trips) -> Evidence | None:
    """A refutation where a step is left out, whatever the number of steps."""
    for form, name in ((job.up, "inverse"), (job.down, "sampler")):
        if not isinstance(form, WholeForm | StepForm):
            continue
        few = trips.made[: 1 if job.follows else 2]
        looks: tuple[Callable[[Trip], tuple[Gone, float] | None], ...] = (
            lambda t, form=form: _between(job, form, t, trips.eps),  # type: ignore[misc]
            lambda t, form=form: unused(job, form, t),  # type: ignore[misc]
        )
        for look, exact in zip(looks, (True, False), strict=True):
            try:
                found = [look(t) for t in few]
            except CallableError:
                continue
            if not exact:
                found = [
                    f if f and _short(job, form, t) else None
                    for f, t in zip(found, few, strict=True)
                ]
            known = [f for f in found if f is not None]
            if len(known) < len(few) or known[0][1] <= (job.tolerance or 0.0):
                continue
            ways = tuple(w for w in known[0][0] if all(w in f[0] for f in known))
            if ways:
                return _said(job, few[0], name, ways, known[0][1], exact)
    return None


def _short(job: Job, form: WholeForm | StepForm, t: Trip) -> bool:
    rows = t.start if form is job.up else t.noised
    return isinstance(form, WholeForm) and short_of_steps(form, t, rows)


def _between(
    job: Job, form: WholeForm | StepForm, t: Trip, eps: float
) -> tuple[Gone, float] | None:
    """The levels between which x went, if they are not those at the ends."""
    levels = levels_of(job, form, t)
    if len(levels) < 2 * MOST:
        return None
    data = point(t.data.mean.size)
    start, due = levels[0], (t.high if form is job.up else levels[-1])
    if form is job.down and t.low.sigma == 0:
        return None  # what ends at the data is judged there
    rows = place(data, start, t.where)
    end = ran(form, t.n, data, rows)
    near = max(NEAR, 1e4 * eps)

    def off(one: Level, other: Level) -> float:
        return not_led(rows, end, data, (one, other))

    size = off(start, due)
    if not size > APART * near:
        return None
    for k in range(2 * MOST):
        ways = tuple(
            (i, k - i)
            for i in range(k + 1)
            if max(i, k - i) < MOST and off(levels[i], levels[i - k - 1]) <= near
        )
        if ways:
            return ways, size
    return None


def _said(job: Job, t: Trip, name: str, gone: Gone, size: float, exact: bool) -> Evidence:
    first, last = gone[0]
    form = job.up if name == "inverse" else job.down
    levels = levels_of(job, form, t)
    due = t.high if name == "inverse" else levels[-1]
    went = f"{at_level(levels[first])} to that of {at_level(levels[-1 - last])}"
    text = (
        f"{job.name}: the {name} takes data at one point from the law of {went}, with"
        f" {len(levels) - 1} steps, where it is to lead from {at_level(levels[0])} to"
        f" {at_level(due)}: x is off by {size_of(size)} at its"
        " end; this fades with more steps, but a step is always left out"
    )
    if not exact:
        ends = listed_ends(gone[0])
        text = (
            f"{job.name}: what the {name} returns with {len(levels) - 1} steps does not change if"
            f" its {ends} time is another, although it does with the next: it does not lead from"
            f" {at_level(levels[0])} to {at_level(due)}; this fades with more steps, but a step is"
            " always left out"
        )
    if gone[0] == (0, 0):
        name, gone = "sampler", ((1, 0),)
    ways = " or ".join(" and ".join(_steps(*way)) for way in gone)
    cause = Diagnosis(
        (f"{name}_step_left_out",),
        0.0,
        None,
        f"Cause: the loop of the {name} {ways}: let it go through all times, zip(times[:-1],"
        " times[1:]), and return x at the last of them.",
    )
    seen = Coverage({"levels": len(levels)})
    evidence = Evidence("float", "refuted", size, APART * NEAR, text)
    return settled(evidence, resolution=APART * NEAR, coverage=seen).with_diagnosis(cause)


def _steps(first: int, last: int) -> list[str]:
    return [
        f"{what} {n} step{'s'[: n > 1]} too {how}"
        for n, what, how in ((first, "starts", "late"), (last, "ends", "early"))
        if n
    ]
