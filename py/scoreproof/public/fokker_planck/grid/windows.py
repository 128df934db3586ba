"""Smooth test functions of compact support on the part of a grid where the mass is.

Conventions: of one coordinate ``φ(u) = (1-u²)⁵ P_k(u)`` on a window mapped to [-1, 1]; in the plane
products of them. At a reflecting end half a window with ``φ' = 0`` there, at an absorbing one with
``φ = 0``, on a circle also windows across the seam.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.public.fokker_planck.grid.solution import Solution, Span

__all__ = ["Window", "Windows", "windows"]

#: how many cells there are in a window, at least
CELLS = 12
#: below this part of its largest value the density is not looked at, nor windows with less mass
LITTLE = 1e-3
POWER = 5


@dataclass(frozen=True)
class Window:
    """One test function of a coordinate: its middle, its half width, the degree of its factor."""

    middle: float
    half: float
    degree: int = 0
    odd: bool = False  # times u: 0 in the middle, which is an absorbing end

    def derivatives(self, x: np.ndarray) -> np.ndarray:
        """``(5, n)``: the value and four derivatives."""
        poly = np.polynomial.Polynomial([1.0, 0.0, -1.0]) ** POWER
        factor = np.polynomial.Legendre.basis(1 if self.odd else self.degree)
        poly = poly * factor.convert(kind=np.polynomial.Polynomial)
        u = (x - self.middle) / self.half
        inside = np.abs(u) < 1
        rows = [(poly.deriv(m) if m else poly)(u) / self.half**m for m in range(5)]
        return np.where(inside, np.stack(rows), 0.0)


@dataclass(frozen=True, eq=False)
class Windows:
    """The test functions ``(functions, d)`` of windows, and the box that they look at."""

    functions: tuple[tuple[Window, ...], ...]
    box: tuple[Span, ...]


def windows(solution: Solution, grids: Sequence[Solution]) -> Windows | None:
    """Test functions for a solution; ``None`` where its mass is in too few cells of one of the
    ``grids``, all of which have to resolve them.
    """
    box = tuple(_mass(solution, i) for i in range(solution.dimension))
    rows = [
        _along(solution, i, box[i], [g.axes[i] for g in grids]) for i in range(solution.dimension)
    ]
    if any(not r for r in rows):
        return None
    if solution.dimension == 1:
        return Windows(tuple((w,) for w in rows[0]), box)
    pairs = [
        (a, b) for a in rows[0] for b in rows[1] if a.degree + b.degree <= 2 and _alike(a, b, box)
    ]
    return Windows(tuple(pairs), box)


def _alike(a: Window, b: Window, box: tuple[Span, ...]) -> bool:
    """Of products, those of windows of one level."""
    parts = [2 * w.half / (hi - lo) for w, (lo, hi) in zip((a, b), box, strict=True)]
    return abs(np.log(parts[0] / parts[1])) < 0.4


def _mass(solution: Solution, i: int) -> Span:
    """Where a coordinate's marginal is no small part of its largest value, at some time."""
    other = tuple(k + 1 for k in range(solution.dimension) if k != i)
    line = np.abs(solution.p.sum(axis=other) if other else solution.p)
    tops = np.max(line, axis=1, keepdims=True)
    seen = np.flatnonzero(np.any(line > LITTLE * tops, axis=0))
    x, (low, high) = solution.axes[i], solution.sides[i]
    a, b = max(seen[0] - 1, 0), min(seen[-1] + 1, len(x) - 1)
    left = low if seen[0] == 0 else float(x[a])
    right = high if seen[-1] == len(x) - 1 else float(x[b])
    return left, right


def _along(solution: Solution, i: int, box: Span, axes: list[np.ndarray]) -> list[Window]:
    low, high = box
    length, middle = high - low, (low + high) / 2

    def resolved(w: Window) -> bool:
        """On every grid; half a window at an end needs half of the cells."""
        a, b = max(w.middle - w.half, low), min(w.middle + w.half, high)
        most = CELLS * (b - a) / (2 * w.half)
        return all(int(np.sum((x >= a) & (x <= b))) > most - 1e-9 for x in axes)

    plane = solution.dimension > 1
    rows = [Window(middle, length / 2, k) for k in range(3 if plane else 4)]
    if not resolved(rows[0]):
        return []
    for parts, degrees in ((2, 1 if plane else 2), (4, 1), (8, 1)):
        half = length / parts / 2
        if plane and parts > 4:
            break
        count = 2 * parts - 1
        for k in range(degrees):
            rows += [Window(low + half * (j + 1), half, k) for j in range(count)]
        if solution.boundary == "periodic":
            rows.append(Window(low, half))
        elif solution.boundary != "truncated":
            odd = solution.boundary == "absorbing"
            rows += [Window(e, 2 * half, 0, odd) for e in solution.sides[i] if low <= e <= high]
    return [w for w in rows if resolved(w)]
