"""A fitted number at several noise levels: the formula in σ and α that all of them follow."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

import numpy as np

__all__ = ["Examples", "common"]

#: relative: a fitted number this near to a formula is that formula
NEAR = 1e-6
#: a number that somebody wrote, of two digits
SHORT = 1e-3
CONSTANTS = {"": 1.0, "2": 2.0, "1/2": 0.5, "3": 3.0, "4": 4.0, "1/4": 0.25, "√2": 2**0.5}
POWERS = {1.0: "{}", -1.0: "1/{}", 2.0: "{}²", -2.0: "1/{}²", 0.5: "√{}", -0.5: "1/√{}"}


#: what a factor of a model with α = 1 is in terms of a variance-preserving one at the same σ/α
PRESERVING = {
    "1/√(σ² + 1)": "√ᾱ of ᾱ = 1/(σ² + 1)",
    "√(σ² + 1)": "1/√ᾱ of ᾱ = 1/(σ² + 1)",
    "1/(σ² + 1)": "ᾱ",
    "σ/√(σ² + 1)": "√(1 - ᾱ) of ᾱ = 1/(σ² + 1)",
    "σ²/(σ² + 1)": "1 - ᾱ of ᾱ = 1/(σ² + 1)",
}


class Examples(str):
    """A text that gives a number at two levels, where no formula is known for it."""

    __slots__ = ()


def common(
    values: Sequence[float], symbols: Sequence[Mapping[str, float]], within: float = NEAR
) -> str:
    """The simplest formula that all numbers follow, each in its own symbols; empty if none does.

    >>> common([4.0, 9.0], [{"σ": 2.0}, {"σ": 3.0}]), common([4.0, 9.0], [{}, {}])
    ('σ²', '')
    >>> common([0.5, 0.5], [{"σ": 2.0}, {"σ": 3.0}])
    '0.5'
    """
    found = np.asarray(values, float)
    if not np.all(np.isfinite(found)) or np.any(found == 0):
        return ""
    if np.ptp(found) <= within * np.max(np.abs(found)):
        return f"{found[0]:.6g}"
    if not np.all(np.sign(found) == np.sign(found[0])):
        return ""
    names = [n for n in symbols[0] if all(n in s and s[n] > 0 for s in symbols)]
    single: list[tuple[str, np.ndarray]] = [
        (form.format(n), np.array([s[n] for s in symbols]) ** p)
        for p, form in POWERS.items()
        for n in names
    ]
    double = [
        (f"{a} · {b}", v * w)
        for (a, v), (b, w) in itertools.combinations(single, 2)
        if not set(names) & set(a) & set(b)
    ]
    for text, value in single + double:
        for constant, factor in CONSTANTS.items():
            if np.all(np.abs(factor * value / np.abs(found) - 1) <= within):
                sign = "-" if found[0] < 0 else ""
                return f"{sign}{constant} · {text}" if constant else f"{sign}{text}"
    return _with_a_number(found, names, symbols, within)


def _with_a_number(
    found: np.ndarray, names: Sequence[str], symbols: Sequence[Mapping[str, float]], within: float
) -> str:
    """``σ/(σ + 0.01)``, ``σ/√(σ² + 0.01)`` and the like: a number that was added, of few digits."""
    if np.any(found <= 0):
        return ""
    for name in names:
        s = np.array([v[name] for v in symbols])
        for base, form in ((s, name), (s**2, f"{name}²")):
            for value, text in (
                (found, f"{form}/({form} + {{}})"),
                (1 / found, f"({form} + {{}})/{form}"),
                (found**2, f"{name}/√({name}² + {{}})" if form != name else ""),
                (found**-2.0, f"√({name}² + {{}})/{name}" if form != name else ""),
                (found * base, f"1/({form} + {{}})"),
                (found**2 * base, f"1/√({form} + {{}})"),
                (base / found**2, f"√({form} + {{}})"),
                (base / found, f"({form} + {{}})" if form != name else ""),
            ):
                more = base * (1 / value - 1)
                c = float(more[np.argmax(np.abs(1 / value - 1))])
                short = float(f"{c:.2g}")
                if not text or short == 0 or abs(c / short - 1) > SHORT:
                    continue
                if np.all(np.abs(value * (base + short) / base - 1) <= within):
                    text = text.format(f"{short:g}").replace("+ -", "- ")
                    gloss = PRESERVING.get(text)
                    return f"{text} ({gloss})" if gloss and "α" not in names else text
    return ""
