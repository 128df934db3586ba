"""Inverses that ask their model several times at the level that a step leads to, each time at what
the last round made: fixed points, as AIDI and ReNoise seek them.

Conventions: x is where the step begins, y what the model is asked at; the step is ``A x + C ε(y)``,
A = α_next/α and C = σ_next - A σ, or, on a straight path, also ``x + (t_next - t) v(y)``.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.inversion.arguments import Job
from scoreproof.public.sampler.causes.tableau import Tableau
from scoreproof.public.sampler.data import Level
from scoreproof.public.sampler.functions import WholeForm
from scoreproof.public.sampler.words import at_level

__all__ = ["mistaken"]

#: relative: the rounds are those of a formula
NEAR = 1e-7
#: rounds of a step that are looked at
MOST = 12
#: steps without which nothing is said
FEW = 4

#: of a round: what is added to the step, and the x that ε is formed of
_Reading = tuple[str, str]
_RIGHT: _Reading = ("x", "y")
#: ε of x in each round leads to the same limit of many steps, and is no reading
_WRONG: tuple[_Reading, ...] = (("y", "y"), ("y", "x"))


def mistaken(job: Job, form: object, table: Tableau) -> str:
    """What is wrong with the rounds of every step; empty where they are right, or are others."""
    if form is not job.up or not isinstance(form, WholeForm) or table.stepwise:
        return ""
    levels = table.levels
    n = len(levels) - 1
    rounds = table.calls // n if n else 0
    if n < FEW or not 2 <= rounds <= MOST or table.calls != rounds * n:
        return ""
    if any(v.sigma <= 0 for v in levels):
        return ""
    for k in range(n):
        for told in table.told[rounds * k : rounds * (k + 1)]:
            if not any(_same(told, end) for end in levels[k : k + 2]):
                return ""
    for straight in (False, True):
        if _all(table, rounds, _RIGHT, straight):
            return ""
        for reading in _WRONG:
            if _all(table, rounds, reading, straight):
                return _said(levels, rounds, reading, straight)
    return ""


def _same(one: Level, other: Level) -> bool:
    return bool(np.allclose((one.alpha, one.sigma), (other.alpha, other.sigma), rtol=1e-9))


def _all(table: Tableau, rounds: int, reading: _Reading, straight: bool) -> bool:
    """Whether every round of every step is that."""
    return all(
        np.max(np.abs(made - due)) <= NEAR * np.max(np.abs(made))
        for made, due in _rounds(table, rounds, reading, straight)
    )


def _rounds(
    table: Tableau, rounds: int, reading: _Reading, straight: bool
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """What each round makes, and what it would make by the reading; rows ``(sources, d)``."""
    asked = [*table.asked, table.end]
    for k in range(len(table.levels) - 1):
        now, then = table.levels[k], table.levels[k + 1]
        x = asked[rounds * k]
        for j in range(rounds):
            call = rounds * k + j
            y, made = asked[call], asked[call + 1]
            x0 = np.zeros_like(y)
            x0[1 + call] = 1.0
            start, of = (x if name == "x" else y for name in reading)
            eps = (of - table.told[call].alpha * x0) / table.told[call].sigma
            if straight:
                yield made, start + (then.when - now.when) * (eps - x0)
            else:
                a = then.alpha / now.alpha
                yield made, a * start + (then.sigma - a * now.sigma) * eps


def _said(levels: tuple[Level, ...], rounds: int, reading: _Reading, straight: bool) -> str:
    slope = "v(y)" if straight else "ε(y)"
    text = (
        f"each step asks the model {rounds} times, and seeks a fixed point, but every round adds"
        " the whole step to y, which the round before made, where it has to add it to x as it was"
        f" before the step: {rounds} rounds take the step {rounds} times, in the first from"
        f" {at_level(levels[0])} to {at_level(levels[1])}"
    )
    if reading[1] == "x":
        text += "; and its ε is (x - α x_0)/σ of that x, where (y - α x_0)/σ is due"
    return f"{text}. Right: y = (the step from the same x in all rounds, with {slope})"
