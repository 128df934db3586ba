"""Fields of a CNF whose flow is known in closed form, though it is no diffusion of a mixture.

Conventions: s is 0 at the data and 1 at the noise, dx/ds = F(x, s). They stand where a law does:
x_0 = -F and ε = 0, so that (1 - s) x_0 + s ε has the rate F.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.public.log_likelihood.law import Parts, library, like

__all__ = ["Bent", "affine_field", "bent_field"]

#: how fast the field is at s = 0, and at s = 1
SLOW, FAST = 0.6, 1.4


@dataclass(frozen=True, eq=False)
class Bent:
    """F = c(s) B [k tanh(w) + m], w = B⁻¹ x, with c(s) from 0.6 to 1.4; with ``bends`` false w
    stands for tanh(w), an affine field. sinh(w) then solves a linear equation where m is 0, so that
    the flow is w → asinh(e^{k C} sinh w), with C = ∫ c; its density is that of N(0, I) at s = 1.
    """

    name: str
    basis: np.ndarray
    rates: np.ndarray
    shift: np.ndarray
    bends: bool

    @property
    def d(self) -> int:
        return len(self.rates)

    @property
    def variances(self) -> np.ndarray:
        """Of the width over which the field bends."""
        return np.ones(self.d)

    def field(self, x: Any, s: Any) -> Any:
        lib = library(x)
        basis, back = like(self.basis.T.copy(), x), like(np.linalg.inv(self.basis).T.copy(), x)
        w = x @ back
        inner = lib.tanh(w) if self.bends else w
        return (SLOW + (FAST - SLOW) * s) * ((like(self.rates, x) * inner + like(self.shift, x))
                                             @ basis)  # fmt: skip

    def parts(self, x: Any, alpha: Any, sigma: Any, theta: Any = None) -> Parts:
        zero = 0 * x
        log_p = self.log_density(x, alpha, sigma) if library(x) is np else None
        return Parts(-self.field(x, sigma), zero, zero, log_p)

    def divergences(
        self, x: np.ndarray, alpha: float, sigma: float
    ) -> tuple[np.ndarray, np.ndarray]:
        w = x @ np.linalg.inv(self.basis).T
        slopes = 1 / np.cosh(w) ** 2 if self.bends else np.ones_like(w)
        speed = SLOW + (FAST - SLOW) * sigma
        return -speed * (self.rates * slopes).sum(-1), np.zeros(len(x))

    def log_density(self, x: np.ndarray, alpha: Any, sigma: Any) -> np.ndarray:
        """Of what ends in N(0, I), by the flow in closed form."""
        z, log_det = self.ahead(x, float(sigma), 1.0)
        return np.asarray(-(z**2).sum(-1) / 2 - self.d / 2 * np.log(2 * np.pi) + log_det)

    def ahead(self, x: np.ndarray, start: float, end: float) -> tuple[np.ndarray, np.ndarray]:
        """Where the flow leads from s = start to end, and log|det| of it."""
        growth = self.rates * (_whole(end) - _whole(start))
        w = x @ np.linalg.inv(self.basis).T
        if self.bends:
            moved = np.arcsinh(np.exp(growth) * np.sinh(w))
            log_det = (growth + np.log(np.cosh(w) / np.cosh(moved))).sum(-1)
        else:
            moved = np.exp(growth) * w + self.shift * np.expm1(growth) / self.rates
            log_det = growth.sum() + np.zeros(len(x))
        return moved @ self.basis.T, log_det

    def points(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """n points that end where N(0, I) is."""
        return self.ahead(rng.standard_normal((n, self.d)), 1.0, 0.0)[0]


def _whole(s: float) -> float:
    return SLOW * s + (FAST - SLOW) * s**2 / 2


def _basis(d: int) -> np.ndarray:
    """Not orthogonal: the Jacobian is not symmetric, unlike that of a score."""
    k = np.arange(d)
    return np.eye(d) + 0.4 * np.sin(1.0 + k[:, None] + 2.0 * k[None, :]) / max(d, 2)


def bent_field(d: int) -> Bent:
    """A conjugate of a linear flow: its trace changes from place to place and in time."""
    rates = 0.9 + 0.5 * np.cos(1.7 * np.arange(d))
    return Bent("a bent CNF", _basis(d), rates, np.zeros(d), True)


def affine_field(d: int) -> Bent:
    """Its trace changes in time only."""
    k = np.arange(d)
    return Bent("an affine CNF", _basis(d), 0.8 + 0.4 * np.sin(k + 0.3), 0.3 * np.cos(k), False)
