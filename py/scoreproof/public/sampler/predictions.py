"""One sampler with several prediction types: with exact models x is the same after every step.

Conventions: as in `verdict`. What a model returns is one of several functions of x and E[x_0 | x];
a sampler that turns it into the one it works with changes nothing but rounding by that. One that
averages what the model returned at several times does: then x is the same in the limit.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.sampler import words
from scoreproof.public.sampler.arguments import KINDS, Job, Request, validate
from scoreproof.public.sampler.chain import Chain
from scoreproof.public.sampler.convergence import deviation, rounding
from scoreproof.public.sampler.data import gaussian
from scoreproof.public.sampler.runs import Runs
from scoreproof.public.sampler.scheduler import NAMES, is_scheduler, setting
from scoreproof.words import enumerated

__all__ = ["judged", "several"]

#: roundings of tables of low precision that two ways of writing a step may differ by
TABLES = 8
#: x_0 and ε of what is predicted
CONVERTED = {
    "eps": "x_0 = (x - σ ε)/α",
    "x0": "ε = (x - α x_0)/σ",
    "v": "x_0 = α x - σ v and ε = σ x + α v, where α² + σ² = 1",
    "score": "ε = -σ score",
    "flow": "x_0 = x - σ v",
    "velocity": "the velocity is dα/dt x_0 + dσ/dt ε",
    "F": "x_0 = c_skip x + c_out F",
}


@dataclass(frozen=True, eq=False)
class One:
    """The chain of one prediction type, and how far x is from the forward process's law."""

    kind: str
    chain: Chain
    runs: Runs


def several(request: Request) -> list[Job]:
    """A job for each prediction type that was asked for; none where that is one."""
    kinds = request.prediction
    if isinstance(request.sampler, Mapping):
        given = dict(request.sampler)
        wrong = [k for k in given if k not in KINDS]
        if wrong or len(given) < 2 or not (kinds is None or set(kinds) <= set(given)):
            raise ArgumentError(
                "sampler",
                f"a sampler, or a mapping of two or more of {', '.join(KINDS)} to one each",
                ", ".join(map(str, given)),
                "e.g. {'eps': one, 'v': other}",
            )
        chosen = {k: given[k] for k in (given if kinds is None else kinds)}
    elif kinds is None or isinstance(kinds, str):
        return []
    else:
        chosen = {k: _with(request.sampler, k) for k in kinds}
    if len(chosen) < 2:
        raise ArgumentError(
            "prediction", "one name, or two different ones or more", kinds, "e.g. ('eps', 'v')"
        )
    return [validate(replace(request, sampler=s, prediction=k)) for k, s in chosen.items()]


def _with(scheduler: Any, kind: str) -> Any:
    """A copy of a scheduler that is configured for that prediction type."""
    name = next((n for n, k in NAMES.items() if k == kind), kind)
    known = is_scheduler(scheduler) and setting(scheduler, "prediction_type") is not None
    if hasattr(scheduler, "precondition_outputs"):
        raise ArgumentError(
            "prediction",
            "F, where the scheduler scales what the network returns (precondition_outputs)",
            kind,
            "leave it away",
        )
    if not known or kind not in KINDS:
        raise ArgumentError(
            "prediction",
            "one name, or several for a scheduler that is configured with prediction_type",
            kind if known else f"several for {type(scheduler).__name__}",
            "pass a mapping of prediction types to samplers: {'eps': one, 'v': other}",
        )
    config = getattr(scheduler, "config", None)
    if hasattr(type(scheduler), "from_config") and config is not None:
        return type(scheduler).from_config(config, prediction_type=name)
    made = copy.deepcopy(scheduler)
    held: list[Any] = [getattr(made, "config", None), made]
    for holder in held:
        if isinstance(holder, dict) and "prediction_type" in holder:
            holder["prediction_type"] = name
        elif hasattr(holder, "prediction_type"):
            holder.prediction_type = name
    return made


