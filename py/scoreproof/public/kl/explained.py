"""What a wrong divergence is: the summands it is made of, of the laws as it read them.

Conventions: cheapest first, fewest changes first; a cause is claimed only if nothing but rounding
is left at any place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain, combinations

import numpy as np

from scoreproof.public.kl.averages import averages, believed
from scoreproof.public.kl.both_ends import both_ends
from scoreproof.public.kl.clamps import Clamp, clamps, roots
from scoreproof.public.kl.fit import Combination, Places, combined
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.readings import Reading, readings
from scoreproof.public.kl.summands import (
    LOGS,
    Summand,
    due_summands,
    other_summands,
)

__all__ = ["Explained", "clamped", "explained"]


@dataclass(frozen=True, eq=False)
class Explained:
    """``reading``: of which laws it is right; ``replaced``: due summands that others stand for;
    ``number``: of a clamp; ``averaged``: how the whole is averaged, one of `averages`.
    """

    combination: Combination
    due: tuple[Summand, ...]
    reading: Reading | None = None
    clamp: Clamp | None = None
    number: float = 0.0
    averaged: str = ""

    @property
    def others(self) -> tuple[Summand, ...]:
        """Summands that stand for due ones."""
        return tuple(s for s in self.combination.summands if s not in self.due)

    @property
    def cost(self) -> int:
        """How many things are wrong."""
        apart = (self.reading is not None) + (self.clamp is not None) + bool(self.averaged)
        odd = self.reading is not None and self.combination.changes > 0
        return self.combination.changes + 2 * len(self.others) + 2 * (apart + odd)


#: places at which the deviation is to stand out before a number is fitted to it
FEWEST = 3
#: nothing but a factor of a due summand, which is tried first, costs less than one other thing
CHEAP = 2


def explained(places: Places) -> Explained | None:
    """The explanation with the fewest changes, ``None`` if nothing explains it."""
    due = tuple(due_summands(places.options))
    others = other_summands(places.options)
    own = _Basis(places, due, others, places.laws)
    stages: tuple[Callable[[], Iterator[Explained]], ...] = (
        lambda: chain(own.due(), own.averaged(), own.replaced(1), _right(_read(places, due))),
        lambda: chain(own.replaced(2), _read(places, due)),
        lambda: _read(places, due, others),
        lambda: own.replaced(3),
        lambda: clamped(places, due),
        lambda: _clamped_twice(places, due),
    )
    for stage in stages:
        best: Explained | None = None
        for found in stage():
            if best is None or found.cost < best.cost:
                best = found
            if best.cost <= CHEAP:
                break
        if best is not None:
            return best
    return None


def _right(found: Iterator[Explained]) -> Iterator[Explained]:
    """Those that are right but for the reading, or for a factor of the whole."""
    return (e for e in found if len(set(e.combination.ratios)) == 1)


class _Basis:
    """The summands of some laws, each computed once."""

    def __init__(
        self,
        places: Places,
        due: tuple[Summand, ...],
        others: list[Summand],
        laws: list[Laws],
        reading: Reading | None = None,
    ) -> None:
        self.places, self.summands, self.reading = places, due, reading
        with np.errstate(all="ignore"):
            self.rows = [[_rows(s.of(b)) for b in laws] for s in due]
            self.columns = {
                s.words: places.column(rows) for s, rows in zip(due, self.rows, strict=True)
            }
            made = [(s, places.column([s.of(b) for b in laws])) for s in others]
        self.others: list[Summand] = []
        for s, column in made:
            if np.all(np.isfinite(column)) and not self._known(s, column):
                self.others.append(s)
                self.columns[s.words] = column
        self.laws = laws

    def _known(self, other: Summand, column: np.ndarray) -> bool:
        """It is a due one, or one that stands in the same slot."""
        size = np.max(np.abs(column))
        alike = [
            s.words
            for s in (*self.summands, *self.others)
            if s in self.summands or s.slot == other.slot
        ]
        return any(np.max(np.abs(column - self.columns[w])) <= 1e-9 * size for w in alike)

    def _fit(self, summands: tuple[Summand, ...]) -> Iterator[Explained]:
        columns = np.stack([self.columns[s.words] for s in summands])
        found = combined(self.places, summands, columns)
        if found is not None:
            yield Explained(found, self.summands, self.reading)

    def due(self) -> Iterator[Explained]:
        """As they are due; else with factors, which cannot be found where two are the same."""
        with np.errstate(all="ignore"):
            total = sum(s.factor * self.columns[s.words] for s in self.summands)
            size = sum(abs(s.factor * self.columns[s.words]) for s in self.summands)
        if self.places.explained(np.asarray(total), np.asarray(size)):
            whole = Combination(self.summands, (1.0,) * len(self.summands))
            yield Explained(whole, self.summands, self.reading)
        else:
            yield from self._fit(self.summands)

    def averaged(self) -> Iterator[Explained]:
        """All of it averaged over the dimensions, or over the batch."""
        for name, average in averages(self.places.options).items():
            with np.errstate(all="ignore"):
                columns = np.stack(
                    [
                        self.places.column(
                            [average(v, b) for v, b in zip(rows, self.laws, strict=True)]
                        )
                        for rows in self.rows
                    ]
                )
            found = combined(self.places, self.summands, columns)
            if found is not None and believed(name, found):
                yield Explained(found, self.summands, self.reading, averaged=name)

    def replaced(self, count: int) -> Iterator[Explained]:
        """With other summands for ``count`` of the due ones."""
        for chosen in combinations(self.others, count):
            slots = {s.slot for s in chosen}
            if len(slots) == count:
                logs = LOGS in slots
                kept = tuple(
                    s
                    for s in self.summands
                    if s.slot not in slots and not (logs and s.slot.startswith(LOGS))
                )
                if not (logs and slots & {"log0", "log1"}):
                    yield from self._fit((*kept, *chosen))


def _rows(values: np.ndarray) -> np.ndarray:
    return values.sum(axis=1) if values.ndim == 2 else values


def _read(
    places: Places, due: tuple[Summand, ...], others: list[Summand] | None = None
) -> Iterator[Explained]:
    for reading in readings(places.options):
        with np.errstate(all="ignore"):
            try:
                laws = [reading.of(b) for b in places.laws]
                basis = _Basis(places, due, others or [], laws, reading)
            except np.linalg.LinAlgError:
                continue
        yield from basis.replaced(1) if others else (*basis.due(), *basis.averaged())


def _partly(laws: Laws, clamp: Clamp, c: float, due: tuple[Summand, ...]) -> np.ndarray:
    """With the number in all of it, in the logarithms alone, or everywhere else."""
    other, parts = clamp.of(laws, c), []
    for s in due:
        log = s.slot.startswith(LOGS)
        inside = clamp.part == "all" or log == (clamp.part == "log")
        parts.append(_rows(s.of(other if inside else laws) * s.factor))
    return np.asarray(sum(parts))


def _clamped_twice(places: Places, due: tuple[Summand, ...]) -> Iterator[Explained]:
    if places.sharp < FEWEST:
        return

    def value(laws: list[Laws]) -> list[np.ndarray]:
        return [np.asarray(sum(_rows(s.of(b) * s.factor) for s in due)) for b in laws]

    for clamp in both_ends(places, value):
        yield Explained(Combination(due, tuple(1.0 for _ in due)), due, clamp=clamp)


def clamped(places: Places, due: tuple[Summand, ...]) -> Iterator[Explained]:
    """A number inside: found where the deviation is largest, and held against all places."""
    if places.sharp < FEWEST:
        return
    off = np.abs(places.returned - places.value) / places.rounding
    worst = int(np.argmax(off))
    counts = [places.options.reduce(np.zeros(b.shape[0])).size for b in places.laws]
    batch = int(np.searchsorted(np.cumsum(counts), worst, side="right"))
    row = worst - int(np.sum(counts[:batch]))
    laws, wanted = places.laws[batch], places.returned[worst]
    for clamp in clamps(places.options):

        def gap(c: float, clamp: Clamp = clamp) -> float:
            with np.errstate(all="ignore"):
                try:
                    of = _partly(laws, clamp, c, due)
                except np.linalg.LinAlgError:
                    return np.nan
            return float(places.options.reduce(of)[row] - wanted)

        for c in roots(gap, clamp.grid):
            with np.errstate(all="ignore"):
                changed = [_partly(b, clamp, c, due) for b in places.laws]
                prediction = np.concatenate([places.options.reduce(v) for v in changed])
            if places.explained(prediction, np.abs(prediction)):
                whole = Combination(due, tuple(1.0 for _ in due))
                yield Explained(whole, due, clamp=clamp, number=c)
                return
