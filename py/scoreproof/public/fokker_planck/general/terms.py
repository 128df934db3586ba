"""Every term of the equation for log p at points of one time, for any noise, with its error.

Conventions: as in `curls` and `readings`; all terms are divided by p: ``∂_t log p = -∇·f - f·∇log p
+ ½ Σ_ij ∂_i∂_j (Σ_ij p)/p`` as Itô reads it; α takes ``α ∇·(C p)/p`` away, Fick's law ``½ ∇·((C +
E) p)/p``. Between two points of one time all terms are differences: a score knows no more.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from scoreproof.public.fokker_planck.general.curls import Around
from scoreproof.public.fokker_planck.readings import Reading

__all__ = ["ROUNDINGS", "Local", "Terms", "terms"]


@dataclass(frozen=True, eq=False)
class Local:
    """What is known at n points: f and ∂_i f_i, s = ∇log p ``(n, d)``, and ``∂_i∂_j p/p`` along the
    principal directions ``axes`` ``(n, q, d)`` of Σ, whose ``weights`` ``(n, q)`` are its
    eigenvalues; the same with the errors of each.
    """

    f: np.ndarray
    df: np.ndarray
    s: np.ndarray
    second: np.ndarray
    weights: np.ndarray
    f_error: np.ndarray
    df_error: np.ndarray
    s_error: np.ndarray
    second_error: np.ndarray


@dataclass(frozen=True, eq=False)
class Terms:
    """At n places of one time: ``(n,)``, or ``(n, d)`` for what each coordinate brings.

    ``start``: the other ends, of segments. ``shares`` ``(n, q)``: what each principal direction of
    the noise brings; ``middle`` and ``fick``: ``½ ∇·(C p)/p`` and ``½ ∇·((C + E) p)/p``.
    """

    t: float
    x: np.ndarray
    start: np.ndarray
    reading: Reading
    rate: np.ndarray
    along: np.ndarray
    squeezed: np.ndarray
    shares: np.ndarray
    square: np.ndarray
    ito: np.ndarray
    middle: np.ndarray
    fick: np.ndarray
    size: np.ndarray
    error: np.ndarray
    scatter: np.ndarray

    @property
    def carried(self) -> np.ndarray:
        """Each coordinate's part of ∇·(f p)/p ``(n, d)``."""
        return self.along + self.squeezed

    def read(self, reading: Reading) -> np.ndarray:
        """What the noise brings in a reading of dW ``(n,)``."""
        return self.ito - 2 * reading.alpha * self.middle - reading.fick * self.fick

    @property
    def spread(self) -> np.ndarray:
        return self.read(self.reading)

    @property
    def residual(self) -> np.ndarray:
        return self.rate + self.carried.sum(axis=1) - self.spread

    @property
    def own(self) -> np.ndarray:
        """The size of each coordinate's terms of the drift ``(n, d)``."""
        return np.abs(self.along) + np.abs(self.squeezed)

    def at(self, which: np.ndarray) -> Terms:
        """Some of the places."""
        return self._each(lambda v: v[which])

    def less(self, other: Terms, rate: np.ndarray, error: np.ndarray) -> Terms:
        """The terms here less those at the other ends of segments, along which ``rate`` is known to
        ``error``.
        """
        out: dict[str, Any] = {n: getattr(self, n) - getattr(other, n) for n in LINEAR}
        return replace(
            self,
            **out,
            start=other.x,
            rate=rate,
            size=self.size + other.size + np.abs(rate),
            error=self.error + other.error + error,
            scatter=self.scatter + other.scatter + error,
        )

    def with_rate(self, rate: np.ndarray, wrong: np.ndarray, eps: float) -> Terms:
        """The same with ∂_t log p, known to ``wrong``."""
        return replace(
            self,
            rate=rate,
            size=self.size + np.abs(rate),
            error=self.error + wrong + ROUNDINGS * eps * np.abs(rate),
            scatter=self.scatter + wrong,
        )

    def _each(self, of: Callable[[np.ndarray], np.ndarray]) -> Terms:
        names: tuple[str, ...] = (*LINEAR, "x", "start", "rate", "size", "error", "scatter")
        out: dict[str, Any] = {name: of(getattr(self, name)) for name in names}
        return replace(self, **out)


#: eigenvalues of Σ below this part of the largest are rounding, and no evidence of a noise
NONE = 64 * float(np.finfo(float).eps)
#: roundings that a term carries
ROUNDINGS = 16
LINEAR = ("along", "squeezed", "shares", "square", "ito", "middle", "fick")


def terms(
    t: float,
    x: np.ndarray,
    reading: Reading,
    local: Local,
    near: Around,
    eps: np.ndarray | float,
) -> Terms:
    """Without ``∂_t log p``, which is the caller's to add."""
    v, C, E = local, near.C, near.E
    whole = v.weights * v.second / 2
    largest = np.max(np.abs(v.weights), axis=1, keepdims=True)
    shares = np.where(np.abs(v.weights) > NONE * largest, whole, 0.0)
    square = np.einsum("ni,nij,nj->n", v.s, near.sigma, v.s) / 2
    by_C = (C * v.s).sum(axis=1) + near.div_C
    by_E = (E * v.s).sum(axis=1) + near.div_E
    fick = (by_C + by_E) / 2
    ito = whole.sum(axis=1) + ((C + E) * v.s).sum(axis=1) / 2 + fick
    size_of_noise = np.abs(whole).sum(axis=1) + ((np.abs(C) + np.abs(E)) * np.abs(v.s)).sum(axis=1)
    size_of_noise = size_of_noise + np.abs(near.div_C) + np.abs(near.div_E)
    size = np.abs(v.f * v.s).sum(axis=1) + np.abs(v.df).sum(axis=1)
    keen = np.abs(v.f) + np.abs(C) + np.abs(E)
    with np.errstate(invalid="ignore"):
        error = np.where(keen > 0, keen * v.s_error, 0.0) + v.f_error * np.abs(v.s) + v.df_error
        error = error + 2 * near.error * np.abs(v.s)
        second_error = np.where(v.weights != 0, np.abs(v.weights) / 2 * v.second_error, 0.0)
    scatter = error.sum(axis=1) + second_error.sum(axis=1) + 2 * near.div_error
    rounding = ROUNDINGS * eps * (size + size_of_noise + np.abs(square))
    return Terms(
        t,
        x,
        x,
        reading,
        np.zeros(len(x)),
        v.f * v.s,
        v.df,
        shares,
        square,
        ito,
        (by_C) / 2,
        fick,
        size + size_of_noise,
        scatter + rounding,
        scatter,
    )
