"""Whether an estimator that is given no ν draws anything: the same points, asked again and again.

Conventions: a ν that is 0, or the same, nearly always agrees with itself in a few rows too; so few
rows say only that something is drawn, and never that nothing is.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.fields import Trial
from scoreproof.public.trace_estimator.rows import Rows

__all__ = ["BLOCK", "call", "enough", "never_differs", "seen_as", "seems_deterministic"]

#: numbers that go through the estimator in one call
BLOCK = 1 << 18
#: the numbers of rows, between these, that a refutation looks at
FEW, MANY, NUMBERS = 1 << 14, 1 << 17, 1 << 21
#: e^-14 is about the level of the tests here
EXPECTED = 14


def call(given: Given, trial: Trial, z: np.ndarray) -> np.ndarray:
    return np.real(given.guard(trial.function, z, shape=z.shape[:1]))


def enough(d: int) -> int:
    """The draws before which none is refuted: one of fewer than `EXPECTED` in so many may be right
    on average and look wrong.

    >>> enough(5), enough(1024)
    (131072, 16384)
    """
    return int(np.clip(NUMBERS // d, FEW, MANY))


def seems_deterministic(given: Given, rows: Rows) -> bool:
    """Whether two calls with the same few points agree to rounding."""
    return _agree(given, rows, _live(rows)[:8])


def never_differs(given: Given, rows: Rows) -> bool:
    """Whether two calls agree in all of so many rows as a refutation looks at."""
    z = _live(rows)
    d = rows.dimension
    size = max(1, min(BLOCK // d, enough(d)))
    tiled = np.resize(z, (size, d))
    return all(_agree(given, rows, tiled) for _ in range(-(-enough(d) // size)))


def seen_as(d: int) -> str:
    """What `never_differs` could not have seen, in words."""
    rarest = round(2 * enough(d) / EXPECTED, -3)
    return (
        f"Two calls with the same points agree in all of {enough(d)} rows: nothing seems to be"
        f" drawn anew. A ν that is another one in fewer than 1 of {rarest:.0f} draws only would"
        " look the same."
    )


def _live(rows: Rows) -> np.ndarray:
    """The points, those at which most coordinates contribute first."""
    return rows.z[np.argsort(-np.count_nonzero(rows.z, axis=1), kind="stable")]


def _agree(given: Given, rows: Rows, z: np.ndarray) -> bool:
    first, second = call(given, rows.trial, z), call(given, rows.trial, z)
    size = rows.trial.trace(z)[1]
    return bool(np.all(np.abs(first - second) <= given.eps * (8 + z.shape[1]) * size))
