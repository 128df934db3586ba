"""Every entry of the gradient in its own size, on top of what the largest entry allows.

Conventions: errors and limits in the units of the entries; ``bound`` is relative to the largest. An
entry is refuted beyond ``bound`` of the largest (and beyond ``tolerance`` of its own), and passes
within `PASS` (or ``tolerance``) of its own size; between the two it is undecided.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.evidence import Evidence
from scoreproof.public.drawing import by_place
from scoreproof.public.log_likelihood_gradient.arguments import Given
from scoreproof.public.log_likelihood_gradient.asking import Answer, Question
from scoreproof.public.log_likelihood_gradient.due import Due, Layout
from scoreproof.public.log_likelihood_gradient.words import still, without_use
from scoreproof.public.rule import COARSEST, settled
from scoreproof.words import part_of

__all__ = ["PASS", "Comparison", "entrywise"]

#: a parameter whose entry is off by more than this part of its own size does not pass
PASS = 0.004
#: a later question is spoken of where it is off by so many times more than the ones before
PLAINER = 3.0
#: the last operations on an entry
ROUNDINGS = 4
REMEDY = (
    "use float64, a larger accuracy of the solver, or pass the relative error of an entry that you"
    " accept, e.g. tolerance=0.1"
)


@dataclass(frozen=True, eq=False)
class Comparison:
    """All questions: what was found and what is due, in the layout's columns."""

    given: Given
    asked: list[Question]
    found: list[Answer]
    due: list[Due]
    how: Layout
    #: parameters that the field does not use at all, ``(P,)``
    unused: np.ndarray

    @property
    def settled_by_zero(self) -> np.ndarray:
        """Columns of unused parameters alone, 0 where 0 is due: there is no other answer."""
        columns = self.how.columns
        unused = self.unused if columns is None else ~np.any(columns[~self.unused] != 0, axis=0)
        zero = [np.all(self.how.of(a.gradient) == 0, axis=0) for a in self.found]
        return unused & np.all(zero, axis=0) & (self.own == 0)

    @property
    def own(self) -> np.ndarray:
        """The size of each column: the largest of its entries at all questions, ``(K,)``."""
        found = np.max([np.max(np.abs(d.gradient), axis=0) for d in self.due], axis=0)
        if self.how.least is None:
            return found
        return np.where(np.isnan(self.how.least), found, self.how.least)

    @property
    def floor(self) -> np.ndarray:
        return np.max([d.floor for d in self.due], axis=0)

    def largest(self, k: int) -> float:
        """The size to which ``bound`` is relative at question k."""
        if self.how.columns is not None:
            return 1.0
        return float(np.max(np.abs(self.due[k].gradient))) or 1.0

    def error(self, k: int) -> np.ndarray:
        return np.abs(self.how.of(self.found[k].gradient) - self.due[k].gradient)

    def value_error(self, k: int) -> np.ndarray:
        """Of log p̂, relative to 1 or to itself if that is larger."""
        value = self.found[k].value
        if value is None:
            return np.zeros(0)
        return np.abs(value - self.due[k].value) / np.maximum(1.0, np.abs(self.due[k].value))


def entrywise(base: Evidence, c: Comparison, bound: float, eps: float) -> Evidence:
    """``base`` (what the largest entry allows) with every entry judged, and with its coverage.

    ``eps``: the unit roundoff of the gradient; its last roundings may hide a deviation.
    """
    tolerance, own, floor = c.given.tolerance, c.own, c.floor
    accepted = (tolerance or 0.0) * own
    hidden: tuple[float, str] = (0.0, "")
    refuted = (0.0, base.value, base.bound, "")
    for k, question in enumerate(c.asked):
        error, largest = c.error(k), c.largest(k)
        limit = np.maximum(bound * largest, accepted) + floor
        passing = np.minimum(
            limit, np.maximum(accepted, PASS * own if not tolerance else 0) + floor
        )
        ratio = _ratio(error, limit)
        i = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
        # the first question, all rows in order, is the plainest to read
        if ratio[i] > max(1.0, PLAINER * refuted[0]):
            text = (
                f"{_name(c, int(i[1]))} is off by {_off(error[i], own[i[1]])} at {question.where}"
            )
            refuted = (
                float(ratio[i]),
                float(error[i] / largest),
                float(limit[i[1]] / largest),
                text,
            )
        ratio = _ratio(error, passing)
        i = np.unravel_index(int(np.argmax(ratio)), ratio.shape)
        if ratio[i] > max(1.0, hidden[0]):
            hidden = (
                float(ratio[i]),
                f"{_name(c, int(i[1]))}, {own[i[1]] / largest:.2g} of the largest, is off by"
                f" {_off(error[i], own[i[1]])}",
            )
        value, most = c.value_error(k), max(bound, tolerance or 0.0)
        if value.size and np.max(value) > most * max(1.0, refuted[0]):
            j = int(np.argmax(value))
            text = f"log p̂ of row {question.rows[j]} is off by {value[j]:.2g} at {question.where}"
            refuted = (float(value[j] / most), float(value[j]), most, text)
    if not base.curves:
        base = replace(base, **_drawn(c, bound, accepted))
    coverage, resolution = _seen(c, bound, eps)
    if refuted[0] > 1:
        return replace(
            base,
            verdict="refuted",
            value=refuted[1],
            bound=refuted[2],
            sentence=f"{base.sentence}: {refuted[3]}",
            resolution=resolution,
            coverage=coverage,
        )
    if base.verdict == "refuted" and tolerance:  # within the tolerance, entry by entry
        base = replace(base, verdict="holds", bound=max(base.bound, tolerance))
    if base.verdict != "holds":
        return replace(base, resolution=resolution, coverage=coverage)
    if hidden[0] > 1:
        how = (
            "pass a smaller accuracy or smaller tolerances"
            if not tolerance
            else "a larger tolerance"
        )
        what = "that the bound, relative to the largest entry, allows and that is too much to pass"
        return replace(
            base,
            verdict="undecided",
            sentence=f"{base.sentence}: the entry of {hidden[1]}, {what}: {how}",
            resolution=resolution,
            coverage=coverage,
        )
    return settled(
        base, resolution=resolution, coverage=coverage, tolerance=tolerance, remedy=REMEDY
    )


