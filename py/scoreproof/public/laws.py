"""A factor measured at several places: is it a number, or a product of powers of known quantities?

Conventions: values are ``(m,)``; a law is words for a formula that gives them all, to a relative
``tol``. Clauses without a full stop.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

import numpy as np

from scoreproof.causes.closed_forms import closed_form
from scoreproof.causes.closed_forms import number as digits

__all__ = ["Law", "is_plain", "law", "number", "of_time", "same"]

#: a formula is told from others by as many different places as this, or more
LEAST = 3


@dataclass(frozen=True)
class Law:
    """``text`` in words; ``constant``: the number, where it is one; ``factor``: what stands before
    the formula, where it is a formula.
    """

    text: str
    constant: float | None = None
    factor: float = 1.0


def same(values: np.ndarray, others: np.ndarray | float, tol: float) -> bool:
    """Whether all agree, relative to the larger (absolutely, where both are below 1e-3)."""
    size = np.maximum(np.maximum(np.abs(values), np.abs(others)), 1e-3)
    return bool(np.all(np.abs(values - others) <= tol * size))


def law(
    values: np.ndarray,
    parts: Mapping[str, np.ndarray],
    tol: float,
    *,
    first: Mapping[str, np.ndarray] | None = None,
) -> Law | None:
    """The values as a number, as one of ``first`` (once, twice or half), or as a product of powers
    of one or two ``parts``; the number before such a formula must be short, or have a closed form.

    >>> t = np.array([0.1, 0.2, 0.4, 0.8])
    >>> law(3 / t**2, {"σ": np.sqrt(t), "t": t}, 1e-9).text
    '3/t²'
    >>> law(np.full(4, 0.5), {"t": t}, 1e-9).text
    '0.5'
    """
    if not np.all(np.isfinite(values)):
        return None
    middle = float(np.median(values))
    if same(values, middle, tol):
        return Law(number(middle), middle)
    if len(np.unique(values)) < LEAST or np.any(values == 0):
        return None
    given = first or {}
    for text, due in (*given.items(), *_products(parts)):
        with np.errstate(all="ignore"):
            ratio = values / due
        if not np.all(np.isfinite(ratio)):
            continue
        k = float(np.median(ratio))
        if not same(ratio, k, tol):
            continue
        if text in given and not any(abs(abs(k) - u) <= tol for u in (1, 2, 0.5)):
            continue
        if abs(abs(k) - 1) <= tol:
            return Law(f"{'-' if k < 0 else ''}{text}", factor=float(np.sign(k)))
        if is_plain(k):
            form = number(k).split(" = ")[-1]
            return Law(f"{form}{text[1:] if text.startswith('1/') else f' {text}'}", factor=k)
    return None


def of_time(values: np.ndarray, t: np.ndarray, tol: float) -> str | None:
    """The values as a constant, a straight line, a power or an exponential of t.

    >>> t = np.array([0.1, 0.3, 0.5, 0.9])
    >>> of_time(0.1 + 19.9 * t, t, 1e-9), of_time(3 * t**2, t, 1e-9), of_time(2 * 5**t, t, 1e-9)
    ('0.1 + 19.9 t', '3 t^2', '2 · 5^t')
    """
    if len(np.unique(t)) < LEAST or not np.all(np.isfinite(values)):
        return None
    if same(values, float(np.median(values)), tol):
        return number(float(np.median(values)))
    slope, start = (_short(float(v)) for v in np.polyfit(t, values, 1))
    if same(values, start + slope * t, tol):
        if abs(start) <= 1e-9 * abs(slope) * float(np.max(np.abs(t))):
            return f"{slope:g} t"
        return f"{start:g} {'-' if slope < 0 else '+'} {abs(slope):g} t"
    sign = float(np.sign(values[0]))
    if np.any(values * sign <= 0) or np.any(t <= 0):
        return None
    minus = "-" if sign < 0 else ""
    for x, form in ((np.log(t), "{0:g} t^{3:.6g}"), (t, "{0:g} · {2:g}^t")):
        power, first = (float(v) for v in np.polyfit(x, np.log(values * sign), 1))
        if same(values, sign * np.exp(first + power * x), 10 * tol):
            return minus + form.format(*(_short(v) for v in np.exp([first, 0, power])), power)
    return None


def _short(k: float) -> float:
    """Three digits, if that is what it is; else all."""
    short = float(f"{k:.3g}")
    return short if abs(short - k) <= 1e-5 * abs(k) else float(f"{k:.7g}")


def _products(parts: Mapping[str, np.ndarray]) -> Iterator[tuple[str, np.ndarray]]:
    """Simple ones first."""
    with np.errstate(all="ignore"):
        for name, v in parts.items():
            for p in (1.0, -1.0, 2.0, -2.0, 0.5, -0.5):
                yield _power(name, p), v**p
        for (one, v), (other, w) in combinations(parts.items(), 2):
            for p, q in product((1.0, -1.0, 2.0, -2.0), repeat=2):
                up = [_power(n, e) for n, e in ((one, p), (other, q)) if e > 0]
                down = [_power(n, -e) for n, e in ((one, p), (other, q)) if e < 0]
                text = " ".join(up) or "1"
                if down:
                    text += "/" + (f"({' '.join(down)})" if len(down) > 1 else down[0])
                yield text, v**p * w**q


def _power(name: str, p: float) -> str:
    if p < 0:
        return f"1/{_power(name, -p)}"
    base = name if p == 1 or not any(c in name for c in "+- ") else f"({name.strip('()')})"
    return {1: base, 2: f"{base}²", 0.5: f"√{base}"}[p]


def is_plain(k: float) -> bool:
    """Whether a number is short, or has a closed form."""
    short = abs(float(f"{k:.3g}") - k) <= max(1e-7 * abs(k), 1e-9)
    return short or closed_form(k, 1e-6) is not None


def number(k: float) -> str:
    """A number, and its closed form where it is not short.

    >>> number(1.5), number(2**0.5), number(0.25), number(1e-16)
    ('1.5', '1.41421 = √2', '0.25', '0')
    """
    if abs(k - round(k)) <= 1e-6:
        return f"{round(k)}"
    short = float(f"{k:.3g}")
    return f"{short:g}" if abs(k - short) <= 1e-7 * abs(k) else digits(k, 1e-6)
