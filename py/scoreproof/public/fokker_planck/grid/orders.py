"""Solutions on several grids judged together: what is left must vanish with the step, at the order
that is seen.

Conventions: as in `found`, on the same test functions and stretches for all grids, coarse to fine.
With two grids the order is taken to be 1 or more; with three or more it is measured, and what is
left is extrapolated.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.diagnosis import safely
from scoreproof.errors import ArgumentError
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck.grid import phrases
from scoreproof.public.fokker_planck.grid.causes import explained
from scoreproof.public.fokker_planck.grid.coefficients import Process
from scoreproof.public.fokker_planck.grid.found import Found, measured, stretches
from scoreproof.public.fokker_planck.grid.given import same_span
from scoreproof.public.fokker_planck.grid.judged import coverage, curves, hinted, one
from scoreproof.public.fokker_planck.grid.mass import masses, with_mass, with_open_ends, with_sign
from scoreproof.public.fokker_planck.grid.solution import Solution
from scoreproof.public.fokker_planck.grid.windows import CELLS, windows
from scoreproof.public.rule import COARSEST, compared

__all__ = ["several"]

NOT_REFINED = (
    "The finest solution is judged alone: the grids have a step in common, in x or in t, and what"
    " that leaves does not vanish with the other one. Refine both."
)
FINEST = "The {n} finest grids are judged: the coarsest do not resolve the solution."
#: grids whose steps differ by less are of one fineness
FINER = 1.2
#: times that differ by less than this part of the span are the same
SAME_TIME = 1e-6
#: with two grids, residuals that vanish at this order or faster are not refuted
SLOW = 0.5


@dataclass(frozen=True, eq=False)
class _Limit:
    """What is judged, of the terms; where the residuals tend to; the bound of that, and what may be
    there besides where orders are mixed; the order; the sizes of the residuals, coarse to fine.
    """

    residual: np.ndarray
    tends: np.ndarray
    bound: np.ndarray
    excuse: np.ndarray
    order: float
    norms: list[float]

    @property
    def error(self) -> np.ndarray:
        return np.abs(self.residual)


def several(
    solutions: Sequence[Solution], process: Process, tolerance: float | None, normalized: bool
) -> Evidence:
    """The finest is judged, by what all of them tend to.

    A grid more is no less evidence: where all of them do not decide, the finer ones are judged
    without the coarsest, down to two. Where one of the steps is the same on all grids, what it
    leaves does not vanish with the others, and the finest solution is judged as a solver's is.
    """
    evidence = _together(solutions, process, tolerance, normalized)
    grids = sorted(solutions, key=lambda s: -max(s.steps))
    if evidence.verdict == "refuted" and not _all_refined(grids):
        alone = one(grids[-1], process, tolerance, normalized)
        return evidence if alone.verdict == "refuted" else _with(alone, NOT_REFINED)
    for k in range(1, len(grids) - 1):
        if evidence.verdict != "undecided":
            break
        finer = _together(grids[k:], process, tolerance, normalized)
        if finer.verdict == "holds":
            return _with(finer, FINEST.format(n=len(grids) - k))
    return evidence


def _with(evidence: Evidence, note: str) -> Evidence:
    return replace(evidence, notes=(*evidence.notes, note))


def _all_refined(grids: Sequence[Solution]) -> bool:
    """Whether the step in x, and the saved one in t, shrink from each grid to the next."""

    def steps(s: Solution) -> list[float]:
        return [*s.steps, float(np.median(np.diff(s.times)))]

    pairs = zip(grids, grids[1:], strict=False)
    return all(
        a / b >= FINER
        for one_, other in pairs
        for a, b in zip(steps(one_), steps(other), strict=True)
    )


def _together(
    solutions: Sequence[Solution], process: Process, tolerance: float | None, normalized: bool
) -> Evidence:
    grids = sorted(solutions, key=lambda s: -max(s.steps))
    ratios = [_ratio(a, b) for a, b in zip(grids, grids[1:], strict=False)]
    if not same_span(grids) or min(ratios) < FINER:
        raise ArgumentError(
            "density",
            "solutions of one problem over the same times, each with steps smaller by 1.2 or more",
            f"shapes {', '.join(str(s.p.shape) for s in solutions)}",
            "refine the grid (and the time step with it), as with N = 100, 200, 400",
        )
    finest = grids[-1]
    chosen = windows(finest, grids)
    if chosen is None:
        text = (
            f"the mass of the coarsest solution lies in fewer than {CELLS} cells: take finer ones"
        )
        return Evidence.undecided("convergent", text)
    ends = _common(grids)
    found = [measured(s, process, chosen, e) for s, e in zip(grids, ends, strict=True)]
    fine = found[-1]
    seen = np.logical_and.reduce([f.seen for f in found])
    fine = replace(fine, seen=seen, unresolved=~np.any(seen, axis=1))
    limit = _limit(found, ratios, seen)
    fine = replace(fine, bound=limit.bound)
    accepted = tolerance or COARSEST
    evidence = _judged(fine, limit, process, tolerance)
    m = masses(finest)
    evidence = with_mass(evidence, finest, m, (normalized, accepted, finest.times))
    return with_open_ends(with_sign(evidence, m, accepted), finest, m)


def _judged(fine: Found, limit: _Limit, process: Process, tolerance: float | None) -> Evidence:
    seen = fine.seen
    gain = np.broadcast_to(fine.gain[:, None], limit.error.shape)
    falls = ", ".join(f"{n:.2g}" for n in limit.norms)
    text = (
        f"{phrases.sentence(fine, process)}, on {len(limit.norms)} grids: {falls} of the terms are"
        f" left from coarse to fine, order {limit.order:.2g}"
    )
    bound, gains = limit.bound[seen], gain[seen]
    most = (tolerance or 0.0) * gain + limit.bound
    wrong = seen & (limit.error > most)
    beyond = np.any(seen & (limit.error > most + limit.excuse))
    if np.any(wrong) and not beyond:
        text = (
            f"{text}: whether it vanishes with the step is not seen from these grids: add a finer"
            " one, or pass tolerance= if you accept what is left"
        )
        evidence = Evidence.undecided("convergent", text, order=limit.order, **curves(fine))
        value = float(np.max(limit.error[wrong]))
        return replace(evidence, value=value, coverage=coverage(fine), resolution=fine.resolution)
    evidence = compared(
        limit.error[seen],
        bound,
        text,
        coverage=coverage(fine),
        gain=gains,
        resolution=fine.resolution,
        tolerance=tolerance,
        remedy="add a finer grid, or accept more with tolerance=",
        kind="convergent",
        order=limit.order,
        **curves(fine),
    )
    if evidence.verdict != "refuted":
        return hinted(evidence, fine, process) if evidence.verdict == "holds" else evidence
    k = int(np.argmax(np.where(wrong, limit.error / most, 0.0)))
    worst = tuple(int(i) for i in np.unravel_index(k, most.shape))
    said = phrases.off(fine, worst, wrong)
    text = f"{said}; it does not vanish with the step: {falls} of the terms are left"
    # the cause is looked for in what the grids tend to, where solvers have no error of their own
    parts = replace(fine.parts, gained=fine.parts.brought + limit.tends * fine.scale)
    fine = replace(fine, parts=parts, error=np.abs(limit.tends))
    evidence = replace(evidence, sentence=f"{text} from coarse to fine")
    return evidence.with_diagnosis(
        safely(lambda: explained(fine, process, np.maximum(most + limit.excuse, COARSEST)))
    )


def _ratio(coarse: Solution, fine: Solution) -> float:
    """By how much the steps shrink, of what is refined."""
    ratios = [a / b for a, b in zip(coarse.steps, fine.steps, strict=True)]
    refined = [r for r in ratios if r >= FINER]
    if refined:
        return float(min(refined))
    return float(np.median(np.diff(coarse.times)) / np.median(np.diff(fine.times)))


def _common(grids: Sequence[Solution]) -> list[np.ndarray]:
    """Indices of the ends of stretches, at times that all grids have saved."""
    first = grids[int(np.argmin([len(s.times) for s in grids]))]
    near = SAME_TIME * (first.span[1] - first.span[0])
    wanted = first.times[stretches(first.times)]
    shared = [t for t in wanted if all(np.min(np.abs(s.times - t)) <= near for s in grids)]
    return [np.array([int(np.argmin(np.abs(s.times - t))) for t in shared]) for s in grids]


def _limit(found: Sequence[Found], ratios: Sequence[float], seen: np.ndarray) -> _Limit:
    rows = [f.parts.residual / f.scale for f in found]
    norms = [float(np.sqrt(np.mean(r[seen] ** 2))) if np.any(seen) else np.nan for r in rows]
    r = ratios[-1]
    step = rows[-1] - rows[-2]
    quadrature = found[-1].bound + found[-2].bound / (r - 1)
    ahead = rows[-1] + step / (r - 1)  # where an order of 1 leads
    if len(rows) == 2:
        order = _order(norms[-2], norms[-1], r)
        first, half = (_spread(np.abs(step) / (r**q - 1), seen) for q in (1.0, SLOW))
        return _Limit(rows[-1], ahead, first + quadrature, half, order, norms)
    before = rows[-2] - rows[-3]
    sizes = [float(np.linalg.norm(v[seen])) for v in (before, step)]
    # the parabola in the step through three grids, against the line through two
    behind = rows[-2] + before / (ratios[-2] - 1)
    change = (ahead - behind) / (r * ratios[-2] - 1)
    spread = _spread(2 * np.abs(change), seen)
    order = _order(sizes[0], sizes[1], r)
    return _Limit(ahead + change, ahead + change, spread + 2 * quadrature, spread, order, norms)


def _order(coarse: float, fine: float, ratio: float) -> float:
    if not coarse > 0 or not fine > 0:
        return float("inf")
    return float(np.log(coarse / fine) / np.log(ratio))


def _spread(left: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """With a part of the largest of the stretch: what passes through 0 is no smaller."""
    most = np.max(np.where(seen, left, 0.0), axis=1, keepdims=True)
    return np.asarray(np.maximum(left, most / 4))
