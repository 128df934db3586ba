"""Where a function of time that is a table (a step, or a straight piece, for each entry) has its
jumps or kinks, if they are evenly spaced.

Conventions: ``values(times) -> (m, k)``. A panel is rough where the last Legendre coefficients of
its values do not fall to rounding. Found are three neighbouring breaks, then ever more distant
ones, each of which makes the spacing more exact; what is returned is a hypothesis for the
quadrature, which measures for itself whether the panels between them are smooth.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.numerics.legendre import NODES, tail, unit_nodes

__all__ = ["regular_breaks"]

Values = Callable[[np.ndarray], np.ndarray]
#: a panel is rough above this part of its values, in units of the roundoff
ROUGH = 1e4
#: parts of the spacing by which a kink may be misplaced
NEARLY = 0.02
#: times that may be asked, and breaks that may be returned
BUDGET, MOST = 20_000, 8_000


class _Lost(Exception):
    """The breaks are not evenly spaced, or the budget ran out."""


@dataclass(eq=False)
class _Search:
    values: Values
    eps: float
    asked: int = 0

    def roughness(self, low: float, high: float) -> float:
        """Over what rounding leaves (rough above 1)."""
        self.asked += NODES
        if self.asked > BUDGET:
            raise _Lost
        found = self.values(low + (high - low) * unit_nodes())
        if not np.all(np.isfinite(found)):
            raise _Lost
        size = np.max(np.abs(found), axis=0)
        size = np.where(size > 0, size, 1.0)
        return float(np.max(tail(found[None])[0] / size)) / (ROUGH * self.eps)

    def first(self, low: float, high: float) -> float:
        """The first break in a panel that is rough."""
        while high - low > 8 * np.finfo(float).eps * high:
            middle = (low + high) / 2
            if self.roughness(low, middle) > 1:
                high = middle
            elif self.roughness(middle, high) > 1:
                low = middle
            else:  # it is where the two join
                jump = self._step(low, high)
                if jump is not None:
                    return jump
                quarter = (high - low) / 4
                if self.roughness(low + quarter, high - quarter) <= 1:
                    return middle  # or too weak to be seen in so short a panel
                low, high = low + quarter, high - quarter
        return (low + high) / 2

    def _step(self, low: float, high: float) -> float | None:
        """A jump next to where two panels join, by the values themselves."""
        self.asked += 64
        start, end = (self.values(np.array([t]))[0] for t in (low, high))
        if np.allclose(start, end, rtol=1e-6, atol=0):
            return None
        while high - low > 4 * np.finfo(float).eps * high:
            middle = (low + high) / 2
            found = self.values(np.array([middle]))[0]
            if np.sum(np.abs(found - start)) > np.sum(np.abs(found - end)):
                high = middle
            else:
                low = middle
        start, end = (self.values(np.array([t]))[0] for t in (low, high))
        return None if np.allclose(start, end, rtol=1e-6, atol=0) else (low + high) / 2

    def next(self, after: float, width: float, end: float) -> float:
        """The first break behind ``after``, in steps that grow from ``width``."""
        low = after + max(1e-3 * width, 64 * np.finfo(float).eps * after)
        while low < end:
            high = min(low + width, end)
            if self.roughness(low, high) > 1:
                return self.first(low, high)
            low, width = high - 1e-3 * width, 2 * width
        raise _Lost


def regular_breaks(
    values: Values, low: float, high: float, end: float, eps: float
) -> tuple[float, ...]:
    """All breaks in ``(0, end)`` if they lie on an even grid; ``()`` otherwise.

    ``[low, high]``: a panel that is rough. ``values`` is asked at no more than 20,000 times.

    >>> table = np.array([1.0, 3.0, 2.0, 5.0, 4.0, 6.0, 2.5, 1.5])
    >>> def values(t):
    ...     return table[np.minimum((t * 8).astype(int), 7)][:, None]
    >>> found = regular_breaks(values, 0.3, 0.4, 1.0, 2e-16)
    >>> [round(b, 12) for b in found]
    [0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875]
    """
    search = _Search(values, eps)
    try:
        if search.roughness(low, high) <= 1:
            return ()
        return _grid(search, low, high, end)
    except _Lost:
        return ()


def _grid(search: _Search, low: float, high: float, end: float) -> tuple[float, ...]:
    origin = search.first(low, high)
    width = (high - low) / 64
    if origin > end / 2:  # there is more room on the other side
        mirrored = _Search(lambda t: search.values(end - t), search.eps)
        step, anchor = _spacing(mirrored, end - origin, width, end)
        anchor = end - anchor
    else:
        step, anchor = _spacing(search, origin, width, end)
    parts = end / step
    # kinks are not found to the last digit, but a table of 1000 entries has no 1000.003
    if abs(parts - round(parts)) < NEARLY and round(parts) > 0:
        step = end / round(parts)
    if end / step > MOST:
        raise _Lost
    phase = anchor % step
    for exact in (0.0, step / 2, step):
        phase = exact % step if abs(phase - exact) < NEARLY * step else phase
    grid = phase + step * np.arange(int(end / step) + 2)
    return tuple(float(t) for t in grid if 0 < t < end * (1 - 1e-14))


def _spacing(search: _Search, origin: float, width: float, end: float) -> tuple[float, float]:
    """The spacing, and one exact break."""
    second = search.next(origin, width, end)
    third = search.next(second, (second - origin) / 8, end)
    one, two = second - origin, third - second
    step = min(one, two)
    if abs(max(one, two) / step - round(max(one, two) / step)) > 1e-3:
        raise _Lost
    index, found = 1, third
    while origin + 4 * index * step < end:
        index *= 4
        for k in range(index, index + 4):  # two entries may be equal: then there is none between
            guess = origin + k * step
            near, far = guess - step / 3, guess + step / 3
            if far < end and search.roughness(near, far) > 1:
                found = search.first(near, far)
                if abs(found - guess) > step / 4:
                    raise _Lost
                step = (found - origin) / k
                break
    return step, found
