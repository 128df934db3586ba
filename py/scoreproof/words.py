"""Numbers, lists and places in a sentence, the same in every check.

Conventions: clauses without a full stop; ``…`` stands for what is left away.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

__all__ = ["MANY", "enumerated", "listed", "part_of", "percent", "point", "stretch"]

#: from here on a part is told as so many times, not in percent
MANY = 10.0


def listed(values: Iterable[object], most: int = 8, form: str = "") -> str:
    """The first ``most`` values, each by the format ``form``.

    >>> listed([0.25, 1 / 3, 0.5], 2, ".3g"), listed(["a", "b"])
    ('0.25, 0.333, …', 'a, b')
    """
    shown = [format(v, form) for v in values]
    return ", ".join(shown[:most]) + (", …" if len(shown) > most else "")


def enumerated(values: Iterable[object], last: str = "and") -> str:
    """All of them.

    >>> enumerated([1, 2, 54]), enumerated([4]), enumerated(["x", "y"], "or")
    ('1, 2 and 54', '4', 'x or y')
    """
    *rest, end = [str(v) for v in values]
    return f"{', '.join(rest)} {last} {end}" if rest else end


def percent(part: float) -> str:
    """A relative size: in percent, or as a power of ten where it is tiny.

    >>> percent(0.012), percent(3e-7), percent(float("inf"))
    ('1.2 %', '3.0e-07', 'any size')
    """
    if not math.isfinite(part):
        return "any size"
    return f"{100 * part:.3g} %" if part >= 1e-4 else f"{part:.1e}"


def part_of(part: float, whole: str) -> str:
    """A size beside another: in percent, or as a factor where that is over 1000 %.

    >>> part_of(2.84, "its terms"), part_of(431.2, "its terms")
    ('284 % of its terms', '431 times its terms')
    """
    times = math.isfinite(part) and part >= MANY
    return f"{part:.3g} times {whole}" if times else f"{percent(part)} of {whole}"


def point(x: Iterable[float], most: int = 3, form: str = ".3g") -> str:
    """A point by its first coordinates.

    >>> point([0.5, -1.0, 2.0, 3.0])
    '(0.5, -1, 2, …)'
    """
    return f"({listed(x, most, form)})"


def stretch(times: np.ndarray, wrong: np.ndarray) -> str:
    """At which of the increasing ``times`` something is so; empty if at all of them.

    >>> stretch(np.linspace(0, 1, 5), np.array([False, True, True, False, False]))
    'at 2 of 5 times, t from 0.25 to 0.5'
    """
    bad = times[wrong]
    if bad.size in (0, times.size):
        return ""
    where = f"t = {bad[0]:.3g}" if bad.size == 1 else f"t from {bad[0]:.3g} to {bad[-1]:.3g}"
    return f"at {bad.size} of {times.size} times, {where}"
