"""What a bound with each known mistake would have returned where this one was asked.

Conventions: predictions are flat, in the order of the answers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.choosing import (
    Choice,
    compare,
    fitted,
    formulas,
    in_other_units,
    kinds,
)
from scoreproof.public.variational_bound.faults import faults
from scoreproof.public.variational_bound.formula import Formula
from scoreproof.public.variational_bound.observed import Observed, kind
from scoreproof.public.variational_bound.reading import Reading, layouts, reduced

__all__ = ["Guess", "candidates", "nearest"]


@dataclass(frozen=True, eq=False)
class Guess:
    """A prediction, and the choice that it is of, where that is another formula."""

    value: np.ndarray
    choice: Choice | None = None

    def blur(self, job: Job, seen: Sequence[Observed], eps: float) -> np.ndarray:
        """What rounding may leave in it: as large as its own terms are."""
        if self.choice is None:
            return np.zeros_like(self.value)
        mine = compare(seen, self.choice, eps, job.table_eps)
        return np.asarray(mine.blur + mine.excuse)


def candidates(
    job: Job, seen: Sequence[Observed], choice: Choice, tanh: bool = False
) -> dict[str, Guess]:
    """By name; of names that occur twice, the nearest to what came; ``tanh``: each with the
    decoder's cumulative function approximated.
    """
    value = np.concatenate([o.value for o in seen])
    hows = [choice.how, *(h for h, _ in formulas(job))]
    hows = [replace(h, bins=replace(h.bins, tanh=True)) for h in hows] if tanh else hows
    return _nearest(_all(job, seen, choice, hows), value)


def nearest(pairs: Iterable[tuple[str, np.ndarray]], value: np.ndarray) -> dict[str, np.ndarray]:
    """Of predictions with the same name the nearest to what came; none that is not finite."""
    found = _nearest(((name, Guess(guess)) for name, guess in pairs), value)
    return {name: guess.value for name, guess in found.items()}


def _nearest(pairs: Iterable[tuple[str, Guess]], value: np.ndarray) -> dict[str, Guess]:
    found: dict[str, Guess] = {}
    size = np.abs(value) + np.finfo(float).tiny
    for name, guess in pairs:
        if guess.value.shape != value.shape or not np.all(np.isfinite(guess.value)):
            continue
        before = found.get(name)
        if before is None or _apart(guess.value, value, size) < _apart(before.value, value, size):
            found[name] = guess
    return found


def _apart(guess: np.ndarray, value: np.ndarray, size: np.ndarray) -> float:
    with np.errstate(all="ignore"):
        return float(np.linalg.norm((guess - value) / size))


def _all(
    job: Job, seen: Sequence[Observed], choice: Choice, hows: Sequence[Formula]
) -> Iterator[tuple[str, Guess]]:
    readings: dict[Reading, None] = {choice.reading: None}
    for o in seen:
        readings |= dict.fromkeys(layouts(job, o.shape, o.rows))
    estimate = seen[0].name == "estimate"
    ways: list[dict[str, float]] = [{}, {"prior": 0.0}]
    lacking = [replace(choice, weights=w) for w in ways] if estimate else [choice]
    for how in hows:
        both = {"prior": how, "step": how}
        for also in lacking:
            kept = [o.reweighted(also.weights) for o in seen]
            due = [o.due(both) for o in kept]
            for reading in readings:
                for name, guess in _units(kept, due, reading):
                    yield name, Guess(guess)
            for name, other in _weights(job, seen, also):
                due = [o.due(both) for o in other]
                for reading in readings:
                    yield name, Guess(_reduced(other, due, reading))
        kept = [o.reweighted(choice.weights) for o in seen]
        for part in kinds(kept):
            problem = next(p.problem for o in kept for p in o.parts if kind(p) == part)
            for name, fault in faults(problem, how):
                due = [o.due(both | {part: fault}) for o in kept]
                for reading in readings:
                    mine = replace(choice, how=fault, reading=reading)
                    yield name, Guess(_reduced(kept, due, reading), mine)


def _reduced(seen: Sequence[Observed], due: Sequence[np.ndarray], reading: Reading) -> np.ndarray:
    both = zip(seen, due, strict=True)
    return np.concatenate([reduced(entries, fitted(reading, o)) for o, entries in both])


def _units(
    seen: Sequence[Observed], due: Sequence[np.ndarray], reading: Reading
) -> Iterator[tuple[str, np.ndarray]]:
    for name, other in in_other_units(reading).items():
        if isinstance(other, float):
            yield name, other * _reduced(seen, due, reading)
        else:
            yield name, _reduced(seen, due, other)


def _weights(
    job: Job, seen: Sequence[Observed], choice: Choice
) -> Iterator[tuple[str, list[Observed]]]:
    """Of the parts of a sum."""
    if job.term != "total" or job.table is None:
        return
    steps = float(job.table.steps)
    changes: dict[str, dict[str, float]] = {
        "prior_missing": {"prior": 0.0},
        "prior_over_steps": {"prior": 1 / steps},
        "steps_missing": {"step": 0.0},
        "all_over_steps": {"prior": 1 / steps, "step": 1 / steps},
        "prior_twice": {"prior": 2.0},
        "sum_in_other_units": {"prior": float(np.log(2.0))},
    }
    estimate = seen[0].name == "estimate"
    if estimate:
        changes |= {
            "no_steps_factor": {"step": 1 / steps},
            "one_step_less": {"step": 1 - 1 / steps},
            "prior_times_steps": {"prior": steps},
        }
    else:
        changes |= {"mean_over_steps": {"step": 1 / steps}}
    for name, weights in changes.items():
        kept = [o.reweighted(weights) if len(o.parts) > 1 else o for o in seen]
        kept = [o.reweighted(choice.weights) for o in kept]
        if all(o.parts for o in kept):
            yield name, kept
    if estimate and job.probabilities is not None:
        for name, weight in (("importance_missing", steps), ("alone_of_all", 1.0)):
            yield name, [o.weighted(weight).reweighted(choice.weights) for o in seen]
