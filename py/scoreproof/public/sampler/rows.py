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
#: single draws that are far out, in standard deviations, and how many of them in one row
TAIL, FEW = 3.0, 3
#: rows with all draws at once, with all of them reversed, and with a few far out
TOGETHER = 3


@dataclass(frozen=True, eq=False)
class Law:
    """Mean ``(d,)`` and covariance (as standard deviations ``(d,)``, or ``(d, d)``) of a state, and
    by how much it is not affine inside, and far out, both in standard deviations; ``mixed``: how
    far the start's coordinates are from answering each for itself; ``signed`` ``(d,)``: a sum over
    the noises that another choice of signs leaves as it is, if each coordinate has its own;
    ``joint`` and ``tail``: how far all draws together, and a few that are far out, are from the sum
    of single ones, in standard deviations; ``most``: the largest number in the rows that start far
    out; ``lost``: the largest number beside the standard deviation, which roundings grow by.
    """

    mean: np.ndarray
    std: np.ndarray
    cov: np.ndarray | None
    bend: float
    far: float
    mixed: float
    signed: np.ndarray
    joint: float
    tail: float
    most: float = np.inf
    lost: float = 1.0


@dataclass(eq=False)
class Rows:
    """``shape`` of one sample; ``draws``: the shape of each draw's row, in the order asked;
    ``code``: which coordinates have their signs reversed: any two of them differ in some code.
    """

    shape: tuple[int, ...]
    draws: tuple[tuple[int, ...], ...]
    rng: np.random.Generator
    full: bool = False
    others: float = 0.5
    code: int = 0
    served: int = field(default=0, init=False)
    #: what stands in for the first draw, where a sampler draws the x that it starts from
    own: np.ndarray | None = field(default=None, init=False)

    def __post_init__(self) -> None:
        d = self.size
        signs = self.rng.choice([-1.0, 1.0], (2, d))
        zero = np.zeros((1, d))
        if self.full:
            spread = np.eye(d)
            self._noise = [np.eye(int(np.prod(s))) for s in self.draws]
        else:
            spread = signs
            self._noise = [self._signs(int(np.prod(s)))[None] for s in self.draws]
        self.signs = signs
        self._start = np.concatenate([zero, -signs[:1], FAR * signs[:1], -FAR * signs[:1], spread])
        self._first = len(self._start)
        ends = np.cumsum([0, *(len(n) for n in self._noise)])
        self._at = self._first + ends
        self._last = int(self._at[-1])
        self.count = self._last + TOGETHER
        joint = np.random.default_rng(len(self.draws))
        self._joint = [
            joint.choice([-1.0, 1.0], len(n)) if self.full else np.ones(1) for n in self._noise
        ]
        chosen = np.linspace(0, len(self.draws) - 1, FEW).round().astype(int)
        self._far = set(chosen.tolist()) if self.draws else set()

    @property
    def size(self) -> int:
        """d, the number of coordinates of a sample."""
        return int(np.prod(self.shape)) if self.shape else 1

    def begin(self) -> None:
        """Before every run."""
        self.served = 0
        self.own = None

    def start(self, mean: np.ndarray, std: np.ndarray) -> np.ndarray:
        """The rows ``(n, d)`` that a chain is started from."""
        x = np.repeat(mean[None], self.count, axis=0)
        x[: self._first] += SIZE * std * self._start
        x[self._last] += SIZE * std * self.signs[0]
        x[self._last + 1] -= SIZE * std * self.signs[0]
        return x

    def _signs(self, m: int) -> np.ndarray:
        signs = self.rng.choice([-1.0, 1.0], m)
        return (
            np.where((np.arange(m) >> (self.code - 1)) & 1, -signs, signs) if self.code else signs
        )

    def noise(self, draw: Draw) -> np.ndarray:
        """What stands in for a draw; its rows beyond the batch's are 0."""
        if draw.kind != "normal":
            return np.full(draw.shape, self.others)
        if self.own is not None and draw.shape[:1] == (self.count,):
            own, self.own = self.own, None
            return own.reshape(draw.shape)
        k, self.served = self.served, self.served + 1
        z = np.zeros(draw.shape)
        if k < len(self._noise) and draw.shape[:1] == (self.count,):
            flat = z.reshape(self.count, -1)
            flat[self._at[k] : self._at[k + 1]] = SIZE * self._noise[k]
            together = self._joint[k] @ self._noise[k]
            flat[self._last : self._last + 2] = SIZE * together, -SIZE * together
            flat[self._last + 2] = TAIL * together * (k in self._far)
        return z

    def law(self, x: np.ndarray) -> Law:
        """The law of the state with the rows x ``(n, d)``."""
        with np.errstate(all="ignore"):
            return self._law(x)

    def _law(self, x: np.ndarray) -> Law:
        mean = x[0]
        moved = (x - mean) / SIZE
        spread = moved[4 : self._first]
        noise = moved[self._first : self._last]
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
        together, few = self._together
        all_draws = plus + together @ noise
        one, other, some = moved[self._last :]
        joint = float(np.max(np.maximum(np.abs(one - all_draws), np.abs(other + all_draws)) / size))
        tail = float(np.max(np.abs(some - TAIL / SIZE * (few @ noise)) / size))
        most = float(np.max(np.abs(x[2:4])))
        lost = float(np.max(np.abs(x).max(axis=0) / size))
        return Law(mean, std, cov, bend, far, mixed, signed, joint, tail, most, lost)

    @cached_property
    def _together(self) -> tuple[np.ndarray, np.ndarray]:
        """The weights of all draws in the row that has them together, and of the few far ones."""
        few = (j * (k in self._far) for k, j in enumerate(self._joint))
        return np.concatenate([np.zeros(0), *self._joint]), np.concatenate([np.zeros(0), *few])

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
