"""The variance, or its logarithm, that a posterior is returned with.

Conventions: as in `answers`; where there are two outputs alone, the second is the variance, its
logarithm or its root.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.schedule.answered import Answer
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.methods import Bound
from scoreproof.public.schedule.rounding import SINGLE, in_single, split
from scoreproof.public.schedule.tables import TABLES, Base, due_of
from scoreproof.public.schedule.words import cause

__all__ = ["ROUNDINGS", "moment"]

#: roundings of one number, beside those of its ᾱ
ROUNDINGS = 16
#: what the second and third of a posterior's moments are
MOMENTS = {1: "posterior_variance", 2: "posterior_log_variance"}


def moment(given: Given, bound: Bound, answer: Answer, base: Base, k: int) -> Evidence | None:
    """The variance, or its logarithm, that it returns with the mean."""
    if len(answer.more) < k:
        return None
    name, at = MOMENTS[k], answer.times
    values = answer.more[k - 1][:, 0]
    coarse = max(answer.eps, base.eps, SINGLE if in_single(values) else 0.0)
    forms: dict[str, Callable[[np.ndarray], np.ndarray]] = {name: lambda v: v}
    if len(answer.more) == 1:  # two moments: the second is any of three
        forms = {name: lambda v: v, MOMENTS[2]: lambda v: v}
        forms["its root"] = np.square
    tried = [_moment_as(given, bound, f(values), n, base, at, coarse) for n, f in forms.items()]
    return next((e for e in tried if e.verdict == "holds"), tried[0])


def _moment_as(
    given: Given,
    bound: Bound,
    values: np.ndarray,
    name: str,
    base: Base,
    at: np.ndarray,
    coarse: float,
) -> Evidence:
    name = name if name in TABLES else MOMENTS[1]
    table, whole = TABLES[name], np.full(len(base.bar), np.nan)
    whole[at] = values
    with np.errstate(all="ignore"):
        due = due_of(name, whole, base)[at]
        size = np.where(np.isfinite(due), np.maximum(np.abs(due), table.least), 0.0)
        size = np.where(size > 1e-12 * np.max(size), size, np.max(size) or 1.0)
        error = np.where(values == due, 0.0, np.abs(values - due) / size)
        lost = coarse * ((base.roundings + ROUNDINGS) * table.loss(base))[at]
    lost = lost / size + coarse if table.least else lost
    error = np.nan_to_num(error, nan=1e300, posinf=1e300)
    limit, excuse = split(error, np.where(np.isfinite(lost), lost, coarse), coarse)
    which = "variance" if name == MOMENTS[1] else "log variance"
    evidence = compared(
        error,
        limit,
        f"the {which} that {bound.name} returns is {table.words}",
        excuse=excuse,
        coverage=Coverage({"methods": 1}),
        tolerance=given.tolerance,
        remedy="keep the tables in float64",
    )
    if evidence.verdict != "refuted":
        return evidence
    wrong = error > limit + excuse + (given.tolerance or 0.0)
    k = int(np.argmax(np.where(wrong, error, 0.0)))
    text = (
        f"{bound.name} returns the {which} {values[k]:.6g} at timestep {at[k]} where {due[k]:.6g}"
        f" is due (wrong at {wrong.sum()} of {len(at)} timesteps)"
    )
    evidence = replace(evidence, sentence=text)
    if len(at) < len(base.bar):
        return evidence
    return evidence.with_diagnosis(cause(name, values, base, limit, wrong))
