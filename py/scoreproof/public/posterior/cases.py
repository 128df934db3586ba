"""A refuted callable and what could explain it: each explanation says what would have come back.

Conventions: everything is in the terms of the callable's own answer (x_0, ε, v, a score, …). A
cause is named if what it predicts is what came back, at every point and to the check's own
resolution; nothing is named for coming near.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from scoreproof.causes.answers import Answer
from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.posterior.due import Due
from scoreproof.public.posterior.fitted import FAILURES
from scoreproof.public.posterior.prediction import Prediction
from scoreproof.public.posterior.rounding import DOUBLE, mean_rounding, of_prediction

__all__ = [
    "LEFT",
    "LEFT_RMS",
    "Case",
    "Cause",
    "Maker",
    "accepted",
    "made",
    "said",
    "stated",
    "texts",
]

#: what a cause may leave, as a part of the deviation: by its largest entry in each coordinate
#: (where the check's own bound is smaller), and by its root mean square
LEFT, LEFT_RMS = 1e-6, 0.1
TIED = 1e-9  # what a cause leaves below that is rounding: it is no better than another
#: what a wrong formula's own rounding may be more than the right one's
WIDER = 8.0
#: points that explanations are fitted to; all have to be explained
FITTED, LEAST = 16, 4
#: numbers in one posterior mean: up to so many all points of a fit; beyond, fits are left out
LIGHT, HEAVY, VERY_HEAVY = 1 << 19, 1 << 17, 1 << 25


@dataclass(frozen=True, eq=False)
class Cause:
    """``key`` names the mechanism, ``params`` what it fitted, ``prediction`` what would have come
    back ``(m, d)``; ``say`` puts it in words, given a text for each parameter.
    """

    key: str
    prediction: np.ndarray
    say: Callable[[Mapping[str, str]], str]
    params: Mapping[str, float] = field(default_factory=dict)
    names: tuple[str, ...] = ()


@dataclass(frozen=True, eq=False)
class Case:
    """What came back (``value``), what is due (``right``) and by how much they may differ
    (``allowed``), at the points y of ``due``; ``known``: numbers of the problem, by their symbols;
    ``shape``: of one sample; ``again`` asks the callable; ``eps``: the spacing at 1 of its type.
    """

    due: Due
    kind: Prediction
    value: np.ndarray
    allowed: np.ndarray
    known: Mapping[str, float]
    shape: tuple[int, ...]
    again: Callable[[np.ndarray], np.ndarray] | None = None
    eps: float = DOUBLE

    @cached_property
    def right(self) -> np.ndarray:
        return self.told(self.due.mean)

    @cached_property
    def limit(self) -> np.ndarray:
        """What an explanation may leave, entry by entry."""
        off = np.abs(self.value - self.right)
        return self.allowed + LEFT * np.max(off, axis=0) + LEFT**2 * np.max(off)

    @property
    def y(self) -> np.ndarray:
        return self.due.y

    @property
    def _each(self) -> int:
        """Numbers in a posterior mean at one point."""
        return self.due.problem.components * self.due.problem.dimension

    @property
    def heavy(self) -> bool:
        """Whether a posterior mean costs too much to be asked for a thousand times."""
        return self._each * LEAST > HEAVY

    @property
    def very_heavy(self) -> bool:
        """Whether it does to be asked for a hundred times."""
        return self._each * LEAST > VERY_HEAVY

    @cached_property
    def few(self) -> Case:
        """The points that a fit needs: the most wrong, and others."""
        off = np.max(np.abs(self.value - self.right) / self.limit, axis=1)
        order = np.argsort(-off, kind="stable")
        most = int(np.clip(LIGHT // self._each, LEAST, FITTED))
        return self.rows(np.concatenate([order[: most // 2], order[most // 2 :: 5]])[:most])

    @cached_property
    def wrong(self) -> np.ndarray:
        """The points at which it is wrong."""
        return np.any(np.abs(self.value - self.right) > self.allowed, axis=1)

    def rows(self, which: np.ndarray) -> Case:
        """The same at some of the points."""
        due = Due(self.due.problem, self.y[which])
        value, allowed = self.value[which], self.allowed[which]
        return replace(self, due=due, value=value, allowed=allowed, again=None)

    def told(
        self, mean: np.ndarray, y: np.ndarray | None = None, noise: np.ndarray | None = None
    ) -> np.ndarray:
        """What a callable of this kind returns where it takes ``mean`` for E[alpha x_0 | y]."""
        kind, problem = self.kind, self.due.problem
        y = self.y if y is None else y
        if kind.name == "x0":
            return mean / problem.alpha
        if kind.name == "score":
            if noise is not None:
                return np.asarray(np.linalg.solve(noise, (mean - y).T).T)
            return problem.noise.times(mean - y, -1.0)
        return kind.convert(mean / problem.alpha, y, "x0", kind.name)

    @cached_property
    def answer(self) -> Answer:
        """The same for the readers of numbers alone: where the check accepts much, they still have
        to explain most of the deviation.
        """
        off = float(np.sqrt(np.mean((self.value - self.right) ** 2)))
        limit = np.minimum(self.limit, LEFT_RMS * off)
        return Answer.of(self.value, self.right, limit, self.known)

    def mean_of(self, value: np.ndarray) -> np.ndarray:
        """E[alpha x_0 | y] as such a value says it."""
        return self.kind.to_mean(value, self.y)

    def explains(self, prediction: np.ndarray) -> bool:
        """Whether that is what came back."""
        if prediction.shape != self.value.shape or not np.all(np.isfinite(prediction)):
            return False
        left, off = np.abs(self.value - prediction), np.abs(self.value - self.right)
        return bool(
            np.all(left <= self.limit)
            and np.sqrt(np.mean(left**2)) <= LEFT_RMS * np.sqrt(np.mean(off**2))
        )

    def many(self, cause: Cause) -> bool:
        """Whether there are two more numbers to explain than the cause has fitted."""
        return not cause.params or self.value.size >= len(cause.params) + 2

    def left(self, prediction: np.ndarray) -> float:
        """The part of the deviation that it leaves."""
        off = float(np.linalg.norm(self.value - self.right))
        return float(np.linalg.norm(self.value - prediction)) / off if off > 0 else np.inf


def stated(key: str, prediction: np.ndarray, words: str, *names: str) -> Cause:
    """A cause without a fitted number."""
    return Cause(key, prediction, lambda _: words, {}, names)


Maker = Callable[[Case], Iterator[Cause]]


def made(
    due: Due,
    kind: Prediction,
    value: np.ndarray,
    passes: np.ndarray,
    *,
    eps: float,
    shape: tuple[int, ...] | None = None,
    again: Callable[[np.ndarray], np.ndarray] | None = None,
) -> Case:
    """The case of answers ``value``; ``passes``: what the check accepts, in the terms of E[alpha
    x_0 | y], beside rounding in the callable's type.
    """
    problem = due.problem
    within = mean_rounding(due, DOUBLE if eps == 0 else max(eps, DOUBLE))
    mean = passes + WIDER * of_prediction(kind, due.y, due.mean, within, max(eps, DOUBLE))
    if kind.name == "score":
        allowed = problem.noise.times(mean, -1.0, sizes=True)
    else:
        allowed = mean * abs(kind.linear()[0])
    variance = problem.noise.variance
    known = {} if variance is None else {"σ": float(np.sqrt(variance))}
    if problem.alpha != 1.0:
        known["α"] = problem.alpha
    known["d"] = float(problem.dimension)  # last: of two names that fit the first is said
    return Case(due, kind, value, allowed, known, shape or (problem.dimension,), again, eps)


def accepted(case: Case, groups: Iterable[Iterable[Maker]]) -> list[Cause]:
    """The causes that explain it, of the first group with any: the best, and those like it."""
    for makers in groups:
        found: list[Cause] = []
        for maker in makers:
            # what cannot be computed explains nothing: a refutation stands without it
            with np.errstate(all="ignore"), suppress(*FAILURES):
                found.extend(c for c in maker(case) if case.explains(c.prediction) and case.many(c))
        if found:
            # of two that leave nothing but rounding the first is what people write
            best = min(found, key=lambda c: (len(c.params), max(case.left(c.prediction), TIED)))
            alike = [
                c
                for c in found
                if c is not best and np.all(np.abs(c.prediction - best.prediction) <= case.limit)
            ]
            return [best, *(c for c in alike if len(c.params) <= len(best.params))]
    return []


def said(case: Case, causes: list[Cause]) -> Diagnosis:
    """The causes in words."""
    left = case.left(causes[0].prediction)
    listed = list(dict.fromkeys(c.say(texts(case, c)) for c in causes))[:3]
    names = tuple(dict.fromkeys(n for c in causes for n in (c.names or (c.key,))))
    sentence = listed[0]
    if len(listed) > 1:
        others = "; or ".join(listed[1:])
        sentence += f"; or, which these points cannot tell apart: {others}"
    return Diagnosis(names, left, None, f"Cause: {sentence}.")


def texts(case: Case, cause: Cause) -> dict[str, str]:
    """Each parameter as a number, with its closed form if it has one; a number is not named by
    itself.
    """
    within = max(case.answer.within, LEFT)
    return {
        name: number(value, within, {k: v for k, v in case.known.items() if k != name})
        for name, value in cause.params.items()
    }
