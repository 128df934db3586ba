"""Where the inverse leads, and whether the sampler leads back.

Conventions: as in `trips`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.inversion import causes, ends, far, maps, slips, unused, words
from scoreproof.public.inversion.arguments import Job
from scoreproof.public.inversion.asking import trip
from scoreproof.public.inversion.demands import in_order
from scoreproof.public.inversion.trips import (
    Trips,
    laws,
    limit,
    mixed,
    off_home,
    order_of,
    sizes_of,
)
from scoreproof.public.rule import compared, settled, weakest
from scoreproof.public.sampler.convergence import FLOOR
from scoreproof.public.sampler.words import WHOLE, at_level, of_the_law, size_of

__all__ = ["judge"]

#: as in the verdict of `check_sampler`
FALLING = 0.75
#: an error that grows by more than this with the steps has no limit
GROWS = 1.5


def judge(job: Job) -> Evidence:
    """The verdict on both ends, and on the order if it is asked for."""
    if job.noises:
        return maps.judged(job)
    trips = Trips(job)
    evidence = _judged(job, trips)
    if evidence.verdict == "refuted":  # uneven gaps may be all that is wrong
        again = unused.alike(job, trips.made[0])
        other = None if again is None else _judged(again, Trips(again))
        if other is not None and other.verdict == "holds":
            return other
    return evidence


def _judged(job: Job, trips: Trips) -> Evidence:
    odd = _drawn(job, trips)
    if odd is not None:
        return _said(odd, trips)
    while len(trips.made) < 3:
        if not trips.grow():
            trips.coarser()
    looks = (_law, _home)
    found = [look(job, trips) for look in looks]
    while not _clear(found, trips) and trips.grow():
        found = [look(job, trips) for look in looks]
    wrong = next((e for e in found if e.verdict == "refuted"), None)
    if wrong is not None:
        of_law = wrong is found[0]
        slip = slips.slip(job, trips.table)
        if slip is not None:
            last = trips.made[-3:] if slip.names else []
            wrong = replace(wrong, sentence=causes.bare(wrong.sentence, last))
        return _said(wrong.with_diagnosis(slip), trips, law=of_law)
    bends: far.Bends = (None, None)
    if all(e.verdict == "holds" for e in found):
        short = ends.left_out(job, trips)
        if short is not None:
            return _said(short, trips)
        cut, bends = far.looked(job, trips)
        if cut is not None:
            return _said(cut, trips)
        extra = unused.noted(job, trips.made[0])
        found[-1] = replace(found[-1], notes=(*found[-1].notes, *extra))
    order = order_of(trips)
    asked = [e for e in (in_order(job, trips, order),) if e is not None]
    whole = weakest([*found, *asked])
    if whole.verdict == "refuted":
        whole = whole.with_diagnosis(slips.slip(job, trips.table))
    if whole.verdict == "holds":
        law, home = found
        more = "".join(f"; {e.sentence.split(': ', 1)[1]}" for e in asked)
        whole = replace(
            home,
            sentence=f"{law.sentence}; and {home.sentence.split(': ', 1)[1]}{more}",
            resolution=max(law.resolution or 0.0, home.resolution or 0.0),
            coverage=Coverage.together(
                [c for c in (law.coverage, home.coverage) if c is not None],
                "Gaussian data; the inverse at every level, the sampler where it ends",
                shared=("coordinates",),
            ),
        )
        whole = far.noted(whole, trips, bends)
    return _said(replace(whole, order=order), trips)


def _drawn(job: Job, trips: Trips) -> Evidence | None:
    """Noise that what comes back depends on."""
    one = trips.made[0]
    kinds = ("normal", "start")
    if not any(d.kind in kinds for part in one.drawn for d in part):
        return None
    other = trip(job, one.n, drawing=True)
    apart = float(np.max(np.abs(off_home(other) - off_home(one))))
    if apart <= FLOOR:
        return None
    who = 0 if np.max(np.abs(other.noised - one.noised)) > 0 else 1
    draw = next((d for d in one.drawn[who] if d.kind in kinds), None)
    where = f" ({draw.where})" if draw is not None else ""
    text = (
        f"{job.name}: {('the inverse', 'the sampler')[who]} draws noise{where}, so that x comes"
        f" back as another x each time (off by {size_of(apart)}): only a sampler without noise"
        " leads back (DDIM with eta = 0); hand noises over with form='noises'"
    )
    seen = Coverage({"rows": len(one.start)})
    return settled(
        Evidence("float", "refuted", apart, FLOOR, text), resolution=2 * FLOOR, coverage=seen
    )


def _law(job: Job, trips: Trips) -> Evidence:
    """The law of x on the way up, and where the inverse ends, which the sampler starts from."""
    last, three = trips.made[-1], trips.made[-3:]
    levels, errors = laws(trips)
    found, bound = limit(trips, errors)
    sizes = sizes_of(three, errors)
    text = (
        f"{job.name}: with more steps the inverse leads the data along the forward process's laws"
        f" to that of {at_level(last.high)} ({words.trend(three, sizes)} off at most)"
    )
    if mixed(trips):
        text = (
            f"{job.name}: the coordinates of x in the noise do not answer each to its own of x_0,"
            " so that its law is not read off; pass shape=1"
        )
        return Evidence.undecided("convergent", text)
    seen = Coverage({"levels": len(levels), "coordinates": found.shape[-1]})
    evidence = _compared(job, found, bound, text, seen)
    if evidence.verdict != "refuted":
        return evidence
    wrong = (np.abs(found) > bound).any(axis=(1, 2))
    each = np.abs(found).max(axis=(1, 2))
    at_end = wrong[-1] and each[-1] > evidence.value / 2  # else the largest is said
    k = len(levels) - 1 if at_end else int(np.argmax(each))
    part, i = (int(v) for v in np.unravel_index(np.argmax(np.abs(found[k])), found[k].shape))
    limit_of = "in the limit of many steps; "
    if part == 1 and found[k, part, i] < -1 or np.abs(found[k]).max() > 3 * sizes[-1]:
        own = int(np.argmax(sizes))  # the limit tells no size: that of the run that is worst
        error = float(errors(three[own])[k, part, i])
        limit_of = f"with {three[own].steps[1]} steps; "
    else:
        error = float(found[k, part, i])
    where = of_the_law(levels[k], part, i, error, job.shape)
    place = "where the inverse ends" if at_end else "on the way of the inverse"
    first = int(np.argmax(wrong))
    begin = f", from {at_level(levels[first])} on" if first < k else ""
    size = float(np.max(bound))
    text = (
        f"{job.name}: {place} {where}{begin} ({limit_of}{words.trend(three, sizes)} off at most)"
        f"{causes.of_the_inverse(job, last, found[k], size)}"
    )
    return _sure(replace(evidence, sentence=text), sizes)


def _compared(
    job: Job, found: np.ndarray, bound: np.ndarray, text: str, seen: Coverage
) -> Evidence:
    """Limits of many steps against how far they are known."""
    return compared(
        found,
        bound,
        text,
        coverage=seen,
        tolerance=job.tolerance,
        kind="convergent",
        remedy="pass more steps",
    )


def _home(job: Job, trips: Trips) -> Evidence:
    """x that came back against x that left."""
    last = trips.made[-3:]
    found, bound = limit(trips, off_home)
    sizes = sizes_of(last, off_home)
    back = (
        "with more steps the sampler leads every x back to where it came from"
        f" ({words.trend(last, sizes, ' of its standard deviation')} off at most)"
    )
    text = f"{job.name}: {back}"
    seen = Coverage({"samples": len(found), "coordinates": found.shape[-1]})
    evidence = _compared(job, found, bound, text, seen)
    if evidence.verdict == "refuted":
        i = int(np.argmax(np.abs(found).max(axis=0)))
        worst, limit_of = float(np.abs(found).max()), "in the limit of many steps"
        if sizes[-1] > max(WHOLE, GROWS * sizes[0]):  # there is none
            worst, limit_of = sizes[-1], f"with {last[-1].steps[1]} steps, and the more the farther"
        why = causes.growing(last, sizes)
        why = why or causes.of_the_trip(job, last[-1], found, float(np.max(bound)))
        off = f"it is off by {size_of(worst)}{words.coordinate(i, job.shape)}"
        off += f" ({limit_of}; {words.trend(last, sizes)} off at most)"
        text = (
            f"{job.name}: x does not come back: {words.diverges(trips.made, off_home) or off}{why}"
        )
        return _sure(replace(evidence, sentence=text), sizes)
    return evidence


def _sure(evidence: Evidence, sizes: Sequence[float]) -> Evidence:
    """A refutation, unless the error still falls and its limit is a small part of what is left."""
    if sizes[-1] >= FALLING * sizes[-2] or evidence.value > sizes[-1] / 3:
        return evidence
    said = evidence.sentence.replace(causes.UNKNOWN, "")
    text = f"{said}; but the error still falls as the steps become more: pass more"
    return replace(evidence, verdict="undecided", sentence=text)


def _clear(found: Sequence[Evidence], trips: Trips) -> bool:
    """Whether more steps would change nothing."""
    if all(e.verdict == "holds" for e in found):
        return True
    sizes = sizes_of(trips.made[-2:], off_home)
    stays = sizes[-1] >= FALLING * sizes[-2]
    return stays and any(e.verdict == "refuted" and e.separation > 4 for e in found)


def _said(evidence: Evidence, trips: Trips, law: bool = False) -> Evidence:
    """With the curves, of the inverse's ``law`` if that is what is wrong, and what it cost."""
    own = min(trips.made, key=lambda t: abs(t.n - trips.job.steps))
    calls = f"{own.calls[0]} and {own.calls[1]} calls of the model"
    notes = [causes.unlike(trips.job, own)]
    notes.append(f"Of {own.steps[0]} steps up and {own.steps[1]} down: {calls}.")
    shown, errors = (trips.made[-3:], laws(trips)[1]) if law else (trips.made, off_home)
    curve = [float(t.steps[1]) for t in shown], sizes_of(shown, errors)
    name = "x on the way of the inverse" if law else "x that came back"
    of = "deviation of mean and std of x (in std)" if law else "error of x, relative to its std"
    return replace(
        evidence,
        notes=(*evidence.notes, *filter(None, notes)),
        curves={name: curve},
        labels=("steps", of),
        cost={"calls of the model": sum(sum(t.calls) for t in trips.made)},
    )
