"""Up and down once: what the inverse makes of samples of the data, and what comes back.

Conventions: rows ``(n, d)``; ``up`` in the order of the inverse's steps, ``down`` of the sampler's.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.draws import Draw, intercepted
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.forms import Given, Rising, RisingScheduler, place, signs
from scoreproof.public.sampler.asking import Tape
from scoreproof.public.sampler.data import Data, Level, gaussian
from scoreproof.public.sampler.functions import StepForm, WholeForm
from scoreproof.streams import stream

__all__ = ["Trip", "back", "calls", "passage", "prepared", "ran", "trip"]

CLEAN = Level(0.0, 1.0, 0.0)


@dataclass(frozen=True, eq=False)
class Trip:
    """One trip with about ``n`` steps: ``start`` at ``low``, ``noised`` due at ``high``, ``home``.

    ``where``: the places of the rows in standard deviations. ``up``: x on the way of the
    inverse, with the level that its model is told there, without its start; ``levels`` that the
    sampler passes; ``drawn`` and ``calls`` of
    inverse and sampler. ``first``: what the inverse's first step takes x for; ``told``: the
    times that its model is told.
    """

    n: int
    data: Data
    where: np.ndarray
    low: Level
    high: Level
    start: np.ndarray
    noised: np.ndarray
    home: np.ndarray
    up: tuple[tuple[Level, np.ndarray], ...]
    levels: tuple[Level, ...]
    drawn: tuple[tuple[Draw, ...], tuple[Draw, ...]]
    calls: tuple[int, int]
    steps: tuple[int, int]
    first: Level | None
    told: tuple[float, ...]
    eps: float

    @property
    def width(self) -> float:
        """The mean width of a step of the sampler."""
        return abs(self.levels[0].when - self.levels[-1].when) / max(len(self.levels) - 1, 1)


def trip(job: Job, n: int, *, drawing: bool = False) -> Trip:
    """The trip with n steps; all noise is 0, or, ``drawing``, some fixed numbers."""
    d = int(np.prod(job.shape))
    data = gaussian(d)
    where = signs(d, stream(job.seed, "inversion", "rows"))
    low = prepared(job, n)
    start = place(data, low, where)
    noised, up, drawn, _ = _run(job.up, n, data, start, _noise(job, "up", drawing))
    home, down, served, eps = _run(job.down, n, data, noised, _noise(job, "down", drawing))
    levels = [s.level for s in down.states if s.level.sigma > 0]
    return Trip(
        n,
        data,
        where,
        low,
        levels[0],
        start,
        noised,
        home,
        _on_the_way(up, levels[0]),
        tuple(levels),
        (drawn, served),
        (up.calls, down.calls),
        (up.steps, down.steps),
        _first(job, up),
        tuple(s.level.when for s in up.states),
        eps,
    )


def back(job: Job, like: Trip) -> np.ndarray:
    """What the sampler makes of the exact law where it starts."""
    rows = place(like.data, like.high, like.where)
    return _run(job.down, like.n, like.data, rows, None)[0]


def ran(form: Any, n: int, data: Data, rows: np.ndarray) -> np.ndarray:
    """What a form makes of other rows, of other data; it draws no noise."""
    return _run(form, n, data, rows, None)[0]


def passage(
    form: Any, n: int, data: Data, rows: np.ndarray
) -> tuple[np.ndarray, list[tuple[Level, np.ndarray]]]:
    """What a form makes of other rows, and every x that it asks its model at."""
    end, tape, _, _ = _run(form, n, data, rows, None)
    return end, [(s.level, s.law.mean) for s in tape.states]


def calls(form: Any, n: int, data: Data, rows: np.ndarray) -> int:
    """How often a form asks its model for other rows, of other data."""
    return _run(form, n, data, rows, None)[1].calls


def _on_the_way(up: Tape, high: Level) -> tuple[tuple[Level, np.ndarray], ...]:
    seen = {s.level.when: (s.level, s.law.mean) for s in up.states if s.step >= 0}
    kept = [seen[t] for t in sorted(seen, key=lambda t: -seen[t][0].snr)]
    return tuple(v for v in kept if v[0].sigma > 0 and v[0].snr > high.snr * (1 + 1e-9))


def _first(job: Job, up: Tape) -> Level | None:
    said = job.up.taken_for(job.up.scheduler) if isinstance(job.up, RisingScheduler) else None
    return said or (up.states[0].level if up.states else None)


def _noise(job: Job, name: str, drawing: bool) -> np.random.Generator | None:
    return stream(job.seed, "inversion", name) if drawing else None


def _run(
    form: Any, n: int, data: Data, rows: np.ndarray, rng: np.random.Generator | None
) -> tuple[np.ndarray, Tape, tuple[Draw, ...], float]:
    given = Given(rows, rng)
    tape = Tape(given)  # type: ignore[arg-type]
    fresh = form.fresh()
    with intercepted(form.framework, given.noise, double=form.double) as log:
        tape.log = log
        out = form.run(fresh, n, data, tape)
    return np.asarray(out), tape, tuple(log.draws), log.eps


def prepared(job: Job, n: int) -> Level:
    """The level at which the inverse starts; a function that follows a scheduler gets its times."""
    down = job.down
    if isinstance(down, StepForm | WholeForm):
        return down.level_of(down.grid.times(n)[-1])
    if job.follows:
        s, timesteps = down.prepared(down.fresh(), n)
        levels = {v.when: v for v in down.levels(s, timesteps)}
        if len(levels) < 3:
            raise CallableError(
                "sampler",
                "go through 3 timesteps or more",
                f"it has {len(levels)}",
                "pass more steps=",
            )

        def level_of(t: float) -> Level:
            near = min(levels, key=lambda w: abs(w - t))
            if abs(near - t) > 1e-5 * max(1.0, abs(t)):
                raise CallableError(
                    "inverse",
                    "ask its model at timesteps of the sampler",
                    f"it asked at {t:g}",
                    "use the times that it is handed",
                )
            return levels[near]

        job.up.level_of = level_of
        job.up.grid = _Same(tuple(sorted(levels)), True)
    return CLEAN


class _Same(Rising):
    """The times of one run, as they are."""

    def times(self, n: int) -> list[float]:
        """All of them."""
        return list(self.base)
