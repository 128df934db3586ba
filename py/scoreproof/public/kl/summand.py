"""One summand of a divergence, and numbers that stand for the dimension d in it.

Conventions: as in `summands`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws

__all__ = ["LOGS", "Summand", "Values", "by_dimension", "by_rows", "constants", "once"]

Values = Callable[[Laws], np.ndarray]
#: the slot of the two logarithms, which are one summand where both are wrong alike
LOGS = "log"


@dataclass(frozen=True)
class Summand:
    """``slot``: which part of the divergence it is, or stands for: mean, trace, one, log0, log1
    (log: both at once). ``factor``: what is due of it. ``counts``: what it is multiplied by in
    place of d, if that is the mistake: "rows", or "once" for 1.
    """

    slot: str
    words: str
    of: Values
    factor: float = 0.5
    counts: str = ""


#: numbers that stand for d in the constant: words, what of ``(n, d)`` it is, what it counts
_COUNTS: tuple[tuple[str, Callable[[int, int], float], str], ...] = (
    ("n (the number of rows)", lambda n, d: float(n), "rows"),
    ("1, once", lambda n, d: 1.0, "once"),
    ("n d (the number of all entries of μ)", lambda n, d: float(n * d), ""),
    ("d² (the number of entries of a covariance)", lambda n, d: float(d * d), ""),
    ("(d - 1)", lambda n, d: d - 1.0, ""),
    ("(d + 1)", lambda n, d: d + 1.0, ""),
)


def constants() -> Iterator[Summand]:
    """Other constants than d."""
    for words, count, counts in _COUNTS:
        yield Summand("one", words, _count(count), -0.5, counts)


def _count(of: Callable[[int, int], float]) -> Values:
    return lambda laws: np.full(laws.shape[0], of(*laws.shape))


def by_rows(due: Summand) -> Summand:
    """With n for d, where one variance counts for each of d dimensions."""
    return Summand(
        due.slot,
        f"{due.words}, n (rows) times and not d",
        lambda laws: np.asarray(due.of(laws)) * laws.shape[0] / laws.shape[1],
        counts="rows",
    )


def once(due: Summand) -> Summand:
    """Of a law with one variance, whose logarithm counts for each of d dimensions."""
    return Summand(
        due.slot,
        f"{due.words}, once and not d times",
        lambda laws: np.asarray(due.of(laws)[:, 0]),
        due.factor,
        "once",
    )


def by_dimension(due: Summand, options: Options) -> Summand:
    """Divided by d; of the isotropic form that is once where d times is due."""
    once = options.form == "isotropic" and due.slot != "mean"
    return Summand(
        due.slot,
        f"{due.words}, " + ("once and not d times" if once else "divided by d"),
        lambda laws: np.asarray(due.of(laws)) / laws.shape[1],
        counts="once" if once else "",
    )
