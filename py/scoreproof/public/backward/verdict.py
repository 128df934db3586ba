"""The verdict on a function of PyTorch or JAX: every node's rule, then the whole gradient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from scoreproof.claims.backprop.statement import TRUTH
from scoreproof.coverage import Coverage, Omission
from scoreproof.evidence import Evidence
from scoreproof.interop.leaves import Leaves
from scoreproof.interop.running import backward_pass, gradients
from scoreproof.interop.traced import Program
from scoreproof.public.backward import refuting, words
from scoreproof.public.backward.asking import Question, asked, refused
from scoreproof.public.backward.buffers import written_besides
from scoreproof.public.backward.entries import MORE_RUNS, RUNS, Entries, flat, spread
from scoreproof.public.backward.seen import Seen
from scoreproof.public.backward.slots import look
from scoreproof.public.backward.through_integers import through_integers
from scoreproof.public.backward.whole import nearby_point
from scoreproof.public.rule import compared

__all__ = ["judge_traced"]

SAME = 30.0  # spreads within which the function's value and its value in double precision are one


def judge_traced(program: Program, question: Question, rng: np.random.Generator) -> Evidence:
    """The evidence of ``check_backward`` on a graph read from a framework (see there)."""
    refused(program, question)
    value = program.values[program.v_out]
    one = question.gradient is not None or value.size == 1
    seed = value.like(np.ones(value.size) if one else rng.standard_normal(value.size))
    own, found = asked(program, question, seed)
    if own is None and program.unit < program.eps:
        own = program.own(seed)[0]
    seen = _seen(program, question, seed, found, rng)
    while own is not None and program.unit < program.eps and not _same(program, own, seen):
        floor, program = program.floor, question.retrace(program.attempt + 1)
        program.rounded_to(floor)
        seen = _seen(program, question, seed, found, rng)
    return _verdict(seen, rng)


def _seen(
    program: Program,
    question: Question,
    seed: Leaves,
    found: Sequence[Leaves],
    rng: np.random.Generator,
) -> Seen:
    findings = look(program, rng, question.tolerance)
    tolerance = question.tolerance or 0.0
    wrong = [f for f in findings if (e := f.error(question.tolerance))[0] > tolerance + e[1]]
    program.held |= {f.node for f in wrong if f.identical and f.passes_nothing}
    bad = [f for f in wrong if f.node not in program.held]
    at = question.at(program)
    run = backward_pass(program, seed)
    due, again = (
        [state[v] for v in at]
        for state in (TRUTH.push(run, run.seeded()), TRUTH.pull(run, run.seeded()))
    )
    salt = float(rng.uniform(0, 100))
    squares, values = spread(program, program.point(), seed, range(RUNS), salt)
    entries = _entries(program, question, found, due, again, squares)
    if np.any(entries.wrong(question.tolerance)):
        more, _ = spread(program, program.point(), seed, range(RUNS, RUNS + MORE_RUNS), salt)
        squares = (RUNS * squares + MORE_RUNS * more) / (RUNS + MORE_RUNS)
        entries = _entries(program, question, found, due, again, squares)
    moved = float(np.sqrt(np.sum(values)))
    return Seen(
        program, question, seed, run, tuple(found), tuple(due), findings, bad, entries, moved
    )


def _entries(
    program: Program,
    question: Question,
    found: Sequence[Leaves],
    due: Sequence[Leaves],
    again: Sequence[Leaves],
    squares: np.ndarray,
) -> Entries:
    at = question.at(program)
    sizes = [program.values[v].size for v in program.sources]
    kept = np.repeat([v in at for v in program.sources], sizes).astype(bool)
    source = np.repeat(np.arange(len(at)), [x.size for x in due])
    rounding = np.sqrt(squares[kept])
    return Entries(
        flat(found),
        flat(due),
        flat(again),
        rounding,
        source,
        program.eps,
        program.unit,
        program.stored,
    )


def _same(program: Program, own: Leaves, seen: Seen) -> bool:
    """Whether the function in double precision is the one that the user runs."""
    value = program.values[program.v_out]
    if own.size != value.size:
        return False
    slack = seen.value_moves + program.eps * value.norm() + 1e-30
    return bool(np.linalg.norm(own.flat() - value.flat()) <= SAME * slack)


def _verdict(seen: Seen, rng: np.random.Generator) -> Evidence:
    program, tolerance = seen.program, seen.question.tolerance
    if not all(np.all(np.isfinite(g.flat())) for g in seen.found):
        return refuting.not_finite(seen, rng)
    rules = [f for f in seen.bad if program.nodes[f.node].custom]
    if rules:
        return refuting.wrong_rule(seen, rules, rng)
    if np.any(seen.entries.wrong(tolerance)):
        return refuting.wrong_gradient(seen, rng)
    if seen.bad:
        found = refuting.by_values(seen, rng)
        if found is not None:
            return found
    passed = through_integers(program, seen.seed, rng) if seen.question.gradient is None else None
    if passed is not None:
        return refuting.through_integers(seen, passed)
    still = seen.entries.still
    if still:
        moved = _nearby(seen, still, rng)
        if moved is not None:
            if np.any(moved.entries.wrong(tolerance)):
                return refuting.wrong_gradient(moved, rng)
            seen = replace(seen, entries=seen.entries.joined(moved.entries))
            still = [p for p in still if p in [still[q] for q in moved.entries.still]]
    return _right(seen, still)


def _nearby(seen: Seen, still: Sequence[int], rng: np.random.Generator) -> Seen | None:
    """The sources whose gradient is zero at the inputs, asked again a little off them."""
    program, question = seen.program, seen.question
    point = nearby_point(program, rng)
    if point is None:
        return None
    if question.gradient is not None:  # it knows nothing of other parameters
        given = program.point()
        point = [x if k < len(program.inputs) else given[k] for k, x in enumerate(point)]
    _, found = asked(program, question, seen.seed, point)
    _, due = gradients(program, point, seen.seed)
    squares, _ = spread(program, point, seen.seed, range(RUNS), float(rng.uniform(0, 100)))
    offsets = np.cumsum([0, *[x.size for x in due]])
    kept = np.concatenate([np.arange(offsets[p], offsets[p + 1]) for p in still])
    source = np.repeat(np.arange(len(still)), [due[p].size for p in still])
    parts = [flat([side[p] for p in still]) for side in (found, due, due)]
    rounding = np.sqrt(squares[kept])
    found_, due_, again = parts
    entries = Entries(
        found_, due_, again, rounding, source, program.eps, program.unit, program.stored
    )
    return replace(seen, entries=entries, sources=tuple(still), nearby=True)


def _right(seen: Seen, still: Sequence[int]) -> Evidence:
    program, tolerance = seen.program, seen.question.tolerance
    errors, bounds, gains = [], [], []
    for f in seen.findings:
        if f in seen.bad or f.node in program.held or f.flat or not f.usable:
            continue
        error, bound = f.error(tolerance)
        errors.append(error)
        bounds.append(bound)
        fine = 0 < f.resolution < np.inf and bound > 0 and not tolerance
        gains.append(2 * bound / f.resolution if fine else 1.0)
    places = seen.entries.places(tolerance)
    coverage = seen.coverage(places.lost)
    notes = (*seen.notes, *written_besides(seen))
    if still:
        names = words.listed([program.nodes[seen.at[p]].label for p in still])
        notes = (*notes, f"The value does not depend on: {names}.")
        if len(still) == len(seen.at):
            gone = Omission("entries", coverage.asked["entries"], "all zero, here and nearby")
            coverage = Coverage(coverage.asked, (gone,), coverage.span)
            sentence = (
                f"every node's backward agrees with its values, and {seen.question.who} is zero"
                " like the derivative, at the inputs and nearby: 0 against 0 shows nothing wrong;"
                " pass inputs (and parameters) at which the value changes, where not every ReLU is"
                " dead, say"
            )
            return Evidence.undecided("float", sentence, coverage=coverage, **seen.more(notes))
    return compared(
        np.concatenate([errors, places.error]),
        np.concatenate([bounds, places.bound]),
        f"every node's backward agrees with its values by differences, and {seen.question.who} with"
        f" the sum over paths ({len(program.nodes)} nodes, {len(seen.findings)} slots)",
        gain=np.concatenate([gains, places.gain]),
        excuse=np.concatenate([0 * np.array(errors), places.excuse + 0 * places.error]),
        tolerance=tolerance,
        coverage=coverage,
        remedy=seen.remedy,
        **seen.more(notes),
    )
