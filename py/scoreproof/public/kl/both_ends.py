"""Scales that are clamped from below and from above, by two numbers that nobody knows.

Conventions: as in `clamps`; one number is found where the deviation is large, the other where the
first leaves the most.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.clamps import Clamp, moved, roots
from scoreproof.public.kl.fit import Places
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.misread import CALLED, SIGNED

__all__ = ["both_ends"]

#: places that are tried for the first number: at some both ends may be reached
TRIED = 8
Change = Callable[[Laws], Laws]
Move = Callable[[Laws, float], Laws]
Value = Callable[[list[Laws]], list[np.ndarray]]


def both_ends(places: Places, value: Value) -> Iterator[Clamp]:
    """The clamp, if it explains every value; ``value``: what is due of each batch of laws."""
    options = places.options
    if options.form == "full" or options.sides is not None:
        return
    kinds, own = ("logvar", "std", "variance"), options.side().kind
    for kind in (own, *(k for k in kinds if k != own)):
        for low, high in _numbers(places, value, kind):
            clamp = _clamp(options, kind, low, high)
            if places.explained(*_predicted(places, value, partial(_with, clamp.of, 0.0))):
                yield clamp
                return


def _clamp(options: Options, kind: str, low: float, high: float) -> Clamp:
    called = CALLED.get(kind, "numbers before softplus")
    of = moved(Options(options.form, kind), lambda s, _: np.clip(s, low, high), options)
    words = f"{called} are clamped to [{low:.4g}, {high:.4g}], at both ends"
    return Clamp("clamp_both_ends", words, of, np.zeros(0))


def _numbers(places: Places, value: Value, kind: str) -> Iterator[tuple[float, float]]:
    options = places.options
    grid = np.linspace(-14, 14, 57) if kind in SIGNED else np.geomspace(1e-7, 1e4, 61)
    as_kind = Options(options.form, kind)
    above, below = (moved(as_kind, m, options) for m in (np.minimum, np.maximum))
    off = np.abs(places.returned - places.value) / places.rounding
    for place in np.argsort(-off)[:TRIED]:
        if off[place] <= 1:
            return
        for first, second, upper in ((above, below, True), (below, above, False)):
            for c in _roots(places, value, int(place), first, grid):
                prediction, _ = _predicted(places, value, partial(_with, first, c))
                left = np.abs(places.returned - prediction) / places.rounding
                rest = int(np.argmax(np.where(np.isfinite(left), left, 0.0)))

                both = _one_after_other(first, second, c)
                for e in _roots(places, value, rest, both, grid):
                    low, high = (e, c) if upper else (c, e)
                    if low < high:
                        yield low, high


def _with(move: Move, number: float, laws: Laws) -> Laws:
    return move(laws, number)


def _one_after_other(first: Move, second: Move, number: float) -> Move:
    return lambda laws, other: second(first(laws, number), other)


def _roots(
    places: Places,
    value: Value,
    place: int,
    change: Move,
    grid: np.ndarray,
) -> Iterator[float]:
    """Numbers with which this place comes out right."""
    counts = [places.options.reduce(np.zeros(b.shape[0])).size for b in places.laws]
    batch = int(np.searchsorted(np.cumsum(counts), place, side="right"))
    row = place - int(np.sum(counts[:batch]))
    laws, wanted = places.laws[batch], places.returned[place]

    def gap(c: float) -> float:
        with np.errstate(all="ignore"):
            (of,) = value([change(laws, c)])
        return float(places.options.reduce(of)[row] - wanted)

    yield from roots(gap, grid)


def _predicted(places: Places, value: Value, change: Change) -> tuple[np.ndarray, np.ndarray]:
    with np.errstate(all="ignore"):
        values = value([change(b) for b in places.laws])
    prediction = np.concatenate([places.options.reduce(v) for v in values])
    return prediction, np.abs(prediction)
