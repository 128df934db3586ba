"""The means of an estimate with smaller and smaller steps, whoever says how wide they are.

Conventions: a function that is told how many steps it makes is told more of them. Steps of a width
of its own are finer in the same laws of paths, run through in a longer time.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.path_kl.asking import Unseen, User
from scoreproof.public.path_kl.expected import Still, expected, still
from scoreproof.public.path_kl.looks import times
from scoreproof.public.path_kl.problem import Problem

__all__ = ["Pace", "grids", "means"]

GRIDS = (8, 16, 32, 64)
#: of a function that takes one path at a time: it is called for every row
FEWER = (4, 8, 16, 32)
#: steps that are told where they are not listened to; lengths of time, the shortest and how often
#: it is doubled at the most (multiples of widths that are written); how many numbers may be drawn
TOLD, SHORTEST, DOUBLED, OWN = 2, 0.2 / 2**7, 15, 1000
#: how many more are drawn in twice as many steps, at the least, and how near to twice as many
MORE, TWICE = 1.5, 0.1


def grids(user: User) -> tuple[int, ...]:
    """Numbers of steps."""
    return FEWER if user.job.single else GRIDS


@dataclass(frozen=True)
class Pace:
    """How steps get smaller: more of them in the same time, by how many are told; or, of ``width``,
    in ever longer ``lengths`` of time.
    """

    told: tuple[int, ...]
    lengths: tuple[float, ...] = ()
    width: float = 0.0

    def places(self, user: User, problem: Problem) -> Iterator[tuple[Problem, np.ndarray]]:
        """The problem and the times of each grid."""
        t0, t1 = problem.span
        if not self.lengths:
            for steps in self.told:
                yield problem, user.rounded(times(user.job, problem, steps, None))
        for length in self.lengths:
            slow = problem.slowed(length / (t1 - t0))
            yield slow, user.rounded(times(user.job, slow, TOLD, None))

    @property
    def words(self) -> str:
        """What is made smaller."""
        if not self.lengths:
            return f"{self.told[0]} to {self.told[-1]} steps"
        return (
            f"steps of a width of its own, about {self.width:.2g}, that get finer in slower SDEs,"
            f" in times of {self.lengths[0]:g} to {self.lengths[-1]:g}"
        )


def means(user: User, problem: Problem, start: np.ndarray) -> tuple[np.ndarray, Pace]:
    """Of each grid, by the steps that are told or, if they are not listened to, by its own."""
    pace = Pace(grids(user))
    values: list[float] = []
    seen: list[Still] = []
    for here, t in pace.places(user, problem):
        seen.append(still(user, here, t, start))
        if len(seen) > 1 and seen[-1].numbers < MORE * seen[-2].numbers:
            return _slower(user, problem, start, seen[0].numbers)
        if len(seen) == 2:
            values.append(expected(seen[0], plain=False, first=True))
        if len(seen) > 1:
            values.append(expected(seen[-1], plain=user.job.single))
    return np.array(values), pace


def _slower(user: User, problem: Problem, start: np.ndarray, many: int) -> tuple[np.ndarray, Pace]:
    """In times twice as long each."""
    t0, t1 = problem.span
    lengths = SHORTEST * 2.0 ** np.arange(DOUBLED)
    last = int(np.sum(lengths * many / (t1 - t0) <= OWN))
    fit = tuple(float(v) for v in lengths[max(last - len(grids(user)), 0) : last])
    pace = Pace(grids(user), fit)
    values: list[float] = []
    numbers: list[int] = []
    for slow, t in pace.places(user, problem) if fit else ():
        here = still(user, slow, t, start)
        numbers.append(here.numbers)
        if len(numbers) > 1 and abs(numbers[-1] / numbers[-2] - 2) > TWICE:
            break
        values.append(expected(here, plain=False, first=not values))
    if len(values) < len(grids(user)):
        raise Unseen(
            f"draws {many} numbers a path however many steps it is told, and not twice as many in"
            " twice the time, so that its steps are not made smaller: let them be those of t, of"
            " dt or of n_steps"
        )
    return np.array(values), replace(pace, width=fit[-1] * user.job.d / numbers[-1])
