"""Why the mass of a solution on a grid is not 1, in words.

Conventions: as in `solution`; masses are integrals over the whole grid at every saved time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.grid.reasons import unit
from scoreproof.public.fokker_planck.grid.solution import Solution

__all__ = ["SOME", "Masses", "cause_of"]

#: beside this part of its largest value the density at the ends of the axes is none
NONE = 1e-6
#: and beside this one there is a part of it beyond them
SOME = 1e-3
#: the part of a jump that the masses before and after it may change by
STEADY = 0.05
#: a mass is n/(n - 1) to this part of what that is more than 1, which no other factor is by chance
EXACT = 0.01


@dataclass(frozen=True, eq=False)
class Masses:
    """Of every saved time: the mass, its error; ``sums`` of the values; ``ends``: the largest value
    there beside the largest anywhere, ``near`` of those next to the ends.
    """

    values: np.ndarray
    error: np.ndarray
    sums: np.ndarray
    ends: float
    near: float
    negative: np.ndarray
    deepest: float


def cause_of(solution: Solution, m: Masses, accepted: float) -> Diagnosis | None:
    """Why the mass is not 1; ``None`` where the rest may lie beyond the grid."""
    times = solution.times
    first, last = float(m.values[0]), float(m.values[-1])
    steady = float(np.ptp(m.values)) <= max(accepted, 1e-6) * abs(first)
    cell = float(np.prod(solution.steps))
    if steady and np.all(np.abs(m.sums - 1) <= max(accepted, 1e-6)):
        what = "dx" if solution.dimension == 1 else "dx dy"
        return Diagnosis.cause(
            "sums_to_one",
            f"Cause: the values sum to 1: they are probabilities of cells, {what} = {cell:.4g}"
            f" times a density, which integrates to 1; divide by {what} (sums_to_one).",
        )
    beyond = solution.boundary == "truncated" and m.ends > SOME
    if beyond and float(np.max(m.values)) < 1 + accepted:
        return None
    if steady:
        ended = _ended(solution, first)
        if ended is not None:
            return ended
        return Diagnosis.cause(
            "not_normalised",
            f"Cause: the mass is {first:.5g} at all times, the constant factor is missing in the"
            f" initial law: divide by {first:.5g}, or pass normalized=False (not_normalised).",
        )
    jump = _jump(m.values, times, accepted)
    if jump is not None:
        return jump
    if abs(first - 1) > accepted and m.near <= NONE:
        return _uneven(solution, first, last)
    if last < first:
        gone = f"falls from {first:.5g} to {last:.5g} (t = {times[0]:.4g} to {times[-1]:.4g})"
        # what leaves through an end shows next to it: a column of 0 there absorbs
        leaving = m.near > NONE or solution.boundary == "reflecting"
        if leaving:
            return Diagnosis.cause(
                "mass_lost_at_boundary",
                f"Cause: the mass {gone}: it leaves through the ends of the axes, where the density"
                " is held at 0 or flows out. Set the flux f p - ½ ∂(ρ² p) to 0 there, take longer"
                ' axes, or say boundary="absorbing" if that is meant (mass_lost_at_boundary).',
            )
        return Diagnosis.cause(
            "mass_not_conserved",
            f"Cause: the mass {gone}, and nothing reaches the ends of the axes: the scheme does not"
            " conserve it. Difference the fluxes, (f p) at the faces of cells, not f ∂p"
            " (mass_not_conserved).",
        )
    return Diagnosis.cause(
        "mass_not_conserved",
        f"Cause: the mass grows from {first:.5g} to {last:.5g} (t = {times[0]:.4g} to"
        f" {times[-1]:.4g}): the scheme does not conserve it. Difference the fluxes, (f p) at the"
        " faces of cells, not f ∂p, and add the fluxes of both neighbours alike"
        " (mass_not_conserved).",
    )


def _ended(solution: Solution, mass: float) -> Diagnosis | None:
    """A periodic axis of n points with both its ends is n/(n - 1) times too long, as the mass is;
    of a density that is the same everywhere the trapezoidal rule leaves as much.
    """
    p = solution.p[0]
    if solution.boundary != "periodic" or solution.cells or np.ptp(p) <= 1e-6 * np.max(np.abs(p)):
        return None
    for name, x in zip(solution.names, solution.axes, strict=True):
        n = len(x)
        if abs(mass * (n - 1) / n - 1) <= EXACT / n:
            return unit(name, (n - 1) / n, n)
    return None


def _jump(values: np.ndarray, times: np.ndarray, accepted: float) -> Diagnosis | None:
    """A mass that is steady but for one time, from which on it is another one."""
    k = int(np.argmax(np.abs(np.diff(values)))) + 1
    by = abs(float(values[k] - values[k - 1]))
    before, after = values[:k], values[k:]
    if by <= accepted or max(np.ptp(before), np.ptp(after)) > STEADY * by:
        return None
    a, b = float(np.mean(before)), float(np.mean(after))
    return Diagnosis.cause(
        "mass_jumps",
        f"Cause: the mass is {a:.5g} up to t = {times[k - 1]:.4g} and {b:.5g} from t ="
        f" {times[k]:.4g} on, and steady before and after: the scheme conserves it, and the states"
        f" from there on are multiplied by {b / a:.5g}, as where a run was continued with another"
        " normaliser (mass_jumps).",
    )


def _uneven(solution: Solution, first: float, last: float) -> Diagnosis:
    """A mass that is wrong at once and changes, with nothing at the ends of the axes."""
    even = all(np.ptp(np.diff(x)) <= 1e-6 * np.max(np.diff(x)) for x in solution.axes)
    other = "its points are not evenly spaced" if even else "its points lie elsewhere"
    cause = Diagnosis.cause(
        "axis_uneven",
        f"Cause: one of these, which cannot be told apart here: the mass is {first:.5g} at t ="
        f" {solution.times[0]:.4g} already and {last:.5g} at t = {solution.times[-1]:.4g}, as it"
        " is where an axis is not the solver's own and the density moves along it:"
        f" {other}, pass those that the solver has (axis_uneven); or the initial law is not"
        " normalised, and the scheme does not conserve the mass: divide it by its own, and"
        " difference the fluxes, (f p) at the faces of cells, not f ∂p (mass_not_conserved).",
    )
    return replace(cause, names=("axis_uneven", "mass_not_conserved"))
