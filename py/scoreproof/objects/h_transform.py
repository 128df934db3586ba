"""Nonlinear processes with closed-form marginals in any dimension: drift ``ρ² ∇log h``, h a
solution of the backward heat equation.

Conventions
-----------
- ``h(x, t) = Σ_k c_k exp(a_k·x - |a_k|² τ(t)/2)`` with c_k > 0 and the clock ``τ(t) = ∫_0^t ρ²``;
  it solves ``∂_t h + (ρ²/2) Δh = 0``. Beneš's process is ``h = cosh(x) e^{-τ/2}``: c = (1/2, 1/2),
  a = ±1, drift ``ρ² tanh x``.
- The process ``dX = ρ² ∇log h dt + ρ dW`` has the transition density ``h(y, t)/h(x, s) N(y; x,
  (τ(t)-τ(s)) I)``.
- Start: ``p_0 ∝ h(x, 0) Σ_j w_j N(x; m_j, v_j I)``; then ``p_t ∝ h(x, t) Σ_j w_j N(x; m_j, (v_j +
  τ) I)`` with the same constant, v_j = 0 (points) allowed for t > 0.
- A point is a list of d coordinates (numbers, arrays, balls, jets), a time a number or a jet: every
  method works in the arithmetic it is given. ``rho2`` are the coefficients of the polynomial ρ² in
  t, lowest degree first.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.numerics import functions as fn
from scoreproof.objects.linear_sde import horner

__all__ = ["HTransform", "benes"]


@dataclass(frozen=True)
class HTransform:
    """``dX = ρ² ∇log h dt + ρ dW``; ``c`` (k), ``a`` (k×d), ``rho2`` polynomial, ``weights`` (j),
    ``means`` (j×d), ``variances`` (j).

    >>> p = benes([1.0], [0.0])
    >>> float(p.density([0.5], 1.0)) > 0, bool(abs(p.drift([0.5], 1.0)[0] - np.tanh(0.5)) < 1e-15)
    (True, True)
    """

    c: Sequence[Any]
    a: Sequence[Sequence[Any]]
    rho2: Sequence[Any]
    weights: Sequence[Any]
    means: Sequence[Sequence[Any]]
    variances: Sequence[Any]

    @property
    def dimension(self) -> int:
        """d."""
        return len(self.a[0])

    def clock(self, t: Any) -> Any:
        """``τ(t) = ∫_0^t ρ²``."""
        return horner([q / (k + 1) for k, q in enumerate(self.rho2)], t) * t

    def diffusion(self, t: Any) -> Any:
        """ρ(t)."""
        return fn.sqrt(horner(self.rho2, t))

    def _terms(self, x: Sequence[Any], tau: Any) -> list[Any]:
        """The summands of h at x."""
        return [
            c * fn.exp(_dot(a, x) - tau * (_dot(a, a) / 2))
            for c, a in zip(self.c, self.a, strict=True)
        ]

    def drift(self, x: Sequence[Any], t: Any) -> list[Any]:
        """``ρ² ∇log h``: d entries."""
        terms = self._terms(x, self.clock(t))
        total, rate = sum(terms[1:], terms[0]), horner(self.rho2, t)
        return [_dot([a[i] for a in self.a], terms) / total * rate for i in range(self.dimension)]

    def drift_slopes(self, x: Sequence[Any], t: Any) -> list[Any]:
        """``∂_i f_i``: d entries (the derivative of the quotient ``ρ² ∂_i h / h``)."""
        terms = self._terms(x, self.clock(t))
        total, rate = sum(terms[1:], terms[0]), horner(self.rho2, t)
        out = []
        for i in range(self.dimension):
            first = _dot([a[i] for a in self.a], terms) / total
            out.append((_dot([a[i] * a[i] for a in self.a], terms) / total - first * first) * rate)
        return out

    def normaliser(self) -> Any:
        """``∫ h(x, 0) Σ_j w_j N(x; m_j, v_j I) dx``."""
        return sum(
            w * c * fn.exp(_dot(a, m) + _dot(a, a) * v / 2)
            for w, m, v in zip(self.weights, self.means, self.variances, strict=True)
            for c, a in zip(self.c, self.a, strict=True)
        )

    def density(self, x: Sequence[Any], t: Any) -> Any:
        """``p_t(x)``; x and t in one arithmetic (both may be jets of one order, or one of them)."""
        tau = self.clock(t)
        mixture: Any = 0
        for w, m, v in zip(self.weights, self.means, self.variances, strict=True):
            spread = tau + v
            r2 = sum((u - n) * (u - n) for u, n in zip(x, m, strict=True))
            heat = fn.exp(r2 / spread * -1 / 2)
            volume = (spread * (2 * fn.pi_like(spread))) ** (self.dimension // 2)
            if self.dimension % 2:
                volume = volume * fn.sqrt(spread * (2 * fn.pi_like(spread)))
            mixture = mixture + heat / volume * w
        terms = self._terms(x, tau)
        return mixture * sum(terms[1:], terms[0]) / self.normaliser()

    def log_density_rows(self, x: np.ndarray, t: Any) -> np.ndarray:
        """``log p_t`` at the rows of x ``(n, d)``, in floats, without underflow; analytic in x and
        t.
        """
        from scoreproof.numerics.linear import log_sum_exp

        a, c = np.asarray(self.a, dtype=float), np.asarray(self.c, dtype=float)
        m, v, w = (np.asarray(u, dtype=float) for u in (self.means, self.variances, self.weights))
        tau = self.clock(t)
        log_h = log_sum_exp(np.log(c) + x @ a.T - tau * (a * a).sum(axis=1) / 2)
        spread = v + tau
        r = x[:, None, :] - m
        logs = (
            np.log(w)
            - (r * r).sum(axis=2) / (2 * spread)
            - 0.5 * self.dimension * np.log(2 * np.pi * spread)
        )
        constant = log_sum_exp(
            (
                np.log(w)[:, None] + np.log(c) + m @ a.T + 0.5 * v[:, None] * (a * a).sum(axis=1)
            ).ravel()
        )
        return log_h + log_sum_exp(logs) - constant


def benes(weights: Sequence[Any], points: Sequence[Any], rho2: Sequence[Any] = (1,)) -> HTransform:
    """Beneš's process in one dimension, drift ``ρ² tanh x``, started from ``points`` with
    probability ∝ ``weights · cosh(points)``.
    """
    one = rho2[0] * 0 + 1
    return HTransform(
        (one / 2, one / 2),
        ((one,), (-one,)),
        rho2,
        weights,
        tuple((p,) for p in points),
        tuple(p * 0 for p in points),
    )


def _dot(a: Sequence[Any], b: Sequence[Any]) -> Any:
    total = b[0] * a[0]
    for u, v in zip(a[1:], b[1:], strict=True):
        total = total + v * u
    return total
