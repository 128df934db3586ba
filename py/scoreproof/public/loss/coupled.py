"""Losses that pair data and noise anew within the batch (minibatch optimal transport, a shuffle):
what was read of them, told by the pairs that x_t is made of.

Conventions: as in `reading`. The rows of other pairs lead to other x_t, so that nothing is averaged
over them: of a square every target and every weight is read by itself.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.given import Given
from scoreproof.public.loss.limits import off_bound
from scoreproof.public.loss.own_draws import GLOBAL
from scoreproof.public.loss.pairing import Rows, own_rows, rows_of
from scoreproof.public.loss.pairs import Pairs, encoded, spacing_drawn
from scoreproof.public.loss.reading import ROUNDINGS, Found
from scoreproof.public.loss.times import mixed

__all__ = ["Coupling", "coupled"]

#: of the noise: what is left of x_t without its own x_0 and ε, if these are another sample's
OTHER = 1e-5
#: kinds of draws that noise and t are made of
SERVED = ("normal", "uniform", "integers")
#: how often a pairing that repeats samples is drawn anew
AGAIN = 3


@dataclass(frozen=True, eq=False)
class Coupling:
    """``rows``: of each run. ``by_value``: which samples meet depends on them, and not on their
    places alone; ``drawn``: on numbers that are drawn too; ``apart``: every sample of the data
    meets one of the noise and no other, however it is drawn; ``repeats``: how many samples of the
    data, and of the noise, are in no x_t while others are in several.
    """

    rows: list[Rows]
    by_value: bool
    drawn: bool
    apart: bool
    repeats: tuple[int, int]

    @property
    def keeps(self) -> bool:
        """Whether each sample of the data and each of the noise is in one x_t."""
        return not any(self.repeats)


def coupled(job: Job, asking: Asking, found: Found) -> Found:
    """The same with the pairs that x_t is made of, where these are others than were handed over
    and the target is not made of the latter.
    """
    with np.errstate(all="ignore"):
        own = found.rest <= OTHER * found.v.sigma
    # numbers of a global generator are others in each of the many calls of a NumPy loss
    lost = job.framework == "numpy" and any(GLOBAL in n for n in asking.notes)
    if np.all(own) or lost:
        return found
    pairs, eps = found.pairs, found.eps
    each = zip(found.runs, found.inside, pairs.noise, strict=True)
    rows = [rows_of(r.asked.x, x, e, eps) for r, x, e in each]
    known = [r for r in rows if r is not None]
    if len(known) < len(rows):
        return found
    v = found.v
    data, noise = known[0]
    shuffled = all(np.array_equal(r, data) for two in known for r in two)
    if shuffled and not job.draws_times:  # the whole batch, its times too
        v = job.levels(v.times[data])
    x0s = np.stack([x[i] for x, (i, _) in zip(pairs.x0, known, strict=True)])
    inside = np.stack([encoded(job, x0) for x0 in x0s])
    noises = np.stack([e[j] for e, (_, j) in zip(pairs.noise, known, strict=True)])
    x = v.alpha[:, None] * inside[0] + v.sigma[:, None] * noises[0]
    mixes = [mixed(r.asked.x, y, e) for r, y, e in zip(found.runs, inside, noises, strict=True)]
    due = np.stack([v.target(y, e) for y, e in zip(inside, noises, strict=True)])
    if _is(found, found.due) and not _is(found, due):
        return found
    drawn = spacing_drawn(job, asking.eps, noises)
    return replace(
        found,
        v=v,
        drawn=drawn,
        blur=found.blur + (drawn - found.drawn) / ROUNDINGS,
        pairs=Pairs(x, x0s, noises, pairs.chance),
        handed=pairs,
        inside=inside,
        due=due,
        a=np.stack([m[0] for m in mixes]),
        b=np.stack([m[1] for m in mixes]),
        rest=np.zeros_like(found.rest),
        coupling=_coupling(job, asking, found, known),
    )


def _is(found: Found, due: np.ndarray) -> bool:
    """Whether these are the targets."""
    size = np.maximum(found.size, np.sqrt(np.mean(found.targets**2, axis=(0, 2))))
    limit = 8 * (off_bound(found) * size)[None, :, None]
    return bool(found.straight and np.all(np.abs(found.targets - due) <= limit))


def _coupling(job: Job, asking: Asking, found: Found, known: list[Rows]) -> Coupling:
    pairs, times = found.pairs, None if job.draws_times else found.v.times
    x0, noise = pairs.x0[0], pairs.noise[0]

    def again(data: np.ndarray, turn: int) -> Rows:
        asking.stirred, notes = turn, list(asking.notes)
        run = asking.run(Given(data, noise, found.extra, found.answer, times, turn))
        asking.stirred, asking.notes = 0, notes
        rows = rows_of(run.asked.x, encoded(job, data), noise, found.eps)
        return own_rows(len(data)) if rows is None else rows

    first = known[0]
    others = [*known[1:], again(np.roll(x0, 1, axis=0), 0)]
    by_value = not all(_same(first, r) for r in others)
    repeats = max((_missing(r) for r in known), key=sum)
    if not by_value or not any(repeats):
        return Coupling(known, by_value, False, True, repeats)
    drawn = [again(x0, turn) for turn in range(1, 1 + AGAIN)]
    met = {(int(i), int(j)) for r in (first, *drawn) for i, j in zip(*r, strict=True)}
    apart = len({i for i, _ in met}) == len({j for _, j in met}) == len(met)
    random = _draws(found, asking) or not all(_same(first, r) for r in drawn)
    return Coupling(known, True, random, apart, repeats)


def _draws(found: Found, asking: Asking) -> bool:
    """Whether it draws more than noise and t: numbers that pairs may be chosen by."""
    run = found.runs[0]
    plain = (found.answer.size, len(found.answer), 1)
    more = any(d.kind not in SERVED or int(np.prod(d.shape)) not in plain for d in run.log.draws)
    return more or any(GLOBAL in n for n in asking.notes)


def _same(one: Rows, other: Rows) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


def _missing(rows: Rows) -> tuple[int, int]:
    data, noise = (len(r) - len(np.unique(r)) for r in rows)
    return data, noise
