"""What a list of σ is, if it is not that of the table at its timesteps.

Conventions: between two entries of a table log σ is straight.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.schedule.alternatives import Alternative, alternatives
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.shapes import LEAST, shaped
from scoreproof.public.schedule.tables import TABLES, Base
from scoreproof.public.schedule.words import agrees

__all__ = ["levels_instead", "log_levels"]

DUE = "σ = √((1 - ᾱ) / ᾱ)"


def log_levels(base: Base) -> np.ndarray:
    """log √((1 - ᾱ) / ᾱ) ``(T,)``."""
    return np.log((1 - base.bar) / np.maximum(base.bar, 1e-300)) / 2


def levels_instead(
    given: Given, s: np.ndarray, due: np.ndarray, allowed: np.ndarray, wrong: np.ndarray
) -> Diagnosis:
    """What they are instead, or what is done to them."""
    for other in _candidates(given, s, due):
        if where := agrees(s, other.values, due, allowed, wrong):
            text = f"{where.lstrip()}they are {other.words}, where {DUE} is due"
            return Diagnosis.cause("other_levels", f"Cause: {text}.")
    if wrong.sum() < LEAST and len(s) > LEAST:
        few = ", ".join(map(str, np.flatnonzero(wrong)))
        return Diagnosis.cause("few_entries", f"Cause: entry {few} alone, where {DUE} is due.")
    shape = shaped(s, due, allowed, wrong)
    if shape is not None:
        more = f" {DUE}" if shape[0] == "factor" else f", where {DUE} is due"
        return Diagnosis.cause(shape[0], f"Cause: {shape[1]}{more}.")
    return Diagnosis.unknown(f"No known cause explains it: {DUE} is due.")


def _candidates(given: Given, s: np.ndarray, due: np.ndarray) -> Iterator[Alternative]:
    base, t = given.base, given.timesteps
    assert base is not None
    with np.errstate(all="ignore"):
        yield Alternative("σ² = (1 - ᾱ) / ᾱ, variances", due**2)
        yield Alternative(
            "√(1 - ᾱ), the σ of a variance-preserving process", due / np.sqrt(1 + due**2)
        )
        words = "in the reverse order of the timesteps (before set_timesteps?)"
        yield Alternative(words, due[::-1])
        yield Alternative("1 / σ", 1 / due)
        yield Alternative("log σ", np.log(due))
        yield Alternative("√σ", np.sqrt(due))
        yield Alternative("1 - ᾱ", due**2 / (1 + due**2))
        if t is None or len(t) != len(s):
            return
        logs, last = log_levels(base), len(base.bar) - 1
        for by, words in ((-1, "before, t - 1"), (1, "after, t + 1")):
            moved = np.exp(np.interp(t + by, np.arange(last + 1), logs))
            inside = (t + by >= 0) & (t + by <= last)
            yield Alternative(f"those of the timestep {words}", np.where(inside, moved, np.nan))
        yield Alternative(
            "those of timestep T - 1 - t", np.exp(np.interp(last - t, np.arange(last + 1), logs))
        )
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
                if "its " not in other.words and "what is due" not in other.words:
                    yield Alternative(other.words, other.values[at])
