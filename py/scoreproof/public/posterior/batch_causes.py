"""Rows of one batch that depend on each other: by the number of rows alone, or otherwise.

Conventions: ``value`` and ``right`` of a `Case` are in the callable's own terms.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.posterior.asking import Answers
from scoreproof.public.posterior.batch_formulas import of_a_batch
from scoreproof.public.posterior.cases import LEFT, Case

__all__ = ["of_mixed_rows"]


def of_mixed_rows(case: Case, answers: Answers, seen: str) -> Diagnosis:
    """``seen``: the sentence that says that rows are mixed. Where what is due was divided by the
    number of rows, that is the cause.
    """
    by_count = _by_count(case, answers)
    if by_count is not None:
        return by_count
    known = of_a_batch(case, answers)
    if known is not None:
        name, words = known
        return Diagnosis(("rows_mixed", name), 0.0, None, f"Cause: {seen}: {words}.")
    first = "look first for a sum, a mean or a softmax over axis 0, where axis 1 is due"
    return Diagnosis.cause("rows_mixed", f"Cause: {seen}: rows are mixed; {first}.")


def _by_count(case: Case, answers: Answers) -> Diagnosis | None:
    """The answer is c/n of what is due, in both batches, of n rows each."""
    m, k = len(answers.values), len(answers.rows)
    if k < 2 or k == m:
        return None
    right, again = case.right, np.real(answers.again).astype(float)
    first, second = _factor(case.value, right), _factor(again, right[answers.rows])
    if first == 0 or abs(second * k / (first * m) - 1) > LEFT:
        return None
    c = first * m
    # the limit is that of an answer of the due size
    limit = case.limit * min(1.0, abs(first))
    if np.any(np.abs(case.value - c / m * right) > limit):
        return None
    if np.any(np.abs(again - c / k * right[answers.rows]) > 2 * limit[answers.rows]):
        return None
    d = case.due.problem.dimension
    top = "1" if abs(c - 1) <= LEFT else number(c, LEFT, {"d": float(d)})
    entries = " and the number of coordinates" if abs(c * d - 1) <= LEFT else ""
    of = "all entries" if entries else "the rows"
    many = "" if entries or abs(c - 1) <= LEFT else f", times {top}"
    return Diagnosis.cause(
        "mean_over_batch",
        f"Cause: what is due is divided by the number of rows in the batch{entries}{many} (it is"
        f" {c / m:.6g} times what is due among {m} rows, {c / k:.6g} times among {k}): a mean over"
        f" {of} was differentiated, where a sum is due.",
    )


def _factor(value: np.ndarray, right: np.ndarray) -> float:
    size = float(np.sum(right**2))
    return float(np.sum(value * right)) / size if size > 0 else 0.0
