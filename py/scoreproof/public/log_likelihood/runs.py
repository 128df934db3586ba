"""The function run on a law, finer and finer where it says how finely, and what that leaves open.

Conventions: nats, averaged over the probes of a point. ``change`` is how far the last refinement
moved log p: a solver of order one or more is no farther from its limit than that.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.log_likelihood.asking import Answer, Asker
from scoreproof.public.log_likelihood.due import Due, due_at
from scoreproof.public.log_likelihood.euler import by_euler
from scoreproof.public.log_likelihood.law import Law
from scoreproof.public.log_likelihood.made import Made
from scoreproof.public.log_likelihood.probes import Design
from scoreproof.public.log_likelihood.refining import Limit, refined
from scoreproof.public.log_likelihood.spans import Affine, Span

__all__ = ["Question", "Run", "averaged", "run", "scouted"]

#: of the gain, that a last refinement changes where more are of no use
ENOUGH = 2e-4
#: of the gain, what is granted to a solver that cannot be refined
GRANTED = 0.004
#: of a solver's error beside one step's part of the whole
FIRST_ORDER = 4.0
#: roundings of a call of the model
ROUNDINGS = 16.0


@dataclass(frozen=True, eq=False)
class Run:
    """``values`` ``(P,)`` in the function's units; ``bound`` and ``excuse`` in nats."""

    due: Due
    values: np.ndarray
    coarse: np.ndarray
    bound: float
    excuse: float
    refined: int
    far: bool = False
    end: Limit | None = None

    @property
    def gain(self) -> float:
        """What errors are relative to."""
        return max(self.due.sizes) if self.far else self.due.gain

    @property
    def growth(self) -> np.ndarray | None:
        """What the last refinement added, of what has no limit."""
        return None if self.end is None else self.end.growth

    @property
    def nats(self) -> np.ndarray:
        return self.due.job.units.nats(self.values)

    @property
    def error(self) -> np.ndarray:
        return np.asarray(self.nats - self.due.value)


def scouted(asker: Asker, law: Law, x: np.ndarray) -> tuple[Answer, Design]:
    """The first call, of every point m times: which says what is drawn, and at which times."""
    design = Design(len(x), x.shape[1])
    design = Design(len(x) * design.m, x.shape[1])
    return asker(law, np.repeat(x, design.m, axis=0), design, 0), design


def averaged(asker: Asker, law: Law, x: np.ndarray, many: bool, finer: int) -> tuple[
    np.ndarray, Answer
]:  # fmt: skip
    """One value a point: of its m probes, in one call or, of a ν that all share, in m."""
    points, d = x.shape
    design = Design(points, d)
    if not many:
        answer = asker(law, x, design, finer)
        return answer.values, answer
    m = design.m
    design = Design(points * m, d)
    answer = asker(law, np.repeat(x, m, axis=0), design, finer)
    values = answer.values.reshape(points, m)
    if not design.shared:
        return values.mean(axis=1), answer
    means = [values.mean(axis=1)]
    for turn in range(1, m):
        other = asker(law, np.repeat(x, m, axis=0), replace(design, turn=turn), finer)
        means.append(other.values.reshape(points, m).mean(axis=1))
    return np.asarray(np.mean(means, axis=0)), answer


@dataclass(frozen=True, eq=False)
class Question:
    """Log p of ``law`` at ``x``, of which ``way`` makes where the ODE begins; ``many``: averaged
    over the probes of a point; ``far``: in the tails, where a solver's error grows with the larger
    part of log p.
    """

    law: Law
    span: Span
    way: Affine | Made
    x: np.ndarray
    many: bool
    far: bool = False


def run(asker: Asker, asked: Question, scout: tuple[np.ndarray, Answer] | None = None) -> Run:
    """``scout``: what it answered at x as it is by itself, where that is known."""
    job = asker.job
    law, span, x, many = asked.law, asked.span, asked.x, asked.many
    due = due_at(job, law, span, asked.way, x)
    gain = max(due.sizes) if asked.far else due.gain
    unit = abs(job.units.factor)
    values, answer = averaged(asker, law, x, many, 0) if scout is None else scout
    size = float(np.max(np.abs(due.trace)) + np.max(np.abs(due.log_prior)))
    blur = ROUNDINGS * asker.eps * size * max(answer.calls, 1) ** 0.5
    if job.framework == "numpy" and answer.width > 0:
        # forward differences of a field that bends over a width
        narrow = float(np.sqrt(np.min(law.variances)))
        eps = float(np.finfo(float).eps)
        blur += gain * (4 * answer.width / narrow + 8 * eps / answer.width)
    excuse = max(FIRST_ORDER * gain / max(span.distinct, 1), 2 * by_euler(due, answer.times, gain))
    if not job.taken.finer:
        return Run(due, values, values, max(GRANTED * gain, blur), excuse, 0, asked.far)
    enough = max(ENOUGH, (job.tolerance or 0.0) / 50)

    def finer(k: int) -> np.ndarray | None:
        found, other = averaged(asker, law, x, many, k)
        same = other.calls == answer.calls and len(other.times) == len(answer.times)
        return None if same and k == 1 else found  # it makes no use of it

    def least(found: np.ndarray) -> float:
        off = float(np.max(np.abs(job.units.nats(found) - due.value)))
        return max(enough * gain, blur, ENOUGH * off)  # a gross error is no solver's

    end = refined(values, finer, least, unit)
    if not end.count:
        return Run(due, values, values, max(GRANTED * gain, blur), excuse, 0, asked.far)
    bound = blur if end.growth is not None else 2 * end.change + blur
    return Run(due, end.values, values, bound, 0.0, end.count, asked.far, end)
