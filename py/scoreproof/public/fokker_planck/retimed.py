"""A density that is right at another time: T - t for t, a multiple or a power of t.

Conventions: as in `summands`; p(x, τ(t)) solves ∂_t p = τ' L_τ p, L_τ the right side with the
drift and the noise of the time τ: those are asked again, at some of the times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scoreproof.causes.closed_forms import number
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
#: rounds of the fit of a shift
SHIFTS = 12

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
    return _shifted(s, j, chosen, (length, tolerance))


def _shifted(
    s: Subject, j: Judged, chosen: np.ndarray, how: tuple[float, float]
) -> Diagnosis | None:
    """The density of t + δ, for the δ that fits."""
    terms = [j.terms[k] for k in chosen]

    def residual(shift: float) -> np.ndarray:
        gaps = [_gap(s, t, t.t + shift, 1.0, how[0]) for t in terms]
        return np.concatenate([g / t.size for (g, _, _), t in zip(gaps, terms, strict=True)])

    try:
        start = residual(0.0)
        shift = 0.02 * float(j.times[0])
        before = (0.0, start)
        for _ in range(SHIFTS):
            now = residual(shift)
            slope = (now - before[1]) / (shift - before[0])
            size = float(slope @ slope)
            if size == 0 or not np.isfinite(size):
                return None
            before, step = (shift, now), -float(slope @ now) / size
            if abs(step) <= 1e-9 * abs(shift):
                break
            shift += step
            if not -float(j.times[0]) < shift < 10 * float(j.times[-1]):
                return None
        if not all(_holds(s, t, t.t + shift, 1.0, how) for t in terms):
            return None
    except (CallableError, NotDifferentiable, ValueError, OverflowError):
        return None
    sign, size = ("+", shift) if shift > 0 else ("-", -shift)
    return Diagnosis.cause(
        "shifted_time",
        f"Cause: the density is given t {sign} {number(size, 1e-6)} for t, an index or a step off:"
        " pass the same t to all three (shifted_time).",
    )


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
            f"the density is given T - t for t, with T = {end:g}: drift and noise at {end:g} - t,"
            f" and"
            " time counted downward, make it right; pass the same t to all three",
        )
    for c in (2.0, 0.5, 1000.0, 1e-3, 10.0, 0.1, 4.0, 0.25, 100.0, 0.01):
        yield (
            "scaled_time",
            lambda t, c=c: c * t,  # type: ignore[misc]
            lambda t, c=c: c,  # type: ignore[misc]
            f"the density is given {c:g} t for t: it is that of the time {c:g} t; pass the same t"
            f" to"
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
    gap, size, blur = _gap(s, t, tau, slope, length)
    error = 16 * np.maximum(t.error * (1 + abs(slope)), 8 * EPS * size) + blur
    return bool(np.all(np.abs(gap) <= error + tolerance * size + 1e-8 * size))


def _gap(
    s: Subject, t: Terms, tau: float, slope: float, length: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is left of the equation with drift and noise of the time τ, its size and its blur."""
    if s.framework == "numpy":
        f, blur, df, df_blur = divergence(s, t.x, tau, length)
    else:
        _, _, f, df = forward(s, t.x, tau)
        blur, df_blur = np.zeros_like(f), np.zeros_like(f)
    half = s.rho(tau) ** 2 / 2
    gap = t.rate + slope * ((f * t.first + df).sum(axis=1) - half * t.second.sum(axis=1))
    size = np.abs(t.rate) + abs(slope) * (
        np.abs(f * t.first) + np.abs(df) + half * np.abs(t.second)
    ).sum(axis=1)
    return gap, size, abs(slope) * (blur * np.abs(t.first) + df_blur).sum(axis=1)
