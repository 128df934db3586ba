"""A drift or a noise that is right at another time than the one it is asked at.

Conventions: as in `coefficients`; ``c`` ``(T,)`` times what was given is needed, to ``within``.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.summands import Judged

__all__ = ["drift_at", "noise_at"]


def _clocks(j: Judged) -> list[tuple[str, np.ndarray]]:
    t, last = j.times, float(j.times[-1])
    return [
        (f"{last:.3g} - t", last - t),
        *([("1 - t", 1 - t)] if last < 1 else []),
        ("0", 0 * t),
        (f"{last:.3g}", 0 * t + last),
        ("t²", t**2),
        ("√t", np.sqrt(t)),
        ("2 t", 2 * t),
        ("t/2", t / 2),
    ]


def _at(j: Judged, matches: Callable[[np.ndarray], bool], what: str, name: str) -> Diagnosis | None:
    for text, clock in _clocks(j):
        try:
            with np.errstate(all="ignore"):
                if not matches(clock):
                    continue
        except CallableError:
            continue
        return Diagnosis.cause(
            name,
            f"Cause: {what} is right at the time {text} where it is asked at t, and the rest at t"
            f" ({name}): pass all of them the same time, or mend that of the density.",
        )
    return None


def drift_at(s: Subject, j: Judged, c: np.ndarray, within: np.ndarray) -> Diagnosis | None:
    """The clock τ with f(x, τ) = c f(x, t) at all times."""

    def matches(clock: np.ndarray) -> bool:
        for k in np.flatnonzero(np.isfinite(c)):
            x = j.x[j.which == k][:4]
            due, there = c[k] * s.drift(x, float(j.times[k])), s.drift(x, float(clock[k]))
            near = (within[k] / max(abs(c[k]), 1e-300) + 1e-6) * np.max(np.abs(due))
            if not np.all(np.abs(there - due) <= near):
                return False
        return True

    return _at(j, matches, "the drift", "drift_at_another_time")


def noise_at(s: Subject, j: Judged, needed: np.ndarray, within: np.ndarray) -> Diagnosis | None:
    """The clock τ with ρ(τ)² = ``needed`` at all times."""

    def matches(clock: np.ndarray) -> bool:
        for k in np.flatnonzero(np.isfinite(needed)):
            if not abs(s.rho(float(clock[k])) ** 2 - needed[k]) <= within[k] + 1e-6 * needed[k]:
                return False
        return True

    return _at(j, matches, "the noise", "noise_at_another_time")
