"""The ends of a list as numbers made of those that are asked for.

Conventions: clauses without a full stop.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

__all__ = ["told_ends"]


def told_ends(found: tuple[float, float], asked: dict[str, float]) -> str:
    """``"from 100 = σ_max to 4e-06 = σ_min²/σ_max"``; ``asked``: two names with their numbers, in
    the order of the list.

    >>> told_ends((0.5, 4e-4), {"σ_max": 0.5, "σ_min": 0.02})
    'from 0.5 = σ_max to 0.0004 = σ_min²'
    """
    by = [v / a for v, a in zip(found, asked.values(), strict=True)]
    if abs(by[0] / by[1] - 1) < 1e-6 and abs(by[0] - 1) > 1e-6:
        times = f"{by[0]:.6g} times {' and '.join(asked)}"
        return f"from {found[0]:.6g} to {found[1]:.6g}, {times}"
    shown = []
    for value, name in zip(found, asked, strict=True):
        known = _closed(value, asked, name)
        shown.append(f"{value:.6g}{f' = {known}' if known else ''}")
    return f"from {shown[0]} to {shown[1]}"


def _closed(value: float, asked: dict[str, float], first: str) -> str:
    """A number in the two; the one of its own end goes first."""
    names = [first, *(n for n in asked if n != first)]
    with np.errstate(all="ignore"):
        for words, likely in _forms([(n, asked[n]) for n in names]):
            if np.isfinite(likely) and abs(value - likely) <= 2e-6 * abs(likely):
                return words
    return ""


def _forms(named: list[tuple[str, float]]) -> Iterator[tuple[str, float]]:
    yield from named
    for n, v in named:
        yield f"{n}²", v * v
        yield f"√{n}", float(np.sqrt(v))
        yield f"1/{n}", 1 / v
        yield f"10 {n}", 10 * v
        yield f"{n}/10", v / 10
        yield f"10^(ln {n}), natural logarithms to the base 10", float(10 ** np.log(v))
        yield f"e^(log₁₀ {n})", float(np.exp(np.log10(v)))
        yield f"e^{n}", float(np.exp(v))
        yield f"ln {n}", float(np.log(v))
        yield f"log₁₀ {n}", float(np.log10(v))
        yield f"1 - {n}", 1 - v
    for (n, a), (m, b) in (named, named[::-1]):
        yield f"{n}²/{m}", a * a / b
        yield f"{n}/{m}", a / b
        yield f"{n} - {m}", a - b
    (n, a), (m, b) = named
    yield f"{n} {m}", a * b
    yield f"{n} + {m}", a + b
