"""Which of encode and decode departs from the formula of a step, and in which of its terms.

Conventions: as in `noises`.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.which import Side
from scoreproof.public.sampler.arguments import Job as One
from scoreproof.public.sampler.causes.etas import right
from scoreproof.public.sampler.causes.formulas import formulas
from scoreproof.public.sampler.causes.matching import found
from scoreproof.public.sampler.causes.question import question, shape_of
from scoreproof.public.sampler.causes.readings import name, said
from scoreproof.public.sampler.causes.steps import Steps, given_steps
from scoreproof.public.sampler.causes.swaps import swaps
from scoreproof.public.sampler.data import Level

__all__ = ["departs"]

EPS = float(np.finfo(float).eps)


@dataclass(frozen=True)
class _Reading:
    """What one side's steps are: the ``name`` of a formula that they are, or what is ``wrong``."""

    name: str = ""
    wrong: str = ""


def departs(job: Job, levels: list[Level], up: Side, down: Side) -> str:
    """The side that is not as it should be, and its mistake; empty where it is not told."""
    one, other = (_read(job, levels, side) for side in (up, down))
    if one.name and other.wrong:
        return f"in decode, {other.wrong}. encode's steps are those of {one.name}"
    if other.name and one.wrong:
        return f"in encode, {one.wrong}. decode's steps are those of {other.name}"
    if one.wrong and other.wrong and one.wrong != other.wrong:
        return f"both are wrong: in encode, {one.wrong}; in decode, {other.wrong}"
    if one.name or other.name:
        good, bad = ("encode", "decode") if one.name else ("decode", "encode")
        return (
            f"{good}'s steps are those of {one.name or other.name}; {bad}'s are of no known"
            " formula, not even with one mistake"
        )
    return ""


def _read(job: Job, levels: list[Level], side: Side) -> _Reading:
    steps = _steps(levels, side)
    own = One(job.down, "", "sample", job.steps, job.shape, None, False, None, job.seed)
    q = question(own, steps, EPS)
    every = formulas(shape_of(steps), 1, job.down.grid.whole)
    same = [f for f in every if f.kind == job.down.prediction]
    good = right(same, q, None)
    if good:
        return _Reading(name=name(*good[0]))
    wrong = found(same, q, None, swaps(own, steps))
    return _Reading(wrong=said(wrong, steps, q, "")) if wrong else _Reading()


def _steps(levels: list[Level], side: Side) -> Steps:
    told = [Level(v.when, a, s) for v, (a, s) in zip(levels[:-1], side.told, strict=True)]
    return given_steps(
        tuple(levels[:-1]), tuple(levels[1:]), tuple((v,) for v in told), (side.a, side.b, side.s)
    )
