"""A solution on a grid judged: the weak form by the rule, the mass, what is negative.

Conventions: as in `found`. A solver's own error is no mistake: it is accepted up to the tolerance,
1 % where the caller names none, in the sense that coefficients off by as much would leave as much.
What is more, and no more than a solver of first order may leave on this grid, is undecided.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.diagnosis import MOST, safely
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.grid import phrases
from scoreproof.public.fokker_planck.grid.causes import explained
from scoreproof.public.fokker_planck.grid.coefficients import Process
from scoreproof.public.fokker_planck.grid.found import Found, look
from scoreproof.public.fokker_planck.grid.leaps import with_leaps
from scoreproof.public.fokker_planck.grid.mass import masses, with_mass, with_open_ends, with_sign
from scoreproof.public.fokker_planck.grid.reasons import ends
from scoreproof.public.fokker_planck.grid.refit import by_mass
from scoreproof.public.fokker_planck.grid.solution import Solution
from scoreproof.public.fokker_planck.grid.windows import CELLS
from scoreproof.public.rule import COARSEST, compared, settled

__all__ = ["coverage", "curves", "hinted", "one"]

#: what a drift lacks: a step of Euler's moves x by A - ½ A² dt for A
DRIFTS = {"constant_missing", "linear_part_missing", "matrix_transposed"}
#: what a correct solver of first order may leave too: numerical diffusion, and decay that is slower
LIKE_A_SOLVER = {"noise_factor", "clock_factor", *DRIFTS}
UNRESOLVED = (
    "in which the solution changes too fast for the saved times, or is too narrow for the grid:"
    " save it more often, or on a finer grid"
)
BLIND = (
    "in which a term of the equation brings nothing to any test function, as the noise's where"
    " ½ρ² p is constant, so that a wrong factor on it is not seen: start from another state"
)
#: what is looked for in what is accepted
HINTS = {"cell_offset", "time_offset", "drift_factor"}


def one(
    solution: Solution, process: Process, tolerance: float | None, normalized: bool
) -> Evidence:
    """One solution, by itself."""
    accepted = tolerance or COARSEST
    found = look(solution, process)
    if found is None:
        text = (
            f"the mass of the solution lies in fewer than {CELLS} cells of an axis: save it on a"
            " finer grid, or a grid around the mass"
        )
        return Evidence.undecided("float", text)
    evidence = _weakly(found, process, accepted)
    if evidence.verdict == "refuted":
        evidence = _at_the_ends(evidence, solution, process, accepted)
    evidence = with_leaps(evidence, found, accepted)
    m = masses(solution)
    if evidence.verdict == "refuted" and normalized and abs(m.values[0] - 1) > accepted:
        # a factor on the noise and one on the mass are one on the axis
        most = accepted * found.gain[:, None] + found.bound + found.excuse
        unit = safely(lambda: by_mass(found, process, most, float(m.values[0])))
        if unit is not None and unit.names:
            evidence = evidence.with_diagnosis(unit)
    evidence = with_mass(evidence, solution, m, (normalized, accepted, solution.times))
    return with_open_ends(with_sign(evidence, m, accepted), solution, m)


def _at_the_ends(
    evidence: Evidence, solution: Solution, process: Process, accepted: float
) -> Evidence:
    """Whether the equation is solved away from the ends of the axes."""
    if solution.boundary == "truncated":
        return evidence
    inside = look(replace(solution, boundary="truncated"), process)
    if inside is None or _weakly(inside, process, accepted).verdict != "holds":
        return evidence
    return evidence.with_diagnosis(ends(solution.boundary))


def coverage(found: Found) -> Coverage:
    """Stretches, test functions, saved times; what the times do not resolve."""
    t, ends = found.measure.solution.times, found.ends
    lost = np.flatnonzero(found.unresolved)
    out = []
    if lost.size:
        part = float(np.sum(np.diff(ends)[lost]) / (ends[-1] - ends[0]))
        # the integrals are well known, and yet a factor on a term would not be seen
        blind = bool(np.all(np.median(found.bound[lost], axis=1) <= COARSEST / 10))
        out.append(
            Omission(
                "intervals",
                len(lost),
                BLIND if blind else UNRESOLVED,
                f"t = {', '.join(f'{ends[a]:.3g} to {ends[a + 1]:.3g}' for a in lost)}",
                part=part,
            )
        )
    asked = {
        "intervals": len(ends) - 1,
        "test functions": int(np.any(found.seen, axis=0).sum()),
        "saved times": len(t),
    }
    return Coverage(asked, tuple(out), phrases.span(found))


def _weakly(found: Found, process: Process, accepted: float) -> Evidence:
    seen = coverage(found)
    sentence = phrases.sentence(found, process)
    if not np.any(found.seen):
        text = f"{sentence}: {seen.left_out[0].describe()}"
        return settled(
            Evidence.undecided("float", text), resolution=np.inf, coverage=seen, tolerance=accepted
        )
    gain = np.broadcast_to(found.gain[:, None], found.error.shape)
    limit = accepted * gain + found.bound
    wrong = found.seen & (found.error > limit)
    more = curves(found)
    if not np.any(wrong):
        evidence = compared(
            found.error[found.seen],
            found.bound[found.seen],
            phrases.within(sentence, found, accepted),
            coverage=seen,
            gain=gain[found.seen],
            resolution=found.resolution,
            tolerance=accepted,
            remedy=phrases.CLOSER,
            **more,
        )
        well = np.any(found.seen & (found.error > limit / 2))
        return hinted(evidence, found, process) if well else evidence
    ratio = np.where(wrong, found.error / limit, 0.0)
    worst = tuple(int(i) for i in np.unravel_index(int(np.argmax(ratio)), ratio.shape))
    value, most = float(found.error[worst]), float(limit[worst])
    cause = safely(lambda: explained(found, process, limit + found.excuse))
    beyond = bool(np.any(found.seen & (found.error > limit + found.excuse)))
    named = cause is not None and bool(cause.names) and not set(cause.names) & LIKE_A_SOLVER
    if not beyond and not named:
        text = phrases.first_order(sentence, (value, most), float(np.max(found.excuse[wrong])))
        evidence = replace(Evidence.undecided("float", text, **more), value=value)
        if cause is not None and set(cause.names) & DRIFTS:
            note = f"If it is none of a solver's: {cause.sentence.removeprefix('Cause: ')}"
            evidence = replace(evidence, notes=(*evidence.notes, note))
        return replace(evidence, bound=most, coverage=seen, resolution=found.resolution)
    evidence = Evidence.measured(value, most, phrases.off(found, worst, wrong), **more)
    evidence = replace(evidence, coverage=seen, resolution=max(found.resolution, accepted))
    return evidence.with_diagnosis(cause)


def curves(found: Found) -> dict[str, Any]:
    """The largest error of each stretch."""
    rows = np.where(found.seen, found.error, 0.0).max(axis=1)
    largest = ([float(t) for t in found.ends[1:]], [float(e) for e in rows])
    return {"curves": {"largest error": largest}, "labels": ("t", "relative error")}


def hinted(evidence: Evidence, found: Found, process: Process) -> Evidence:
    """With what a deviation looks like that is accepted, and well seen."""
    seen = found.seen
    if np.median(found.error[seen]) <= 4 * np.median(found.bound[seen]):
        return evidence
    like = safely(lambda: explained(found, process, found.bound + MOST * found.error))
    if like is None or not set(like.names) & HINTS:
        return evidence
    note = f"What is left is accepted, and has a form: {like.sentence.removeprefix('Cause: ')}"
    return replace(evidence, notes=(*evidence.notes, note))
