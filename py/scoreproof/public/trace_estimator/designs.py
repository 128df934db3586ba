"""Designs: a few weighted ν with E[νν^T] = I exactly: the mean of a right estimate is tr J.

Conventions: rows ν ``(k, D)`` with weights ``(k,)`` that sum to 1.
"""

from __future__ import annotations

import numpy as np

from scoreproof.claims.ffjord.checks_float import orthogonal, signs
from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.rule import compared
from scoreproof.public.trace_estimator.arguments import Given
from scoreproof.public.trace_estimator.asking import BLOCK
from scoreproof.public.trace_estimator.rows import Rows
from scoreproof.public.trace_estimator.verdict import REMEDY

__all__ = ["LARGEST", "designs", "in_the_mean"]

#: D up to which an estimate that is neither νᵀJν nor tr J is judged by its mean
LARGEST = 1024
#: numbers in the points' designs together, at most
NUMBERS = 1 << 20
POINTS = 6


def designs(rng: np.random.Generator, d: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Vectors of signs; D orthogonal ones of length √D; such of the lengths √D/2 and 8√D, the long
    ones rarely.

    >>> for nu, w in designs(np.random.default_rng(0), 5):
    ...     print(bool(np.allclose((w[:, None] * nu).T @ nu, np.eye(5))))
    True
    True
    True
    """
    basis, short, long = orthogonal(rng, d), 0.5, 8.0
    rare = (1 - short**2) / (long**2 - short**2)
    all_signs = signs(d) if d <= 8 else _hadamard(d)
    two_lengths = np.concatenate([short * basis, long * basis])
    return [
        (all_signs, np.full(len(all_signs), 1 / len(all_signs))),
        (basis, np.full(d, 1 / d)),
        (two_lengths, np.repeat([(1 - rare) / d, rare / d], d)),
    ]


def _hadamard(d: int) -> np.ndarray:
    """The first D columns of Sylvester's matrix of order 2^k >= D: orthogonal columns of ±1."""
    matrix = np.ones((1, 1))
    while len(matrix) < d:
        matrix = np.block([[matrix, matrix], [matrix, -matrix]])
    return matrix[:, :d]


def in_the_mean(given: Given, rows: Rows, rng: np.random.Generator) -> tuple[Evidence, bool]:
    """The means over the designs against tr J at a few points where all coordinates contribute; the
    first design that refutes decides. Also whether vectors of signs, the first, do not refute.
    """
    d = rows.dimension
    live = np.count_nonzero(rows.z, axis=1)
    points = np.unique(rows.z[live == live.max()], axis=0)
    few = max(1, min(POINTS, NUMBERS // (4 * d * d)))
    points = points[rng.permutation(len(points))[:few]]
    due, size = rows.trial.trace(points)
    error: list[float] = []
    blur: list[float] = []
    for count, (nus, weights) in enumerate(designs(rng, d), start=1):
        nus = given.rounded(nus)
        for point, trace, part in zip(points, due, size, strict=True):
            z = np.repeat(point[None], len(nus), axis=0)
            mean = float(weights @ _values(given, rows, z, nus))
            sizes = weights @ (rows.trial.quadratic(z, nus)[1] + part)
            roundings = given.eps * (rows.trial.roundings + d + len(nus) / 2)
            error.append(abs(mean - trace) / abs(trace))
            blur.append(roundings * float(sizes) / abs(trace))
        evidence = compared(
            error,
            blur,
            f"the mean of the estimates over designs with E[νν^T] = I against the trace (D = {d})",
            coverage=Coverage(
                {"points": len(points), "designs": count},
                span="the trace as a whole, no coordinate by itself",
            ),
            tolerance=given.tolerance,
            remedy=REMEDY,
            cost={"calls": given.guard.calls},
        )
        if evidence.verdict == "refuted":
            break
    return evidence, count > 1


def _values(given: Given, rows: Rows, z: np.ndarray, nus: np.ndarray) -> np.ndarray:
    step = max(1, BLOCK // z.shape[1])
    f = rows.trial.function
    parts = [
        given.guard(f, z[k : k + step], nus[k : k + step], shape=z[k : k + step].shape[:1])
        for k in range(0, len(z), step)
    ]
    return np.real(np.concatenate(parts))
