"""What a list of σ is, if it is not that of the table at its timesteps.

Conventions: between two entries of a table as in `interpolation`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.schedule.agreeing import agrees
from scoreproof.public.schedule.alternatives import Alternative, alternatives
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.interpolation import by_each, interpolated, log_levels
from scoreproof.public.schedule.shapes import LEAST, few, shaped
from scoreproof.public.schedule.tables import TABLES, Base

__all__ = ["levels_instead"]

DUE = "σ = √((1 - ᾱ) / ᾱ)"


def levels_instead(
    given: Given, s: np.ndarray, due: np.ndarray, allowed: np.ndarray, wrong: np.ndarray
) -> Diagnosis:
    """What they are instead, or what is done to them."""
    for other in _candidates(given, s, due):
        if where := agrees(s, other.values, due, allowed, wrong):
            text = f"{where.lstrip()}they are {other.words}, where {DUE} is due"
            return Diagnosis.cause("other_levels", f"Cause: {text}.")
    if wrong.sum() < LEAST and len(s) > LEAST:
        return Diagnosis.cause("few_entries", f"Cause: {few(wrong)}, where {DUE} is due.")
    shape = shaped(s, due, allowed, wrong)
    if shape is not None:
        more = f" {DUE}" if shape[0] == "factor" else f", where {DUE} is due"
        return Diagnosis.cause(shape[0], f"Cause: {shape[1]}{more}.")
    return Diagnosis.unknown(f"No known cause explains it: {DUE} is due.")


def _candidates(given: Given, s: np.ndarray, due: np.ndarray) -> Iterator[Alternative]:
    base, t = given.base, given.timesteps
    assert base is not None
    timed = t is not None and len(t) == len(s)
    with np.errstate(all="ignore"):
        for likely in [due] if t is None or not timed else by_each(base, t).values():
            yield from _functions(likely)
        if t is None or not timed:
            return
        last = len(base.bar) - 1
        if np.any(t != np.round(t)):  # a function of the table, found between its entries
            for other in _functions(np.exp(log_levels(base))):
                between = np.interp(t, np.arange(last + 1), other.values)
                yield replace(other, values=between)
        for by, words in ((-1, "before, t - 1"), (1, "after, t + 1")):
            moved = interpolated(base, t + by, s)[1]
            inside = (t + by >= 0) & (t + by <= last)
            yield Alternative(f"those of the timestep {words}", np.where(inside, moved, np.nan))
        yield Alternative("those of timestep T - 1 - t", interpolated(base, last - t, s)[1])
        for whole, words in ((np.round(t), "rounded"), (np.floor(t), "rounded down")):
            if not np.array_equal(whole, t):
                made = interpolated(base, whole)[1]
                yield Alternative(f"those of the timesteps {words}", made)
        yield Alternative("those of the next timestep of the list", np.append(due[1:], np.nan))
        yield Alternative("those of the timestep before in the list", np.append(np.nan, due[:-1]))
        if len(s) > 2:
            for rho in (7.0, 1.0, 5.0, 3.0):
                ramp = np.linspace(s[0] ** (1 / rho), s[-1] ** (1 / rho), len(s)) ** rho
                words = f"Karras' σ with ρ = {rho:g} from {s[0]:.4g} to {s[-1]:.4g}"
                yield Alternative(f"{words}, which are not those of the timesteps", ramp)
            words = f"geometric from {s[0]:.4g} to {s[-1]:.4g}, not those of the timesteps"
            yield Alternative(words, np.geomspace(s[0], s[-1], len(s)))
        if np.all(t == np.round(t)):
            at = t.astype(int)
            for its in TABLES.values():
                yield Alternative(its.words.split(",")[0], its.of(base)[at])
            for other in alternatives("train_sigmas", base):
                if not other.own:
                    yield replace(other, values=other.values[at])
        yield from _of_other_times(base, t, s)


def _functions(due: np.ndarray) -> Iterator[Alternative]:
    """Of the σ that are due."""
    yield Alternative("σ² = (1 - ᾱ) / ᾱ, variances: the root is missing", due**2)
    words = "√(1 - ᾱ), the σ of a variance-preserving process"
    yield Alternative(words, due / np.sqrt(1 + due**2))
    words = "in the reverse order of the timesteps (before set_timesteps?)"
    yield Alternative(words, due[::-1])
    yield Alternative("1 / σ", 1 / due)
    yield Alternative("log σ", np.log(due))
    yield Alternative("√σ", np.sqrt(due))
    yield Alternative("1 - ᾱ", due**2 / (1 + due**2))


def _of_other_times(base: Base, t: np.ndarray, s: np.ndarray) -> Iterator[Alternative]:
    """At t + δ or c t, read off σ."""
    logs = log_levels(base)
    last, inside = len(logs) - 1, (np.log(s) > logs[0]) & (np.log(s) < logs[-1])
    if inside.sum() < LEAST:
        return
    read = np.interp(np.log(s), logs, np.arange(last + 1))
    by = float(np.median((read - t)[inside]))
    if abs(delta := round(by, 2)) >= 0.01:
        moved = t + delta
        values = np.where((moved >= 0) & (moved <= last), interpolated(base, moved, s)[1], np.nan)
        yield Alternative(
            f"those of the timestep t {'+' if delta > 0 else '-'} {abs(delta):g}", values
        )
    times = float(np.median((read / t)[inside & (t > 0)])) if np.any(inside & (t > 0)) else 1.0
    for factor in (float(f"{times:.3g}"), (last + 1) / last, last / (last + 1)):
        if abs(factor - 1) > 1e-4:
            values = np.where(factor * t <= last, interpolated(base, factor * t, s)[1], np.nan)
            yield Alternative(f"those of the timestep {factor:.6g} t", values)
