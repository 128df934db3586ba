"""From an opaque drift and diffusion to the coefficients of an affine SDE.

Conventions: x are rows ``(n, d)``, t a float (a 0-d tensor for PyTorch and JAX, an array ``(n,)``
with ``batched_time``). The drift must be ``a_i(t) x_i + b_i(t)`` for each coordinate; it is read
off at 0 and ±1 and verified at three random rows (small, middling, large) and a distant one, each
with both signs, every time it is called.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.streams import stream

__all__ = ["FAR", "TINY", "NotAffine", "Probe", "real"]

# the size of the distant rows, where a drift that is clipped or saturates is no longer affine
FAR = 1e3
# sizes of the three random rows
SIZES = ((0.05, 0.3), (0.5, 2.0), (5.0, 30.0))
TINY = 1e-290  # below this a square has lost digits to underflow
# roundings of its own size that a drift may be away from affine; in half precision, where so many
# would be everything, a dozen operations
AFFINE, AFFINE_HALF = 256, 16
DISTANT = 2  # rows at the end that are distant
HALF = 1e-4  # roundoffs above this are those of half precision
REMEMBERED = 4_000_000  # numbers kept of answers, so that a second quadrature asks nothing again


class NotAffine(Exception):
    """The drift or diffusion is not of a form from which a Gaussian marginal with independent
    coordinates follows.
    """


def real(guard: Guarded, array: np.ndarray) -> np.ndarray:
    if np.iscomplexobj(array):
        raise CallableError(
            guard.name,
            "return real numbers",
            "it returned complex ones",
            "check for the square root of a negative number",
        )
    return array


@dataclass(eq=False)
class Probe:
    """``drift`` and ``diffusion`` behind their guards; `coefficients` is what the quadrature asks
    for.
    """

    drift: Guarded
    diffusion: Guarded
    d: int
    tensors: bool
    batched_time: bool
    seed: int
    horizon: float = 1.0
    underflowed: bool = False  # whether some g² is too small for a float while g is not zero
    misfit: float = 0.0  # the largest part of its size by which the drift is not affine
    asked: float = 0.0  # the time of the last question
    known: dict[float, tuple[np.ndarray, ...]] = field(default_factory=dict)
    # at which times drift and diffusion are asked instead of t
    drift_clock: Callable[[float], float] | None = None
    diffusion_clock: Callable[[float], float] | None = None

    def __post_init__(self) -> None:
        ones = np.ones((1, self.d))
        rng = stream(self.seed, "check_marginals", "probes")
        extra = np.array([rng.uniform(low, high, self.d) for low, high in SIZES])
        extra = extra * rng.choice([-1.0, 1.0], extra.shape)
        signs = np.where(np.arange(self.d) % 2 == self.seed % 2, 1.0, -1.0)
        far = FAR * signs[None]
        # both signs of each: a drift may be clipped, or steeper, on one side of 0 alone
        self.rows = np.concatenate([0 * ones, ones, -ones, extra, -extra, far, -far])

    @property
    def near(self) -> np.ndarray:
        """The rows without the distant ones."""
        return self.rows[:-DISTANT]

    @property
    def affine_bound(self) -> float:
        """The part of its size by which rounding may keep the drift from being affine."""
        return (AFFINE_HALF if self.drift.eps > HALF else AFFINE) * self.drift.eps

    def time(self, t: float, n: int) -> Any:
        """t as the callables take it."""
        return np.full(n, t) if self.batched_time else (np.asarray(t) if self.tensors else t)

    def settle(self, t: float) -> None:
        """Call both twice: they must be deterministic, and their precision is known afterwards."""
        rows = self.near  # not the distant ones, where an inadmissible drift may overflow
        with np.errstate(all="ignore"):
            self.drift.deterministic(rows, self.time(t, len(rows)), shape=rows.shape)
            self.diffusion.deterministic(self.time(t, len(self.rows)))
        if self.drift.eps == float(np.finfo(np.float16).eps):
            self.rows[-DISTANT:] /= 100  # where float16 has no room for a drift at 1000

    def coefficients(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """a, b and g² at the times ``(m,)``: arrays ``(m, d)``."""
        with np.errstate(all="ignore"):
            parts = [self._at(t) for t in times.tolist()]
        a, b, g2 = (np.array(p) for p in zip(*parts, strict=True))
        return a, b, g2

    def _at(self, t: float) -> tuple[np.ndarray, ...]:
        if t not in self.known:
            self.asked = t
            u = t if self.drift_clock is None else self.drift_clock(t)
            v = t if self.diffusion_clock is None else self.diffusion_clock(t)
            found = (*self._affine(u), self._squared(v))
            if 3 * self.d * len(self.known) > REMEMBERED:
                return found
            self.known[t] = found
        return self.known[t]

    def _affine(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows
        try:
            a, b, misfit, size = self._read(rows, t)
        except CallableError:
            # exp(x) overflows at a distant row: without them the drift is finite, and found not to
            # be affine
            rows = self.near
            a, b, misfit, size = self._read(rows, t)
            if misfit <= self.affine_bound:
                raise
        if misfit > self.affine_bound:
            raise NotAffine(self._why(t, size, rows[3:]))
        self.misfit = max(self.misfit, misfit)
        return a, b

    def _read(self, rows: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray, float, np.ndarray]:
        """a, b, by which part of the drift they miss it at the worst row and coordinate, and the
        size of each coordinate near 0.
        """
        f = real(self.drift, self.drift(rows, self.time(t, len(rows)), shape=rows.shape))
        a, b = (f[1] - f[2]) / 2, f[0]
        # a drift is a few operations on numbers of this size; each row and coordinate by itself, so
        # that a distant row hides nothing near 0, and a fast coordinate nothing in a slow one,
        # unless it is so slow that it does not move over the whole span
        near = np.max(np.abs(f[:3]), axis=0)
        near = np.maximum(near, min(float(np.max(near)), 1 / self.horizon))
        size = near * np.maximum(1.0, np.max(np.abs(rows), axis=1))[:, None]
        gap = np.abs(a * rows + b - f)
        return a, b, float(np.max(np.where(gap == 0, 0.0, gap / size))), near

    def _why(self, t: float, size: np.ndarray, others: np.ndarray) -> str:
        """A second look, with one row for each axis: does it mix coordinates, or is it not affine
        at all?
        """
        rows = np.concatenate([np.zeros((1, self.d)), np.eye(self.d), others])
        f = self.drift(rows, self.time(t, len(rows)), shape=rows.shape)
        matrix = f[1 : self.d + 1] - f[0]
        far = np.maximum(1.0, np.max(np.abs(rows), axis=1))[:, None]
        affine = np.all(
            np.abs(rows @ matrix + f[0] - f) <= 1024 * self.d * self.drift.eps * size * far
        )
        return (
            f"the drift mixes coordinates (t = {t:.3g}), so that a mean and a standard deviation"
            " for each do not describe the marginal"
            if affine
            else (
                f"the drift is not affine in x (t = {t:.3g}), so that the marginal is not Gaussian"
                " and cannot be derived from two moments"
            )
        )

    def _squared(self, t: float) -> np.ndarray:
        # so that an entry for each row and one for each coordinate are not taken for one another
        n = len(self.rows) + (len(self.rows) == self.d)
        g = real(self.diffusion, self.diffusion(self.time(t, n)))
        if g.size == 1:
            return np.full(self.d, self._square(g.ravel())[0])
        if self.batched_time and g.shape[0] == n:
            # rows may be computed in other lanes of a vector unit, and differ in the last digits
            if np.any(np.abs(g - g[:1]) > 64 * self.diffusion.eps * np.abs(g[:1])):
                raise CallableError(
                    "diffusion", "depend on t only", "its rows differ at one t", "return g(t)"
                )
            g = g[0]
        if g.shape == (self.d, self.d):
            if np.any(g != np.diag(np.diagonal(g))):
                raise NotAffine(f"the diffusion matrix mixes coordinates (t = {t:.3g})")
            g = np.diagonal(g)
        if g.size not in (1, self.d):
            raise CallableError(
                "diffusion",
                f"return a number, or one for each of the {self.d} coordinates",
                f"it returned shape {g.shape}",
                "return g(t), not a batch of them",
            )
        return np.broadcast_to(self._square(g.ravel()), (self.d,))

    def _square(self, g: np.ndarray) -> np.ndarray:
        squared = g**2
        self.underflowed = self.underflowed or bool(np.any((g != 0) & (squared < TINY)))
        return squared
