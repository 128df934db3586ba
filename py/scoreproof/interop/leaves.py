"""Elements of a node's space: what values, gradients and tangents of a computation graph are.

Conventions
-----------
- An element is a tuple of float64 NumPy arrays (``Leaves``), one per floating array that the node
  returns; complex arrays are pairs of real numbers in a last axis.
- ``gradient @ slot`` is a vector-Jacobian product (``SlotMap``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["Leaves", "SlotMap", "finite", "noisy", "rounded"]


class Leaves:
    """An element of a node's space: a tuple of arrays with ``+``, ``-``, ``k *`` and ``@ slot``."""

    __slots__ = ("arrays",)

    def __init__(self, arrays: Sequence[np.ndarray]) -> None:
        self.arrays = tuple(arrays)

    def _pairs(self, other: Leaves) -> list[tuple[np.ndarray, np.ndarray]]:
        mine, others = [a.shape for a in self.arrays], [b.shape for b in other.arrays]
        if mine != others:  # no broadcasting between gradient spaces
            raise ValueError(f"shapes {mine} and {others} differ")
        return list(zip(self.arrays, other.arrays, strict=True))

    def __add__(self, other: Leaves) -> Leaves:
        return Leaves([a + b for a, b in self._pairs(other)])

    def __sub__(self, other: Leaves) -> Leaves:
        return Leaves([a - b for a, b in self._pairs(other)])

    def __neg__(self) -> Leaves:
        return Leaves([-a for a in self.arrays])

    def __rmul__(self, factor: float) -> Leaves:
        return Leaves([factor * a for a in self.arrays])

    def __matmul__(self, slot: SlotMap) -> Leaves:
        return slot.pull(self) if isinstance(slot, SlotMap) else NotImplemented

    @property
    def size(self) -> int:
        """The number of entries."""
        return sum(a.size for a in self.arrays)

    def norm(self) -> float:
        """Root of the sum of squares."""
        return float(np.linalg.norm(self.flat()))

    def flat(self) -> np.ndarray:
        """All entries in one vector."""
        return np.concatenate([np.zeros(0), *[np.asarray(a, float).ravel() for a in self.arrays]])

    def like(self, flat: np.ndarray) -> Leaves:
        """The element of the same space with these entries."""
        cuts = np.cumsum([a.size for a in self.arrays])[:-1]
        parts = np.split(np.asarray(flat, float), cuts) if self.arrays else []
        return Leaves([p.reshape(a.shape) for p, a in zip(parts, self.arrays, strict=True)])

    def zeros(self) -> Leaves:
        """The zero of the same space."""
        return Leaves([np.zeros(a.shape) for a in self.arrays])

    def where(self, flat_index: int) -> str:
        """``[2, 0]``: where an entry of ``flat()`` stands (``array 1, [2, 0]`` among several)."""
        for k, a in enumerate(self.arrays):
            if flat_index < a.size:
                index = [int(i) for i in np.unravel_index(flat_index, a.shape)]
                return f"array {k}, {index}" if len(self.arrays) > 1 else f"{index}"
            flat_index -= a.size
        return "[]"


@dataclass(frozen=True)
class SlotMap:
    """The Jacobian of one argument slot, as the product that a backward pass uses."""

    pull: Callable[[Leaves], Leaves]

    def __add__(self, other: SlotMap) -> SlotMap:
        return SlotMap(lambda g: self.pull(g) + other.pull(g))


def rounded(x: np.ndarray, eps: float) -> np.ndarray:
    """``x`` to the nearest numbers of a type whose spacing at 1 is ``eps``."""
    mantissa, exponent = np.frexp(x)
    return np.where(
        np.isfinite(x), np.ldexp(np.round(mantissa * (2 / eps)) * (eps / 2), exponent), x
    )


def noisy(x: np.ndarray, amplitude: float, salt: float) -> np.ndarray:
    """``x`` with each entry moved by a relative error of up to ``amplitude``, the same for the same
    number, so that equal numbers stay equal (a maximum keeps its ties).
    """
    mantissa, exponent = np.frexp(finite(x))
    wave = np.sin(mantissa * 12345.678 + exponent * 0.7391 + salt) * 43758.5453
    return x * (1 + amplitude * (2 * (wave - np.floor(wave)) - 1))


def finite(x: np.ndarray) -> np.ndarray:
    """``x`` with zeros where it is infinite or nan."""
    return np.where(np.isfinite(x), x, 0.0)
