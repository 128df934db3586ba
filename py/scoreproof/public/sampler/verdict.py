"""The laws of the chains against those of the forward process.

Conventions: as in `convergence`. What decides: the limit of ever more steps at every level, for
data at one point and for Gaussian data; where the chain ends; and, if asked, the order and whether
data at one point are kept exactly.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import weakest
from scoreproof.public.sampler import batch, bends, draws, end, words
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.began import begins_wrong
from scoreproof.public.sampler.between import between
from scoreproof.public.sampler.causes.explain import explained
from scoreproof.public.sampler.causes.noted import noted
from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.convergence import errors_of, order_of
from scoreproof.public.sampler.demands import in_order, kept
from scoreproof.public.sampler.elsewhere import led_elsewhere
from scoreproof.public.sampler.once import asked_once
from scoreproof.public.sampler.pictures import View, drawn
from scoreproof.public.sampler.read_off import read_off
from scoreproof.public.sampler.runs import FULL, Runs
from scoreproof.public.sampler.start import taken
from scoreproof.public.sampler.strides import SAID, alike
from scoreproof.public.sampler.uneven import with_its_eta
from scoreproof.public.sampler.uniforms import uniform_noise
from scoreproof.public.sampler.whole import on_the_whole_table, remedy

__all__ = ["judge"]

#: an error of so many times its bound, that stays, is refuted with the steps at hand
FAR_OFF = 4.0
#: a limit of less than this is small
SMALL = 0.01
#: an error that falls by less than this from one number of steps to the next stays
FALLING = 0.75
#: an error of a law that is kept exactly, in double precision
EXACT = 1e-9
#: two limits that differ by no more than this part are the same
STEADY = 0.3
#: what is drawn where nothing is wrong
VIEW = View()


def judge(job: Job) -> Evidence:
    """The verdict on all that was asked for, with the cause of a refutation."""
    try:
        evidence, runs = _judged(job)
    except CallableError:
        once = asked_once(job)
        if once is None:
            raise
        return once
    evidence = led_elsewhere(evidence, job, runs)
    again = alike(job) if evidence.verdict == "refuted" else None
    if again is not None:  # uneven gaps may be all that is wrong
        other, its = _judged(again)
        if other.verdict == "holds":
            evidence, runs, job = replace(other, notes=(*other.notes, SAID)), its, again
    told = explained(evidence, job, runs.table, lambda j: _judged(j)[0])
    return with_its_eta(noted(told, job, runs.table), job, runs)


def _judged(job: Job) -> tuple[Evidence, Runs]:
    runs = Runs(job)
    first = runs.first()
    for look_at in (
        lambda: draws.refused(first),
        lambda: batch.mixed(job, first, runs.eps),
        lambda: bends.bent(first, runs),
    ):
        odd = look_at()
        if odd is not None:
            return _said(odd, job, runs), runs
    if any(d.kind == "uniform" for d in first.draws):
        odd = uniform_noise(job.name, first, runs.otherwise)
        if odd is not None:
            return _said(odd, job, runs), runs
    whole = on_the_whole_table(job, runs)
    if whole is not None:
        return _said(whole, job, runs, View(False)), runs
    if runs.mixes():
        d = int(np.prod(job.shape))
        if d > FULL:
            text = (
                f"the coordinates of x do not answer each to its own noise, and {d} of them are too"
                f" many to ask one by one: pass a shape of at most {FULL} entries"
            )
            return _said(Evidence.undecided("convergent", text), job, runs), runs
        runs = Runs(job, full=True)
    found = []
    for spread in (False, True):
        both = [look(job, runs, spread) for look in (between, end.judged)]
        while not _clear(both, runs.chains(spread), runs.counts) and runs.refined(spread):
            both = [look(job, runs, spread) for look in (between, end.judged)]
        sizes = (_largest, end.largest)
        both = [
            _sure(e, runs, spread, size) if e.verdict == "refuted" else e
            for e, size in zip(both, sizes, strict=True)
        ]
        if not spread:
            both[1] = end.stops(job, runs, both[1])
        wrong = next((e for e in both if e.verdict == "refuted"), None)
        if wrong is not None:
            return _said(wrong, job, runs, View(spread, wrong is both[1])), runs
        found += both
    order = order_of(runs.chains(True), runs.eps)
    asked = [e for e in (in_order(job, runs, order), kept(job, runs)) if e is not None]
    whole = weakest([*found, *asked])
    view = _view(whole, found, asked, job)
    odd = getattr(job.form, "odd", None)
    if odd is not None and whole.verdict != "refuted":  # no law of x tells what a network expects
        return _said(odd, job, runs), runs
    unseen = whole.verdict == "undecided" and all(e.verdict == "holds" for e in asked)
    if unseen:
        whole = read_off(whole, job, runs)
    if whole.verdict == "holds":
        odd = begins_wrong(job.name, first.began)
        if odd is not None:
            whole = replace(odd, coverage=whole.coverage)
            return _said(whole, job, runs), runs
        if not unseen:
            whole, view = _together(runs, found, asked, whole.resolution or 0.0), VIEW
    return _said(replace(whole, order=order), job, runs, view), runs


def _view(whole: Evidence, found: Sequence[Evidence], asked: Sequence[Evidence], job: Job) -> View:
    """What is drawn where one of them decides."""
    for k, e in enumerate(found):
        if e is whole:
            return View(k > 1, k % 2 == 1)
    return View(not (job.exact and whole is asked[-1]))


def _clear(judged: Sequence[Evidence], chains: Sequence[Chain], counts: Sequence[int]) -> bool:
    """Whether more steps would change nothing: all hold, or one is far from it and its error does
    not fall; a small one by a fourth number of steps as well, for errors that fall unevenly.
    """
    if all(e.verdict == "holds" for e in judged):
        return True
    return any(
        e.verdict == "refuted"
        and e.separation > FAR_OFF
        and _stays(size(chains))
        and (e.value > SMALL or len(counts) > 3)
        for e, size in zip(judged, (_largest, end.largest), strict=True)
    )


def _largest(chains: Sequence[Chain]) -> list[float]:
    return [float(np.max(np.abs(errors_of(c)))) for c in chains]


def _stays(sizes: Sequence[float]) -> bool:
    """Whether an error hardly falls from the last but one number of steps to the last."""
    return not sizes[-1] < FALLING * sizes[-2]


def _sure(
    evidence: Evidence, runs: Runs, spread: bool, size: Callable[[Sequence[Chain]], list[float]]
) -> Evidence:
    """A refutation, unless the errors still fall, and what they tend to is not the same with one
    number of steps more.
    """
    sizes = size(runs.chains(spread))
    if _stays(sizes):
        return evidence
    if len(runs.counts) > 3 and size is _largest:
        before, now = (float(np.max(np.abs(runs.limit(spread, b).limit))) for b in (1, 0))
        # a limit that is a small part of what is left is no more than a guess
        if abs(before - now) < STEADY * now and now > sizes[-1] / 3:
            return evidence
    if size is _largest:
        found = f"{evidence.sentence.rsplit('; ', 1)[0]}: but the"
    else:
        found = f"{end.falling(runs.job, runs.chains(spread), spread)}the"
    text = (
        f"{found} error still falls as the steps become more, and does not tell yet whether it"
        f" falls to 0; {remedy(runs.job)}"
    )
    return replace(evidence, verdict="undecided", sentence=text)


def _own(runs: Runs) -> str:
    """What the caller's own number of steps makes of data at one point, if they are not kept."""
    one = runs.first()
    size = words.deviations([_largest([one])[0]])
    if _largest([one])[0] <= max(EXACT, min(float(np.max(runs.limit(False).tables)), SMALL / 10)):
        return "; exact for data at one point, to rounding"
    return (
        f"; not exact for data at one point: {size} off with {one.steps} steps (exact=True makes it"
        " part of the verdict)"
    )


