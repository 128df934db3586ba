"""Where functions of one variable jump or bend: panels that no polynomial follows, halved until
only the break is left in them.

Conventions: functions live on [0, 1]; ``ask(which, s)`` returns the values of the functions named,
one a row, at ``s`` ``(m, N)``. A panel counts as smooth where the last quarter of its Chebyshev
coefficients is below ``limit``. Panels overlap, so that a break at a border is seen. Values that
are not finite are gaps.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.numerics.local_series import nodes, tails

__all__ = ["Breaks", "pieces"]

Ask = Callable[[np.ndarray, np.ndarray], np.ndarray]
OVERLAP = 0.06
#: where a panel is cut: the same for all functions, so that they are asked at the same places
UNEVEN = 0.4781
#: more panels than this are no sign of a break but of a function that is rough everywhere
MOST = 4096


@dataclass(frozen=True, eq=False)
class Breaks:
    """``which`` function breaks between ``low`` and ``high``, one entry a break. ``gaps``: panels,
    wider than a break, where values are missing. ``rough``: too many panels to follow, as of values
    with ``noise``.
    """

    which: np.ndarray
    low: np.ndarray
    high: np.ndarray
    gaps: int
    rough: bool
    noise: float = 0.0


def pieces(
    ask: Ask,
    functions: int,
    limit: np.ndarray,
    rng: np.random.Generator,
    *,
    start: int = 4,
    narrow: float = 1e-9,
    slopes: bool = True,
) -> Breaks:
    """The breaks of all functions at once; one call of ``ask`` a level, about 30 where there is
    one.

    ``limit`` ``(functions,)`` is absolute. With ``slopes`` it falls with the width of a panel, down
    to a thousandth, so that a bend is followed as a jump is.

    >>> f = lambda which, s: np.where(s < 0.3, np.sin(s), np.sin(s) + 1e-3)
    >>> b = pieces(f, 1, np.array([1e-9]), np.random.default_rng(0))
    >>> bool(np.all(b.low < 0.3)), bool(np.all(b.high > 0.3)), b.low.size > 0
    (True, True, True)
    >>> smooth = lambda which, s: np.sin(9 * s)
    >>> pieces(smooth, 1, np.array([1e-9]), np.random.default_rng(0)).low.size
    0
    """
    cuts = (np.arange(1, start) + rng.uniform(-0.2, 0.2, start - 1)) / start
    ends = np.concatenate([[0.0], cuts, [1.0]])
    which = np.repeat(np.arange(functions), start)
    low, high = np.tile(ends[:-1], functions), np.tile(ends[1:], functions)
    found: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    gaps, noise = 0, 0.0
    while which.size:
        if which.size > MOST:
            return Breaks(which[:0], low[:0], high[:0], gaps, True, noise)
        width = high - low
        a = np.maximum(low - OVERLAP * width, 0.0)
        b = np.minimum(high + OVERLAP * width, 1.0)
        s = (a + b)[:, None] / 2 + (b - a)[:, None] / 2 * nodes()
        values = ask(which, s)
        there = np.isfinite(values)
        whole, some = there.all(axis=1), there.any(axis=1)
        with np.errstate(all="ignore"):
            tail = tails(values)
        allowed = limit[which] * (np.maximum(width, 1e-3) if slopes else 1.0)
        smooth = whole & (tail <= allowed)
        noise = float(np.median(tail[whole])) if np.any(whole) else 0.0
        gaps += int(np.sum(~some & (width > narrow)))
        go = ~smooth & some
        last = go & (width <= narrow)
        if np.any(last):
            found.append((which[last], a[last], b[last]))
        go &= ~last
        cut = low[go] + UNEVEN * width[go]
        which, low, high = (
            np.concatenate([which[go], which[go]]),
            np.concatenate([low[go], cut]),
            np.concatenate([cut, high[go]]),
        )
    if not found:
        return Breaks(which, low, high, gaps, False)
    w, a, b = (np.concatenate(part) for part in zip(*found, strict=True))
    return Breaks(w, a, b, gaps, False)