def _drawn(c: Comparison, bound: float, accepted: np.ndarray) -> dict[str, Any]:
    """The largest error of each parameter, or direction, over all rows and questions, against its
    limit there: where a mistake is in some of them, a picture shows which.
    """
    errors, limits = [], []
    for k in range(len(c.asked)):
        error, largest = np.max(c.error(k), axis=0), c.largest(k)
        errors.append(error / largest)
        limits.append((np.maximum(bound * largest, accepted) + c.floor) / largest)
    worst = np.argmax(_ratio(np.array(errors), np.array(limits)), axis=0)
    along = np.arange(worst.size)
    what = "parameter" if c.how.columns is None else "direction of several parameters"
    drawn = by_place(np.array(errors)[worst, along], np.array(limits)[worst, along], (what, along))
    return drawn | {"labels": (what, "error, relative to the largest entry")} if drawn else {}


def _seen(c: Comparison, bound: float, eps: float) -> tuple[Coverage, float]:
    """What was looked at, and the smallest deviation of an entry that could not have passed."""
    own, floor, tolerance = c.own, c.floor, c.given.tolerance
    worst = tolerance or COARSEST
    p = c.given.params.size
    nought = c.settled_by_zero
    dark = (4 * floor >= worst * own) & ~nought
    left: tuple[Omission, ...] = ()
    if np.any(nought):
        left = (without_use(_members(c, nought), c.given.leaves),)
    if np.any(dark):
        k = int(np.argmax(dark))
        left = (
            *left,
            Omission(
                "parameters",
                int(np.sum(_members(c, dark))),
                "on which log p̂ does not depend beyond rounding at these rows; pass other rows x,"
                " or leave them out of params",
                f"{_name(c, k)}{' …' if np.sum(dark) > 1 else ''}",
            ),
        )
    apart = "" if c.how.members == 1 else f", {c.how.members} parameters a direction"
    frozen = c.given.held.frozen
    if frozen:
        left = (*left, still(frozen))
    coverage = Coverage(
        {"parameters": p + sum(frozen.values()), "rows": len(c.given.x), "questions": len(c.asked)},
        left,
        span=f"each row with its own ν, each parameter in its own size{apart}",
    )
    bright = ~dark & ~nought
    if not np.any(bright):
        return coverage, math.inf
    largest = max(c.largest(k) for k in range(len(c.asked)))
    part = 0.0 if tolerance else np.minimum(bound * largest / own[bright], PASS)
    resolution = float(np.max(part + 2 * floor[bright] / own[bright])) + ROUNDINGS * eps
    if c.found[0].value is not None:
        resolution = max(resolution, 2 * bound)
    return coverage, resolution


def _members(c: Comparison, columns: np.ndarray) -> np.ndarray:
    """Which parameters these columns speak of, ``(P,)``."""
    if c.how.columns is None:
        return columns
    return np.any(c.how.columns[:, columns] != 0, axis=1)


def _ratio(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(part > 0, part / whole, 0.0)


def _name(c: Comparison, k: int) -> str:
    if c.how.columns is None:
        return c.given.leaves.name(k)
    among = np.flatnonzero(c.how.columns[:, k])
    if c.given.leaves.plain:
        return f"one of params[{', '.join(map(str, among[:3]))}, …]"
    return f"one of {', '.join(map(c.given.leaves.name, among[:3]))}, …"


def _off(error: float, own: float) -> str:
    return f"{part_of(error / own, 'its own size')}" if own > 0 else f"{error:.2g} where 0 is due"
