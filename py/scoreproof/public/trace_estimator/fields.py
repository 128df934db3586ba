"""Fields to try an estimator on, with νᵀJν and tr J in closed form.

Conventions: rows z, ν ``(m, D)``. Sizes are the sums of the absolute values of all terms that
rounding acts on, so that ``roundings · eps · size`` bounds the rounding of any order of summation.
Why these fields: each coordinate contributes to the trace by itself, no term is thinned by its
neighbours, and at z_k = 0 coordinate k contributes exactly nothing: a row can look at a few.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

__all__ = ["CubicField", "Mirrored", "RationalField", "Trial", "coupling"]

Entries = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]


class Trial(Protocol):
    """``function``: f as the estimator gets it. ``roundings``: of one term, in units of eps."""

    @property
    def function(self) -> Callable[[Any], Any]: ...

    @property
    def roundings(self) -> float: ...

    def quadratic(self, z: np.ndarray, nu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``νᵀJν`` and its size, ``(m,)`` each."""

    def trace(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """``tr J`` and its size, ``(m,)`` each."""

    def product(self, z: np.ndarray, v: np.ndarray) -> np.ndarray:
        """``J v``, ``(m, D)``."""

    def values(self, z: np.ndarray) -> np.ndarray:
        """``f(z)``, ``(m, D)``."""

    def diagonal(self, z: np.ndarray) -> np.ndarray:
        """J_kk, ``(m, D)``."""


def coupling(rng: np.random.Generator, d: int) -> tuple[np.ndarray, np.ndarray]:
    """One cycle through all coordinates: its order, and the neighbour of each coordinate."""
    order = rng.permutation(d)
    neighbour = np.empty(d, dtype=int)
    neighbour[order] = np.roll(order, -1)
    return order, neighbour


class _Sparse:
    """J has a diagonal and one further entry a row, at the neighbour."""

    neighbour: np.ndarray
    #: the rows asked last, and their entries: a search asks for the same ones hundreds of times
    _last: tuple[np.ndarray, Entries] | None = None

    def entries(self, z: np.ndarray) -> Entries:
        """J_kk, J_kπ(k) and the sizes of both, ``(m, D)`` each."""
        if self._last is None or self._last[0] is not z:
            self._last = z, self.computed(z)
        return self._last[1]

    def computed(self, z: np.ndarray) -> Entries:
        raise NotImplementedError

    def quadratic(self, z: np.ndarray, nu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own, other, own_size, other_size = self.entries(z)
        there = nu[:, self.neighbour]
        value = (nu * (own * nu + other * there)).sum(axis=1)
        size = (np.abs(nu) * (own_size * np.abs(nu) + other_size * np.abs(there))).sum(axis=1)
        return value, size

    def trace(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        own, _, own_size, _ = self.entries(z)
        return own.sum(axis=1), own_size.sum(axis=1)

    def product(self, z: np.ndarray, v: np.ndarray) -> np.ndarray:
        """``J v``."""
        own, other, _, _ = self.entries(z)
        return own * v + other * v[:, self.neighbour]

    def diagonal(self, z: np.ndarray) -> np.ndarray:
        own, other, _, _ = self.entries(z)
        return own + other * (self.neighbour == np.arange(z.shape[1]))


class RationalField(_Sparse):
    """``f_k = s_k z_k (b - r_k) (1 + c_k (1 - r_π(k)))`` with ``r = 1/(1+z²)``.

    Rational, so that no difference with long steps is exact, as central ones are on polynomials.
    ``shift``: of the neighbours along the ring, in place of a random cycle, with c of one sign.
    ``floor`` b: 1 (nothing from z_k = 0), or more where the points are not ours to choose.
    """

    roundings = 8.0

    def __init__(
        self,
        rng: np.random.Generator,
        d: int,
        convert: Callable[[np.ndarray], Any],
        rounded: Callable[[np.ndarray], np.ndarray],
        floor: float = 1.0,
        *,
        shift: int = 0,
    ) -> None:
        self.order, self.neighbour = coupling(rng, d)
        if shift:
            self.neighbour = (np.arange(d) + shift) % d
        self.floor = floor
        scale, mix = rng.uniform(0.5, 2, d), rng.choice([-1, 1], d) * rng.uniform(0.2, 0.5, d)
        if d == 1:
            mix = 0 * mix
        if shift:
            mix = np.abs(mix) * rng.choice([-1, 1])
        self.scale, self.mix = rounded(scale), rounded(mix)
        s, c, neighbour = convert(scale), convert(mix), self.neighbour

        def function(z: Any) -> Any:
            r = 1 / (1 + z * z)
            return s * z * (floor - r) * (1 + c * (1 - r[..., neighbour]))

        self.function = function

    def values(self, z: np.ndarray) -> np.ndarray:
        r = 1 / (1 + z * z)
        bent = 1 + self.mix * (1 - r[:, self.neighbour])
        return np.asarray(self.scale * z * (self.floor - r) * bent)

    def computed(self, z: np.ndarray) -> Entries:
        r, c, s, b = 1 / (1 + z * z), self.mix, self.scale, self.floor
        w, there = z[:, self.neighbour], r[:, self.neighbour]
        bend = 2 * z * z * r * r
        own = s * (b - r + bend) * (1 + c * (1 - there))
        other = s * z * (b - r) * c * 2 * w * there * there
        # at z = 0 and b = 1 the cancellation is exact
        live = (z != 0) | (b > 1)
        own_size = s * (b + r + bend) * (1 + np.abs(c) * (1 + there)) * live
        other_size = s * np.abs(z * c * w) * (b + r) * 2 * there * there
        return own, other, own_size, other_size


class CubicField(_Sparse):
    """``f_k = 2 z_k³ + 4 w z_k²``, w at the neighbour: exact at the integers 0, ±1, ±2.

    Couplings are as large as the diagonal, so that no tolerance hides a ν that is not drawn.

    For float16 and bfloat16, where every product below is a representable number and rounding
    enters with the last few operations only.
    """

    roundings = 2.0

    def __init__(self, rng: np.random.Generator, d: int) -> None:
        self.order, self.neighbour = coupling(rng, d)
        neighbour, mixed = self.neighbour, 4.0 * float(d > 1)
        self.mixed = mixed

        def function(z: Any) -> Any:
            return z * z * (2 * z + mixed * z[..., neighbour])

        self.function = function

    def values(self, z: np.ndarray) -> np.ndarray:
        return np.asarray(self.function(z))

    def computed(self, z: np.ndarray) -> Entries:
        w = z[:, self.neighbour] * self.mixed
        other = self.mixed * z * z
        return 6 * z * z + 2 * w * z, other, 6 * z * z + np.abs(2 * w * z), other


@dataclass(frozen=True, eq=False)
class Mirrored:
    """-f: where every trace of f is positive, those of -f show an absolute value or a clip at 0."""

    trial: Trial

    def function(self, z: Any) -> Any:
        return -self.trial.function(z)

    @property
    def roundings(self) -> float:
        return self.trial.roundings

    def quadratic(self, z: np.ndarray, nu: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, size = self.trial.quadratic(z, nu)
        return -value, size

    def trace(self, z: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, size = self.trial.trace(z)
        return -value, size

    def product(self, z: np.ndarray, v: np.ndarray) -> np.ndarray:
        """``J v``."""
        return -self.trial.product(z, v)

    def values(self, z: np.ndarray) -> np.ndarray:
        """``f(z)``."""
        return -self.trial.values(z)

    def diagonal(self, z: np.ndarray) -> np.ndarray:
        return -self.trial.diagonal(z)
