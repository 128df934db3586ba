"""A solution on a grid: the density at saved times and at points, or as averages over cells.

Conventions: ``p[k, i]`` or ``p[k, i, j]``: time first, then the coordinates in the order in which
drift and diffusion take them; every axis increases. With ``cells`` the values are averages between
``edges``; else ``axes`` are where they are taken.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

__all__ = ["Solution", "Span"]

Span = tuple[float, float]


@dataclass(frozen=True, eq=False)
class Solution:
    """``edges`` of an axis: of the cells, or of the part of the line that the points stand for;
    ``eps``: the unit roundoff of the type that the values were kept in.
    """

    p: np.ndarray
    times: np.ndarray
    axes: tuple[np.ndarray, ...]
    edges: tuple[np.ndarray, ...]
    cells: bool
    boundary: str
    names: tuple[str, ...]
    eps: float

    @property
    def dimension(self) -> int:
        return len(self.axes)

    @property
    def steps(self) -> tuple[float, ...]:
        """The largest distance of neighbours on each axis."""
        return tuple(float(np.max(np.diff(x))) for x in self.axes)

    @property
    def sides(self) -> tuple[Span, ...]:
        """Where the solution ends: the outer edges of cells, else the outer points."""
        ends = self.edges if self.cells or self.boundary == "periodic" else self.axes
        return tuple((float(e[0]), float(e[-1])) for e in ends)

    @property
    def span(self) -> Span:
        return float(self.times[0]), float(self.times[-1])

    def halved(self) -> Solution:
        """Every second point of each axis, or two cells as one; what is left over stays."""
        p, axes, edges = self.p, [], []
        for i, (x, e) in enumerate(zip(self.axes, self.edges, strict=True)):
            n, k = len(x), i + 1
            if self.cells:
                kept = np.unique([*range(0, n + 1, 2), n])
                width = np.diff(e)
                shape = [1] * p.ndim
                shape[k] = n
                heap = np.add.reduceat(p * width.reshape(shape), kept[:-1], axis=k)
                shape[k] = len(kept) - 1
                p = heap / np.diff(e[kept]).reshape(shape)
                axes.append((e[kept][1:] + e[kept][:-1]) / 2)
                edges.append(e[kept])
            else:
                kept = np.unique([*range(0, n, 2), n - 1])
                p = np.take(p, kept, axis=k)
                axes.append(x[kept])
                middles = (x[kept][1:] + x[kept][:-1]) / 2
                edges.append(np.concatenate([e[:1], middles, e[-1:]]))
        return replace(self, p=p, axes=tuple(axes), edges=tuple(edges))

    def wrapped(self, margin: float) -> Solution:
        """A periodic solution continued on both sides by ``margin`` of its length."""
        p, axes, edges = self.p, [], []
        for i, (x, e) in enumerate(zip(self.axes, self.edges, strict=True)):
            length, n = float(e[-1] - e[0]), len(x)
            m = min(n, int(np.ceil(margin * n)))
            p = np.concatenate(
                [np.take(p, range(n - m, n), i + 1), p, np.take(p, range(m), i + 1)], i + 1
            )
            axes.append(np.concatenate([x[n - m :] - length, x, x[:m] + length]))
            edges.append(np.concatenate([e[n - m : n] - length, e, e[1 : m + 1] + length]))
        return replace(self, p=p, axes=tuple(axes), edges=tuple(edges))
