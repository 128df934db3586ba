"""A density that is right at another time: T - t for t, a multiple or a power of t.

Conventions: as in `summands`; p(x, τ(t)) solves ∂_t p = τ' L_τ p, L_τ the right side with the drift and
the noise of the time τ: those are asked again, at some of the times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.divergence import divergence
from scoreproof.public.fokker_planck.forward import NotDifferentiable, forward
from scoreproof.public.fokker_planck.strong import Terms
from scoreproof.public.fokker_planck.summands import EPS, Judged

__all__ = ["another_time"]

#: times at which drift and noise are asked again
LOOKS = 6

Clock = Callable[[float], float]


def another_time(s: Subject, j: Judged, length: float, tolerance: float) -> Diagnosis | None:
    """The clock τ under which all terms agree at the times that are looked at."""
    chosen = np.unique(np.linspace(0, len(j.terms) - 1, LOOKS).round().astype(int))
    for name, tau, slope, text in _clocks(j):
        try:
            good = all(
                _holds(s, j.terms[k], tau(j.times[k]), slope(j.times[k]), (length, tolerance))
                for k in chosen
            )
        except (CallableError, NotDifferentiable, ValueError, OverflowError):
            continue
        if good:
            return Diagnosis.cause(name, f"Cause: {text} ({name}).")
    return None


def _clocks(j: Judged) -> Iterator[tuple[str, Clock, Clock, str]]:
    last, first = float(j.times[-1]), float(j.times[0])
    ends = dict.fromkeys(round(v, 12) for v in (1.0, last, first + last, 10.0, 1000.0))
    for end in ends:
        if end < last:
            continue
        yield (
            "reversed_time",
            lambda t, end=end: end - t,  # type: ignore[misc]
            lambda t: -1.0,
            f"the density is given T - t for t, with T = {end:g}: drift and noise at {end:g} - t, and"
            " time counted downward, make it right; pass the same t to all three",
        )
    for c in (2.0, 0.5, 1000.0, 1e-3, 10.0, 0.1, 4.0, 0.25, 100.0, 0.01):
        yield (
            "scaled_time",
            lambda t, c=c: c * t,  # type: ignore[misc]
            lambda t, c=c: c,  # type: ignore[misc]
            f"the density is given {c:g} t for t: it is that of the time {c:g} t; pass the same t to"
            " all three",
        )
    for tau, slope, what in (
        (lambda t: t * t, lambda t: 2 * t, "t²"),
        (lambda t: t**0.5, lambda t: 0.5 * t**-0.5, "√t"),
        (lambda t: float(np.exp(t)), lambda t: float(np.exp(t)), "exp(t)"),
        (lambda t: float(np.log(t)), lambda t: 1 / t, "log t"),
    ):
        yield (
            "another_clock",
            tau,
            slope,
            f"the density is given {what} for t; pass the same t to all three",
        )


def _holds(s: Subject, t: Terms, tau: float, slope: float, how: tuple[float, float]) -> bool:
    length, tolerance = how
    if s.framework == "numpy":
        f, blur, df, df_blur = divergence(s, t.x, tau, length)
    else:
        _, _, f, df = forward(s, t.x, t.logs, tau)
        blur, df_blur = np.zeros_like(f), np.zeros_like(f)
    half = s.rho(tau) ** 2 / 2
    gap = t.rate + slope * ((f * t.first + df).sum(axis=1) - half * t.second.sum(axis=1))
    size = np.abs(t.rate) + abs(slope) * (
        np.abs(f * t.first) + np.abs(df) + half * np.abs(t.second)
    ).sum(axis=1)
    error = 16 * np.maximum(t.error * (1 + abs(slope)), 8 * EPS * size)
    error = error + abs(slope) * (blur * np.abs(t.first) + df_blur).sum(axis=1)
    return bool(np.all(np.abs(gap) <= error + tolerance * size + 1e-9 * size))
