"""What a bound with each known mistake would have returned where this one was asked.

Conventions: predictions are flat, in the order of the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

import numpy as np

from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.choosing import (
    Choice,
    _fit,
    in_other_units,
    kinds,
)
from scoreproof.public.variational_bound.faults import faults
from scoreproof.public.variational_bound.formula import Formula
from scoreproof.public.variational_bound.observed import Observed, kind
from scoreproof.public.variational_bound.reading import Reading, layouts, reduced

__all__ = ["candidates", "nearest"]


def candidates(job: Job, seen: Sequence[Observed], choice: Choice) -> dict[str, np.ndarray]:
    """By name; of names that occur twice, the nearest to what came."""
    return nearest(_all(job, seen, choice), np.concatenate([o.value for o in seen]))


def nearest(pairs: Iterable[tuple[str, np.ndarray]], value: np.ndarray) -> dict[str, np.ndarray]:
    """Of predictions with the same name the nearest to what came; none that is not finite."""
    found: dict[str, np.ndarray] = {}
    size = np.abs(value) + np.finfo(float).tiny
    for name, guess in pairs:
        if guess.shape != value.shape or not np.all(np.isfinite(guess)):
            continue
        before = found.get(name)
        if before is None or _apart(guess, value, size) < _apart(before, value, size):
            found[name] = guess
    return found


def _apart(guess: np.ndarray, value: np.ndarray, size: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm((guess - value) / size))


def _all(job: Job, seen: Sequence[Observed], choice: Choice) -> Iterator[tuple[str, np.ndarray]]:
    hows = {choice.how, Formula(), replace(choice.how, first=None)}
    readings: dict[Reading, None] = {choice.reading: None}
    for o in seen:
        readings |= dict.fromkeys(layouts(job, o.shape, o.rows))
    for how in hows:
        both = {"prior": how, "step": how}
        for reading in readings:
            yield from _units(seen, choice, reading, both)
            yield from _weights(job, seen, choice, reading, both)
            for part in kinds(seen):
                problem = next(p.problem for o in seen for p in o.parts if kind(p) == part)
                for name, fault in faults(problem, how):
                    yield name, _predicted(seen, choice, reading, both | {part: fault})


def _predicted(
    seen: Sequence[Observed], choice: Choice, reading: Reading, how: dict[str, Formula]
) -> np.ndarray:
    rows = (o.reweighted(choice.weights) for o in seen)
    return np.concatenate([reduced(o.due(how), _fit(reading, o)) for o in rows])


def _units(
    seen: Sequence[Observed], choice: Choice, reading: Reading, how: dict[str, Formula]
) -> Iterator[tuple[str, np.ndarray]]:
    right = _predicted(seen, choice, reading, how)
    for name, other in in_other_units(reading).items():
        if isinstance(other, float):
            yield name, right * other
        else:
            yield name, _predicted(seen, choice, other, how)


def _weights(
    job: Job,
    seen: Sequence[Observed],
    choice: Choice,
    reading: Reading,
    how: dict[str, Formula],
) -> Iterator[tuple[str, np.ndarray]]:
    """Of the parts of a sum."""
    if job.term != "total" or job.table is None:
        return
    steps = float(job.table.steps)
    log2 = float(np.log(2.0))
    estimate = seen[0].name == "estimate"
    changes: dict[str, dict[str, float]] = {
        "prior_missing": {"prior": 0.0},
        "prior_over_steps": {"prior": 1 / steps},
        "steps_missing": {"step": 0.0},
        "prior_twice": {"prior": 2.0},
        "sum_in_other_units": {"prior": log2},
    }
    if estimate:
        changes |= {
            "no_steps_factor": {"step": 1 / steps},
            "one_step_less": {"step": 1 - 1 / steps},
            "prior_times_steps": {"prior": steps},
        }
    else:
        changes |= {"mean_over_steps": {"step": 1 / steps}}
    for name, weights in changes.items():
        for also in (choice, replace(choice, weights={"prior": 0.0})) if estimate else (choice,):
            kept = [o.reweighted(weights) if len(o.parts) > 1 else o for o in seen]
            if all(o.parts for o in kept):
                yield name, _predicted(kept, also, reading, how)
