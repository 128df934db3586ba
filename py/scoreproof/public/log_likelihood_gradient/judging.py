"""From the user's gradient to the verdict: reference, questions, limit over ``tol``, entries."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import safely
from scoreproof.evidence import Evidence
from scoreproof.interop.frameworks import guarded
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.arguments import Given
from scoreproof.public.log_likelihood_gradient.asking import (
    Answer,
    Measurement,
    Question,
    questions,
)
from scoreproof.public.log_likelihood_gradient.doubled import doubled
from scoreproof.public.log_likelihood_gradient.draws import by_draws
from scoreproof.public.log_likelihood_gradient.due import Due, Layout, designs, due, layout
from scoreproof.public.log_likelihood_gradient.explaining import Refuted
from scoreproof.public.log_likelihood_gradient.jitting import note_on_jit
from scoreproof.public.log_likelihood_gradient.reference import (
    STEPS,
    independent_gap,
    settle,
    unused,
    wide,
)
from scoreproof.public.log_likelihood_gradient.series import RESOLVED, judged_limit
from scoreproof.public.log_likelihood_gradient.verdict import Comparison, entrywise

__all__ = ["judged"]

#: a type coarser than this is not granted hundreds of roundings, but what it shows by itself
COARSE = 1e-4
OTHERS = 10
#: where differences of log p̂ disagree with the reference by more (and rounding), nothing is
#: decided
CONFIRMED = 1e-6
ORTHOGONAL = "D orthogonal vectors ν of length √D"


def judged(given: Given, rng: np.random.Generator) -> Evidence:
    """The verdict, with its coverage and resolution, and what would make it quicker."""
    measure = Measurement(given)
    generic = rng.standard_normal((given.params.size, 1))
    asked = questions(given, rng)
    with doubled(given.framework):
        evidence = _judged(measure, generic / np.linalg.norm(generic), asked, rng)
    notes = note_on_jit(measure, asked[0], given.tols[0])
    return replace(evidence, notes=(*evidence.notes, *notes)) if notes else evidence


def _judged(
    measure: Measurement, along: np.ndarray, asked: list[Question], rng: np.random.Generator
) -> Evidence:
    """``along`` ``(P, 1)``: the direction in which the reference is confirmed."""
    given = measure.given
    guard = wide(given)
    field = BlackBoxField(guard, given.params, along, given.framework, given.x)
    if given.in_expectation:
        asked = [Question(np.arange(len(given.x)), nu, ORTHOGONAL) for nu in designs(given, rng)]
    first = measure.ask(asked[0], given.tols[0])
    again = measure.ask(asked[0], given.tols[0])
    settled = settle(field, given.latent, given.x, asked[0].nu)
    if settled is None and guard.prepare is not None and given.dtype is not None:
        # it may round to its own type on its way, whatever it is fed with
        own = guarded(given.field, "field", given.framework, given.dtype)
        field = BlackBoxField(own, given.params, field.directions, given.framework, given.x)
        settled = settle(field, given.latent, given.x, asked[0].nu)
    if settled is None:
        why = (
            "the flow does not exist on all of [0, 1], is stiff, or ∂f/∂z is not continuous (ReLU),"
            " where the adjoint needs a jump"
        )
        return Evidence.undecided(
            "convergent", f"the reference does not settle in {STEPS[-1]} steps: {why}"
        )
    gap = independent_gap(field, given.latent, given.x, asked[0].nu, settled)
    if gap > CONFIRMED + 1e3 * field.guard.eps / 0.01:
        why = "the field is not smooth, or not the same function twice"
        return Evidence.undecided(
            "convergent", f"differences of log p̂ disagree with its derivative by {gap:.2g}: {why}"
        )
    how = layout(field, first.gradient, rng)
    answers = [first] * len(asked)  # for the shapes: how each is summed
    if not given.in_expectation:
        answers = [
            first if k == 0 else Answer(first.gradient[: len(q.rows)], first.value)
            for k, q in enumerate(asked)
        ]
    truths = due(field, settled, given.latent, asked, answers, how, given.in_expectation)
    largest = float(np.max(np.abs(truths[0].gradient))) if how.columns is None else 1.0
    flicker = float(np.max(np.abs(how.of(first.gradient - again.gradient)))) / (largest or 1.0)
    floor = max(
        _rounding(measure, asked[0], given.tols[0], first, how, largest), 10 * settled.change
    )
    floor = max(floor, 10 * gap)
    if given.in_expectation and flicker > max(given.accuracy, floor):
        idle = unused(field, settled, [first.gradient, again.gradient], rng)
        return by_draws(given, measure, truths[0], how, rng, idle)
    series, last = _measured(given, measure, asked, first)
    scales = _scales(truths[0], largest or 1.0)
    vectors = [_vector(how, answer, scales) for answer in series]
    truth = _vector(Layout(None), Answer(truths[0].gradient, truths[0].value), scales)
    truth = truth[: vectors[0].size]
    resolved = max(RESOLVED, (given.tolerance or 0.0) / 4)
    where = f"the mean over {ORTHOGONAL}" if given.in_expectation else "a fixed ν"
    base = judged_limit(
        vectors, truth, given.tols, floor, given.accuracy, where, measure.calls, resolved
    )
    if given.in_expectation:
        asked, last = [replace(asked[0], where=where)], [series[-1]]
    idle = unused(field, settled, [last_.gradient for last_ in last], rng)
    comparison = Comparison(given, asked, last, truths, how, idle)
    # the other questions have no series of their own: their error at the finest tol may be larger
    bound = base.bound * (1 if len(series) == 1 else OTHERS)
    bound = bound if np.isfinite(bound) else np.inf
    evidence = entrywise(base, comparison, bound, measure.eps)
    evidence = replace(evidence, cost={"gradient_calls": measure.calls})
    if evidence.verdict != "refuted":
        return evidence
    seen = Refuted(given, measure, field, settled, comparison, rng)
    return replace(
        evidence.with_diagnosis(safely(lambda: seen.explained(evidence.bound, flicker))),
        cost={"gradient_calls": measure.calls},
    )


def _rounding(
    measure: Measurement,
    question: Question,
    tol: float | None,
    first: Answer,
    how: Layout,
    largest: float,
) -> float:
    """What rounding may do to the user's gradient, relative to the largest entry."""
    if measure.eps <= COARSE:
        return 200 * measure.eps
    spread = measure.spread(question, tol, first.gradient)
    weights = spread if how.columns is None else spread @ np.abs(how.columns)
    return 16 * measure.eps + 8 * float(np.max(weights)) / (largest or 1.0)


def _measured(
    given: Given, measure: Measurement, asked: list[Question], first: Answer
) -> tuple[list[Answer], list[Answer]]:
    """The first question (or the mean over all) at each tol; every question at the finest."""
    if given.in_expectation:
        series = []
        for tol in given.tols:
            answers = [
                first if k == 0 and tol == given.tols[0] else measure.ask(q, tol)
                for k, q in enumerate(asked)
            ]
            values = [a.value for a in answers if a.value is not None]
            series.append(
                Answer(
                    np.mean([a.gradient for a in answers], axis=0),
                    np.mean(values, axis=0) if values else None,
                )
            )
        return series, [series[-1]]
    series = [first if tol == given.tols[0] else measure.ask(asked[0], tol) for tol in given.tols]
    return series, [series[-1], *(measure.ask(q, given.tols[-1]) for q in asked[1:])]


def _scales(truth: Due, largest: float) -> tuple[float, float]:
    return largest, max(1.0, float(np.max(np.abs(truth.value))))


def _vector(how: Layout, answer: Answer, scales: tuple[float, float]) -> np.ndarray:
    parts = [how.of(answer.gradient).ravel() / scales[0]]
    if answer.value is not None:
        parts.append(answer.value / scales[1])
    return np.concatenate(parts)
