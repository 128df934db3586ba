"""Whether the signs that are served stand for the numbers that somebody's code draws.

Conventions: an estimate is quadratic in ν, and ν linear in what is drawn, or of its signs alone:
then log p of numbers c times as large is a + b c², row by row, and the signs, whose variance is
theirs, have its mean. What is bent otherwise, drawn elsewhere, or joined to another draw has not.
"""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.log_likelihood.asking import Answer, Asker
from scoreproof.public.log_likelihood.probes import Design
from scoreproof.public.log_likelihood.runs import GRANTED, Question, Run, averaged, run

__all__ = ["TOGETHER", "doubted", "given_the_others"]

TOGETHER = "log p depends on two of its draws together, not on one ν at a time"

#: of a normal number, and of a uniform one beside its standard deviation, which is at most 3^½
SCALES = ((0.1, 0.1), (4.0, 1.7))
#: of what the numbers change in log p: how nearly quadratic it is to be
NEAR = 1e-4
#: what makes a generator of its own
MAKERS = ("default_rng", "RandomState", "PRNGKey", "SeedSequence", "PCG64")
#: how far functions that call functions are followed
DEEP = 3


def doubted(asker: Asker, scout: tuple[Answer, Design], runs: list[Run], x: np.ndarray) -> str:
    """Why the mean over probes may not be what was asked for; "" where it is. ``x``: the points of
    the first law.
    """
    answer, design = scout
    if any(note.startswith("draws from") for note in asker.notes):
        return "it draws from a global generator, whose numbers cannot be replaced"
    if _differs(answer, design) and not design.drawn and _makes(asker.job.function, DEEP, set()):
        return "it makes a generator of its own, whose numbers cannot be replaced"
    left = design.left(answer.log.draws)
    if left:
        return f"it draws {_of(left[0])}, which no signs stand for"
    if design.odd:
        return f"it draws {_of(design.odd[0])}, which is not one ν a row"
    if not design.drawn:
        return ""
    try:
        return _bent(asker, runs[0], x)
    except CallableError:
        return "it does not take other numbers than signs where it draws"


def _of(draw: Any) -> str:
    return f"numbers of the kind {draw.kind!r} and the shape {draw.shape}"


def _bent(asker: Asker, run: Run, x: np.ndarray) -> str:
    law, level = run.due.law, run.refined
    points, d = x.shape
    m = Design(points, d).m
    rows = np.repeat(x, m, axis=0)
    unit = abs(asker.job.units.factor)

    def asked(scale: tuple[float, float] = (1.0, 1.0), apart: bool = False) -> tuple[Any, Design]:
        design = Design(points * m, d, scale=scale, apart=apart)
        return asker(law, rows, design, level).values / unit, design

    one, design = asked()
    small, large = (asked(scale)[0] for scale in SCALES)
    c = [scale[1 if design.uniform else 0] for scale in SCALES]
    size = float(np.max(np.abs(one - small)) + np.max(np.abs(large - small)))

    def off(power: int) -> float:
        low, high = (v**power for v in c)
        due = small + (large - small) * (1 - low) / (high - low)
        return float(np.max(np.abs(one - due)))

    # what is linear in ν has its mean where ν is 0, and the signs have it too
    if min(off(2), off(1)) > NEAR * size + 4 * c[1] ** 2 * run.bound:
        return (
            "what it makes of the numbers that it draws is neither in proportion to them nor of"
            " their signs alone, so that the variance of ν is not known"
        )
    if design.drawn > 1 and not design.shared:
        other = asked(apart=True)[0]
        means = [v.reshape(points, m).mean(axis=1) for v in (one, other)]
        if np.max(np.abs(means[0] - means[1])) > NEAR * size + 4 * run.bound:
            return TOGETHER
    return ""


def given_the_others(asker: Asker, asked: list[Question], runs: list[Run]) -> list[Run] | None:
    """Of two draws that belong together, as the sketch and the probes of Hutch++: the runs averaged
    over one given the other, where that average does not depend on the other; else ``None``.
    """
    for part in (0, 1):
        try:
            asker.given = part, 0
            found = [run(asker, q) for q in asked]
            if any(r.bound > GRANTED * r.gain for r in found):
                continue  # it does not settle: what is held is no probe that it is averaged over
            if _bent(asker, found[0], asked[0].x):
                continue
            asker.given = part, 1
            for q, r in zip(asked, found, strict=True):
                other = averaged(asker, q.law, q.x, q.many, r.refined)[0]
                off = np.max(np.abs(other - r.values)) / abs(asker.job.units.factor)
                if off > NEAR * r.gain + 2 * r.bound:
                    break
            else:
                return found
        except CallableError:
            continue
        finally:
            asker.given = None
    return None


def _differs(answer: Answer, design: Design) -> bool:
    """Whether equal rows have different values."""
    values = answer.values.reshape(-1, design.m)
    return bool(np.any(np.ptp(values, axis=1) > 1e-6 * (1 + np.max(np.abs(values)))))


def _makes(thing: Any, depth: int, seen: set[int]) -> bool:
    """Whether a function, or one that it calls, names what makes a generator."""
    function = getattr(thing, "__func__", thing)
    function = getattr(function, "func", function)  # functools.partial
    if not isinstance(function, types.FunctionType) or depth < 0 or id(function) in seen:
        return False
    seen.add(id(function))
    names = set(_names(function.__code__))
    if names & set(MAKERS):
        return True
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    called = [function.__globals__.get(n) for n in names]
    for n in names & set(cells):
        try:
            called.append(cells[n].cell_contents)
        except ValueError:  # not there yet
            continue
    return any(_makes(value, depth - 1, seen) for value in called)


def _names(code: types.CodeType) -> Iterator[str]:
    yield from (*code.co_names, *code.co_freevars)
    for inner in code.co_consts:
        if isinstance(inner, types.CodeType):
            yield from _names(inner)
