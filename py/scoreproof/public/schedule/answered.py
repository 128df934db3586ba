"""What a method multiplies its arguments by instead.

Conventions: as in `methods`; all factors that are off have to be explained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.schedule.agreeing import agrees
from scoreproof.public.schedule.alternatives import Alternative, functions_of
from scoreproof.public.schedule.noising import at_other_times
from scoreproof.public.schedule.shapes import shaped
from scoreproof.public.schedule.tables import TABLES, Base, Table

__all__ = ["Answer", "explained"]

POWERS = (0.0, 0.5, -0.5, 1.0, -1.0)


@dataclass(frozen=True, eq=False)
class Answer:
    """At ``times`` ``(n,)``: the factor ``(n, d)`` of each of the ``roles``; ``mixed``: how far the
    answer to all is from their sum, relative; ``more``: what else it returned.
    """

    times: np.ndarray
    roles: list[str]
    factors: np.ndarray
    mixed: np.ndarray
    more: tuple[np.ndarray, ...]
    eps: float


def explained(
    answer: Answer, base: Base, terms: list[Table], dues: list[np.ndarray], close: np.ndarray
) -> Diagnosis:
    """The simplest account of all factors, if there is one."""
    if np.any(np.ptp(answer.factors, axis=2) > 1e-6 * np.max(np.abs(answer.factors), axis=2)):
        return Diagnosis.unknown(
            "No known cause explains it: the entries of a sample have different factors (is the"
            " number of the timestep broadcast over the wrong axis?)."
        )
    values = [f[:, 0] for f in answer.factors]
    pairs = list(zip(values, dues, close, strict=True))
    off = [np.abs(v - d) > c * np.abs(d) for v, d, c in pairs]
    if (
        len(dues) == 2
        and _are(values, dues[::-1], close[::-1])
        and not _are(dues[:1], dues[1:], close)
    ):
        a, b = answer.roles
        return Diagnosis.cause(
            "exchanged",
            f"Cause: {a} and {b} are exchanged: each is multiplied by the other's factor.",
        )
    if whole := _whole(values, dues, base, answer.times, close, off):
        return Diagnosis.cause("other_factor", f"Cause: all of it is {whole} times what is due.")
    texts = [
        _factor(answer, base, k, terms[k], values[k], dues[k], close[k], off[k])
        for k in range(len(terms))
        if np.any(off[k])
    ]
    if texts and all(texts):
        return Diagnosis.cause("other_factor", f"Cause: {'; '.join(texts)}.")
    return Diagnosis.unknown("No known cause explains it; where it is wrong is said above.")


def _are(values: list[np.ndarray], wanted: list[np.ndarray], close: np.ndarray) -> bool:
    return len(values[0]) > 2 and all(
        bool(np.all(np.abs(v - w) <= c * np.maximum(np.abs(w), 1e-12)))
        for v, w, c in zip(values, wanted, close, strict=False)
    )


def _whole(
    values: list[np.ndarray],
    dues: list[np.ndarray],
    base: Base,
    at: np.ndarray,
    close: np.ndarray,
    off: list[np.ndarray],
) -> str:
    """One factor for all arguments, of powers of ᾱ_t and 1 - ᾱ_t."""
    if not all(np.any(o) for o in off):
        return ""
    powers = sorted(((a, b) for a in POWERS for b in POWERS), key=lambda p: abs(p[0]) + abs(p[1]))
    for a, b in powers[1:]:
        with np.errstate(all="ignore"):
            factor = base.bar[at] ** a * (1 - base.bar[at]) ** b
        each = (values, dues, close, off)
        if all(agrees(v, factor * d, d, c, o) == " " for v, d, c, o in zip(*each, strict=True)):
            return _power("ᾱ_t", a) + (" " if a and b else "") + _power("(1 - ᾱ_t)", b)
    return ""


def _power(of: str, power: float) -> str:
    if not power:
        return ""
    plain = {1.0: of, 0.5: f"√{of}", -1.0: f"1/{of}", -0.5: f"1/√{of}"}
    return plain[power]


def _factor(
    answer: Answer,
    base: Base,
    part: int,
    table: Table,
    values: np.ndarray,
    due: np.ndarray,
    close: np.ndarray,
    off: np.ndarray,
) -> str:
    name, words = answer.roles[part], _signed(table, due)
    if where := agrees(values, -due, due, close, off):
        return f"{where.lstrip()}the sign of {name} is turned: it is multiplied by {words}, negated"
    for c, said in ((1.0, f"{name} is not multiplied by {words}"), (0.0, f"{name} is ignored")):
        if where := agrees(values, np.full(len(due), c), due, close, off):
            return f"{where.lstrip()}{said}"
    for other in _candidates(answer, base, table, due):
        if where := agrees(values, other.values, due, close, off):
            return f"{where.lstrip()}{name} is multiplied by {other.words}, where {words} is due"
    shape = shaped(values, due, close, off)
    if shape is None or shape[0] != "factor":
        return ""
    return f"{name} is multiplied by {shape[1].removeprefix('it is ')} {words}"


def _signed(table: Table, due: np.ndarray) -> str:
    return f"-{table.words}" if np.all(due <= 0) and np.any(due < 0) else table.words


def _candidates(answer: Answer, base: Base, table: Table, due: np.ndarray) -> Iterator[Alternative]:
    at = answer.times
    with np.errstate(all="ignore"):
        yield from at_other_times(table.of(base), at)
        sign = -1.0 if _signed(table, due).startswith("-") else 1.0
        for its in TABLES.values():
            plain = its.of(base)[at]
            for turned, mark in ((sign, "-" if sign < 0 else ""), (-sign, "" if sign < 0 else "-")):
                if not np.array_equal(turned * plain, due):
                    yield Alternative(f"{mark}{its.words.split(',')[0]}", turned * plain)
        size = table.words
        for of in functions_of(Alternative(size, np.abs(due))):
            yield (
                Alternative(of.words, sign * of.values)
                if sign > 0
                else Alternative(f"minus {of.words}", -of.values)
            )
