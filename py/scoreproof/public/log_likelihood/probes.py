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

    def __post_init__(self) -> None:
        self.signs = hadamard(self.d)

    @property
    def m(self) -> int:
        return len(self.signs)

    def nu(self) -> np.ndarray:
        """``(rows, d)``."""
        return self.signs[np.arange(self.rows) % self.m]

    def served(self, draw: Draw) -> np.ndarray:
        """Of a normal draw, or a uniform one: whose halves are the signs."""
        if self.held and draw.kind == "uniform":
            return np.full(draw.shape, 0.5)
        value = self._signs(draw)
        return 0.5 + 0.25 * value if draw.kind == "uniform" else value

    def coins(self, draw: Draw) -> np.ndarray:
        return (self._signs(draw) + 1) / 2

    def _signs(self, draw: Draw) -> np.ndarray:
        size = int(np.prod(draw.shape))
        self.drawn += 1
        if size and size % (self.rows * self.d) == 0 and self.rows in draw.shape:
            times = size // (self.rows * self.d)
            return np.tile(self.nu(), (times, 1, 1)).reshape(draw.shape)
        if size == self.d:
            self.shared = True
            return self.signs[self.turn % self.m].reshape(draw.shape)
        self.odd.append(draw)
        return np.ones(draw.shape)