def _together(
    runs: Runs, found: Sequence[Evidence], asked: Sequence[Evidence], resolution: float
) -> Evidence:
    """All of it as one: the sentence on Gaussian data, and where the chain ends."""
    point, _, spread, last = found
    job, first = runs.job, runs.first().states[0].level
    ends = last.sentence.split(": ", 1)[1].split(" (")[0]
    exact = "; exact for data at one point" if point.value <= EXACT else _own(runs)
    more = "".join(f"; {e.sentence.split(': ', 1)[1]}" for e in asked)
    coverage = Coverage.together(
        [e.coverage for e in found if e.coverage is not None],
        "data at one point and Gaussian data",
        shared=("coordinates",),
    )
    return replace(
        spread,
        sentence=f"{spread.sentence}; {ends}{exact}{more}{taken(job.form, first)}",
        resolution=resolution,
        coverage=coverage,
    )


def _said(evidence: Evidence, job: Job, runs: Runs, view: View = VIEW) -> Evidence:
    """With the curves, the notes, and what it cost."""
    chains = list(runs.made.values())
    notes = [*evidence.notes, *(n for c in chains for n in c.notes)]
    if evidence.coverage is not None:
        clip = bends.clip_of(chains, runs.eps)
        notes += [clip.said()] if clip is not None else []
        evidence = bends.left_out(evidence, clip)
    curves, labels = drawn(runs, view)
    own = runs.first()
    notes.append(f"Of its {own.steps} steps: {words.drawn(own)}, {own.calls} calls of the model.")
    return replace(
        evidence,
        notes=tuple(dict.fromkeys(notes)),
        curves=curves,
        labels=labels,
        cost={"calls of the model": sum(c.calls for c in chains)},
    )
