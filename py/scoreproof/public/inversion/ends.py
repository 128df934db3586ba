"""Whether inverse and sampler go through all their levels: a step that is left out at an end is
short where there are many, and fades from every limit.

Conventions: data at one point, whose law x = α x_0 + σ z the usual steps keep exactly, so that the
levels between which x went are read off; an error in units of σ where x ends.
"""

from __future__ import annotations

from collections.abc import Callable
from copy import copy

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.asking import Trip, ran
from scoreproof.public.inversion.forms import place
from scoreproof.public.inversion.trips import Trips
from scoreproof.public.rule import settled
from scoreproof.public.sampler.data import Level, point
from scoreproof.public.sampler.functions import StepForm, WholeForm
from scoreproof.public.sampler.grid import Grid
from scoreproof.public.sampler.words import at_level, size_of

__all__ = ["left_out"]

#: levels that may be left out at an end
MOST = 3
#: two levels are the same: to rounding, in units of σ
NEAR = 1e-8
#: and others if they are so many times as far apart
APART = 1e3

#: how many levels are left out at the start and at the end, for each reading of the same numbers
Gone = tuple[tuple[int, int], ...]


class _Fixed(Grid):
    """The times of one run, as they are."""

    def times(self, n: int) -> list[float]:
        """All of them."""
        return list(self.base)


def left_out(job: Job, trips: Trips) -> Evidence | None:
    """A refutation where a step is left out, whatever the number of steps."""
    for form, name in ((job.up, "inverse"), (job.down, "sampler")):
        if not isinstance(form, WholeForm | StepForm):
            continue
        few = trips.made[: 1 if job.follows else 2]
        looks: tuple[Callable[[Trip], tuple[Gone, float] | None], ...] = (
            lambda t, form=form: _between(job, form, t, trips.eps),  # type: ignore[misc]
            lambda t, form=form: _unused(job, form, t),  # type: ignore[misc]
        )
        for look, exact in zip(looks, (True, False), strict=True):
            try:
                found = [look(t) for t in few]
            except CallableError:
                continue
            known = [f for f in found if f is not None]
            if len(known) < len(few) or known[0][1] <= (job.tolerance or 0.0):
                continue
            ways = tuple(w for w in known[0][0] if all(w in f[0] for f in known))
            if ways:
                return _said(job, few[0], name, ways, known[0][1], exact)
    return None


def _levels(job: Job, form: WholeForm | StepForm, t: Trip) -> list[Level]:
    """In the order in which they are due, with noise."""
    if job.follows:
        return sorted((v for v in t.levels if v.sigma > 0), key=lambda v: -v.snr)
    levels = [form.level_of(w) for w in form.grid.times(t.n)]
    late = form is job.down  # it starts where it asks its model first
    return [v for v in levels if v.sigma > 0 and (not late or v.snr >= t.high.snr * (1 - 1e-9))]


def _between(
    job: Job, form: WholeForm | StepForm, t: Trip, eps: float
) -> tuple[Gone, float] | None:
    """The levels between which x went, if they are not those at the ends."""
    levels = _levels(job, form, t)
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
        z = (rows - one.alpha * data.mean) / one.sigma
        return float(np.max(np.abs(end - other.alpha * data.mean - other.sigma * z)) / other.sigma)

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


def _unused(job: Job, form: WholeForm | StepForm, t: Trip) -> tuple[Gone, float] | None:
    """The times at an end that what is returned does not answer to, although it does to the next:
    for methods that keep no law exactly.
    """
    times = form.grid.times(t.n)
    if not isinstance(form, WholeForm) or job.follows or len(times) < 2 * MOST:
        return None
    rows = t.start if form is job.up else t.noised

    def run(own: list[float]) -> np.ndarray:
        other = copy(form)
        other.grid = _Fixed(tuple(own), form.grid.whole)
        return ran(other, t.n, t.data, rows)

    def unused(order: list[int]) -> int:
        for k, i in enumerate(order):
            moved = list(times)
            toward = times[i + 1] if i + 1 < len(times) else times[i - 1]
            moved[i] = times[i] + (toward - times[i]) / 3
            if form.grid.whole:
                moved[i] = float(round(moved[i]))
            if moved[i] in times or np.any(run(moved) != end):
                return k
        return 0  # it does not go through its times at all

    end = run(list(times))
    last, due = len(times) - 1, form.level_of(times[-1])
    # a step to the data itself need not be handed σ = 0
    early = unused([last - k for k in range(MOST)]) if due.sigma > 0 else 0
    gone = (unused(list(range(MOST))), early)
    if gone == (0, 0) or form.level_of(times[0]).sigma == 0:
        return None
    own = form.level_of(times[-1 - gone[1]])
    first = form.level_of(times[gone[0]])
    ratio = due.snr / own.snr * form.level_of(times[0]).snr / first.snr if due.sigma > 0 else 0.0
    return (gone,), float(abs(ratio - 1))


def _said(job: Job, t: Trip, name: str, gone: Gone, size: float, exact: bool) -> Evidence:
    first, last = gone[0]
    form = job.up if name == "inverse" else job.down
    levels = _levels(job, form, t)
    due = t.high if name == "inverse" else levels[-1]
    went = f"{at_level(levels[first])} to that of {at_level(levels[-1 - last])}"
    text = (
        f"{job.name}: the {name} takes data at one point from the law of {went}, with"
        f" {len(levels) - 1} steps, where it is to lead from {at_level(levels[0])} to"
        f" {at_level(due)}: x is off by {size_of(size)} {'the' if size > 2 else 'of the'} standard"
        " deviation at its end; this fades with more steps, but a step is always left out"
    )
    if not exact:
        ends = " and ".join(("first", "last")[k] for k in (0, 1) if gone[0][k])
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
