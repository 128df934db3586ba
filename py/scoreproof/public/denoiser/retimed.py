"""The time that a network would have to be told to be right: found by asking, then its rule.

Conventions: τ is what it would have to be told, t what it is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import chain

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.numerics.minimum import least
from scoreproof.public.denoiser.retold import (
    AT,
    Tried,
    asked_at,
    beyond_table,
    off_at,
    tried_levels,
)
from scoreproof.public.denoiser.sweep import AtLevel, Sweep
from scoreproof.public.denoiser.sweep_arguments import TIMES
from scoreproof.words import percent

__all__ = ["retimed"]

#: decades around t that are searched, and how finely
DECADES, FINE = 8, 4
#: times that are tried between 0 and twice the largest
EVEN = 33
#: minima that are refined, and to what part of the time
TRIES, SHARP = 3, 1e-9
#: timesteps by which an index may be off
SHIFTS = 20
#: a number that people write has so few digits
DIGITS = 4

LEGEND = ", t being what it is told now"
#: τ of t at a level, in words
Rule = tuple[str, Callable[[float], float]]


def retimed(sweep: Sweep, wrong: list[AtLevel]) -> Diagnosis | None:
    """A rule by which other times make the network right at all wrong levels that are tried; asks
    it about 200 times.
    """
    if len(wrong) < 2:
        return None
    spread = np.unique(np.linspace(0, len(wrong) - 1, min(AT + 1, len(wrong))).round().astype(int))
    tried = tried_levels(sweep, [wrong[k] for k in spread])
    times = [sweep.told(a.at.level) for a in tried]
    if sweep.network.form.whole:
        return _shifted(sweep, tried, times)
    first = _found(sweep, tried[0], times[0], max(abs(t) for t in times))
    if first is None:
        return None
    of_two = _of_two(sweep, tried[1:], times, first) if len(tried) > 2 else ()
    legend = "" if sweep.levels.name == "t" and sweep.told is TIMES["t"] else LEGEND
    for words, rule in chain(_rules(times[0], first), of_two):
        left = 0.0
        for a, t in zip(tried, times, strict=True):
            there = off_at(sweep, a, rule(t))
            left = np.inf if there is None else max(left, there)
            if not np.isfinite(left):
                break
        if np.isfinite(left):
            text = f"Cause: it is right when told {words}{legend} (what is left of the error:"
            return Diagnosis(("time",), left, None, f"{text} {percent(left)}).")
    return None


def _shifted(sweep: Sweep, tried: list[Tried], times: list[float]) -> Diagnosis | None:
    """Another index of the table, the same number of timesteps away at every level."""
    for k in sorted(range(-SHIFTS, SHIFTS + 1), key=abs)[1:]:
        there = [(a, t + k) for a, t in zip(tried, times, strict=True)]
        inside = [(a, t) for a, t in there if not beyond_table(sweep, t)]
        if len(inside) < 2:
            continue
        left = 0.0
        for a, t in inside:
            off = off_at(sweep, a, t)
            if off is None:
                break
            left = max(left, off)
        else:
            shift = f"t {'+' if k > 0 else '-'} {abs(k)}: its index is off by {abs(k)}"
            text = f"Cause: it is right when told {shift} (what is left of the error:"
            aside = "" if len(inside) == len(there) else ", where the table has such a timestep"
            return Diagnosis(("time",), left, None, f"{text} {percent(left)}{aside}).")
    return None


def _found(sweep: Sweep, a: Tried, t: float, largest: float) -> float | None:
    """The time at which it is right there; ``None`` where none is seen."""

    def off(time: float) -> float:
        answer = asked_at(sweep, a.y, time)
        return np.inf if answer is None else a.off(sweep, answer)

    around = 10.0 ** (np.arange(-DECADES * FINE, DECADES * FINE + 1) / FINE)
    even = np.linspace(-2 * largest, 2 * largest, 2 * EVEN - 1)
    times = np.unique(np.concatenate([t * around, even]))
    values = np.array([off(float(time)) for time in times])
    if not np.any(np.isfinite(values)) or np.ptp(values[np.isfinite(values)]) == 0:
        return None  # whatever it is told
    inner = [k for k in range(1, len(times) - 1) if values[k] <= min(values[k - 1 : k + 2])]
    best: tuple[float, float] | None = None
    for k in sorted(inner, key=lambda k: values[k])[:TRIES]:
        low, high = float(times[k - 1]), float(times[k + 1])
        time = least(off, low, high, SHARP * max(abs(low), abs(high)))
        here = off(time)
        if best is None or here < best[0]:
            best = here, time
        if a.passes_at(best[0]):
            return best[1]
    return None


def _rules(t: float, tau: float) -> Iterator[Rule]:
    """Those with one number in them, which is read off: a factor, a shift, a reversal."""
    if t != 0:
        factor = _short(tau / t)
        shown = _times(factor)
        if factor != 1:
            yield shown, lambda s: factor * s
    more = _short(tau - t)
    if more != 0:
        yield f"t {'+' if more > 0 else '-'} {abs(more):g}", lambda s: s + more
    if 0 < t < 1 and 0 < tau < 1:
        shift = _short(tau * (1 - t) / (t * (1 - tau)))
        formula = f"{shift:g} t / (1 + {shift - 1:g} t)"
        if shift < 1:
            formula = f"t / ({1 / shift:g} - {1 / shift - 1:g} t)"
        yield f"{formula}, a shift of the timesteps", lambda s: shift * s / (1 + (shift - 1) * s)
    total = _short(tau + t)
    yield f"{total:g} - t: its time runs the other way", lambda s: total - s
    if tau * t > 0:
        product = _short(tau * t)
        yield f"{product:g} / t", lambda s: product / s


def _of_two(sweep: Sweep, rest: list[Tried], times: list[float], tau: float) -> Iterator[Rule]:
    """Those with two numbers, from the time that is found at another level."""
    t, s = times[:2]
    other = _found(sweep, rest[0], s, max(abs(v) for v in times))
    if other is None or s == t:
        return
    slope = _short((other - tau) / (s - t))
    more = _short(tau - slope * t)
    yield f"{slope:g} t {'+' if more > 0 else '-'} {abs(more):g}", lambda v: slope * v + more
    if min(t, s, tau, other) > 0:
        power = _short(float(np.log(other / tau) / np.log(s / t)))
        factor = _short(tau / t**power)
        yield f"{factor:g} t^{power:g}", lambda v: factor * v**power if v > 0 else np.nan


def _times(factor: float) -> str:
    inverse = 1 / factor
    if abs(factor) < 1 and abs(inverse / round(inverse) - 1) < SHARP:
        many = f": its time is multiplied by {round(inverse)} once too often"
        return f"t / {round(inverse)}{many if inverse >= 5 else ''}"
    if factor == _short(factor) != float(f"{factor:.{DIGITS}g}"):
        return f"t / {inverse:g}"
    few = f": its time is not multiplied by {factor:g}, or is divided by it" if factor >= 5 else ""
    return f"{factor:g} t{few}"


def _short(value: float) -> float:
    """The number of few digits that was written, where it is one."""
    short = float(f"{value:.{DIGITS}g}")
    inverse = 1 / float(f"{1 / value:.{DIGITS}g}") if value else 0.0
    near = 100 * SHARP * abs(value)
    if abs(short - value) <= near:
        return short
    return inverse if abs(inverse - value) <= near else value
