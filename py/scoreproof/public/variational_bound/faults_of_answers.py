"""Mistakes in what is made of a model's answer: of x_0 in it, and of a learned range.

Conventions: as in `formula`. A fault's name is a key of `REASONS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import numpy as np

from scoreproof.public.variational_bound.formula import Formula, Problem
from scoreproof.public.variational_bound.tables import Tables
from scoreproof.public.variational_bound.terms import Answered, answer_of, predicted

__all__ = ["of_a_range", "of_an_answer"]


def _read_as(kind: str) -> Callable[[Problem], np.ndarray]:
    return lambda p: predicted(p.tb, p.g, kind)[0]


def of_an_answer(problem: Problem, right: Formula) -> Iterator[tuple[str, Formula]]:
    """x̂_0 made otherwise of what the model answers."""
    kind = problem.prediction
    if kind == "mean":
        return

    def made(guess: Callable[[Problem], np.ndarray]) -> Formula:
        def out(p: Problem) -> Answered:
            first = answer_of(p.tb, p.g, guess(p), kind)
            return replace(p.g, out=np.concatenate([first, p.g.second], axis=1))

        return replace(right, out=out)

    for other in ("eps", "x0", "v", "score"):
        if other != kind:
            yield f"read_as_{other}", made(_read_as(other))

    def with_first(p: Problem, first: np.ndarray) -> np.ndarray:
        return predicted(p.tb, replace(p.g, out=first), kind)[0]

    if kind != "x0":
        yield "output_sign", made(lambda p: with_first(p, -p.g.first))
    if kind == "eps":
        yield "noise_without_root", made(lambda p: with_first(p, p.g.of(p.tb.s) * p.g.first))
    if kind == "v":
        yield (
            "v_exchanged",
            made(lambda p: p.g.of(p.tb.s) * p.g.x - p.g.of(p.tb.a) * p.g.first),
        )


def of_a_range(right: Formula) -> Iterator[tuple[str, Formula]]:
    def second(change: Callable[[np.ndarray], np.ndarray]) -> Formula:
        def out(problem: Problem) -> Answered:
            g = problem.g
            return replace(g, out=np.concatenate([g.first, change(g.second)], axis=1))

        return replace(right, out=out)

    yield "range_reversed", second(lambda v: -v)
    yield "range_from_0", second(lambda v: 2 * v - 1)
    yield "range_clipped", second(lambda v: np.clip(2 * v - 1, -1, 1))
    yield "range_of_sigmoid", second(lambda v: 2 / (1 + np.exp(-v)) - 1)

    def straight(tb: Tables) -> Tables:
        return tb

    def variances(p_problem: Problem) -> Answered:
        g, tb = p_problem.g, p_problem.tb
        part = (g.second + 1) / 2
        low, high = (np.exp(g.of(v)) for v in (tb.low, tb.high))
        logvar = np.log(part * high + (1 - part) * low)
        wide = g.of(tb.high) - g.of(tb.low)
        raw = np.where(wide > 0, 2 * (logvar - g.of(tb.low)) / np.where(wide > 0, wide, 1) - 1, 0.0)
        return replace(g, out=np.concatenate([g.first, raw], axis=1))

    yield "range_of_variances", replace(right, out=variances, p_tb=straight)
