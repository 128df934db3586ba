"""Runs whose steps are not alike, made alike: a start that asks its model twice at one level, and
schedulers that take a step in two halves, with timesteps that occur twice.

Conventions: as in `tableau`.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.public.sampler.causes.tableau import Tableau
from scoreproof.public.sampler.data import Level

__all__ = ["regular"]

#: calls at the start that are more than one a step
MOST = 3


def regular(found: Tableau) -> Tableau:
    """The same run without what is not alike, or as it is."""
    return _halves(found) or _without_the_first(found) or _to_the_data(found) or found


def _same(one: Level, other: Level) -> bool:
    return abs(one.alpha - other.alpha) + abs(one.sigma - other.sigma) <= 1e-9 * other.sigma


def _halves(found: Tableau) -> Tableau | None:
    """Timesteps t_0, t_1, t_1, t_2, t_2, …: a step is two calls of ``step``."""
    levels, n = found.levels, found.steps
    if not found.stepwise or n < 5 or n % 2 == 0 or len(levels) != n + 1 or found.calls != n:
        return None
    if not all(_same(levels[k], levels[k + 1]) for k in range(1, n - 1, 2)):
        return None
    kept = (levels[0], *levels[1:n:2], levels[n])
    constants = (found.constants[0], found.constants[1][::2], found.constants[2])
    return replace(found, levels=kept, steps=len(kept) - 1, stepwise=False, constants=constants)


def _to_the_data(found: Tableau) -> Tableau | None:
    """A call at every time, the last one too: a step more, which leads to the data."""
    last = found.levels[-1]
    if found.stepwise or found.calls != found.steps + 1 or not last.sigma > 0:
        return None
    if not all(_same(u, v) for u, v in zip(found.told, found.levels, strict=True)):
        return None
    levels = (*found.levels, Level(0.0, 1.0, 0.0))
    return replace(found, levels=levels, steps=found.steps + 1)


def _without_the_first(found: Tableau) -> Tableau | None:
    """A first step that asks at its end as well: that call is left out, and so is what it does."""
    more = found.calls - found.steps
    if found.stepwise or not 0 < more <= MOST or found.steps < 2 * MOST:
        return None
    early = range(min(2 * MOST, found.calls - 1))
    twice = [c for c in early if _same(found.told[c], found.told[c + 1])]
    if len(twice) != more:
        return None
    calls = [c for c in range(found.calls) if c not in twice]
    draws = range(1 + found.calls, found.end.shape[0])
    rows = [0, *(1 + c for c in calls), *draws]
    return replace(
        found,
        asked=found.asked[calls][:, rows],
        states=found.states[:, rows],
        end=found.end[rows],
        told=tuple(found.told[c] for c in calls),
        calls=len(calls),
        constants=(np.asarray(found.constants[0])[calls], *found.constants[1:]),
    )
