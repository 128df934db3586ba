"""A number that explains a wrong solution: another clock, another origin or unit of an axis, a
factor on drift or noise.

Conventions: as in `causes`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import MOST, Diagnosis
from scoreproof.public.fokker_planck.grid.coefficients import Process
from scoreproof.public.fokker_planck.grid.found import Found
from scoreproof.public.fokker_planck.grid.reasons import factors, origin, unit

__all__ = ["by_mass", "clock", "ended", "factored", "later", "shifted", "stretched"]


def _left(found: Found, brought: np.ndarray) -> np.ndarray:
    return np.abs(found.parts.gained - brought) / found.scale


def _explains(found: Found, brought: np.ndarray, accepted: np.ndarray) -> bool:
    """Whether what is left is accepted, and a small part of what was found."""
    seen = found.seen
    left, before = _left(found, brought)[seen], found.error[seen]
    small = np.linalg.norm(left) <= MOST * np.linalg.norm(before)
    return bool(small and np.linalg.norm(left) <= np.linalg.norm(accepted[seen]))


def clock(found: Found, process: Process, accepted: np.ndarray) -> Diagnosis | None:
    """The times are so many times as far apart as the solution needs."""
    seen = found.seen
    g, b = (v[seen] / found.scale[seen] for v in (found.parts.gained, found.parts.brought))
    if not np.any(b):
        return None
    rate = float(g @ b / (b @ b))
    for _ in range(4):  # coefficients of time are asked at the times of that clock
        if not 1e-4 < rate < 1e4:
            return None
        brought = found.measure.parts(replace(process, clock=(rate, 0.0)))[0].brought
        b = brought[seen] / found.scale[seen]
        rate, before = rate * float(g @ b / (b @ b)), rate
        if abs(rate / before - 1) < 1e-4:
            break
    if abs(rate - 1) < 1e-3 or not _explains(found, brought, accepted):
        return None
    return factors("clock", rate)


def _moved(
    found: Found, process: Process, by: Callable[[float], Process], step: float
) -> tuple[float, np.ndarray]:
    """The number by which something is moved, by Newton's steps, and what is brought then."""
    seen, value = found.seen, 0.0
    for _ in range(4):
        here, there = (found.measure.parts(by(v))[0].brought for v in (value, value + step))
        slope = ((there - here) / step / found.scale)[seen]
        gap = ((found.parts.gained - here) / found.scale)[seen]
        if not np.any(slope):
            return 0.0, here
        change = float(gap @ slope / (slope @ slope))
        value += change
        if abs(change) < 1e-3 * step:
            break
    return value, found.measure.parts(by(value))[0].brought


def shifted(found: Found, process: Process, accepted: np.ndarray) -> Diagnosis | None:
    """An axis begins elsewhere."""
    solution = found.measure.solution
    for i, name in enumerate(solution.names):
        h = solution.steps[i]

        def by(v: float, i: int = i) -> Process:
            shift = np.zeros(solution.dimension)
            shift[i] = v
            return replace(process, shift=tuple(shift))

        value, brought = _moved(found, process, by, h / 4)
        if abs(value) > 1e-3 * h and _explains(found, brought, accepted):
            return origin(name, value, h)
    return None


def ended(found: Found, process: Process, accepted: np.ndarray) -> Diagnosis | None:
    """A line of n points was made of n - 1 or n + 1 steps, as linspace does by ``endpoint=``."""
    n = found.grid[0]
    cause, c = _unit(found, process, accepted, found.measure.solution.sides[0][0])
    near = min(abs(c - (n - 1) / n), abs(c - n / (n - 1)))
    return cause if near < 0.2 / n else None


def stretched(found: Found, process: Process, accepted: np.ndarray) -> Diagnosis | None:
    """A coordinate is in another unit."""
    return _unit(found, process, accepted, 0.0)[0]


def by_mass(found: Found, process: Process, accepted: np.ndarray, mass: float) -> Diagnosis | None:
    """A coordinate in another unit, where the mass says which."""
    solution = found.measure.solution
    if solution.dimension > 1 or mass <= 0:
        return None
    for fixed in (0.0, solution.sides[0][0]):
        other = replace(process, stretch=1 / mass, origin=(fixed,))
        if _explains(found, found.measure.parts(other)[0].brought, accepted):
            return unit(solution.names[0], 1 / mass, found.grid[0])
    return None


def _unit(
    found: Found, process: Process, accepted: np.ndarray, fixed: float
) -> tuple[Diagnosis | None, float]:
    """By what the steps of a coordinate are to be multiplied, ``fixed`` staying where it is."""
    solution = found.measure.solution
    if solution.dimension > 1:
        return None, 1.0

    def by(v: float) -> Process:
        return replace(process, stretch=max(1 + v, 0.1), origin=(fixed,))

    value, brought = _moved(found, process, by, 1e-3)
    if abs(value) > 1e-4 and _explains(found, brought, accepted):
        return unit(solution.names[0], 1 + value, found.grid[0]), 1 + value
    return None, 1.0


def later(found: Found, process: Process, accepted: np.ndarray) -> Diagnosis | None:
    """The times begin elsewhere: seen by coefficients that depend on time."""
    t = found.measure.solution.times
    step = float(np.min(np.diff(t)))

    def by(v: float) -> Process:
        return replace(process, clock=(1.0, max(v, -t[0])))

    value, brought = _moved(found, process, by, step / 4)
    if abs(value) > 1e-3 * step and _explains(found, brought, accepted):
        return origin("t", value, float(np.median(np.diff(t))))
    return None


def factored(found: Found, process: Process, accepted: np.ndarray) -> Diagnosis | None:
    """A factor on the drift, on the noise, or on that of one coordinate."""
    del process
    seen, whole = found.seen, found.parts
    names = found.measure.solution.names
    g = whole.gained
    choices: list[tuple[str, np.ndarray]] = [
        ("noise", whole.noise.sum(axis=0) + whole.cross),
        ("drift", whole.drift.sum(axis=0)),
    ]
    if len(names) == 2:
        choices += [(f"noise of {n}", whole.noise[i]) for i, n in enumerate(names)]
        choices += [(f"drift of {n}", whole.drift[i]) for i, n in enumerate(names)]
    best: tuple[float, str, float] | None = None
    for what, part in choices:
        if not np.any(part):
            continue
        rest, own = (v[seen] / found.scale[seen] for v in (g - whole.brought + part, part))
        c = float(rest @ own / (own @ own))
        brought = whole.brought + (c - 1) * part
        left = float(np.linalg.norm(_left(found, brought)[seen]))
        if _explains(found, brought, accepted) and (best is None or left < 0.5 * best[0]):
            best = left, what, c
    return None if best is None else factors(best[1], best[2])
