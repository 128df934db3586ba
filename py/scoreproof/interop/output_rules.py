"""How a backward rule that is written in a node's own output moves when that output is rounded.

Conventions
-----------
- Where f acts entry by entry and is monotone, its derivative is a function of the output y, and
  rules are written so: 1 - y² of tanh, y(1 - y) of the sigmoid, -y² of 1/x. Where y is near 1 its
  rounding moves 1 - y² by far more than the rounding of the argument does.
- ``slope`` is d f'/dy, by differences of both: (f'(x+h) - f'(x-h)) / (f(x+h) - f(x-h)).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoreproof.interop.leaves import finite, noisy
from scoreproof.interop.traced import Program

__all__ = ["OutputRules"]

ALIKE = 1e-3  # agreement of derivatives that are the same
NEAR, FAR = 1e-4, 0.05  # steps: where y changes at all, and where it is saturated
LEAST = 1e-7
RESOLVED = 1e4  # spacings of y that a difference of it must have
AROUND = (-4.0, -2.0, -1.0, -0.5, 0.5, 1.0, 2.0, 4.0)  # where f' must keep its sign


class OutputRules:
    """The nodes of a program whose rules may be written in their outputs, found once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self.monotone: dict[int, bool] = {}
        self.slopes: dict[int, tuple[np.ndarray, np.ndarray]] = {}

    def moves(
        self, v: int, arguments: Sequence[Any], y: np.ndarray, amplitude: float, salt: float
    ) -> np.ndarray | None:
        """How the derivative of node v moves, entry by entry, with a rounding of its output."""
        x = self._argument(v, arguments)
        if x is None or x.shape != y.shape or not self._is_monotone(v, arguments, x):
            return None
        known = self.slopes.get(v)
        if known is None or np.any(np.abs(known[0] - x) > ALIKE * np.abs(x)):
            known = self.slopes[v] = x, self._slope(v, arguments, x, y)
        return np.asarray(known[1] * (noisy(y, amplitude, salt) - y))

    def _argument(self, v: int, arguments: Sequence[Any]) -> np.ndarray | None:
        node = self.program.nodes[v]
        if len(node.slots) != 1 or v in self.program.held or self.monotone.get(v) is False:
            return None
        arrays = self.program.read(arguments[node.slots[0]]).arrays
        return finite(arrays[0]) if len(arrays) == 1 else None

    def _is_monotone(self, v: int, arguments: Sequence[Any], x: np.ndarray) -> bool:
        if v not in self.monotone:
            with np.errstate(all="ignore"):
                self.monotone[v] = self._found_monotone(v, arguments, x)
        return self.monotone[v]

    def _found_monotone(self, v: int, arguments: Sequence[Any], x: np.ndarray) -> bool:
        wave = 1 + 0.5 * np.sin(1.0 + np.arange(x.size)).reshape(x.shape)
        _, d = self._at(v, arguments, x)
        _, waved = self._at(v, arguments, x, wave)
        if np.any(np.abs(waved - wave * d) > ALIKE * np.abs(d)):
            return False
        signs = [np.sign(finite(d))]
        signs += [np.sign(finite(self._at(v, arguments, x + s)[1])) for s in AROUND]
        return bool(np.min(signs) >= 0 or np.max(signs) <= 0)

    def _slope(self, v: int, arguments: Sequence[Any], x: np.ndarray, y: np.ndarray) -> np.ndarray:
        with np.errstate(all="ignore"):
            near, dy = self._quotient(v, arguments, x, NEAR * np.abs(x) + LEAST)
            sharp = np.abs(dy) > RESOLVED * self.program.unit * np.abs(y)
            if np.all(sharp):
                return finite(near)
            far, _ = self._quotient(v, arguments, x, FAR * (1 + np.abs(x)))
            return finite(np.where(sharp, near, far))

    def _quotient(
        self, v: int, arguments: Sequence[Any], x: np.ndarray, h: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        (above, up), (below, down) = (self._at(v, arguments, x + s * h) for s in (1, -1))
        return (up - down) / (above - below), above - below

    def _at(
        self, v: int, arguments: Sequence[Any], x: np.ndarray, g: np.ndarray | None = None
    ) -> tuple[np.ndarray, np.ndarray]:
        """``(f(x), g f'(x))``, with g = 1 unless it is given."""
        program, node = self.program, self.program.nodes[v]
        given, k = list(arguments), node.slots[0]
        given[k] = program.write(given[k], program.read(given[k]).like(x.ravel()))
        value, pull = program.taped(node, given)
        y = program.read(value)
        one = np.ones(y.size) if g is None else g.ravel()
        return y.arrays[0], pull(y.like(one))[0].arrays[0]
