"""What is served where a probe ν is drawn: signs of which m rows average to the exact trace.

Conventions: every point stands m times, one after the other, with the m rows of a Hadamard matrix
without its column of ones: their mean is 0 and that of ν νᵀ is I, so that the mean of νᵀ J ν over
the m rows is tr J for any J. They are right for normal numbers, for signs and for coins.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from scoreproof.interop.draws import Draw

__all__ = ["Design"]

#: of uniform numbers on [0, 1): the standard deviation
UNIFORM = 12**-0.5


def hadamard(d: int) -> np.ndarray:
    """``(m, d)``, signs.

    >>> h = hadamard(3)
    >>> np.array_equal(h.T @ h / len(h), np.eye(3)), h.mean(axis=0).tolist()
    (True, [0.0, 0.0, 0.0])
    """
    h = np.ones((1, 1))
    while len(h) < d + 1:
        h = np.block([[h, h], [h, -h]])
    return h[:, 1 : d + 1]


@dataclass(eq=False)
class Design:
    """``turn``: which row all rows of a batch get, where one ν is drawn for all of them.
    ``shared``: whether that was so; ``odd``: draws that are no ν of rows; ``held``: uniform numbers
    are a half, as they are no coins but noise that is added to x.
    """

    rows: int
    d: int
    turn: int = 0
    shared: bool = False
    odd: list[Draw] = field(default_factory=list)
    drawn: int = 0
    held: bool = False
    #: what normal numbers are multiplied by, and how far uniform ones are from a half beside it
    scale: tuple[float, float] = (1.0, 1.0)
    #: every draw of a call gets the signs of another row
    apart: bool = False
    #: numbers of draws of which the code has what is served, and of those that are held
    seen: set[int] = field(default_factory=set)
    uniform: bool = False
    #: every other draw, the first or the second of two, is of numbers that do not change from row
    #: to row: (0 or 1, their seed)
    given: tuple[int, int] | None = None
    #: of the last draw: how many there were before it, its kind and its shape
    _number: int = -1
    _last: tuple[str, tuple[int, ...]] = ("", ())

    def __post_init__(self) -> None:
        self.signs = hadamard(self.d)

    @property
    def m(self) -> int:
        return len(self.signs)

    def nu(self, other: int = 0) -> np.ndarray:
        """``(rows, d)``; ``other``: which of the m orders of the rows of a point."""
        return self.signs[(np.arange(self.rows) % self.m) ^ (other % self.m)]

    def served(self, draw: Draw) -> np.ndarray:
        """Of a normal draw, or a uniform one: whose halves are the signs."""
        self.seen.add(draw.index)
        if self.held and draw.kind == "uniform":
            return np.full(draw.shape, 0.5)
        if draw.kind not in ("normal", "uniform"):
            self.odd.append(draw)
            return np.ones(draw.shape)
        if self._is_given(draw):
            return self._held(draw)
        value = self._signs(draw)
        if draw.kind == "normal":
            return self.scale[0] * value
        self.uniform = True
        return 0.5 + self.scale[1] * UNIFORM * value

    def coins(self, draw: Draw) -> np.ndarray:
        self.seen.add(draw.index)
        if self._is_given(draw):
            return np.asarray(self._held(draw) > 0, dtype=float)
        return (self._signs(draw) + 1) / 2

    def left(self, draws: list[Draw]) -> list[Draw]:
        """Those of which the code has numbers of the library's own."""
        return [d for d in draws if d.index not in self.seen and d.kind != "seed"]

    def _is_given(self, draw: Draw) -> bool:
        """Of the draw at hand. NumPy's choice asks for integers first, which are the same draw."""
        same = draw.kind == "choice" and self._last == ("integers", draw.shape)
        self._number += not same
        self._last = draw.kind, draw.shape
        return self.given is not None and self._number % 2 == self.given[0]

    def _held(self, draw: Draw) -> np.ndarray:
        """Numbers of no design, the same for all rows: what the others are averaged given."""
        assert self.given is not None
        rng = np.random.default_rng((self.given[1], self._number))
        self.drawn += 1
        rows = [k for k, size in enumerate(draw.shape) if size == self.rows][:1]
        shape = [1 if k in rows else size for k, size in enumerate(draw.shape)]
        value = rng.standard_normal(shape)
        if draw.kind == "uniform":
            value = np.where(value > 0, 0.75, 0.25)
        return np.broadcast_to(value, draw.shape).copy()

    def _signs(self, draw: Draw) -> np.ndarray:
        size = int(np.prod(draw.shape))
        order = self.drawn if self.apart else 0
        self.drawn += 1
        if size and size % (self.rows * self.d) == 0:
            laid = self._laid(draw.shape, size // (self.rows * self.d), self.nu(order))
            if laid is not None:
                return laid
        if size == self.d:
            self.shared = True
            return self.signs[self.turn % self.m].reshape(draw.shape)
        self.odd.append(draw)
        return np.ones(draw.shape)

    def _laid(self, shape: tuple[int, ...], times: int, nu: np.ndarray) -> np.ndarray | None:
        """So many ν a row, all of them the same: before the rows, or within each."""
        before = [k for k, rows in enumerate(shape) if rows == self.rows]
        if any(np.prod(shape[:k]) == times for k in before):
            return np.tile(nu, (times, 1, 1)).reshape(shape)
        if shape[0] != self.rows:
            return None
        cuts = range(1, len(shape) + 1)
        last = any(np.prod(shape[k:]) == self.d for k in cuts)
        first = any(np.prod(shape[1:k]) == self.d for k in cuts)
        if last == first:  # which axis is that of the coordinates is not to be told
            return None
        axis = 1 if last else 2
        return np.repeat(np.expand_dims(nu, axis), times, axis=axis).reshape(shape)
