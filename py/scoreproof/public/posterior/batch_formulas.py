"""What a batch's answers are where one row's depends on the others: formulas of whole batches.

Conventions: a formula is believed if it gives both batches that were asked, of other rows each.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from scoreproof.numerics.linear import softmax
from scoreproof.objects.empirical import Atoms
from scoreproof.public.posterior.asking import Answers
from scoreproof.public.posterior.cases import Case
from scoreproof.public.posterior.due import Due

__all__ = ["of_a_batch"]

#: numbers in all gaps between rows and data, up to which they are formed
LIGHT = 1 << 22
Formula = Callable[[np.ndarray], np.ndarray]


def of_a_batch(case: Case, answers: Answers) -> tuple[str, str] | None:
    """A name, and words for what is done; ``None`` if nothing known is."""
    rows, again = answers.rows, np.real(answers.again).astype(float)
    if len(rows) < 3:
        return None
    for name, words, formula in _formulas(case):
        with np.errstate(all="ignore"):
            first, second = formula(case.y), formula(case.y[rows])
        good = np.all(np.abs(case.value - first) <= case.limit)
        if good and np.all(np.abs(again - second) <= 2 * case.limit[rows]):
            return name, words
    return None


def _formulas(case: Case) -> Iterator[tuple[str, str, Formula]]:
    problem = case.due.problem

    def right(y: np.ndarray, at: np.ndarray | None = None) -> np.ndarray:
        return case.told(Due(problem, y if at is None else at).mean, y)

    known = problem.known
    size = len(case.y) * problem.components * problem.dimension
    if isinstance(known, Atoms) and size <= LIGHT:
        logs = np.log(np.asarray(known.weights))

        def logits(y: np.ndarray) -> np.ndarray:
            flat = (y[:, None, :] - known.points).reshape(-1, problem.dimension)
            squares = np.sum(problem.noise.times(flat, -0.5) ** 2, axis=1)
            return np.asarray(logs - squares.reshape(len(y), -1) / 2)

        yield (
            "softmax_over_batch",
            "the softmax runs over the rows of the batch (axis 0), where it is to run over the data"
            " (axis 1): the weights of one row do not sum to 1",
            lambda y: case.told(softmax(logits(y).T).T @ known.points, y),
        )
        yield (
            "softmax_over_all",
            "the softmax runs over rows and data at once, where it is to run over the data (axis 1)"
            " of each row",
            lambda y: case.told(softmax(logits(y).ravel()).reshape(len(y), -1) @ known.points, y),
        )

    def rolled(step: int, y: np.ndarray) -> np.ndarray:
        return np.roll(right(y), step, axis=0)

    for step, way in ((1, "next"), (-1, "previous")):
        yield (
            "rows_rolled",
            f"the rows are shifted by one: the {way} row gets a row's answer",
            partial(rolled, step),
        )
    yield (
        "rows_reversed",
        "the rows come in reverse order",
        lambda y: right(y)[::-1],
    )
    yield (
        "batch_mean",
        "the mean over the batch comes back for every row",
        lambda y: np.broadcast_to(right(y).mean(axis=0), y.shape),
    )
    yield (
        "first_row",
        "the answer of the first row comes back for every row",
        lambda y: np.broadcast_to(right(y)[0], y.shape),
    )
    yield (
        "answers_centred",
        "the mean over the batch is subtracted from the answers",
        lambda y: right(y) - right(y).mean(axis=0),
    )
    yield (
        "centred_by_batch",
        "y is centred by the mean over the batch, where it is to be taken as it is",
        lambda y: right(y, y - y.mean(axis=0)),
    )
    yield (
        "standardised_by_batch",
        "y is centred and scaled by the batch's mean and deviation (batch normalisation in training"
        " mode?)",
        lambda y: right(y, (y - y.mean(axis=0)) / y.std(axis=0)),
    )
