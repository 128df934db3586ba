"""Linear SDEs ``dX = (A X + b) dt + ρ(t) dW`` with exact transitions, and Gaussian-mixture
marginals from a mixture start.

Conventions
-----------
- Points are rows ``(n, d)``; the drift acts on a row x as ``A x + b``, in code ``x @ A.T + b``.
- ``rho`` is the diffusion coefficient (its square is the rate of variance): a number, the
  coefficients of a polynomial in t (lowest degree first), or a callable. ``A`` is ``(d, d)``, a
  number (times the identity), or a callable of t giving either.
- Numbers only do not tell d: each coordinate then moves by itself, and rows of any width are taken.
- Time runs forward; ``start`` is the law at time 0. Covariances are covariances.
- ``t`` may be complex with a tiny imaginary part where A and ρ are not callables (or are analytic):
  everything here is analytic in t, so a complex step through ``log_density`` gives ∂_t.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float
from scoreproof.numerics.collocation import gauss_legendre, integrate
from scoreproof.numerics.linear import log_sum_exp
from scoreproof.objects.mixtures import GaussianMixture

__all__ = ["LinearSDE", "horner", "van_loan"]


def horner(coefficients: Sequence[Any], t: Any) -> Any:
    """``Σ c_k t^k`` in the arithmetic of the inputs.

    >>> horner([1.0, 0.0, 2.0], 3.0)
    19.0
    """
    total = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        total = total * t + c
    return total


def van_loan(A: Sequence[Sequence[Any]], squared: Sequence[Any]) -> list[list[Any]]:
    """The block matrix M whose exponential holds ``∫_0^t e^{A(t-s)} q(s) e^{Aᵀ(t-s)} ds`` for a
    polynomial ``q = Σ q_j s^j``.

    With F = exp(M t) cut into d×d blocks, the integral is ``Σ_j j! q_j F[0, j+1] Φᵀ`` with ``Φ =
    F[0, 0] = e^{At}``. Works for any entries (floats, rationals, balls); ``squared`` only gives the
    degree.
    """
    d, blocks = len(A), len(squared) + 1
    M = [[0 * A[0][0] for _ in range(d * blocks)] for _ in range(d * blocks)]
    for i in range(d):
        for j in range(d):
            M[i][j] = A[i][j]
            for k in range(1, blocks):
                M[k * d + i][k * d + j] = -A[j][i]
        for k in range(blocks - 1):
            M[k * d + i][(k + 1) * d + i] = 0 * A[0][0] + 1
    return M


class LinearSDE:
    """``dX = (A X + b) dt + ρ(t) dW`` in R^d.

    Parameters
    ----------
    A: ``(d, d)``, a number, or a callable of t. b: ``(d,)`` or a number. rho: a number, polynomial
        coefficients, or a callable.
    dimension: where neither A nor b has a shape that tells, it may be left out: then
        ``any_dimension`` is true, ``drift``, ``marginal`` and ``log_density`` take rows of any
        width, and ``transition`` and ``matrix`` answer for one coordinate (``transition`` for d of
        them with ``dimension=d``).

    >>> ou = LinearSDE([[-1.0]], 0.0, np.sqrt(2.0))
    >>> ou.marginal(50.0, GaussianMixture.gaussian([3.0], [[4.0]])).covariances.round(12).tolist()
    [[[1.0]]]
    >>> LinearSDE(-0.5, 1.0).drift(np.array([[0.0, 2.0]]), 0.0).tolist()
    [[1.0, 0.0]]
    """

    def __init__(
        self, A: Any, b: Any = 0.0, rho: Any = 1.0, *, dimension: int | None = None
    ) -> None:
        shape = np.shape(A(0.0)) if callable(A) else np.shape(to_float("A", A))
        shift = to_float("b", b)
        d = dimension or (shape[0] if len(shape) == 2 else (shift.size if shift.ndim else 1))
        if shape not in ((), (d, d)):
            raise ArgumentError(
                "A",
                f"a number or of shape ({d}, {d})",
                f"shape {shape}",
                "the drift of a row x is A x + b",
            )
        if shift.ndim and shift.shape != (d,):
            raise ArgumentError(
                "b",
                f"a number or of shape ({d},)",
                f"shape {shift.shape}",
                "one entry for each coordinate",
            )
        self.dimension = int(d)
        #: nothing told d: every coordinate moves like the one described
        self.any_dimension = dimension is None and shape == () and shift.ndim == 0
        self._A = (
            A if callable(A) else np.asarray(A, dtype=float) * (np.eye(d) if shape == () else 1.0)
        )
        self.b = np.broadcast_to(shift, (d,)).astype(float)
        self._rho: Any = rho if callable(rho) else np.atleast_1d(to_float("rho", rho))

    # -- coefficients ------------------------------------------------------------------------------

    def matrix(self, t: Any = 0.0) -> np.ndarray:
        """A at time t: ``(d, d)``."""
        if not callable(self._A):
            return self._A
        value = np.asarray(self._A(t))
        return value * np.eye(self.dimension) if value.ndim == 0 else value

    def drift(self, x: np.ndarray, t: Any) -> np.ndarray:
        """``A x + b`` at the rows of x ``(n, d)``: ``(n, d)``."""
        if self.any_dimension:
            return x * self.matrix(t)[0, 0] + self.b[0]
        return x @ self.matrix(t).T + self.b

    def diffusion(self, t: Any) -> Any:
        """ρ(t): a number."""
        return self._rho(t) if callable(self._rho) else horner(self._rho, t)

    # -- laws --------------------------------------------------------------------------------------

    def transition(
        self, s: Any, t: Any, *, dimension: int | None = None
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """``(Φ, c, Q)`` with ``X_t | X_s = x ~ N(Φ x + c, Q)``, s ≤ t: Φ ``(d, d)``, c ``(d,)``, Q
        ``(d, d)``. ``dimension``: d, where numbers only did not tell it (default 1).

        Exact (matrix exponentials on pieces with ‖A‖h ≤ 1, so that nothing large is subtracted) for
        constant A and polynomial ρ; Gauss quadrature of the noise for a callable ρ; Gauss
        collocation of order 12 for a callable A.
        """
        span = t - s
        if np.real(span) < 0:
            raise ArgumentError("t", f">= s = {s}", t, "time runs forward")
        if dimension is not None and dimension != self.dimension:
            if not self.any_dimension:
                raise ArgumentError(
                    "dimension", f"{self.dimension}, as A and b say", dimension, "leave it out"
                )
            phi, shift, cov = self.transition(s, t)
            eye = np.eye(dimension)
            return phi[0, 0] * eye, np.repeat(shift, dimension), cov[0, 0] * eye
        if callable(self._A):
            return self._collocation(s, t)
        d = self.dimension
        resolution = max(np.linalg.norm(self.matrix(), 2), 4.0 if callable(self._rho) else 0.0)
        pieces = max(1, int(np.ceil(np.real(span) * resolution)))
        h = span / pieces
        affine = self._affine(h)
        phi, shift = np.eye(d), np.zeros(d)
        cov = np.zeros((d, d))
        for k in range(pieces):
            step, c = affine
            cov = step @ cov @ step.T + self._noise(s + k * h, h)
            phi, shift = step @ phi, step @ shift + c
        return phi, shift, (cov + cov.T) / 2

    def _affine(self, h: Any) -> tuple[np.ndarray, np.ndarray]:
        from scipy.linalg import expm

        d = self.dimension
        block = np.zeros((d + 1, d + 1))
        block[:d, :d], block[:d, d] = self.matrix(), self.b
        e = expm(block * h)
        return e[:d, :d], e[:d, d]

    def _noise(self, s: Any, h: Any) -> np.ndarray:
        """``∫_0^h e^{A(h-u)} ρ(s+u)² e^{Aᵀ(h-u)} du`` for one piece."""
        from scipy.linalg import expm

        d = self.dimension
        if callable(self._rho):
            nodes, _, weights = gauss_legendre(16)
            flow = expm(self.matrix()[None] * ((1 - nodes) * h)[:, None, None])
            squares = np.array([self._rho(s + c * h) ** 2 for c in nodes])
            return h * np.einsum("k,kij,klj->il", weights * squares, flow, flow)
        rho = np.polynomial.Polynomial(self._rho)(
            np.polynomial.Polynomial([s, 1.0])
        )  # ρ(s + u) as a polynomial in u
        q = (rho * rho).coef
        f = expm(np.array(van_loan(self.matrix().tolist(), list(q))) * h)
        factorials = np.cumprod([1, *range(1, len(q))])
        return (
            sum(
                c * w * f[:d, (j + 1) * d : (j + 2) * d]
                for j, (c, w) in enumerate(zip(q, factorials, strict=True))
            )
            @ f[:d, :d].T
        )

    def _collocation(self, s: Any, t: Any) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        d, eye = self.dimension, np.eye(self.dimension)

        def prepare(times: np.ndarray) -> Any:
            mats = np.stack([self.matrix(u) for u in times])
            noise = np.array([self.diffusion(u) ** 2 for u in times])[:, None, None] * eye

            def rhs(y: np.ndarray) -> np.ndarray:
                ac = mats @ y[..., d + 1 :]
                shift = mats @ y[..., d : d + 1] + self.b[:, None]
                return np.concatenate(
                    [mats @ y[..., :d], shift, ac + np.swapaxes(ac, -1, -2) + noise], axis=-1
                )

            return rhs

        start = np.concatenate([eye, np.zeros((d, 1)), np.zeros((d, d))], axis=1)
        norm = max(np.linalg.norm(self.matrix(u), 2) for u in np.linspace(s, t, 9))
        steps = max(4, int(np.ceil(4 * (t - s) * (1 + norm))))
        y = integrate(prepare, start, float(s), float(t), steps)
        return y[:, :d], y[:, d], y[:, d + 1 :]

    def marginal(self, t: float, start: GaussianMixture) -> GaussianMixture:
        """The law of X_t when ``X_0 ~ start``."""
        phi, shift, cov = self.transition(0.0, t, dimension=start.means.shape[1])
        spread = phi @ start.covariances @ phi.T + cov
        return GaussianMixture(
            start.weights, start.means @ phi.T + shift, (spread + np.swapaxes(spread, -1, -2)) / 2
        )

    def log_density(self, x: np.ndarray, t: Any, start: GaussianMixture) -> np.ndarray:
        """``log p_t`` at the rows of x when ``X_0 ~ start``: ``(n,)``; complex steps in x and in t
        pass through.
        """
        phi, shift, cov = self.transition(0.0, t, dimension=start.means.shape[1])
        covs = phi @ start.covariances @ phi.T + cov
        centred = np.asarray(x)[:, None, :] - (start.means @ phi.T + shift)
        sign, logdet = np.linalg.slogdet(covs)
        solved = np.linalg.solve(covs[None], centred[..., None])[..., 0]
        logs = np.log(start.weights) - 0.5 * (
            logdet
            + np.log(sign)
            + len(phi) * np.log(2 * np.pi)
            + np.einsum("nkd,nkd->nk", centred, solved)
        )
        return log_sum_exp(logs)
