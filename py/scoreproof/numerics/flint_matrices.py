"""Matrices over exact fields and balls behind ``+ - @``, several fields at once.

A ``FlintMatrix`` carries one flint matrix per field (say one modulo each of two primes) and does
every operation in all of them, so a loop written once runs over F_p × F_q in one pass.

An identity of polynomials that fails is seen at a random point of F_p unless the point is a root:
for total degree D at most D / p of the points are (Schwartz and Zippel). With independent points in
two fields the chances multiply.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from flint import nmod_mat

__all__ = ["PRIMES", "FlintMatrix", "failure_probability", "random_residues"]

#: 2^61 - 1 and 2^62 - 57: the largest primes of their lengths, both above 2^60 and within a machine
#: word.
PRIMES = (2**61 - 1, 2**62 - 57)


class FlintMatrix:
    """One matrix per field; immutable by convention. ``2 * m`` and ``q * m`` scale (q whatever the
    field multiplies by).
    """

    __slots__ = ("parts",)

    def __init__(self, *parts: Any) -> None:
        self.parts = parts

    def __add__(self, other: FlintMatrix) -> FlintMatrix:
        return FlintMatrix(*[a + b for a, b in zip(self.parts, other.parts, strict=True)])

    def __sub__(self, other: FlintMatrix) -> FlintMatrix:
        return FlintMatrix(*[a - b for a, b in zip(self.parts, other.parts, strict=True)])

    def __neg__(self) -> FlintMatrix:
        return FlintMatrix(*[-a for a in self.parts])

    def __matmul__(self, other: FlintMatrix) -> FlintMatrix:
        return FlintMatrix(*[a * b for a, b in zip(self.parts, other.parts, strict=True)])

    def __rmul__(self, factor: Any) -> FlintMatrix:
        return FlintMatrix(*[a * factor for a in self.parts])

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FlintMatrix) and self.parts == other.parts

    def __hash__(self) -> int:
        raise TypeError("a FlintMatrix has no hash")

    def __repr__(self) -> str:
        return f"FlintMatrix({', '.join(repr(p) for p in self.parts)})"


def random_residues(
    rng: np.random.Generator, count: int, rows: int, columns: int, primes: Sequence[int] = PRIMES
) -> list[FlintMatrix]:
    """``count`` matrices with independent uniform entries in every field.

    >>> [part.modulus() for part in random_residues(np.random.default_rng(0), 1, 2, 2)[0].parts]
    [2305843009213693951, 4611686018427387847]
    """
    draws = [rng.integers(0, p, (count, rows * columns)).tolist() for p in primes]
    return [
        FlintMatrix(*[nmod_mat(rows, columns, d[i], p) for d, p in zip(draws, primes, strict=True)])
        for i in range(count)
    ]


def failure_probability(degree: int, primes: Sequence[int] = PRIMES) -> float:
    """The chance that a polynomial of total degree ``degree`` that is not zero vanishes at a random
    point of every field.

    >>> failure_probability(10_000) < 1e-28
    True
    """
    out = 1.0
    for p in primes:
        out *= min(1.0, degree / p)
    return out
