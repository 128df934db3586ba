"""Two SDEs with the same noise, as callables in the user's framework and as exact numbers.

Conventions: P is dX = a dt + G dW, Q is dX = b dt + G dW; G is a matrix (d, d) at each point, x has
rows in its last axis. A ``bent`` problem has drifts that are not affine in x, and G that follows x.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

__all__ = ["Problem", "Sort", "lined_up", "made"]

#: how much faster the noise is at the next unit of time, and how it follows x
FASTER, FOLLOWS = 0.6, 0.3


@dataclass(frozen=True)
class Sort:
    """``kind``: what the callables are: "drifts" (a and b), "control" (u and b), "scores" (s0 and
    s1). ``noise``: what the diffusion returns, or is: number, matrix, scalar, diagonal or full.
    ``enters``: a control is multiplied by G, or it is the drift that is added, to a drift b if it
    is ``based``. ``small``: what noise and drifts' difference are multiplied by, so that |u| is as
    it was. ``still``: drifts, and noise, do not change with time. ``zero``: it starts at t = 0.
    """

    kind: str
    noise: str
    enters: str
    bent: bool
    based: bool
    still: tuple[bool, bool]
    zero: bool
    small: float


@dataclass(frozen=True, eq=False)
class Problem:
    """A sort, with numbers. ``slow``: how much longer it takes than the one it was made of;
    ``held``: rows at which G is taken wherever the path is, ``touched``: at which drifts are
    linearised, in what a wrong function would return.
    """

    sort: Sort
    matrices: np.ndarray  # (2, d, d)
    shifts: np.ndarray  # (2, d)
    base: np.ndarray  # (d, d), the noise at t = 0
    span: tuple[float, float]
    mean: np.ndarray  # (2, d), of the laws at the start
    std: np.ndarray
    boundary: float
    cost: np.ndarray  # (d,)
    slow: float = 1.0
    held: np.ndarray | None = None
    touched: np.ndarray | None = None

    @property
    def kind(self) -> str:
        return self.sort.kind

    @property
    def noise(self) -> str:
        return self.sort.noise

    @property
    def d(self) -> int:
        return len(self.base)

    def net(self, which: int, x: Any, t: Any, like: Any = None) -> Any:
        """The callable ``which``; ``like(array)`` brings our numbers to x's framework."""
        to = like or (lambda v: v)
        if which == 1 and self.kind == "control" and not self.sort.based:
            return 0.0 * x
        y = self._bent(x)
        value = y @ to(self.matrices[which].T) + to(self.shifts[which]) * (
            1 + self._later(t, 0.5, 0)
        )
        if which == 0 and self.kind == "drifts" and self.sort.small < 1:
            return self.net(1, x, t, like) + self.sort.small * value
        return value

    def _bent(self, x: Any) -> Any:
        if not self.sort.bent:
            return x
        if self.touched is None:
            return x + 0.5 * x / (1 + x * x)
        at = self.touched
        slope = 1 + 0.5 * (1 - at * at) / (1 + at * at) ** 2
        return at + 0.5 * at / (1 + at * at) + slope * (x - at)

    def _later(self, t: Any, rate: float, which: int) -> Any:
        if self.sort.still[which]:
            return 0.0 * t
        start = self.span[0]
        return rate * (t if self.slow == 1 else start + (t - start) / self.slow)

    def slowed(self, times: float) -> Problem:
        """The same laws of paths, run through in a time so many ``times`` as long."""
        rate = 1 / times
        u = {"drifts": rate, "scores": 1.0, "control": rate}[self.kind]
        if self.kind == "control" and self.sort.enters == "noise":
            u = rate**0.5
        by = np.array([u, 1.0 if self.kind == "scores" else rate])
        t0, t1 = self.span
        return replace(
            self,
            matrices=self.matrices * by[:, None, None],
            shifts=self.shifts * by[:, None],
            base=self.base * rate**0.5,
            span=(t0, t0 + (t1 - t0) * times),
            slow=self.slow * times,
        )

    def louder(self) -> Problem:
        """A control of pure noise moves a path however small the noise is."""
        pure = self.kind == "control" and not self.sort.based and self.sort.enters == "noise"
        by = np.array([1 / self.sort.small if pure else 1.0, 1.0])
        return replace(
            self, matrices=self.matrices * by[:, None, None], shifts=self.shifts * by[:, None]
        )

    def spread(self, x: Any, t: Any, like: Any = None) -> Any:
        """The noise as the user's function is handed it; ``x`` is not needed for scalars."""
        to = like or (lambda v: v)
        if self.noise == "number":
            return float(self.base[0, 0])
        if self.noise == "matrix":
            return self.base
        if self.noise == "scalar":
            return float(self.base[0, 0]) * (1 + self._later(t, FASTER, 1))
        y = 1 + FOLLOWS * x / (1 + x * x) if self.sort.bent else 1 + 0 * x
        if self.noise == "diagonal":
            return to(np.diag(self.base)) * y * (1 + self._later(t, FASTER, 1))
        return to(self.base) * (y[..., :1] * (1 + self._later(t, FASTER, 1)))[..., None]

    def matrix(self, x: np.ndarray, t: Any) -> np.ndarray:
        """G at each point, ``(…, d, d)``."""
        if self.held is not None:
            x = np.broadcast_to(self.held, x.shape)
        value = self.spread(x, t)
        if self.noise in ("full", "matrix"):
            return np.broadcast_to(value, (*x.shape, self.d))
        return np.broadcast_to(value, x.shape)[..., None] * np.eye(self.d)

    def drifts(self, x: np.ndarray, t: Any) -> tuple[np.ndarray, np.ndarray]:
        """a and b."""
        one, other = self.net(0, x, t), self.net(1, x, t)
        if self.kind == "drifts":
            return one, other
        g = self.matrix(x, t)
        if self.kind == "scores":  # a drift that the samples are none of: only a - b matters
            return np.einsum("...ij,...kj,...k->...i", g, g, one - other), 0 * x
        if self.sort.enters == "noise":
            return other + np.einsum("...ij,...j->...i", g, one), other
        return other + one, other

    def initial(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """log p0 and log q0 at rows."""
        z = (x - self.mean[:, None]) / self.std[:, None]
        both = -0.5 * np.sum(z * z, axis=-1) - np.sum(np.log(self.std), -1)[:, None]
        return both[0], both[1]

    def initial_kl(self, swapped: bool = False) -> float:
        """KL of the laws at the start, P's from Q's."""
        m0, m1 = self.mean[::-1] if swapped else self.mean
        s0, s1 = self.std[::-1] if swapped else self.std
        r = (s0 / s1) ** 2
        return float(0.5 * np.sum(((m0 - m1) / s1) ** 2 + r - 1 - np.log(r)))

    def ends(self, x: Any, like: Any = None) -> Any:
        """The terminal cost, one a row; quadratic."""
        to = like or (lambda v: v)
        return (to(self.cost) * (x - 0.3) * (x - 0.3)).sum(-1)


def made(seed: int, d: int, sort: Sort) -> Problem:
    """A problem of its own for every seed."""
    rng = np.random.default_rng([seed, d, 730])
    matrices = 0.5 * rng.standard_normal((2, d, d)) - 0.6 * np.eye(d)
    signs = np.where(rng.random(d) < 0.5, -1.0, 1.0)
    shifts = np.stack([rng.uniform(0.9, 1.5, d) * signs, -rng.uniform(0.4, 0.9, d) * signs])
    base = np.diag(rng.uniform(0.55, 0.8, d))
    if sort.noise in ("number", "scalar"):
        base = np.eye(d) * base[0, 0]
    if sort.noise in ("full", "matrix"):
        base = base + np.triu(rng.uniform(0.15, 0.3, (d, d)), 1) - 0.1 * np.eye(d, k=-1)
    start = 0.0 if sort.zero else 0.15
    return Problem(
        sort,
        matrices,
        shifts,
        base * sort.small,
        (start, start + float(rng.uniform(1.1, 1.4))),
        0.6 * rng.standard_normal((2, d)),
        rng.uniform(0.5, 0.9, (2, d)) * np.array([[1.0], [1.4]]),
        float(rng.uniform(0.6, 1.1)),
        rng.uniform(0.3, 0.6, d),
    )


def lined_up(x: Any, t: Any) -> Any:
    """``t`` (a number, one a row, one a time of a whole path) so that it broadcasts against x."""
    shape, rows = tuple(getattr(t, "shape", ())), tuple(x.shape)
    if not shape or len(shape) == len(rows):
        return t
    return t.reshape(shape + (1,) * (len(rows) - len(shape)))


#: brings an array of ours to the framework and type of another
Like = Callable[[np.ndarray], Any]
