"""What was read of a loss against what is due, the first mistake first.

Conventions: errors are relative: of α and σ in x_t, of the minimiser to the size of the target, of
the weight to the one that is claimed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.loss.arguments import Job
from scoreproof.public.loss.asking import Asking
from scoreproof.public.loss.averaged import AVERAGED, of_the_batch
from scoreproof.public.loss.coupled_words import coupling_doubt, coupling_words
from scoreproof.public.loss.doubts import clipped_data, doubt_of, rank_words
from scoreproof.public.loss.idle import idle_rows, ignored
from scoreproof.public.loss.labels import doubted
from scoreproof.public.loss.limits import (
    across_bound,
    input_bound,
    input_size,
    off_bound,
    weight_bound,
)
from scoreproof.public.loss.matched import constant
from scoreproof.public.loss.metric import Metric, metric_of
from scoreproof.public.loss.open_ends import open_at
from scoreproof.public.loss.other_weights import due_weight
from scoreproof.public.loss.reading import Found
from scoreproof.public.loss.remarks import notes_of, without_a_number
from scoreproof.public.loss.seen import coverage
from scoreproof.public.loss.tables import curves_of, table_of
from scoreproof.public.loss.variances import BOUND, at_the_decoder, variance_words
from scoreproof.public.loss.words import (
    holds_words,
    input_words,
    minimiser_words,
    weight_words,
)
from scoreproof.public.rule import compared

REMEDY = {
    "numpy": "return one loss for each sample, (B,), or use float64, for tables too",
    "torch": "use float64, for tables too",
    "jax": "use float64 (jax_enable_x64), for tables too",
}
#: relative to the largest weight: a rounding error below it tells 0 from a weight
DROWNED = 1e-9
#: relative to the largest weight: nothing, but for what underflows
ZERO = 1e-30
__all__ = ["Part", "judge", "parts_of"]


@dataclass(frozen=True, eq=False)
class Part:
    """One thing that is asked of a loss, a number a row; ``told``: a refutation's sentence and its
    cause.
    """

    name: str
    error: np.ndarray
    bound: np.ndarray
    told: Callable[[], tuple[str, Diagnosis | None]]


def judge(job: Job, found: Found, asking: Asking) -> Evidence:
    """The verdict."""
    discrete = without_a_number(job, found)
    unknown = clipped_data(found)
    metric = metric_of(job, asking, found)
    parts = parts_of(job, found, metric)
    seen = coverage(job, found, metric)
    more: dict[str, Any] = {
        "coverage": seen,
        "tolerance": job.tolerance,
        "cost": {"calls": asking.calls},
        "table": table_of(found),
        "curves": curves_of(found),
        "labels": ("t", "weight λ(t)"),
    }
    accepted = job.tolerance or 0.0
    for part in parts:
        if discrete is not None and part.name == discrete[0]:
            return _refuted(discrete[1:], 1.0, 0.0, more)
        wrong = ~(part.error <= accepted + part.bound)
        if np.any(wrong):
            by_bound = part.name == "weight" and found.varied
            if by_bound or part.name == "minimiser" and at_the_decoder(found, wrong):
                if job.weight is not None:
                    return _refuted(variance_words(found), 1.0, 0.0, more)
                return Evidence.undecided("float", BOUND, coverage=seen, cost=more["cost"])
            reason = open_at(job, found, asking, part.name, wrong) or (
                unknown if part.name == "minimiser" else None
            )
            if reason:
                spent = {"calls": asking.calls}
                return Evidence.undecided("float", reason, coverage=seen, cost=spent)
            # what is not finite is no number: of a weight that vanishes
            error = np.where(np.isfinite(part.error), part.error, 1.0)
            k = int(np.argmax(np.where(wrong, error, -1.0)))
            bound = float(accepted + part.bound[k])
            return _refuted(part.told(), float(error[k]), bound, more)
    if discrete is not None:
        return _refuted(discrete[1:], 1.0, 0.0, more)
    doubt = doubt_of(found, metric, asking) or doubted(job, found.v, found.label)
    if not doubt and found.coupling is not None:
        doubt = coupling_doubt(job, found.coupling)
    if doubt:
        return Evidence.undecided("float", doubt, coverage=seen, cost=more["cost"])
    return compared(
        np.stack([p.error for p in parts]),
        np.stack([p.bound for p in parts]),
        holds_words(job, found),
        notes=notes_of(job, found, asking),
        remedy=REMEDY[job.framework],
        **more,
    )


def parts_of(job: Job, found: Found, metric: Metric | None = None) -> list[Part]:
    """What is asked, in the order in which a mistake shows in what follows it."""
    v = found.v
    scale = _scale(job, found)
    due = v.alpha[:, None] * found.inside + v.sigma[:, None] * found.pairs.noise
    asked = np.stack([r.asked.x for r in found.runs]) / scale[:, None]
    apart = np.sqrt(np.mean((asked - due) ** 2, axis=2)) / input_size(found)

    def about_input() -> tuple[str, Diagnosis | None]:
        return input_words(job, found)

    parts = [Part("x_t", np.max(apart, axis=0), input_bound(found), about_input)]
    weight, due = found.weight, due_weight(job, v)
    with np.errstate(all="ignore"):
        # a weight that vanishes trains nothing, one below 0 trains away from the target
        idle_entries = np.max(np.abs(found.weights), axis=(0, 1))
        idle_entries = idle_entries <= ZERO * np.max(idle_entries)
        trained = weight > ZERO * np.max(np.abs(weight))
        trained = trained & ~np.any(idle_entries) | ~np.asarray(found.straight)
        lost = (np.abs(weight) <= 10 * found.floor) & (found.floor > DROWNED * np.max(weight))
        trained |= lost  # what rounding drowned is not 0
        idle = np.zeros(len(weight), bool) if due is None else due <= ZERO * np.max(due)
        trained |= idle  # as it is due
        trained &= idle | lost | ~idle_rows(found)
        some = ignored(found) & ~idle[:, None]
        trained &= ~np.any(some, axis=1)
        off = np.where(idle | lost, 0.0, np.where(trained, found.off, np.inf))
    parts.append(
        Part("minimiser", off, off_bound(found), lambda: minimiser_words(job, found, trained, some))
    )
    parts.append(
        Part(
            "across",
            found.across,
            across_bound(found),
            lambda: minimiser_words(job, found, trained, some),
        )
    )
    if found.coupling is not None:
        told_of = coupling_words(job, found.coupling)
        if told_of is not None:
            rows = np.ones(len(weight))
            parts.append(Part("coupling", rows, 0 * rows, lambda: told_of))
    if metric is not None and metric.singular:
        rows = np.ones(len(weight))
        parts.append(Part("rank", rows, 0 * rows, lambda: rank_words(job, metric)))
    if due is not None:
        with np.errstate(all="ignore"):
            vain = lost | idle & (weight <= ZERO * np.max(weight))
            ratio = np.where(vain, np.nan, weight / due)
            bound = weight_bound(found) + np.min(weight_bound(found))
            unit = ratio[int(np.argmin(np.where(np.isfinite(ratio), bound, np.inf)))]
            known = ~np.isnan(ratio)
            middle = constant(ratio[known], bound[known])
            unit = float(np.median(ratio[known])) if middle is None else unit
            apart = np.where(known, np.abs(ratio / unit - 1), 0.0)
            # entries may have weights of their own, if these are the same at all t
            shape = found.weights[0] / found.curvature[0][:, None]
            most = np.max(np.abs(shape[known]))
            first = shape[int(np.argmin(np.where(known, bound, np.inf)))]
            spread = np.max(np.abs(shape - first), axis=1) / most
            spread = np.where(known, spread, 0.0)
        parts.append(
            Part(
                "weight",
                np.maximum(apart, spread),
                bound,
                lambda: weight_words(job, found, due, apart, spread),
            )
        )
    told = of_the_batch(found)
    if told:
        text = f"the weight of a sample depends on the t of the others in its batch: {told}"
        cause = Diagnosis.cause("averaged", f"Cause: {AVERAGED}.")
        rows = np.ones(len(weight))
        parts.append(Part("batch", rows, 0 * rows, lambda: (text, cause)))
    return parts


def _scale(job: Job, found: Found) -> np.ndarray:
    """What x_t is multiplied by before the model sees it: EDM's network has its input so."""
    if job.prediction != "F":
        return np.ones_like(found.v.sigma)
    v = found.v
    level = v.sigma / v.alpha
    scale = np.mean(found.b / v.sigma, axis=0)
    due = 1 / np.hypot(level, v.sigma_data) / v.alpha
    return (
        due
        if np.all(np.abs(scale / due - 1) <= 0.5 * np.abs(1 - 1 / due) + 1e-9)
        else (np.ones_like(due))
    )


def _refuted(
    said: tuple[str, Diagnosis | None], value: float, bound: float, more: dict[str, Any]
) -> Evidence:
    sentence, diagnosis = said
    coverage = more["coverage"]
    assert isinstance(coverage, Coverage)
    return Evidence(
        "float",
        "refuted",
        value,
        bound,
        sentence,
        diagnosis=diagnosis,
        coverage=coverage,
        **{k: more[k] for k in ("cost", "table", "curves", "labels")},
    )
