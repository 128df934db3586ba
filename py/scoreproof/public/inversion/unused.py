"""Times of an end that what is returned does not answer to: those of a step that is left out, or of
one whose width is taken from other times, which is right where all steps are alike.

Conventions: as in `ends`.
"""

from __future__ import annotations

from contextlib import suppress
from copy import copy
from dataclasses import replace

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.asking import Trip, calls, ran
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.functions import StepForm, WholeForm
from scoreproof.public.sampler.grid import Grid

__all__ = [
    "alike",
    "MOST",
    "Gone",
    "levels_of",
    "listed_ends",
    "not_led",
    "noted",
    "short_of_steps",
    "unused",
]

#: levels that may be left out at an end
MOST = 3

#: how many levels are left out at the start and at the end, for each reading of the same numbers
Gone = tuple[tuple[int, int], ...]


class _Fixed(Grid):
    """The times of one run, as they are."""

    def times(self, n: int) -> list[float]:
        """All of them."""
        return list(self.base)


def levels_of(job: Job, form: WholeForm | StepForm, t: Trip) -> list[Level]:
    """In the order in which they are due, with noise."""
    if job.follows:
        return sorted((v for v in t.levels if v.sigma > 0), key=lambda v: -v.snr)
    levels = [form.level_of(w) for w in form.grid.times(t.n)]
    late = form is job.down  # it starts where it asks its model first
    return [v for v in levels if v.sigma > 0 and (not late or v.snr >= t.high.snr * (1 - 1e-9))]


def unused(job: Job, form: WholeForm | StepForm, t: Trip) -> tuple[Gone, float] | None:
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

    def idle(order: list[int]) -> int:
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
    least = idle([last - k for k in range(MOST)]) if due.sigma > 0 else 0
    gone = (idle(list(range(MOST))), least)
    if gone == (0, 0) or form.level_of(times[0]).sigma == 0:
        return None
    own = form.level_of(times[-1 - gone[1]])
    first = form.level_of(times[gone[0]])
    start = form.level_of(times[0])
    early = start.snr / first.snr if first.snr > 0 else 1.0
    ratio = due.snr / own.snr * early if due.sigma > 0 and own.snr > 0 else 0.0
    return (gone,), float(abs(ratio - 1))


def short_of_steps(form: WholeForm, t: Trip, rows: np.ndarray) -> bool:
    """Whether the model is asked for fewer steps than the times make: who takes a stride from the
    first times takes all of them, without using the last one.
    """
    times = form.grid.times(t.n)
    every, fewer = (_calls(form, t, rows, part) for part in (times, times[1:]))
    a_step = max(every - fewer, 1)
    return -(-every // a_step) < len(times) - 1


def _calls(form: WholeForm, t: Trip, rows: np.ndarray, times: list[float]) -> int:
    other = copy(form)
    other.grid = _Fixed(tuple(times), form.grid.whole)
    return calls(other, t.n, t.data, rows)


def not_led(rows: np.ndarray, end: np.ndarray, data: Data, between: tuple[Level, Level]) -> float:
    """By how many σ the rows are not led from the one level to the other."""
    one, other = between
    z = (rows - one.alpha * data.mean) / one.sigma
    return float(np.max(np.abs(end - other.alpha * data.mean - other.sigma * z)) / other.sigma)


def listed_ends(gone: tuple[int, int]) -> str:
    """Which end it is of."""
    return " and ".join(("first", "last")[k] for k in (0, 1) if gone[k])


def alike(job: Job, t: Trip) -> Job | None:
    """The same with gaps that stay alike, where one of the two does not use its last time."""
    grids = []
    for form in (job.up, job.down):
        if not isinstance(form, WholeForm) or form.grid.straightened() is None:
            return None
        grids.append(form.grid.straightened())
    if not noted(job, t):
        return None
    up, down = (replace(f, grid=g) for f, g in zip((job.up, job.down), grids, strict=True))
    return replace(job, up=up, down=down)


def noted(job: Job, t: Trip) -> list[str]:
    """What is to be said where a time of an end is not used although x goes there."""
    notes = []
    for form, name in ((job.up, "inverse"), (job.down, "sampler")):
        if not isinstance(form, WholeForm):
            continue
        with suppress(CallableError):
            found = unused(job, form, t)
            if found is not None:
                notes.append(
                    f"What the {name} returns does not change with its {listed_ends(found[0][0])}"
                    " time: it takes the width of its steps from others, which is right as long as"
                    " all of them are alike."
                )
    return notes
