"""Where a chain ends: at the data, at what the model denoises the last x to, or at a level that the
sampler declares.

Conventions: as in `convergence`; the end is relative to the width of the data, or, where they are
one point, to the σ of the last level before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.sampler import words
from scoreproof.public.sampler.arguments import Job
from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.convergence import FLOOR, GONE, deviation, extrapolated, inner, width
from scoreproof.public.sampler.data import Data, Level
from scoreproof.public.sampler.runs import Runs
from scoreproof.words import listed

__all__ = ["judged", "largest", "options", "falling", "stops", "unit_of"]

CLEAN = Level(0.0, 1.0, 0.0)
#: EDM's churn takes x to no more than √2 of its σ
CHURNED = 2**0.5 * (1 + 1e-9)
#: an end that is off by no more is right
ROUNDED = 1e-9
#: roundings of an end, each relative to its unit
ROUNDINGS = 1e3


def judged(job: Job, runs: Runs, spread: bool) -> Evidence:
    """The end against each law that it may have; the nearest decides."""
    chains = runs.chains(spread)
    each = [options(c) for c in chains]
    found = {name: [e[name] for e in each] for name in each[0]}
    what = "Gaussian data" if spread else "data at one point"
    judged = [_against(job, runs, spread, rows, name) for name, rows in found.items()]
    best = next((e for e in judged if e.verdict == "holds"), None)
    if best is not None:
        return best
    best = min(judged, key=lambda e: e.separation if np.isfinite(e.separation) else 1e300)
    sizes = largest(chains)
    if best.verdict == "undecided" and words.grows(sizes) and sizes[-1] > 1:
        best = replace(best, verdict="refuted")
    if best.verdict != "refuted":
        return best
    rows = found["the data"]
    mean, wide = (float(np.max(np.abs(v))) for v in rows[-1])
    unit = unit_of(spread)
    if max(mean, wide) >= GONE:
        text = (
            f"{job.name}: where the chain ends x is nan or inf ({what}; {chains[-1].steps} steps)"
        )
        return replace(best, sentence=text)
    cause = (
        "noise is left in x, or added in the last step"
        if not spread and wide > mean
        else "the last step does not lead to the data"
    )
    text = (
        f"{job.name}: where the chain ends x has a mean off by {mean:.3g} and a standard deviation"
        f" off by {wide:.3g}, in units of {unit} ({what}; {chains[-1].steps} steps): {cause}"
    )
    return replace(best, sentence=text)


def stops(job: Job, runs: Runs, evidence: Evidence) -> Evidence:
    """The end of data at one point, refuted where x comes back with the law that is due before the
    last step, whatever the number of steps: what is left out becomes less where the last gap is cut
    as well, and no step leads over it all the same.
    """
    chains = runs.chains(False)
    left, before = [_left_out(c) for c in chains], chains[0].before
    if before is None or not all(left):
        return evidence
    text = (
        f"{job.name}: where the chain ends x has the law that is due at {words.at_level(before)},"
        f" where the last of its {chains[0].steps} steps begins (data at one point): that step is"
        " not taken"
    )
    return replace(evidence, verdict="refuted", sentence=text, value=max(left), bound=FLOOR)


def _left_out(chain: Chain) -> float:
    """How far the end is from the last level, where it has the law of the level before, to
    rounding.
    """
    if chain.before is None or chain.last is None or not chain.last.sigma > 0:
        return 0.0
    if np.max(np.abs(deviation(chain.end, chain.data, chain.before))) > ROUNDED:
        return 0.0
    off = float(np.max(np.abs(_declared(chain))))
    return off if off > FLOOR else 0.0


def unit_of(spread: bool) -> str:
    """What an end is off by so many of."""
    return "the data's width" if spread else "the last σ before"


def falling(job: Job, chains: Sequence[Chain], spread: bool) -> str:
    """Ends whose error falls, but to what is not known: how far off each of them is."""
    what = "Gaussian data" if spread else "data at one point"
    sizes = largest(chains)
    steps, shown = (listed(v) for v in ((c.steps for c in chains), (f"{s:.3g}" for s in sizes)))
    text = (
        f"{job.name}: where the chain ends x is off by {shown} with {steps} steps, in units of"
        f" {unit_of(spread)} ({what}): "
    )
    if sizes[-1] > ROUNDED:
        return text
    return (
        f"{text}it ends right with {chains[-1].steps} steps, and with none of the fewer: are its"
        " coefficients those of one timestep, from tables, whatever the next one is? "
    )


def largest(chains: Sequence[Chain]) -> list[float]:
    """How far each end is from the law that the last of them is nearest to."""
    each = [options(c) for c in chains]
    name = min(each[-1], key=lambda k: float(np.max(np.abs(each[-1][k]))))
    return [float(np.max(np.abs(e[name]))) for e in each]


def options(chain: Chain) -> dict[str, np.ndarray]:
    """The deviation of its end from each of the laws that it may have."""
    found = {}
    if chain.last is not None and chain.last.sigma > 0:
        found[f"the last level, {words.at_level(chain.last)}"] = _declared(chain)
    found["the data"] = _clean(chain)
    if chain.data.spread_out:
        found["the denoised last x"] = _denoised(chain)
    return found


def _against(job: Job, runs: Runs, spread: bool, rows: list[np.ndarray], name: str) -> Evidence:
    """Three ends against one law: their limit, as between the levels."""
    what = "Gaussian data" if spread else "data at one point"
    with np.errstate(all="ignore"):
        once, twice = extrapolated(rows, [width(c) for c in runs.chains(spread)])
        floor = ROUNDINGS * runs.eps
        exact = np.all([np.abs(r) <= floor for r in rows], axis=0)
        blur = 2 * np.max(np.abs(twice - once)) + floor
    found = np.where(exact, rows[-1], twice)
    bound = np.where(exact, floor, blur)
    bound = np.maximum(bound, np.minimum(np.abs(found), 1e4 * runs.table))
    bound = np.maximum(bound, FLOOR)
    ends = f"the chain ends at {name}"
    text = f"{job.name}: {ends} ({what})"
    seen = Coverage({"ends": 1, "coordinates": found.shape[-1]})
    return compared(
        found,
        bound,
        text,
        coverage=seen,
        tolerance=job.tolerance,
        kind="convergent",
        remedy="pass more steps",
    )


def _clean(chain: Chain) -> np.ndarray:
    return deviation(chain.end, chain.data, CLEAN, _unit(chain))


def _declared(chain: Chain) -> np.ndarray:
    assert chain.last is not None
    return deviation(chain.end, chain.data, chain.last)


def _denoised(chain: Chain) -> np.ndarray:
    level, data = _last_asked(chain), chain.data
    _, std = data.moments(level)
    shrunk = Data(data.mean, data.width * level.alpha * data.width / std)
    return deviation(chain.end, shrunk, CLEAN, _unit(chain))


def _last_asked(chain: Chain) -> Level:
    """Where x is when it is denoised at last: at the last level, or where a churn has taken it from
    there.
    """
    level, told = inner(chain)[-1].level, chain.told_last
    if told is None or told.sigma <= 0:
        return level
    return told if level.snr >= told.snr >= level.snr / CHURNED else level


def _unit(chain: Chain) -> np.ndarray:
    if chain.data.spread_out:
        return chain.data.width
    level = inner(chain)[-1].level
    return np.full(len(chain.data.width), level.sigma / level.alpha)