def judged(jobs: Sequence[Job], judge: Callable[[Job], Evidence]) -> Evidence:
    """The first of them by itself, and the others against it."""
    ones = [_chain(job) for job in jobs]
    apart, odd = _agree(jobs, ones)
    if apart.verdict == "refuted" and jobs[0].exact:
        return apart
    evidence = judge(jobs[0])
    if evidence.verdict != "holds" and odd in (None, 0):
        return apart if apart.verdict == "refuted" else evidence
    agreed = f"{apart.sentence.split(': ', 1)[1]}, to {apart.value:.1e}"
    if odd is not None:
        other = judge(jobs[odd or 1])
        if other.verdict != "holds":
            verdict = other.verdict
            text = f"{apart.sentence}; by itself: {other.sentence.split(': ', 1)[-1]}"
            return replace(apart, verdict=verdict, sentence=text, notes=other.notes)
        agreed = (
            f"with prediction {ones[odd].kind} x tends to the same, although at {jobs[0].steps}"
            f" steps it differs by up to {words.size_of(apart.value)} (exact=True asks that it does"
            " not)"
        )
    if evidence.verdict != "holds" or apart.verdict == "undecided":
        return evidence if evidence.verdict != "holds" else apart
    coverage = evidence.coverage
    assert coverage is not None and evidence.resolution is not None
    asked = {**coverage.asked, "prediction types": len(jobs)}
    fine = 0.0 if odd is not None else apart.resolution or 0.0
    return replace(
        evidence,
        sentence=f"{evidence.sentence}; {agreed}",
        resolution=max(evidence.resolution, fine),
        coverage=replace(coverage, asked=asked),
    )


def _chain(job: Job) -> One:
    runs = Runs(job)
    return One(job.form.prediction, runs.of(True, job.steps), runs)


def _agree(jobs: Sequence[Job], ones: Sequence[One]) -> tuple[Evidence, int | None]:
    """Laws after every step against one another, in standard deviations; and which differs."""
    first = ones[0].chain
    name = jobs[0].name
    lengths = {len(c.chain.states) for c in ones}
    if len(lengths) > 1:
        text = (
            f"{name}: with one prediction type it makes another number of steps than with another"
        )
        return Evidence.undecided("float", text), None
    table = max(c.runs.table for c in ones)
    bound = np.array([rounding(first, s, first_eps(ones)) for s in first.states])
    bound = np.append(bound, bound[-1]) + TABLES * table
    laws = np.stack([_laws(c) for c in ones])  # (types, states, 2, d)
    apart = np.abs(laws[:, None] - laws[None])
    seen = Coverage({"prediction types": len(ones), "levels": laws.shape[1]})
    same = f"x is the same after every step with {enumerated(c.kind for c in ones)}"
    text = f"{name}: {same}"
    evidence = compared(
        apart.max(axis=(0, 1)), bound[:, None, None], text, coverage=seen, kind="float"
    )
    if evidence.verdict != "refuted":
        return evidence, None
    k = int(np.argmax((apart.max(axis=(0, 1)) > bound[:, None, None]).any(axis=(1, 2))))
    odd = _odd(ones, apart[:, :, k].max(axis=(2, 3)), laws[:, k])
    others = [i for i in range(len(ones)) if i != odd]
    off = laws[odd, k] - laws[others[0], k]
    part, i = (int(v) for v in np.unravel_index(np.argmax(np.abs(off)), off.shape))
    at = f"after step {k} of {first.steps}" if k < len(first.states) else "at its end"
    level = first.states[min(k, len(first.states) - 1)].level
    where = words.of_the_law(level, part, i, float(off[part, i]), jobs[0].shape)
    rest = enumerated(ones[j].kind for j in others)
    kind = ones[odd].kind
    text = (
        f"{name}: with prediction {kind} x differs from what it is with {rest}, first {at}: {where}"
        f", by comparison; exact models differ in nothing else: {CONVERTED[kind]}"
    )
    return replace(evidence, sentence=text), odd


def first_eps(ones: Sequence[One]) -> float:
    """The unit roundoff of the coarsest arithmetic."""
    return max(c.runs.eps for c in ones)


def _laws(one: One) -> np.ndarray:
    """Errors ``(states + 1, 2, d)`` of a chain's laws and of its end."""
    chain = one.chain
    last = chain.states[-1].level
    data = gaussian(len(chain.data.mean))
    states = [deviation(s.law, data, s.level) for s in chain.states]
    return np.stack([*states, deviation(chain.end, data, last)])


def _odd(ones: Sequence[One], apart: np.ndarray, off: np.ndarray) -> int:
    """Which of them stands alone: far from the others; of two, the one with the wronger law."""
    far = apart.sum(axis=1)
    if len(ones) > 2 and far.max() > 1.4 * np.sort(far)[-2]:
        return int(np.argmax(far))
    return int(np.argmax(np.abs(off).max(axis=(1, 2))))
