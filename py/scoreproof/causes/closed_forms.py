"""A fitted number by its closed form: √2, 2π, 1/d, n/(n - 1), -1.

Conventions: a form is believed only if the fit is so sharp that chance would hardly find one: the
more forms there are of a complexity, the sharper.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

__all__ = ["closed_form", "number"]

#: how sharp a fit must be for the plain forms, for those with a root or π, and for products
SHARP = (2e-3, 1e-3, 2e-5)
#: a deviation from 1 that is itself a short number, 1 + 0.001
NEAR_ONE = 0.2
LARGEST = 12


def closed_form(
    value: float, within: float, known: Mapping[str, float] | None = None
) -> str | None:
    """The simplest form of ``value``, which is known to the relative error ``within``.

    ``known``: numbers of the problem by their symbols (``{"d": 3, "n": 50, "σ": 0.5}``).

    >>> closed_form(1.41421356, 1e-8), closed_form(-0.3333333, 1e-6), closed_form(1.234567, 1e-6)
    ('√2', '-1/3', None)
    >>> closed_form(50 / 49, 1e-6, {"n": 50}), closed_form(1 / 7, 1e-6, {"d": 7})
    ('n/(n - 1)', '1/d')
    >>> closed_form(1.001, 1e-7), closed_form(4.6051702, 1e-7)
    ('1 + 0.001', '2 ln 10')
    """
    if not math.isfinite(value) or value == 0:
        return "0" if value == 0 else None
    size, sign = abs(value), "-" if value < 0 else ""
    within = max(within, 1e-12)
    for rank, form, number in _forms(known or {}):
        if within <= SHARP[rank] and abs(size / number - 1) <= 2 * within:
            return f"{sign}{form}" if "+" not in form else f"{sign}({form})" if sign else form
    return _near_one(value, within)


def number(value: float, within: float, known: Mapping[str, float] | None = None) -> str:
    """The value in digits, with its form if it has one.

    >>> number(1.4142135, 1e-6), number(3.0, 1e-6), number(1.2345678, 1e-5)
    ('1.41421 = √2', '3', '1.23457')
    """
    form = closed_form(value, within, known)
    digits = max(3, min(7, 1 - math.floor(math.log10(max(within, 1e-12)))))
    shown = f"{value:.{min(digits, 6)}g}"
    if form is None or form == shown or form.startswith(("1e", "-1e")):
        return shown
    return f"{shown} = {form}"


def _near_one(value: float, within: float) -> str | None:
    """``1 + 0.001``: a short difference from ±1."""
    sign, rest = ("-", -value - 1) if value < 0 else ("", value - 1)
    if not 10 * within < abs(rest) <= NEAR_ONE:
        return None
    short = float(f"{rest:.1g}")
    if abs(rest - short) > 2 * within or within > 1e-2 * abs(rest):
        return None
    text = f"1 {'+' if short > 0 else '-'} {abs(short):g}"
    return f"-({text})" if sign else text


def _forms(known: Mapping[str, float]) -> Iterator[tuple[int, str, float]]:
    """(how sharp a fit it needs, form, number), simplest first."""
    yield 0, "1", 1.0
    named = {k: abs(v) for k, v in known.items() if math.isfinite(v) and v not in (0, 1, -1)}
    for n in (2, 3, 4):
        yield 0, f"{n}", float(n)
        yield 0, f"1/{n}", 1 / n
    for name, v in named.items():
        for form, number in _of_a_name(name, v):
            yield 0, form, number
    yield 0, "√2", math.sqrt(2)
    yield 0, "1/√2", math.sqrt(0.5)
    for name, v in _CONSTANTS.items():
        yield 1, name, v
        yield 1, f"1/{_bracketed(name)}", 1 / v
    for n in range(5, LARGEST + 1):
        yield 1, f"{n}", float(n)
        yield 1, f"1/{n}", 1 / n
    for p in range(1, LARGEST + 1):
        for q in range(2, LARGEST + 1):
            if math.gcd(p, q) == 1 and p > 1:
                yield 1, f"{p}/{q}", p / q
    for k in range(1, 7):
        yield 1, f"{10**k}", 10.0**k
        yield 1, f"1e-{k}", 10.0**-k
    for name, v in named.items():
        for form, number in _of_a_name(name, v):
            yield 2, f"2 {form}", 2 * number
            yield 2, f"{form} / 2", number / 2
    for name, v in _CONSTANTS.items():
        yield 2, f"2 {name}", 2 * v
        yield 2, f"{name} / 2", v / 2
    pairs = [(a, b) for a in named for b in named if a != b]
    for a, b in pairs:
        yield 2, f"{a}/{b}", named[a] / named[b]
        yield 2, f"√({a}/{b})", math.sqrt(named[a] / named[b])
        yield 2, f"{a} {b}", named[a] * named[b]


_CONSTANTS = {
    "π": math.pi,
    "2π": 2 * math.pi,
    "√π": math.sqrt(math.pi),
    "√(2π)": math.sqrt(2 * math.pi),
    "√3": math.sqrt(3),
    "e": math.e,
    "ln 2": math.log(2),
    "ln 10": math.log(10),
}


def _of_a_name(name: str, v: float) -> Iterator[tuple[str, float]]:
    whole = name == "n" and v == int(v)  # the mean of n samples, the variance of n - 1
    low = _bracketed(name)
    yield name, v
    yield f"1/{low}", 1 / v
    yield f"{low}²", v * v
    yield f"1/{low}²", 1 / (v * v)
    yield f"√{low}", math.sqrt(v)
    yield f"1/√{low}", 1 / math.sqrt(v)
    if whole and v > 2:
        yield f"{name}/({name} - 1)", v / (v - 1)
        yield f"({name} - 1)/{name}", (v - 1) / v
        yield f"({name} - 1)", v - 1
        yield f"1/({name} - 1)", 1 / (v - 1)


def _bracketed(name: str) -> str:
    return f"({name})" if " " in name or (name[0].isdigit() and len(name) > 1) else name
