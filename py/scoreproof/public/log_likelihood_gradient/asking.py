"""How the user's gradient is asked: at all rows; the other way round with another ν; one row alone.

Conventions: a question is some rows of x, each with its own ν; its answer is ``(rows, P)``, or
``(1, P)`` if the gradient sums over the rows, and log p̂ ``(rows,)`` if that is judged too.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import Guarded
from scoreproof.interop.frameworks import guarded
from scoreproof.public.log_likelihood_gradient.arguments import Given, takes_tol
from scoreproof.public.log_likelihood_gradient.doubled import as_before

__all__ = ["Answer", "Measurement", "Question", "questions"]


@dataclass(frozen=True, eq=False)
class Question:
    """``rows``: indices into x; ``nu`` ``(n, D)`` for all rows of x, of which those are used."""

    rows: np.ndarray
    nu: np.ndarray
    where: str


@dataclass(frozen=True, eq=False)
class Answer:
    gradient: np.ndarray
    value: np.ndarray | None


def questions(given: Given, rng: np.random.Generator) -> list[Question]:
    """All rows; all of them in the opposite order, another ν each; the first row by itself."""
    n = len(given.x)
    found = [Question(np.arange(n), given.nu, "all rows")]
    if n > 1:
        turned = Question(
            np.arange(n)[::-1],
            _fresh(given, rng),
            "all rows, asked with x[::-1] and another ν",
        )
        found.append(turned)
    found.append(
        Question(
            np.arange(1), _fresh(given, rng), "the first row alone, asked with x[:1] and another ν"
        )
    )
    return found


def _fresh(given: Given, rng: np.random.Generator) -> np.ndarray:
    nu = rng.standard_normal(given.x.shape)
    guard = guarded(given.gradient, "gradient", given.framework, given.dtype)
    return nu if guard.prepare is None else np.asarray(_back(guard, nu), dtype=float)


def _back(guard: Guarded, a: np.ndarray) -> np.ndarray:
    from scoreproof.interop.callables import as_numpy

    assert guard.prepare is not None
    return as_numpy(guard.prepare(a))


class Measurement:
    """The user's gradient (and log p̂). ``summed``: it returns one row for all."""

    def __init__(self, given: Given) -> None:
        self.given = given
        self.as_before = as_before(given.framework)
        #: of each call of the gradient
        self.seconds: list[float] = []
        self.calls, self.eps, self.summed = 0, float(np.finfo(float).eps), False

    def _guard(self, function: Any, name: str, tol: float | None) -> Guarded:
        pass_it = tol is not None and takes_tol(function)
        return guarded(
            partial(function, tol=tol) if pass_it else function,
            name,
            self.given.framework,
            self.given.dtype,
        )

    def guard_of_gradient(self, tol: float | None) -> Guarded:
        return self._guard(self.given.gradient, "gradient", tol)

    def __call__(self, x: np.ndarray, nu: np.ndarray, tol: float | None) -> Answer:
        with self.as_before():
            return self._answered(x, nu, tol)

    def _answered(self, x: np.ndarray, nu: np.ndarray, tol: float | None) -> Answer:
        given = self.given
        guard = self.guard_of_gradient(tol)
        n, p = len(x), given.params.size
        begin = time.perf_counter()
        result = guard.accept(given.gradient.judged(guard.raw(x, given.params, nu), n), None)
        self.seconds.append(time.perf_counter() - begin)
        if result.shape not in ((p,), (1, p), (n, p)):
            guard.accept(result, (n, p), "the gradient")
            raise ArgumentError(
                "gradient",
                f"a function that returns shape ({n}, {p}) or ({p},)",
                f"shape {result.shape}",
                "one row a point",
            )
        if n > 1 or result.ndim == 1:
            self.summed = result.ndim == 1 or result.shape[0] != n
        value = None
        if given.log_likelihood is not None:
            other = self._guard(given.log_likelihood, "log_likelihood", tol)
            answer = given.log_likelihood.judged(other.raw(x, given.params, nu), n)
            value = np.real(other.accept(answer, (n,)))
            self.eps = max(self.eps, other.eps)
        self.calls += guard.calls
        self.eps = max(self.eps, guard.eps)
        return Answer(np.real(result.reshape(-1, p)), value)

    def ask(self, question: Question, tol: float | None) -> Answer:
        return self(self.given.x[question.rows], question.nu[question.rows], tol)

    def spread(self, question: Question, tol: float | None, first: np.ndarray) -> np.ndarray:
        """How far the answer's entries move when x moves by a rounding or two: a sample of what
        rounding does inside, ``(P,)``.
        """
        found = np.zeros(first.shape[1])
        for sign in (1.5, -1.5):
            pattern = np.where(np.indices(self.given.x.shape).sum(axis=0) % 2, sign, -sign)
            moved = self.given.x * (1 + self.eps * pattern)
            again = self(moved[question.rows], question.nu[question.rows], tol)
            found = np.maximum(found, np.max(np.abs(again.gradient - first), axis=0))
        return found
