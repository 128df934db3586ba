"""Truncated power series ("jets") in one variable over any ring: float arrays, complex, balls.

``Jet.variable(x, order)`` stands for ``x + ε`` with ``ε^(order+1) = 0``; a function of it carries
its Taylor coefficients, so ``jet.derivative(k)`` is the k-th derivative with no difference taken.
Coefficients may be arrays: all points at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from scoreproof.numerics import functions as fn

__all__ = ["Jet", "derivatives"]


class Jet:
    """A truncated series ``Σ c_k ε^k``; arithmetic with scalars, arrays and other jets of the same
    order.

    >>> y = Jet.variable(2.0, 2) ** 3
    >>> [y.derivative(k) for k in range(3)]
    [8.0, 12.0, 12.0]
    """

    __slots__ = ("coefficients",)
    __array_ufunc__ = (
        None  # so that array * jet calls Jet.__rmul__ instead of broadcasting over the jet
    )

    def __init__(self, coefficients: Sequence[Any]) -> None:
        self.coefficients = list(coefficients)

    @classmethod
    def variable(cls, x: Any, order: int) -> Jet:
        """``x + ε``, truncated after ``ε^order``."""
        return cls([x, x * 0 + 1, *[x * 0 for _ in range(order - 1)]][: order + 1])

    @property
    def order(self) -> int:
        return len(self.coefficients) - 1

    def derivative(self, k: int) -> Any:
        """The k-th derivative at the expansion point."""
        factorial = 1
        for i in range(2, k + 1):
            factorial *= i
        return self.coefficients[k] * factorial

    def _lift(self, other: Any) -> Jet:
        if isinstance(other, Jet):
            return other
        zero = self.coefficients[0] * 0
        return Jet([zero + other, *[zero for _ in range(self.order)]])

    def __add__(self, other: Any) -> Jet:
        return Jet(
            [a + b for a, b in zip(self.coefficients, self._lift(other).coefficients, strict=True)]
        )

    __radd__ = __add__

    def __neg__(self) -> Jet:
        return Jet([-a for a in self.coefficients])

    def __sub__(self, other: Any) -> Jet:
        return self + (-self._lift(other))

    def __rsub__(self, other: Any) -> Jet:
        return self._lift(other) - self

    def __mul__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet([a * other for a in self.coefficients])
        a, b = self.coefficients, other.coefficients
        return Jet(
            [sum((a[i] * b[k - i] for i in range(1, k + 1)), a[0] * b[k]) for k in range(len(a))]
        )

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Jet:
        if not isinstance(other, Jet):
            return Jet([a / other for a in self.coefficients])
        return self * other.reciprocal()

    def __rtruediv__(self, other: Any) -> Jet:
        return self.reciprocal() * other

    def reciprocal(self) -> Jet:
        a = self.coefficients
        out = [1 / a[0]]
        for k in range(1, len(a)):
            out.append(
                -sum((a[i] * out[k - i] for i in range(2, k + 1)), a[1] * out[k - 1]) * out[0]
            )
        return Jet(out)

    def __pow__(self, n: int) -> Jet:
        if not isinstance(n, int):
            return (self.log() * n).exp()
        if n < 0:
            return self.reciprocal() ** (-n)
        result = self._lift(1)
        for _ in range(n):
            result = result * self
        return result

    def _solve(self, start: Any, rhs: Any) -> Jet:
        """The series y with y(0) = start and y' = rhs(y) * self', term by term; ``rhs`` maps a jet
        to a jet.
        """
        a, out = self.coefficients, [start]
        for k in range(1, len(a)):
            r = rhs(Jet(out)).coefficients
            out.append(sum(((j * a[j]) * r[k - j] for j in range(2, k + 1)), a[1] * r[k - 1]) / k)
        return Jet(out)

    def exp(self) -> Jet:
        return self._solve(fn.exp(self.coefficients[0]), lambda y: y)

    def log(self) -> Jet:
        a = self.coefficients
        return self._solve(fn.log(a[0]), lambda y: Jet(a[: len(y.coefficients)]).reciprocal())

    def sqrt(self) -> Jet:
        return self._solve(fn.sqrt(self.coefficients[0]), lambda y: y.reciprocal() / 2)

    def tanh(self) -> Jet:
        return self._solve(fn.tanh(self.coefficients[0]), lambda y: 1 - y * y)

    def _sin_cos(self) -> tuple[Jet, Jet]:
        a = self.coefficients
        s, c = [fn.sin(a[0])], [fn.cos(a[0])]
        for k in range(1, len(a)):
            s.append(sum(((j * a[j]) * c[k - j] for j in range(2, k + 1)), a[1] * c[k - 1]) / k)
            c.append(-sum(((j * a[j]) * s[k - j] for j in range(2, k + 1)), a[1] * s[k - 1]) / k)
        return Jet(s), Jet(c)

    def sin(self) -> Jet:
        return self._sin_cos()[0]

    def cos(self) -> Jet:
        return self._sin_cos()[1]

    def cosh(self) -> Jet:
        e = self.exp()
        return (e + e.reciprocal()) / 2


def derivatives(f: Any, x: Any, order: int) -> list[Any]:
    """``[f(x), f'(x), …, f^(order)(x)]`` for an analytic ``f`` written in this package's
    arithmetic.

    >>> [float(v) for v in derivatives(lambda t: fn.exp(2 * t), 0.0, 2)]
    [1.0, 2.0, 4.0]
    """
    y = f(Jet.variable(x, order))
    if not isinstance(y, Jet):  # f is constant in its argument
        zero = np.asarray(y) * 0 if isinstance(y, np.ndarray | float | int) else y * 0
        return [y, *[zero for _ in range(order)]]
    return [y.derivative(k) for k in range(order + 1)]
