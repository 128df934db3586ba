"""A linear SDE started from a Gaussian mixture, in ball arithmetic: exact rationals in, density as
a power series in t or x.

Conventions: as in `linear_sde`, with rationals throughout. The density's point is a list of d
coordinates, each a ball or a
`Jet` of balls; its time is a rational, or a `Jet` of order 1 around a rational (then
``derivative(1)`` is ∂_t). The series in t is that of the matrix exponential, ``exp(M(t+ε)) =
exp(Mt)(I + Mε)``, not the moment equations.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flint import arb, arb_mat, fmpq

from scoreproof.numerics import functions as fn
from scoreproof.numerics.balls import ball
from scoreproof.numerics.jets import Jet
from scoreproof.objects.linear_sde import horner, van_loan

__all__ = ["ExactLinear", "gaussian_term", "inverse_and_determinant"]

Matrix = Sequence[Sequence[Any]]


def inverse_and_determinant(a: Matrix) -> tuple[list[list[Any]], Any]:
    """Inverse and determinant of a positive definite matrix over any field, by elimination without
    pivoting.

    >>> inverse_and_determinant([[fmpq(2), fmpq(1)], [fmpq(1), fmpq(2)]])
    ([[2/3, -1/3], [-1/3, 2/3]], 3)
    """
    d = len(a)
    one = a[0][0] * 0 + 1
    rows = [[*row, *[one if i == j else one * 0 for j in range(d)]] for i, row in enumerate(a)]
    determinant = one
    for k in range(d):
        pivot = rows[k][k]
        determinant = determinant * pivot
        rows[k] = [v / pivot for v in rows[k]]
        for i in range(d):
            if i != k:
                factor = rows[i][k]
                rows[i] = [v - factor * w for v, w in zip(rows[i], rows[k], strict=True)]
    return [row[d:] for row in rows], determinant


def gaussian_term(
    x: Sequence[Any], mean: Sequence[Any], precision: Matrix, determinant: Any
) -> Any:
    """The density N(x; mean, precision⁻¹) with the covariance's determinant given; any arithmetic
    with exp and sqrt.
    """
    r = [u - m for u, m in zip(x, mean, strict=True)]
    form = sum(precision[i][j] * (r[i] * r[j]) for i in range(len(r)) for j in range(len(r)))
    pi = fn.pi_like(determinant)
    return fn.exp(form * -1 / 2) / fn.sqrt(determinant * (2 * pi) ** len(r))


@dataclass(frozen=True)
class ExactLinear:
    """``dX = (A X + b) dt + ρ(t) dW`` with rational A ``d×d``, b, polynomial ρ, from ``Σ w_k N(m_k,
    C_k)`` at time 0.
    """

    A: tuple[tuple[fmpq, ...], ...]
    b: tuple[fmpq, ...]
    rho: tuple[fmpq, ...]
    weights: tuple[fmpq, ...]
    means: tuple[tuple[fmpq, ...], ...]
    covariances: tuple[tuple[tuple[fmpq, ...], ...], ...]

    @property
    def dimension(self) -> int:
        """d."""
        return len(self.A)

    def drift(self, x: Sequence[Any], t: Any) -> list[Any]:
        """``A x + b`` as a list of d entries in the arithmetic of x."""
        return [
            sum((ball(a) * u for a, u in zip(row, x, strict=True)), ball(c))
            for row, c in zip(self.A, self.b, strict=True)
        ]

    def diffusion(self, t: Any) -> Any:
        """ρ(t)."""
        return horner([ball(c) for c in self.rho], ball(t) if isinstance(t, fmpq) else t)

    def moments(self, t: fmpq, order: int) -> list[tuple[Any, list[Any], list[list[Any]], Any]]:
        """``(weight, mean, precision, determinant)`` of each component around t: jets of the given
        order (balls for order 0).
        """
        d = self.dimension
        squared = [
            sum(
                (
                    self.rho[i] * self.rho[n - i]
                    for i in range(n + 1)
                    if i < len(self.rho) and n - i < len(self.rho)
                ),
                fmpq(0),
            )
            for n in range(2 * len(self.rho) - 1)
        ]
        f = _exponential(van_loan(self.A, squared), t, order)
        affine = _exponential(
            [*([*row, c] for row, c in zip(self.A, self.b, strict=True)), [fmpq(0)] * (d + 1)],
            t,
            order,
        )
        phi = [row[:d] for row in affine[:d]]
        noise = [[0 * phi[0][0] for _ in range(d)] for _ in range(d)]
        factorial = fmpq(1)
        for j, q in enumerate(squared):
            factorial = factorial * max(j, 1)
            block = _product([row[(j + 1) * d : (j + 2) * d] for row in f[:d]], _transpose(phi))
            noise = [
                [n + v * ball(q * factorial) for n, v in zip(a, c, strict=True)]
                for a, c in zip(noise, block, strict=True)
            ]
        out = []
        for weight, mean, cov in zip(self.weights, self.means, self.covariances, strict=True):
            moved = [
                sum((phi[i][j] * ball(mean[j]) for j in range(d)), affine[i][d]) for i in range(d)
            ]
            half = [
                [sum(phi[i][k] * ball(cov[k][j]) for k in range(d)) for j in range(d)]
                for i in range(d)
            ]
            spread = _product(half, _transpose(phi))
            total = [
                [n + v for n, v in zip(a, c, strict=True)]
                for a, c in zip(noise, spread, strict=True)
            ]
            out.append((ball(weight), moved, *inverse_and_determinant(total)))
        return out

    def density(
        self, x: Sequence[Any], moments: list[tuple[Any, list[Any], list[list[Any]], Any]]
    ) -> Any:
        """``p_t(x)`` from ``moments(t, order)``; the coordinates are balls, or jets of the same
        order as the moments are.
        """
        return sum(
            gaussian_term(x, mean, precision, determinant) * weight
            for weight, mean, precision, determinant in moments
        )


def _exponential(generator: Matrix, t: fmpq, order: int) -> list[list[Any]]:
    m = arb_mat([[ball(v) for v in row] for row in generator])
    terms = [(m * ball(t)).exp()]
    for k in range(1, order + 1):
        terms.append(terms[-1] * m * (arb(1) / k))
    n = len(generator)
    if order == 0:
        return [[terms[0][i, j] for j in range(n)] for i in range(n)]
    return [[Jet([term[i, j] for term in terms]) for j in range(n)] for i in range(n)]


def _product(a: Matrix, b: Matrix) -> list[list[Any]]:
    return [
        [sum(a[i][k] * b[k][j] for k in range(len(b))) for j in range(len(b[0]))]
        for i in range(len(a))
    ]


def _transpose(a: Matrix) -> list[list[Any]]:
    return [list(row) for row in zip(*a, strict=True)]
