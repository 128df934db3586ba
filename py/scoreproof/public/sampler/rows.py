"""One batch that carries the law of a whole chain: a row for the mean, one for the start's spread,
one for each draw of noise.

Conventions: a chain is affine in its start and in its noises when the data are Gaussian and the
model is exact. Rows are flat ``(n, d)``; a row's deviation from the mean row is what its own source
of randomness contributes. Where each coordinate answers to its own noise only, a vector of random
signs tells all of them at once; otherwise each coordinate of each draw has a row of its own.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from scoreproof.interop.draws import Draw

__all__ = ["Law", "Rows", "counting"]

#: deviations are of this size, in standard deviations: what is predicted for x_0 stays small
SIZE = 0.5
#: and these are far out: a chain that clips bends there
FAR = 8.0


@dataclass(frozen=True, eq=False)
class Law:
    """Mean ``(d,)`` and covariance (as standard deviations ``(d,)``, or ``(d, d)``) of a state, and
    by how much it is not affine inside, and far out, both in standard deviations; ``mixed``: how
    far the start's coordinates are from answering each for itself; ``signed`` ``(d,)``: a sum over
    the noises that another choice of signs leaves as it is, if each coordinate has its own.
    """

    mean: np.ndarray
    std: np.ndarray
    cov: np.ndarray | None
    bend: float
    far: float
    mixed: float
    signed: np.ndarray


@dataclass(eq=False)
class Rows:
    """``shape`` of one sample; ``draws``: the shape of each draw's row, in the order asked."""

    shape: tuple[int, ...]
    draws: tuple[tuple[int, ...], ...]
    rng: np.random.Generator
    full: bool = False
    others: float = 0.5
    served: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        d = self.size
        signs = self.rng.choice([-1.0, 1.0], (2, d))
        zero = np.zeros((1, d))
        if self.full:
            spread = np.eye(d)
            self._noise = [np.eye(int(np.prod(s))) for s in self.draws]
        else:
            spread = signs
            self._noise = [self.rng.choice([-1.0, 1.0], (1, int(np.prod(s)))) for s in self.draws]
        self.signs = signs
        self._start = np.concatenate([zero, -signs[:1], FAR * signs[:1], -FAR * signs[:1], spread])
        self._first = len(self._start)
        ends = np.cumsum([0, *(len(n) for n in self._noise)])
        self._at = self._first + ends
        self.count = int(self._at[-1])

    @property
    def size(self) -> int:
        """d, the number of coordinates of a sample."""
        return int(np.prod(self.shape)) if self.shape else 1

    def begin(self) -> None:
        """Before every run."""
        self.served = 0

    def start(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """The rows ``(n, d)`` that a chain is started from."""
        x = np.repeat(mean[None], self.count, axis=0)
        x[: self._first] += SIZE * std * self._start
        return x

    def noise(self, draw: Draw) -> np.ndarray:
        """What stands in for a draw; its rows beyond the batch's are 0."""
        if draw.kind != "normal":
            return np.full(draw.shape, self.others)
        k, self.served = self.served, self.served + 1
        z = np.zeros(draw.shape)
        if k < len(self._noise) and draw.shape[:1] == (self.count,):
            flat = z.reshape(self.count, -1)
            flat[self._at[k] : self._at[k + 1]] = SIZE * self._noise[k]
        return z

    def law(self, x: np.ndarray) -> Law:
        """The law of the state with the rows x ``(n, d)``."""
        with np.errstate(all="ignore"):
            return self._law(x)

    def _law(self, x: np.ndarray) -> Law:
        mean = x[0]
        moved = (x - mean) / SIZE
        spread = moved[4 : self._first]
        noise = moved[self._first :]
        if self.full:
            all_ = np.concatenate([spread, noise])
            cov = all_.T @ all_
            std = np.sqrt(np.diag(cov))
            mixed, signed = 0.0, 0 * std
        else:
            slope, again = spread * self.signs
            cov = None
            std = np.sqrt(slope**2 + (noise**2).sum(axis=0))
            mixed = float(np.max(np.abs(slope - again) / _size(std, mean)))
            signed = self._signed(noise)
        plus = spread[0] if not self.full else self.signs[0] @ spread
        size = _size(std, mean)
        bend = float(np.max(np.abs(moved[1] + plus) / size))
        far = float(np.max(np.abs(moved[2] - FAR * plus) / size))
        far = max(far, float(np.max(np.abs(moved[3] + FAR * plus) / size)))
        return Law(mean, std, cov, bend, far, mixed, signed)

    @cached_property
    def _weighted(self) -> np.ndarray | None:
        """The signs of the noises, with weights that do not depend on them; ``None`` where a noise
        is not one number a coordinate.
        """
        d = self.size
        if self.full or any(w.shape[1] != d for w in self._noise):
            return None
        signs = np.concatenate([np.zeros((0, d)), *self._noise])
        return np.asarray(np.cos(1.0 + np.arange(len(signs)))[:, None] * signs)

    def _signed(self, noise: np.ndarray) -> np.ndarray:
        """The noises' own contributions, summed with those weights."""
        weighted = self._weighted
        return np.zeros(noise.shape[1]) if weighted is None else (weighted * noise).sum(axis=0)


def counting(shape: tuple[int, ...]) -> Rows:
    """Rows for a run that only counts the draws: none of them has a row."""
    return Rows(shape, (), np.random.default_rng(0))


def _size(std: np.ndarray, mean: np.ndarray) -> np.ndarray:
    return np.maximum(std, 1e-12 * (1 + np.abs(mean)))
