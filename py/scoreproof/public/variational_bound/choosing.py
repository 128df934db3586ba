"""Of what the arguments leave open, what a bound's numbers are: units, sums or means, clipping.

Conventions: a `Choice` is one for all terms of a bound; the right one leaves the least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.rule import COARSEST
from scoreproof.public.variational_bound.arguments import Job
from scoreproof.public.variational_bound.formula import Formula
from scoreproof.public.variational_bound.observed import Observed, kind
from scoreproof.public.variational_bound.reading import LOG2, Reading, layouts, reduced

__all__ = [
    "SINGLE",
    "Choice",
    "Compared",
    "best",
    "choices",
    "compare",
    "fitted",
    "formulas",
    "in_other_units",
    "kinds",
]

SINGLE = float(np.finfo(np.float32).eps)
DOUBLE = float(np.finfo(float).eps)
MANY = 8.0
#: in this order
KINDS = ("prior", "step")


@dataclass(frozen=True, eq=False)
class Choice:
    """``weights``: of the parts of an answer; ``note``: what was chosen, if it is worth saying."""

    how: Formula
    reading: Reading
    weights: Mapping[str, float]
    note: str = ""

    @property
    def formulas(self) -> dict[str, Formula]:
        return {"prior": self.how, "step": self.how}


@dataclass(frozen=True, eq=False)
class Compared:
    """Of every number of every answer; ``gain``: the smallest part that is in it; ``drowned``: at
    which L_T is none of these, for it is too small beside the others to be seen.
    """

    value: np.ndarray
    due: np.ndarray
    blur: np.ndarray
    excuse: np.ndarray
    gain: np.ndarray
    place: list[int]
    drowned: np.ndarray

    @property
    def worst(self) -> float:
        """The error of the size of what is due, or of what rounding explains."""
        with np.errstate(all="ignore"):
            size = np.abs(self.value - self.due) / (np.abs(self.due) + self.blur)
        return float(np.max(np.where(np.isfinite(size), size, np.inf), initial=0.0))


def choices(job: Job, seen: Sequence[Observed], estimate: bool) -> list[Choice]:
    """All that is allowed. Raises ``CallableError`` for answers of different kinds."""
    hows = formulas(job)
    readings: dict[Reading, None] = {}
    for o in seen:
        readings |= dict.fromkeys(layouts(job, o.shape, o.rows))
    parts: list[tuple[Mapping[str, float], str]] = [({}, "")]
    if estimate:
        parts.append(({"prior": 0.0}, "L_T is not in the estimate"))
    return [
        Choice(how, reading, weights, "; ".join(t for t in (told, also) if t))
        for how, told in hows
        for reading in readings
        for weights, also in parts
    ]


def formulas(job: Job) -> list[tuple[Formula, str]]:
    """The right ones, with what is worth saying of each."""
    hows = [(Formula(), "")]
    if job.term != "L_T" and job.table is not None:
        clip = "the prediction of x_0 is clipped to [-1, 1], as clip_denoised=True does"
        if job.prediction != "mean":
            hows.append((replace(Formula(), clip=True), clip))
        if isinstance(job.variance, str) and not job.learned:
            other = float(np.log(job.table.betas[0]))
            text = "at t = 0 the variance is β_0; others take β̃_1 there"
            hows += [(replace(f, first=other), f"{n}; {text}" if n else text) for f, n in hows]
    return hows


def compare(seen: Sequence[Observed], choice: Choice, eps: float, table: float) -> Compared:
    """Every answer beside what is due."""
    columns: list[list[np.ndarray]] = [[] for _ in range(6)]
    places: list[int] = []
    for k, o in enumerate(seen):
        o = o.reweighted(choice.weights)
        reading = fitted(choice.reading, o)
        due = reduced(o.due(choice.formulas), reading)
        own = MANY * eps * np.abs(due)
        absolute = replace(reading, factor=1.0)
        blur = reduced(o.blur(choice.formulas, eps, DOUBLE), absolute) + own
        # tables of float32 are made in float32, perhaps
        loose = SINGLE if eps > DOUBLE else max(table, DOUBLE)
        more = reduced(o.blur(choice.formulas, eps, loose), absolute) + own - blur
        sizes = {
            k: np.abs([reduced(b, reading) for b in o.gain(k, choice.formulas)]) for k in KINDS
        }
        parts = [np.min(s, axis=0) for s in sizes.values() if len(s)]
        drowned = np.full(len(due), len(parts) > 1) & (2 * blur > COARSEST * parts[0])
        gain = np.where(drowned, parts[-1], np.min(parts, axis=0))
        entries = (o.value, due, blur, more, gain, drowned)
        for column, entry in zip(columns, entries, strict=True):
            column.append(np.broadcast_to(entry, due.shape))
        places += [k] * len(due)
    value, due, blur, more, gain, drowned = (np.concatenate(c) for c in columns)
    return Compared(value, due, blur, np.maximum(more, 0.0), gain, places, drowned)


def fitted(reading: Reading, o: Observed) -> Reading:
    """The same for an answer that has one number a row where others have one for the batch."""
    if o.shape and int(np.prod(o.shape)) > 1:
        return replace(reading, rows="rows")
    return reading if reading.rows != "rows" else replace(reading, rows="mean")


def best(job: Job, seen: Sequence[Observed], eps: float, estimate: bool) -> tuple[Choice, Compared]:
    """The choice that leaves the least, the plainest first."""
    found = [(c, compare(seen, c, eps, job.table_eps)) for c in choices(job, seen, estimate)]
    return min(found, key=lambda pair: _misfit(pair[1]))


def _misfit(c: Compared) -> tuple[float, float]:
    """How many numbers are off, and by how much."""
    with np.errstate(all="ignore"):
        off = ~(np.abs(c.value - c.due) <= c.blur + c.excuse)
        rest = np.abs(c.value - c.due) / (np.abs(c.due) + c.blur)
    rest = np.where(np.isfinite(rest), np.minimum(rest, 1e6), 1e6)
    return float(np.mean(off)), float(np.median(rest))


def kinds(seen: Sequence[Observed]) -> set[str]:
    """Of the parts that were looked at."""
    return {kind(p) for o in seen for p in o.parts}


def in_other_units(reading: Reading) -> dict[str, Reading | float]:
    """Readings that are not the declared one, by the mistake they are: a reading, or a factor."""
    named: dict[str, Reading | float] = {}
    if reading.bits:
        named["nats_for_bits"] = replace(reading, bits=False)
        named["times_log_2"] = LOG2**2
    else:
        named["bits_for_nats"] = replace(reading, bits=True)
        named["times_log_2"] = LOG2
    if reading.dims in ("sum", "mean"):
        other = "mean" if reading.dims == "sum" else "sum"
        named[f"{other}_for_{reading.dims}"] = replace(reading, dims=other)
        if reading.bits:
            named["sum_in_nats"] = replace(reading, dims="sum", bits=False)
    named["sign"] = replace(reading, factor=-reading.factor)
    return named
