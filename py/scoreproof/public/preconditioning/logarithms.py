"""A c_noise that is a logarithm of σ, but another than the one due.

Conventions: clauses without a full stop.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.laws import is_plain, number

__all__ = ["another_logarithm"]

#: roundings of a fitted line beside those of its values; levels that tell a line
LINE, LEAST = 16.0, 4


def another_logarithm(value: np.ndarray, due: np.ndarray, s: np.ndarray, tol: float) -> str:
    """What is said where value and due are both straight lines in log σ; empty otherwise.

    >>> s = np.geomspace(0.01, 80, 8)
    >>> another_logarithm(np.log(s / 4), np.log(s) / 4, s, 1e-13)
    'it is log(σ/4), where log(σ)/4 is due: the 4 divides σ, not the logarithm'
    >>> another_logarithm(np.log(3 * s) / 4, np.log(s) / 4, s, 1e-13)
    'it is log(3 σ)/4, where log(σ)/4 is due'
    """
    lines = [_line(v, s, tol) for v in (value, due)]
    if len(s) < LEAST or lines[0] is None or lines[1] is None:
        return ""
    own, right = lines[0], lines[1]
    bases = (own[0] * b for b in (1.0, np.log(2), np.log(10)))
    if not any(is_plain(v) or is_plain(1 / v) for v in bases) or not np.isfinite(own[1]):
        return ""
    text = f"it is {_words(*own)}, where {_words(*right)} is due"
    if own[0] == 1 and right[1] == 1 and abs(own[1] / right[0] - 1) <= 1e-6:
        text += f": the {number(1 / right[0])} divides σ, not the logarithm"
    return text


def _line(v: np.ndarray, s: np.ndarray, tol: float) -> tuple[float, float] | None:
    """a and k of a log(k σ)."""
    if not np.all(np.isfinite(v)):
        return None
    slope, start = (float(c) for c in np.polyfit(np.log(s), v, 1))
    size = np.maximum(np.abs(v), 1.0)
    if slope == 0 or np.any(np.abs(v - slope * np.log(s) - start) > LINE * tol * size):
        return None
    with np.errstate(all="ignore"):
        k = float(np.exp(start / slope))
    return _short(slope), _short(k)


def _short(k: float) -> float:
    """Rounding is not read out as digits."""
    for short in (float(f"{k:.4g}"), 1 / float(f"{1 / k:.4g}") if k and np.isfinite(k) else k):
        if abs(short - k) <= 1e-8 * abs(k):
            return short
    return k


def _words(a: float, k: float) -> str:
    inside = "σ"
    if k != 1 and not is_plain(k) and not is_plain(1 / k):
        more = a * float(np.log(k))
        return f"{_words(a, 1.0)} {'-' if more < 0 else '+'} {number(abs(_short(more)))}"
    if k != 1:
        under = float(f"{1 / k:.6g}")
        whole = k < 1 and abs(under * k - 1) <= 1e-6
        inside = f"σ/{under:g}" if whole else f"{number(k)} σ"
    text = f"log({inside})"
    for base in (2, 10):
        quarters = 4 * a * float(np.log(base))
        count = round(quarters)
        if a != 1 and count and abs(quarters / count - 1) <= 1e-6:
            text, a = f"log{base}({inside})", count / 4
            break
    if a == 1:
        return text
    under = 1 / a
    if abs(under) > 1 and abs(under - round(under)) <= 1e-6:
        return f"{'-' if under < 0 else ''}{text}/{abs(round(under))}"
    return f"{number(a)} {text}"
