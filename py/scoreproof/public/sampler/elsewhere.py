"""Steps that lead to another timestep of the table than the next one of the list.

Conventions: as in `causes.steps`. Where nothing else is decided, such steps are refuted at any
number of them: from the law that is due each leads to the exact law of some entry of the table, and
to none that the model is told next. Towards a list of all timesteps that fades, as t - 1 is the
next one there. It is no error of a method that converges: what such a method misses is a smaller
part of a step the shorter that is, and this is no part of a step but whole timesteps.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import settled
from scoreproof.public.sampler import words
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.causes.numbers import table_of
from scoreproof.public.sampler.causes.question import LOOSE, TIGHT
from scoreproof.public.sampler.causes.steps import Steps, steps_of
from scoreproof.public.sampler.causes.tableau import measured
from scoreproof.public.sampler.convergence import errors_of, inner, rounding
from scoreproof.public.sampler.runs import Runs

__all__ = ["led_elsewhere"]

#: a level is an entry's if it is off by no more than this part of the way to the next entry
NEAR = 1e-2
#: that so many steps come to lie on entries by chance cannot be
FEWEST = 5
#: an error is beyond rounding if it is so many times that
CLEARLY = 10.0
NOTHING = 1e-9


def led_elsewhere(evidence: Evidence, job: Job, runs: Runs) -> Evidence:
    """The refutation of such steps; anything else as it is."""
    if evidence.verdict != "undecided" or evidence.coverage is None:
        return evidence
    try:
        found = _refuted(evidence, job, runs)
    except (CallableError, ArgumentError, ArithmeticError, LookupError):
        return evidence  # a sampler that cannot be asked again is as undecided as it was
    return evidence if found is None else found


def _refuted(evidence: Evidence, job: Job, runs: Runs) -> Evidence | None:
    bar = table_of(job)
    table = None if bar is None else measured(job, job.steps)
    steps = None if table is None else steps_of(table)
    found = None if bar is None or steps is None else _entries(steps, bar, runs.table)
    if found is None or steps is None:
        return None
    chain = runs.first()
    off, states = errors_of(chain), inner(chain)
    bound = max(rounding(chain, s, runs.table) for s in states)
    k, part, i = (int(v) for v in np.unravel_index(int(np.argmax(np.abs(off))), off.shape))
    value = float(abs(off[k, part, i]))
    if not value > CLEARLY * bound:
        return None
    where = words.of_the_law(states[k].level, part, i, float(off[k, part, i]), job.shape)
    (t, to, due), n = found, steps.count
    text = (
        f"{job.name}: with {n} steps {where} (data at one point): each step keeps the law, but"
        f" leads to another timestep than the one that the model is told next (from {t} to {to},"
        f" and not to {due}). With a list of all timesteps both are the same, and the law is right"
    )
    refuted = Evidence("float", "refuted", value, bound, text)
    more = {n: getattr(evidence, n) for n in ("notes", "curves", "labels", "cost")}
    return settled(
        replace(refuted, **more), resolution=2 * bound, coverage=Coverage({"levels": len(states)})
    )


def _entries(steps: Steps, bar: np.ndarray, eps: float) -> tuple[int, int, int] | None:
    """Where the first of the steps begins, which entry it leads to, and which one is due, if all of
    them lead to entries that are not due.
    """
    c = {n: v[:, 0] for n, v in steps.coefficients.items()}
    a, b = c.pop("x_next.x"), c.pop("x_next.c1")
    z = np.hypot(c.pop("x_next.z", 0 * a), c.pop("x_next.z_2", 0 * a))
    if steps.stages != 1 or steps.stale or any(np.any(np.abs(v) > NOTHING) for v in c.values()):
        return None
    before, after = (
        np.array([[v.alpha, v.sigma] for v in side]).T for side in (steps.before, steps.after)
    )
    kept = after[1] > 0
    signal, noise = (a * before[0] + b)[kept], np.hypot(a * before[1], z)[kept]
    if np.sum(kept) < FEWEST or not np.all((signal > 0) & (noise > 0)):
        return None
    own = np.log((1 - bar) / bar) / 2
    to, off = _nearest(own, np.log(noise / signal))
    due, _ = _nearest(own, np.log((after[1] / after[0])[kept]))
    alpha = np.where(before[0][kept] == 1, 1.0, np.sqrt(bar[to]))
    scaled = np.abs(signal - alpha) <= max(TIGHT, LOOSE * eps) * np.hypot(signal, noise)
    if np.any(off > NEAR) or np.any(to == due) or not np.all(scaled):
        return None
    return round(steps.before[0].when), int(to[0]), int(due[0])


def _nearest(own: np.ndarray, wanted: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The nearest entries of a rising table, and how far off they are, in parts of the smaller of
    the ways to their neighbours.
    """
    at = np.abs(own[:, None] - wanted).argmin(axis=0)
    gaps = np.abs(np.diff(own))
    way = np.minimum(np.append(gaps, np.inf)[at], np.insert(gaps, 0, np.inf)[at])
    return at, np.abs(own[at] - wanted) / way
