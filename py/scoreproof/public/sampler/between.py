"""The laws of x between the start of a chain and its end: what more and more steps make of them.

Conventions: as in `convergence`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import COARSEST, compared
from scoreproof.public.sampler import words
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.convergence import FLOOR, Limit, errors_of
from scoreproof.public.sampler.runs import Runs
from scoreproof.words import percent

__all__ = ["between"]


def between(job: Job, runs: Runs, spread: bool) -> Evidence:
    """The laws between the start and the end."""
    limit = runs.limit(spread)
    chains = runs.chains(spread)
    what = "Gaussian data" if spread else "data at one point"
    own = runs.made.get((spread, job.steps))  # the caller's run is said as well
    shown = chains if own is None or own in chains else [own, *chains]
    sizes = [float(np.max(np.abs(errors_of(c)))) for c in shown]
    bound = np.maximum(limit.blur, np.minimum(np.abs(limit.limit), limit.tables))
    bound = np.maximum(bound, FLOOR)
    d = limit.limit.shape[-1]
    coverage = Coverage(
        {"levels": len(limit.levels), "coordinates": d},
        span=f"{what}; {words.trend(shown, sizes)} of error at most",
    )
    k, part, i = words.farthest(limit)
    text = (
        f"{job.name}: the law of x after every step tends to the forward process's with more steps"
        f" ({what}; {words.trend(shown, sizes)} off at most)"
    )
    evidence = compared(
        limit.limit,
        bound,
        text,
        coverage=coverage,
        tolerance=job.tolerance,
        kind="convergent",
        remedy="pass more steps" if runs.table < 1e-4 else "use float32 or float64",
    )
    gone = not np.all(np.isfinite(limit.limit))
    beyond = bool(np.any(np.abs(limit.limit) > bound))  # rounding of a coarse type grows too
    if evidence.verdict == "refuted" or gone or (beyond and words.grows(sizes[-3:])):
        return _refuted(job, evidence, limit, (k, part, i), Seen(chains, sizes[-3:], what))
    known = evidence.resolution or 0.0
    if evidence.verdict == "undecided" and not beyond and min(known, sizes[-1]) > COARSEST:
        text = (
            f"{text}: the errors fall with more steps, but what they fall to is known to"
            f" {percent(known)} only (a verdict needs {percent(COARSEST)}): {_remedy(known)}"
        )
        return replace(evidence, sentence=text)
    return evidence


def _remedy(known: float) -> str:
    """More steps, or what is known accepted: rounded up to two digits."""
    if not known < 1:
        return "pass more steps"
    digits = 10.0 ** (1 - np.floor(np.log10(known)))
    return f"pass more steps, or accept that by tolerance={np.ceil(known * digits) / digits:.2g}"


@dataclass(frozen=True, eq=False)
class Seen:
    """The chains, how far they are off with more and more steps, and of what data they are."""

    chains: Sequence[Chain]
    sizes: Sequence[float]
    what: str


def _refuted(
    job: Job, evidence: Evidence, limit: Limit, place: tuple[int, int, int], seen: Seen
) -> Evidence:
    k, part, i = place
    chains, sizes, what = seen.chains, seen.sizes, seen.what
    level = limit.levels[k]
    error = float(limit.limit[k, part, i])
    where = words.of_the_law(level, part, i, error, job.shape)
    lost = words.not_finite(chains)
    if lost:
        text = f"{job.name}: {lost} ({what})"
        return replace(evidence, verdict="refuted", sentence=text, value=1e300, bound=0.0)
    first = first_wrong(limit)
    from_on = f", from {words.at_level(limit.levels[first])} on"
    from_on = from_on if first else ", from the first step on"
    if words.grows(sizes) and sizes[-1] > 0.05:
        cause = "the error grows with the number of steps"
    else:
        cause = "more steps do not mend it"
    text = (
        f"{job.name}: {where}{from_on} (for {what}, in the limit of many steps:"
        f" {words.trend(chains, sizes)} off at most); {cause}"
    )
    value = abs(error) if np.isfinite(error) else 1e300
    bound = float(limit.blur[k, part, i])
    bound = bound if np.isfinite(bound) else 0.0
    return replace(evidence, verdict="refuted", sentence=text, value=value, bound=bound)


def first_wrong(limit: Limit) -> int:
    """The first level at which the law is off by more than is known."""
    with np.errstate(all="ignore"):
        wrong = ~(np.abs(limit.limit) <= limit.blur)
    return int(np.argmax(wrong.any(axis=(1, 2))))
