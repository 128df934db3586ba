"""A function around a part of the sum: a parenthesis that closes too late.

Conventions: in ``½ [log R + Σ s]`` R is σ1²/σ0² (det C1/det C0), s are -d, the trace, the mean
term; ``log(R - d + …)`` has some of them inside the logarithm, ``√`` some under a root. The form
may also be written ``log √R + Σ ½ s``. Of a diagonal form the function is taken of each coordinate,
or of the sum over them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations

import numpy as np

from scoreproof.public.kl.fit import Places
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.summand import Summand
from scoreproof.public.kl.summands import both_logs, due_summands

__all__ = ["enclosed"]

Whole = Callable[[np.ndarray], np.ndarray]
#: what may be taken of a part: name, how it is printed, the function
AROUND: tuple[tuple[str, str, Whole], ...] = (
    ("square_root", "√", np.sqrt),
    ("exponential", "exp", np.exp),
    ("absolute_value", "the absolute value of ", np.abs),
    ("square", "the square of ", np.square),
)


def enclosed(places: Places) -> tuple[str, str] | None:
    """The name of the mistake and a clause; ``None`` if none explains every value."""
    with np.errstate(all="ignore"):
        for name, words, parts in _candidates(places):
            if places.explained(places.column([parts(b) for b in places.laws])):
                return name, words
    return None


Made = tuple[str, str, Callable[[Laws], np.ndarray]]


def _candidates(places: Places) -> Iterator[Made]:
    due = [s for s in due_summands(places.options) if not s.slot.startswith("log")]
    logs = both_logs(places.options)
    for summed in (False, True) if places.options.form == "diagonal" else (False,):
        for inside in _subsets(due):
            outside = [s for s in due if s not in inside]
            yield from _in_the_logarithm(logs, inside, outside, summed)
        alone = [s for s in due if s.slot != "one"]
        for inside in _subsets(alone):
            outside = [*(s for s in due if s not in inside), logs]
            yield from _under(inside, outside, summed)


def _subsets(of: Sequence[Summand]) -> Iterator[tuple[Summand, ...]]:
    for count in range(1, len(of) + 1):
        yield from combinations(of, count)


def _in_the_logarithm(
    logs: Summand, inside: Sequence[Summand], outside: Sequence[Summand], summed: bool
) -> Iterator[Made]:
    ratio = logs.words.removeprefix("log ")
    if not ratio.count("/") and "det" not in ratio:
        ratio = f"1/{ratio}"  # of the standard law it is minus the logarithm
    for half, root in ((0.5, f"({ratio})"), (1.0, f"√({ratio})")):

        def parts(b: Laws, half: float = half) -> np.ndarray:
            whole = np.exp(_total(logs.of(b), summed) * 0.5 / half)
            for s in inside:
                whole = whole + _total(s.of(b), summed) * s.factor / half
            return _rows(half * np.log(whole)) + _sum(outside, b)

        listed = " ".join(
            f"{'-' if s.factor < 0 else '+'} {'' if half == 0.5 else '½ '}{s.words}" for s in inside
        )
        sign = "½ " if half == 0.5 else ""
        which = "all of the sum" if not outside else "more than its own argument"
        yield (
            "logarithm_of_more",
            f"the logarithm is taken of {which}, {sign}log[{root} {listed}]: its parenthesis closes"
            f" too late, only {ratio} belongs in it",
            parts,
        )


def _under(inside: Sequence[Summand], outside: Sequence[Summand], summed: bool) -> Iterator[Made]:
    listed = " + ".join(s.words for s in inside)
    for name, printed, of in AROUND:

        def parts(b: Laws, of: Whole = of) -> np.ndarray:
            whole = of(np.asarray(sum(_total(s.of(b), summed) for s in inside)))
            return 0.5 * _rows(whole) + _sum(outside, b)

        yield (
            f"{name}_of_a_part",
            f"½ {printed}({listed}) stands where ½ ({listed}) is due",
            parts,
        )


def _total(values: np.ndarray, summed: bool) -> np.ndarray:
    return values.sum(axis=1) if summed and values.ndim == 2 else values


def _rows(values: np.ndarray) -> np.ndarray:
    return values.sum(axis=1) if values.ndim == 2 else values


def _sum(summands: Sequence[Summand], b: Laws) -> np.ndarray:
    return np.asarray(sum((_rows(s.of(b)) * s.factor for s in summands), np.zeros(b.shape[0])))
