"""What a function that noises data does instead: which numbers it multiplies x_0 and noise by.

Conventions: as in `forward`; the two factors are explained apart, and both have to be.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.schedule.agreeing import agrees
from scoreproof.public.schedule.alternatives import Alternative, alternatives, functions_of
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.asking import Levels
from scoreproof.public.schedule.entries import NAMES, Dues, own_factors, wrong_axis
from scoreproof.public.schedule.responses import responses
from scoreproof.public.schedule.shapes import shaped
from scoreproof.public.schedule.tables import TABLES

__all__ = ["FORMULAS", "Heard", "at_other_times", "mixture", "noised"]

FORMULAS = {
    "vp": "√ᾱ_t x_0 + √(1 - ᾱ_t) noise",
    "ve": "x_0 + σ_t noise",
    "flow": "(1 - σ_t) x_0 + σ_t noise",
}
#: which tables the factors of x_0 and noise are, by the kind of process
FACTORS = {
    "vp": ("sqrt_alphas_cumprod", "sqrt_one_minus_alphas_cumprod"),
    "ve": ("", "train_sigmas"),
}
DUE = {
    "vp": ("√ᾱ_t", "√(1 - ᾱ_t)"),
    "ve": ("1", "σ_t"),
    "flow": ("1 - σ_t", "σ_t"),
}


@dataclass(frozen=True, eq=False)
class Heard:
    """What add_noise did, and the kind of process that it is nearest to, with its α and σ."""

    levels: Levels
    kind: str
    due: tuple[np.ndarray, np.ndarray]


def noised(given: Given, told: Heard, bound: np.ndarray) -> tuple[Heard, Diagnosis]:
    """What the factors are, and the kind of process that explains them."""
    alpha, sigma = told.levels.alpha, told.levels.sigma
    for kind, due in _kinds(given, told).items():
        if text := wrong_axis(told.levels, due):
            there = replace(told, kind=kind, due=due)
            return there, Diagnosis.cause("wrong_axis", f"Cause: {text}.")
    close, found = np.maximum(4 * bound, 1e-6), []
    if text := responses(given, told.levels):
        return told, Diagnosis.cause("not_linear", f"Cause: {text}.")
    if text := own_factors(told.levels, told.due, close):
        return told, Diagnosis.cause("some_entries", f"Cause: {text}.")
    for kind, due in _kinds(given, told).items():
        other = replace(told, kind=kind, due=due)
        pairs = [(v[:, 0], d) for v, d in zip((alpha, sigma), due, strict=True)]
        if _exchanged(pairs, close):
            text = "x_0 and noise are exchanged: each is multiplied by the other's factor"
            return other, Diagnosis.cause("exchanged", f"Cause: {text}.")
        if kind == "vp" and _velocity(pairs, close):
            text = "it returns the velocity √ᾱ_t noise - √(1 - ᾱ_t) x_0, not x_t"
            return other, Diagnosis.cause("velocity", f"Cause: {text}.")
        texts = []
        for part, (values, wanted) in enumerate(pairs):
            off = np.abs(values - wanted) > close[part] * np.abs(wanted)
            if np.any(off):
                texts.append(_factor(other, given, part, close[part], off))
        if texts and all(texts):
            text = f"Cause: {'; '.join(t for t in texts if t)}."
            found.append((other, Diagnosis.cause("other_factor", text)))
    unknown = "No known cause explains it; where it is wrong is said above."
    return found[0] if found else (told, Diagnosis.unknown(unknown))


def _kinds(given: Given, told: Heard) -> dict[str, Dues]:
    """The kind that is nearest, and the other that it may have been meant to be."""
    dues = {told.kind: told.due}
    if given.flow:
        return dues
    if given.base is None:
        s = told.due[1]
        return dues | {"ve": (np.ones(len(s)), s), "flow": (1 - s, s)}
    s = told.due[1] / told.due[0]
    size = np.hypot(1, s)
    return dues | {"vp": (1 / size, s / size), "ve": (np.ones(len(s)), s)}


def _exchanged(pairs: list[tuple[np.ndarray, np.ndarray]], close: np.ndarray) -> bool:
    (alpha, first), (sigma, second) = pairs
    same = np.allclose(first, second, rtol=1e-3)
    near = [
        np.abs(v - d) <= c * np.maximum(np.abs(d), 1e-12)
        for v, d, c in ((alpha, second, close[1]), (sigma, first, close[0]))
    ]
    return not same and len(alpha) > 2 and bool(np.all(near))


def _velocity(pairs: list[tuple[np.ndarray, np.ndarray]], close: np.ndarray) -> bool:
    (alpha, first), (sigma, second) = pairs
    near = [
        np.abs(v - d) <= c * np.abs(d)
        for v, d, c in ((-alpha, second, close[1]), (sigma, first, close[0]))
    ]
    return len(alpha) > 2 and bool(np.all(near))


def _factor(told: Heard, given: Given, part: int, close: np.ndarray, off: np.ndarray) -> str:
    """What one factor is, empty if nothing is known."""
    values = (told.levels.alpha, told.levels.sigma)[part][:, 0]
    due, words = told.due[part], DUE[told.kind][part]
    text = f"{NAMES[part]} is multiplied by"
    if where := agrees(values, np.ones(len(due)), due, close, off):
        return f"{where.lstrip()}{NAMES[part]} is not multiplied by {words}"
    if where := agrees(values, np.zeros(len(due)), due, close, off):
        return f"{where.lstrip()}{NAMES[part]} is ignored: its factor is 0, not {words}"
    for other in _candidates(told, given, part):
        if where := agrees(values, other.values, due, close, off):
            return f"{where.lstrip()}{text} {other.words}, where {words} is due"
    shape = shaped(values, due, close, off)
    if shape is None:
        return ""
    if shape[0] == "factor":
        return f"{text} {shape[1].removeprefix('it is ')} {words}"
    return f"{NAMES[part]}'s factor {words} is not as due: {shape[1]}"


def _candidates(told: Heard, given: Given, part: int) -> Iterator[Alternative]:
    times, due, base = told.levels.times, told.due[part], given.base
    name = FACTORS.get(told.kind, ("", ""))[part]
    if base is not None and not given.flow and np.all(times == np.round(times)):
        at = times.astype(int)
        if name:
            yield from at_other_times(TABLES[name].of(base), at)
        for its in TABLES.values():
            with np.errstate(all="ignore"):
                values = its.of(base)[at]
            if not np.array_equal(values, due):
                yield Alternative(its.words.split(",")[0], values)
        for other in alternatives(name, base) if name else ():
            if not other.own:
                yield replace(other, values=other.values[at])
        n = len(base.bar)
        for words, share in ((f"t/T (T = {n})", at / n), (f"(t + 1)/T (T = {n})", (at + 1) / n)):
            yield Alternative(f"{words}, as on a straight path", share)
            yield Alternative(f"1 - {words}, as on a straight path", 1 - share)
            yield Alternative(f"√({words})", np.sqrt(share))
            yield Alternative(f"√(1 - {words})", np.sqrt(1 - share))
    yield from _of_sigma(told)
    yield from functions_of(Alternative(DUE[told.kind][part], due))


def at_other_times(table: np.ndarray, at: np.ndarray) -> Iterator[Alternative]:
    """The table, asked at other timesteps than ``at``."""
    last = len(table) - 1
    for shift, words in ((-1, "t - 1"), (1, "t + 1")):
        moved = at + shift
        inside = (moved >= 0) & (moved <= last)
        around = table[moved % (last + 1)]
        if shift == -1 and not np.all(inside):
            text = f"that of timestep {words}, with the last for the first (an index of -1)"
            clamped = f"that of timestep {words} (at t = 0 its own: the index is clamped)"
            yield Alternative(clamped, table[np.maximum(moved, 0)])
            yield Alternative(text, around)
        if shift == 1 and not np.all(inside):
            clamped = f"that of timestep {words} (at the last its own: the index is clamped)"
            yield Alternative(clamped, table[np.minimum(moved, last)])
        yield Alternative(f"that of timestep {words}", np.where(inside, around, np.nan))
    for by in (2, 4, 5, 10, 20, 50, 100):
        yield Alternative(f"that of timestep t // {by}", table[at // by])
        yield Alternative(f"that of timestep {by} t, or the last", table[np.minimum(by * at, last)])
    for k, which in ((0, "first"), (-1, "last")):
        words = (
            f"that of timestep {at[k]}, whatever t is (is the {which} sample's taken for all of the"
            " batch, or t / T for t?)"
        )
        yield Alternative(words, np.full(len(at), table[at[k]]))
    yield Alternative("that of timestep T - 1 - t (the table is read in reverse)", table[last - at])


def _of_sigma(told: Heard) -> Iterator[Alternative]:
    """Where x_t is a function of σ_t alone."""
    if told.kind not in ("flow", "ve"):
        return
    s = told.due[1]
    with np.errstate(all="ignore"):
        yield Alternative("σ_t", s)
        yield Alternative("1 - σ_t", 1 - s)
        yield Alternative("σ_t²", s**2)
        yield Alternative("√σ_t", np.sqrt(s))
        yield Alternative("√(1 - σ_t²)", np.sqrt(1 - s**2))
        yield Alternative("1 / √(1 + σ_t²)", 1 / np.sqrt(1 + s**2))
        yield Alternative("σ_t / √(1 + σ_t²)", s / np.sqrt(1 + s**2))
        yield Alternative("1 - σ_t²", 1 - s**2)
        yield Alternative("cos(π σ_t / 2)", np.cos(np.pi * s / 2))
        yield Alternative("sin(π σ_t / 2)", np.sin(np.pi * s / 2))
        yield Alternative("1 + σ_t", 1 + s)
        yield Alternative("√(1 - σ_t)", np.sqrt(1 - s))


def mixture(given: Given, found: Levels, k: int) -> Diagnosis:
    """It is not the sum of its parts: a clip, a share among entries or samples."""
    text = responses(given, found, k)
    if text:
        return Diagnosis.cause("not_linear", f"Cause: {text}.")
    return Diagnosis.unknown(
        "No known cause explains it: it may clip, mix the entries of a sample, or share noise."
    )
