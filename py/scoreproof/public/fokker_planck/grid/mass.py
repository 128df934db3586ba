"""The mass of a solution on a grid, its ends, and what is negative.

Conventions: as in `solution`; masses are integrals over the whole grid at every saved time.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.diagnosis import Diagnosis
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.grid.mass_causes import SOME, Masses, cause_of
from scoreproof.public.fokker_planck.grid.solution import Solution
from scoreproof.public.fokker_planck.grid.stencils import between
from scoreproof.public.rule import settled
from scoreproof.words import percent

__all__ = ["Masses", "masses", "with_mass", "with_open_ends", "with_sign"]


def masses(solution: Solution) -> Masses:
    """By the rule of the grid: cells by their widths, points by polynomials between them."""
    p = solution.p
    along = tuple(range(1, p.ndim))
    tops = np.max(np.abs(p), axis=along)
    weights = [_weights(solution, i) for i in range(solution.dimension)]
    fine = _weighed(p, weights)
    other = solution.halved()
    coarse = _weighed(other.p, [_weights(other, i) for i in range(solution.dimension)])
    outer = _weighed(p, [np.diff(e) for e in solution.edges])
    plain = outer
    if not solution.cells and solution.boundary != "periodic":
        plain = _weighed(p, [np.gradient(x) * _halves(len(x)) for x in solution.axes])
    error = np.maximum(np.abs(fine - coarse), np.abs(fine - plain)) + 1e-14
    values = plain if solution.cells or solution.boundary == "periodic" else fine
    if solution.boundary == "reflecting":  # points may be middles of cells all the same
        values = np.where(np.abs(outer - 1) < np.abs(values - 1), outer, values)
    ends, near = 0.0, 0.0
    if solution.boundary != "periodic":
        for k in along:
            for i, j in ((0, 1), (-1, -2)):
                ends = max(ends, float(np.max(np.abs(np.take(p, i, k)).T / tops)))
                near = max(near, float(np.max(np.abs(np.take(p, j, k)).T / tops)))
    if solution.boundary == "truncated":  # what may lie beyond, of tails as long as a tenth
        length = np.prod([hi - lo for lo, hi in solution.sides]) / 10
        error = error + min(ends, SOME) * tops * length
    below = _weighed(np.maximum(-p, 0), [np.diff(e) for e in solution.edges])
    deepest = float(np.max(np.maximum(-np.min(p, axis=along), 0) / tops))
    return Masses(values, error, p.sum(axis=along), ends, near, below, deepest)


def _weights(solution: Solution, i: int) -> np.ndarray:
    x, e = solution.axes[i], solution.edges[i]
    if solution.cells or solution.boundary == "periodic":
        return np.diff(e)
    at, w = np.polynomial.legendre.leggauss(3)
    half = np.diff(x) / 2
    places = (x[:-1] + half)[:, None] + half[:, None] * at
    s = between(x, places.ravel())
    out = np.zeros(len(x))
    np.add.at(out, s.index.ravel(), ((half[:, None] * w).ravel()[:, None] * s.weight).ravel())
    return out


def _halves(n: int) -> np.ndarray:
    """Of the trapezoidal rule."""
    out = np.ones(n)
    out[[0, -1]] = 0.5
    return out


def _weighed(p: np.ndarray, weights: list[np.ndarray]) -> np.ndarray:
    for w in reversed(weights):
        p = p @ w
    return p


def with_sign(evidence: Evidence, m: Masses, accepted: float) -> Evidence:
    """Negative values: refuted where they hold more than what is accepted, else noted."""
    worst = int(np.argmax(m.negative))
    part = float(m.negative[worst] / max(abs(m.values[worst]), 1e-300))
    if m.deepest <= 1e-12:
        return evidence
    text = f"down to {percent(m.deepest)} of the largest at the same time"
    if part <= accepted:
        note = f"Some values are negative, {text}; they hold {percent(part)} of the mass."
        return replace(evidence, notes=(*evidence.notes, note))
    cause = Diagnosis.cause(
        "negative_values",
        "Cause: a density is never negative. Central differences of the drift oscillate where |f| h"
        " > ρ² (a cell Péclet number above 2), and so does Crank–Nicolson after a rough start: take"
        " a finer grid, upwind or Chang–Cooper fluxes, or some implicit Euler steps first"
        " (negative_values).",
    )
    said = f"the solution is negative in places, {text}: {percent(part)} of the mass is below 0"
    told = cause if evidence.diagnosis is None or not evidence.diagnosis.names else None
    refuted = replace(evidence, verdict="refuted", sentence=said, value=part, bound=accepted)
    return (
        refuted.with_diagnosis(told) if told else replace(evidence, notes=(*evidence.notes, said))
    )


def with_open_ends(evidence: Evidence, solution: Solution, m: Masses) -> Evidence:
    """A note where there is density at ends of which nothing was said."""
    if evidence.verdict != "holds" or solution.boundary != "truncated" or m.ends <= SOME:
        return evidence
    note = (
        f"The density at the ends of the axes is up to {percent(m.ends)} of its largest; what goes"
        ' through them was not judged: pass boundary="reflecting", "absorbing" or "periodic".'
    )
    return replace(evidence, notes=(*evidence.notes, note))


def with_mass(
    evidence: Evidence, solution: Solution, m: Masses, how: tuple[bool, float, np.ndarray]
) -> Evidence:
    """A mass that is not 1; ``how``: whether it must be, what is accepted, the times."""
    normalized, accepted, times = how
    first, last = float(m.values[0]), float(m.values[-1])
    if solution.boundary == "absorbing" or not normalized:
        why = "an absorbing boundary" if normalized else "normalized=False"
        text = (
            f"{evidence.sentence}; its mass, from {first:.4g} to {last:.4g}, is not judged ({why})"
        )
        return _aside(replace(evidence, sentence=text), len(times), why)
    off = np.abs(m.values - 1) - 2 * m.error
    unknown = 3 * m.error > accepted
    if np.all(off <= accepted):
        worst = float(np.max(np.abs(m.values - 1)))
        text = f"{evidence.sentence}; its mass is 1 to {max(worst, 1e-15):.1e} at all times"
        seen = evidence.coverage
        if evidence.verdict != "holds" or seen is None:
            return replace(evidence, sentence=text)
        lost = Omission(
            "masses", int(unknown.sum()), "which the grid does not resolve: save it on a finer one"
        )
        left = (*seen.left_out, lost) if lost.count else seen.left_out
        seen = Coverage({**seen.asked, "masses": len(times)}, left, seen.span)
        return settled(
            replace(evidence, sentence=text),
            resolution=evidence.resolution or 0.0,
            coverage=seen,
            tolerance=accepted,
        )
    cause = cause_of(solution, m, accepted)
    k = int(np.argmax(off))
    what = f"the mass of the solution is {m.values[k]:.5g} at t = {times[k]:.4g}"
    if cause is None:
        text = (
            f"{evidence.sentence}; {what}, and the density at the ends of the axes is"
            f" {percent(m.ends)} of its largest value: a part of it may lie beyond them; pass"
            " boundary= if there is none, normalized=False, or longer axes"
        )
        if evidence.verdict == "refuted":
            return evidence
        return replace(evidence, verdict="undecided", sentence=text)
    if evidence.verdict == "refuted" and evidence.diagnosis and evidence.diagnosis.names:
        if evidence.diagnosis.names == ("axis_scaled",):
            return evidence  # that is the mass's cause too
        note = f"{what[0].upper()}{what[1:]}: {cause.sentence.removeprefix('Cause: ')}"
        return replace(evidence, notes=(*evidence.notes, note))
    refuted = replace(
        evidence,
        verdict="refuted",
        sentence=what,
        value=float(abs(m.values[k] - 1)),
        bound=accepted,
    )
    return refuted.with_diagnosis(cause)


def _aside(evidence: Evidence, count: int, why: str) -> Evidence:
    seen = evidence.coverage
    if seen is None:
        return evidence
    out = Omission("masses", count, why, wished=True)
    asked = {**seen.asked, "masses": count}
    return replace(evidence, coverage=Coverage(asked, (*seen.left_out, out), seen.span))
