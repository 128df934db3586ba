"""The methods that follow from the tables, asked as the function that noises data is: each argument
alone, and all at once.

Conventions: as in `asking` and `methods`. What is no sum of its arguments, raises or has arguments
of unknown names is not judged, and the coverage says so.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.evidence import Evidence
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.public.rule import compared, weakest
from scoreproof.public.schedule.answered import Answer, explained
from scoreproof.public.schedule.arguments import Given
from scoreproof.public.schedule.libraries import libraries
from scoreproof.public.schedule.methods import Bound, methods_of
from scoreproof.public.schedule.moments import ROUNDINGS, moment
from scoreproof.public.schedule.reading import member
from scoreproof.public.schedule.rounding import SINGLE, in_single, split
from scoreproof.public.schedule.tables import Base, Table
from scoreproof.words import enumerated

__all__ = ["methods"]

#: timesteps that are asked, of a longer table; shapes of a sample that are tried
MOST, SHAPES = 2048, ((2,), (3, 4, 5))
#: roundings of a sum
SUMS = 64
#: what a method that is no sum of its arguments may be off by, relative
STRAIGHT = 1e-3
#: characters of an error that are repeated
HEARD = 90


class Unasked(Exception):
    """Why a method has no verdict, as the end of a sentence."""


def methods(given: Given) -> tuple[list[Evidence], tuple[Omission, ...]]:
    """One verdict on all that can be asked, and those that cannot."""
    found, left = [], []
    names = []
    for bound in methods_of(lambda name: member(given.holder, name)):
        try:
            found.append(_judged(given, bound))
            names.append(bound.name)
        except Unasked as why:
            left.append(Omission("methods", 1, str(why), bound.name, wished=True))
    if not found:
        return [], tuple(left)
    whole = weakest(found)
    if whole.verdict == "holds":
        verb = "are" if len(names) > 1 else "is"
        text = f"{enumerated(names)} {verb} what follows from {given.source}"
        seen = Coverage({"methods": len(names)})
        whole = replace(whole, sentence=text, coverage=seen)
    return [whole], tuple(left)


def _judged(given: Given, bound: Bound) -> Evidence:
    base = given.base
    if base is None or given.flow:
        raise Unasked("which only a table of β or ᾱ could judge")
    if not bound.has:
        raise Unasked("whose arguments cannot be read")
    if not bound.order:
        raise Unasked(f"whose arguments ({', '.join(bound.has)}) are not recognised by their names")
    n = len(base.bar)
    times = np.unique(np.linspace(0, n - 1, min(n, MOST)).round()).astype(int)
    with np.errstate(all="ignore"):
        dues = [t.of(base)[times] for t in bound.method.terms.values()]
        fine = np.all(np.isfinite(dues), axis=0)
    times = times[fine]
    if not len(times):
        raise Unasked("which is infinite at every timestep")
    answer = _answer(given, bound, times)
    kinds = [(bound.method.terms, bound.method.words)]
    if bound.method.ve is not None:
        kinds.append((bound.method.ve, bound.method.ve_words))
    tried = [_against(given, bound, answer, base, *kind) for kind in kinds]
    first = next((e for e in tried if e.verdict == "holds"), tried[0])
    moments = [m for k in (1, 2) if (m := moment(given, bound, answer, base, k)) is not None]
    return weakest([first, *moments]) if bound.method.moments else first


def _answer(given: Given, bound: Bound, times: np.ndarray) -> Answer:
    shapes = SHAPES if given.shape is None else (given.shape,)
    failed: Exception | None = None
    for shape in shapes:
        for make in libraries(bound.function):
            try:
                return _asked(bound, times, shape, make)
            except Unasked:
                raise
            except Exception as error:  # of a guessed library or shape: the first is its own
                failed = failed or error
    text = " ".join(f"{type(failed).__name__}: {failed}".split())
    short = text if len(text) <= HEARD else f"{text[: HEARD - 1]}…"
    raise Unasked(f"which raised {short}")


def _asked(
    bound: Bound, times: np.ndarray, shape: tuple[int, ...], make: Callable[[np.ndarray], Any]
) -> Answer:
    full, eps = (len(times), *shape), 0.0

    def call(values: dict[str, np.ndarray]) -> tuple[np.ndarray, ...]:
        nonlocal eps
        passed = {role: make(v) for role, v in (*values.items(), ("t", times))}
        out = bound.function(*(passed[role] for role in bound.order))
        parts = out if isinstance(out, (tuple, list)) else (out,)
        if isinstance(passed["t"], np.ndarray) and not isinstance(parts[0], np.ndarray):
            raise TypeError("an array came back as a tensor")  # it works in another library
        arrays = [np.asarray(as_numpy(p), dtype=float) for p in parts]
        eps = max(eps, unit_roundoff(parts[0]) if hasattr(parts[0], "dtype") else 0.0)
        if arrays[0].shape != full:
            raise ValueError(f"it returned shape {arrays[0].shape}, where {full} is due")
        return tuple(np.broadcast_to(a, full).reshape(len(times), -1) for a in arrays)

    roles, zero, one = list(bound.method.terms), np.zeros(full), np.ones(full)
    alone = [call({r: one if r == role else zero for r in roles}) for role in roles]
    rng = np.random.default_rng(0)
    values = {r: np.round(64 * rng.standard_normal(full)) / 32 for r in roles}
    got = call(values)[0]
    factors = np.stack([a[0] for a in alone])
    parts = [f * values[r].reshape(len(times), -1) for r, f in zip(roles, factors, strict=True)]
    with np.errstate(all="ignore"):
        size = np.maximum(np.max(np.abs(parts), axis=(0, 2)), 1e-300)
        mixed = np.max(np.abs(got - sum(parts)), axis=1) / size
    if not np.all(mixed <= STRAIGHT):
        raise Unasked(
            f"which is no sum of {enumerated(roles)}, each times a number (does it clip?)"
        )
    if all(_coarse(f) for f in factors):
        eps = max(eps, SINGLE)
    return Answer(times, roles, factors, mixed, alone[0][1:], eps)


def _coarse(factor: np.ndarray) -> bool:
    """Whether it is a number of single precision, multiplied by or divided by."""
    with np.errstate(all="ignore"):
        return np.ptp(factor) == 0 or in_single(factor) or in_single(1 / factor)


def _against(
    given: Given, bound: Bound, answer: Answer, base: Base, terms: dict[str, Table], words: str
) -> Evidence:
    """The factors against those of one kind of process."""
    at, coarse = answer.times, max(answer.eps, base.eps)
    rounding, dues, errors = [], [], []
    for values, table in zip(answer.factors, terms.values(), strict=True):
        with np.errstate(all="ignore"):
            due = table.of(base)[at]
            lost = coarse * ((base.roundings + ROUNDINGS) * table.loss(base))[at] + 8 * coarse
            size = np.where(np.abs(due) > 1e-12 * np.max(np.abs(due)), np.abs(due), np.inf)
            size = np.where(np.isfinite(size), size, np.max(np.abs(due)))
            errors.append(np.max(np.abs(values - due[:, None]) / size[:, None], axis=1))
        rounding.append(np.where(np.isfinite(lost), lost, coarse))
        dues.append(due)
    error = np.nan_to_num(np.stack(errors), nan=1e300, posinf=1e300)
    limit, excuse = split(error, np.stack(rounding), coarse)
    taken = ", ".join(bound.order)
    evidence = compared(
        np.vstack([error, answer.mixed]),
        np.vstack([limit, np.full((1, len(at)), SUMS * max(coarse, 2.0**-52))]),
        f"{bound.name}({taken}) is {words}",
        excuse=np.vstack([excuse, np.full((1, len(at)), STRAIGHT)]),
        coverage=Coverage({"methods": 1}),
        tolerance=given.tolerance,
        remedy="keep the tables in float64",
    )
    if evidence.verdict != "refuted":
        return evidence
    wrong = error > limit + excuse + (given.tolerance or 0.0)
    part = int(np.argmax(wrong.sum(axis=1)))
    k = int(np.argmax(np.where(wrong[part], error[part] / (limit + excuse)[part], 0.0)))
    j = int(np.argmax(np.abs(answer.factors[part][k] - dues[part][k])))
    text = (
        f"{bound.name} at timestep {at[k]} multiplies {answer.roles[part]} by"
        f" {answer.factors[part][k, j]:.6g} where {dues[part][k]:.6g} is due for"
        f" {bound.name}({taken}) = {words} (wrong at {wrong[part].sum()} of {len(at)} timesteps)"
    )
    found = explained(answer, base, list(terms.values()), dues, np.maximum(4 * limit, 1e-6))
    at_k = replace(
        evidence,
        sentence=text,
        value=float(error[part, k]),
        bound=float((limit + excuse)[part, k]),
    )
    return at_k.with_diagnosis(found)
