"""How an estimator is asked: in batches of several sizes, no two rows of a batch with the same ν.

Conventions: ``bounds`` are the first rows of the batches, as for ``numpy.split``.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.rows import Rows

__all__ = ["BLOCK", "Answers", "asked", "batches"]

#: numbers that go through the estimator in one call
BLOCK = 1 << 20
#: an estimator right for one size of batch only is seen at another
SIZES = (1, 3)


@dataclass(frozen=True, eq=False)
class Answers:
    """``values`` ``(m,)``, in batches that begin at ``bounds``; ``flicker``: the largest difference
    of two calls with the same rows.
    """

    values: np.ndarray
    bounds: tuple[int, ...]
    flicker: float


def batches(m: int, d: int) -> tuple[int, ...]:
    """Where batches of 1, 3 and D rows begin, and the rest in blocks.

    >>> batches(50, 4)
    (0, 1, 4, 8)
    """
    most = max(1, BLOCK // d)
    bounds, at = [], 0
    for size in (*SIZES, d):
        if at + size < m and size <= most:
            bounds.append(at)
            at += size
    bounds += list(range(at, m, most))
    return tuple(bounds)


def asked(given: Given, rows: Rows) -> Answers:
    """One call a batch, and the batch of three rows once more."""
    m, d = rows.z.shape
    bounds = batches(m, d)
    cuts = (*bounds, m)
    parts, flicker = [], 0.0
    for first, last in zip(cuts, cuts[1:], strict=False):
        z, nu = rows.z[first:last], rows.nu[first:last]
        answer = _call(given, rows, z, nu)
        if last - first == SIZES[-1]:
            flicker = float(np.max(np.abs(answer - _call(given, rows, z, nu))))
        parts.append(answer)
    return Answers(np.concatenate(parts), bounds, flicker)


def _call(given: Given, rows: Rows, z: np.ndarray, nu: np.ndarray) -> np.ndarray:
    more = (nu,) if given.takes_nu else ()
    return np.real(given.guard(rows.trial.function, z, *more, shape=z.shape[:1]))


def same_alone(given: Given, rows: Rows, answers: Answers) -> bool:
    """Whether a row's estimate depends on its own z and ν only: the rows the other way round."""
    turned = Rows(rows.trial, rows.z[::-1], rows.nu[::-1], rows.gain[::-1], rows.least[::-1])
    again = asked(given, turned).values[::-1]
    size = np.abs(answers.values) + np.abs(again)
    rounding = given.eps * (8 + rows.dimension) * (size + float(np.median(size)))
    return answers.flicker == 0 and bool(np.all(np.abs(again - answers.values) <= rounding))
