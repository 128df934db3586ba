"""From opaque callables to the coefficients of an affine SDE and to a declared mean and standard
deviation.

Conventions: x and x0 are rows ``(n, d)``, t a float (a 0-d tensor for PyTorch and JAX, an array
``(n,)`` with ``batched_time``). The drift must be
``a_i(t) x_i + b_i(t)`` for each coordinate; it is read off at 0 and ±1 and verified at three random
rows and a distant one, every time it is called.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import Guarded
from scoreproof.streams import stream

__all__ = ["NotAffine", "Probe", "declared"]

# the size of the distant row, where a drift that is clipped or saturates is no longer affine
FAR = 1e3
TINY = 1e-290  # below this a square has lost digits to underflow


class NotAffine(Exception):
    """The drift or diffusion is not of a form from which a Gaussian marginal with independent
    coordinates follows.
    """


def _real(guard: Guarded, array: np.ndarray) -> np.ndarray:
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
    underflowed: bool = False  # whether some g² is too small for a float while g is not zero

    def __post_init__(self) -> None:
        ones = np.ones((1, self.d))
        extra = stream(self.seed, "check_marginals", "probes").uniform(-2, 2, (3, self.d))
        signs = np.where(np.arange(self.d) % 2 == self.seed % 2, 1.0, -1.0)
        self.rows = np.concatenate([0 * ones, ones, -ones, extra, FAR * signs[None]])

    def time(self, t: float, n: int) -> Any:
        """t as the callables take it."""
        return np.full(n, t) if self.batched_time else (np.asarray(t) if self.tensors else t)

    def settle(self, t: float) -> None:
        """Call both twice: they must be deterministic, and their precision is known afterwards."""
        rows = self.rows[:-1]  # not the distant one, where an inadmissible drift may overflow
        self.drift.deterministic(rows, self.time(t, len(rows)), shape=rows.shape)
        self.diffusion.deterministic(self.time(t, len(self.rows)))

    def coefficients(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """a, b and g² at the times ``(m,)``: arrays ``(m, d)``."""
        parts = [(*self._affine(t), self._squared(t)) for t in times.tolist()]
        a, b, g2 = (np.array(p) for p in zip(*parts, strict=True))
        return a, b, g2

    def _affine(self, t: float) -> tuple[np.ndarray, np.ndarray]:
        rows = self.rows
        try:
            a, b, affine, size = self._read(rows, t)
        except CallableError:
            # exp(x) overflows at the distant row: without it the drift is finite, and found not to
            # be affine
            rows = rows[:-1]
            a, b, affine, size = self._read(rows, t)
            if affine:
                raise
        if not affine:
            raise NotAffine(self._why(t, size, rows[3:]))
        return a, b

    def _read(self, rows: np.ndarray, t: float) -> tuple[np.ndarray, np.ndarray, bool, float]:
        """a, b, whether they give back the drift at all rows, and the drift's size near 0."""
        f = _real(self.drift, self.drift(rows, self.time(t, len(rows)), shape=rows.shape))
        a, b = (f[1] - f[2]) / 2, f[0]
        near = float(np.max(np.abs(f[:6])))
        # a drift is a few operations on numbers of this size; each row by itself, so that the
        # distant one hides nothing near 0
        size = near * np.maximum(1.0, np.max(np.abs(rows), axis=1) / 2)
        return (
            a,
            b,
            bool(np.all(np.max(np.abs(a * rows + b - f), axis=1) <= 256 * self.drift.eps * size)),
            near,
        )

    def _why(self, t: float, size: float, others: np.ndarray) -> str:
        """A second look, with one row for each axis: does it mix coordinates, or is it not affine
        at all?
        """
        rows = np.concatenate([np.zeros((1, self.d)), np.eye(self.d), others])
        f = self.drift(rows, self.time(t, len(rows)), shape=rows.shape)
        matrix = f[1 : self.d + 1] - f[0]
        far = np.maximum(1.0, np.max(np.abs(rows), axis=1) / 2)
        affine = np.all(
            np.max(np.abs(rows @ matrix + f[0] - f), axis=1)
            <= 1024 * self.d * self.drift.eps * size * far
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
        n = len(self.rows)
        g = _real(self.diffusion, self.diffusion(self.time(t, n)))
        if g.size == 1:
            return np.full(self.d, self._square(g.ravel())[0])
        if self.batched_time and g.shape[0] == n:
            if np.any(g != g[:1]):
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


def declared(
    marginal: Guarded, x0: np.ndarray, t: float, time: Any, batched_time: bool
) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation that ``marginal`` declares at t, both broadcast to the shape of
    ``x0``.
    """
    result = marginal.raw(x0, time)
    if not isinstance(result, tuple | list) or len(result) != 2:
        got = f"{len(result)} values" if isinstance(result, tuple | list) else type(result).__name__
        raise CallableError(
            "marginal",
            "return the pair (mean, std)",
            f"it returned {got} at t = {t:.3g}",
            "return (mean, std)",
        )
    mean = _real(marginal, marginal.accept(result[0], x0.shape, f"at t = {t:.3g} a mean"))
    std = marginal.accept(result[1], None, f"at t = {t:.3g} a standard deviation")
    if std.shape == (len(x0),) and (batched_time or len(x0) != x0.shape[1]):
        std = std[:, None]  # one for each row, as classes with batched times return it
    return mean, _real(
        marginal, marginal.accept(std, x0.shape, f"at t = {t:.3g} a standard deviation")
    )
