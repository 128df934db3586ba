"""The field of rational functions over Q in named symbols, on top of python-flint's multivariate
polynomials.

A formula evaluated here is checked for all values of its symbols at once: it is an identity iff
its difference has numerator zero.
"""

from __future__ import annotations

from typing import Any

from flint import Ordering, fmpq, fmpq_mpoly_ctx

__all__ = ["Positive", "Ratio", "symbols"]


class Ratio:
    """``numerator / denominator`` of two polynomials of one ring; arithmetic with integers and
    rationals.
    """

    __slots__ = ("denominator", "numerator")

    def __init__(self, numerator: Any, denominator: Any) -> None:
        self.numerator, self.denominator = numerator, denominator

    def _lift(self, other: Any) -> Any:
        if isinstance(other, Ratio):
            return other
        if not isinstance(other, int | fmpq):
            # an object array applies the operation entry by entry; others know what to do with a
            # Ratio
            return NotImplemented
        one = self.denominator * 0 + 1
        return Ratio(one * other, one)

    def _reduced(self) -> Ratio:
        common = self.numerator.gcd(self.denominator)
        return Ratio(self.numerator / common, self.denominator / common) if common != 1 else self

    def __add__(self, other: Any) -> Ratio:
        o = self._lift(other)
        if o is NotImplemented:
            return o
        if self.denominator == o.denominator:
            return Ratio(self.numerator + o.numerator, self.denominator)
        return Ratio(
            self.numerator * o.denominator + o.numerator * self.denominator,
            self.denominator * o.denominator,
        )._reduced()

    __radd__ = __add__

    def __neg__(self) -> Ratio:
        return Ratio(-self.numerator, self.denominator)

    def __sub__(self, other: Any) -> Ratio:
        o = self._lift(other)
        return o if o is NotImplemented else self + (-o)

    def __rsub__(self, other: Any) -> Ratio:
        return (-self) + other

    def __mul__(self, other: Any) -> Ratio:
        o = self._lift(other)
        return (
            o
            if o is NotImplemented
            else Ratio(self.numerator * o.numerator, self.denominator * o.denominator)
        )

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Ratio:
        o = self._lift(other)
        if o is NotImplemented:
            return o
        if o.is_zero():
            raise ZeroDivisionError("division by the zero rational function")
        return Ratio(self.numerator * o.denominator, self.denominator * o.numerator)

    def __rtruediv__(self, other: Any) -> Ratio:
        o = self._lift(other)
        return o if o is NotImplemented else o / self

    def __pow__(self, n: int) -> Ratio:
        if n < 0:
            return (1 / self) ** (-n)
        return Ratio(self.numerator**n, self.denominator**n)

    def sqrt(self) -> Ratio:
        """The square root, where it is a rational function; raises ``ValueError`` elsewhere."""
        reduced = self._reduced()
        return Ratio(reduced.numerator.sqrt(), reduced.denominator.sqrt())

    def is_zero(self) -> bool:
        """Whether it is the zero function."""
        return self.numerator == 0

    def terms(self) -> int:
        """The number of monomials of the numerator: 0 iff it is zero."""
        return len(self.numerator)

    def derivative(self, symbol: Ratio) -> Ratio:
        """The partial derivative with respect to a symbol."""
        name = str(symbol.numerator)
        n, d = self.numerator, self.denominator
        return Ratio(n.derivative(name) * d - n * d.derivative(name), d * d)

    def __repr__(self) -> str:
        return f"({self.numerator})/({self.denominator})"


def symbols(*names: str) -> tuple[Ratio, ...]:
    """The symbols of one ring, as rational functions.

    >>> x, y = symbols("x", "y")
    >>> ((x + y) ** 2 - x**2 - 2 * x * y - y**2).is_zero(), (x / y - 1).is_zero()
    (True, False)
    """
    ring = fmpq_mpoly_ctx.get(names, Ordering.lex)
    one = ring.constant(fmpq(1))
    return tuple(Ratio(g, one) for g in ring.gens())


class Positive:
    """A positive quantity together with its logarithm, both rational functions: products add
    logarithms.

    Sums leave the positive quantities and give the plain `Ratio`.

    >>> s, log_s = symbols("s", "log_s")
    >>> ((Positive(s, log_s) ** 2).log() - 2 * log_s).is_zero()
    True
    """

    __slots__ = ("logarithm", "value")

    def __init__(self, value: Ratio, logarithm: Ratio) -> None:
        self.value, self.logarithm = value, logarithm

    def log(self) -> Ratio:
        return self.logarithm

    def sqrt(self) -> Positive:
        return Positive(self.value.sqrt(), self.logarithm / 2)

    def __mul__(self, other: Any) -> Any:
        if isinstance(other, Positive):
            return Positive(self.value * other.value, self.logarithm + other.logarithm)
        return self.value * other

    __rmul__ = __mul__

    def __truediv__(self, other: Any) -> Any:
        if isinstance(other, Positive):
            return Positive(self.value / other.value, self.logarithm - other.logarithm)
        return self.value / other

    def __rtruediv__(self, other: Any) -> Any:
        return other / self.value

    def __pow__(self, n: int) -> Positive:
        return Positive(self.value**n, self.logarithm * n)

    def __add__(self, other: Any) -> Any:
        return self.value + (other.value if isinstance(other, Positive) else other)

    __radd__ = __add__

    def __neg__(self) -> Ratio:
        return -self.value

    def __sub__(self, other: Any) -> Any:
        return self.value - (other.value if isinstance(other, Positive) else other)

    def __rsub__(self, other: Any) -> Any:
        return other - self.value
