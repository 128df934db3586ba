"""What is due, and what rounding can do to it.

The oracle is ``E_0[log p_0 - log p_1]`` by a cubature that is exact for quadratics, never a closed
form of the divergence. ``Due.size`` is the sum of the absolute terms of the printed form, and
``Due.rounding`` what its evaluation may lose with the given unit roundoff, in whatever order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from scoreproof.claims.gaussian_kl.stable import excess
from scoreproof.numerics.cubature import expectation, random_rotation
from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.asking import Answer
from scoreproof.public.kl.batches import HALF
from scoreproof.public.kl.integrals import integral
from scoreproof.public.kl.laws import Laws

__all__ = ["RATIOS", "Due", "answer_kind", "due", "without_cancellation"]

#: Roundings of one term: a function within 2 units in the last place (4), the difference of the
#: means squared (2), square, quotient and factor (3), and the sums of the three terms (3).
TERM = 12
#: Half precision computes its functions in single precision and rounds once.
TERM_IN_HALF = 9
#: More of them where the function rounds its inputs itself: a scale squared, a mean.
INPUTS = 6
#: And of a factor beside it: 1/d, 1/ln 2.
UNITS = 4


@dataclass(frozen=True, eq=False)
class Due:
    """One entry a law: the divergence, the size of its terms, and what rounding may cost."""

    value: np.ndarray
    size: np.ndarray
    rounding: np.ndarray


def due(
    answer: Answer, options: Options, eps: float, rounds_inputs: bool, rng: np.random.Generator
) -> Due:
    """``eps``: the spacing at 1 of the coarsest type that the function took or returned."""
    laws = answer.laws
    own = float(np.finfo(float).eps) / 2
    if not options.wanted.kl:
        return _other(laws, options, eps, rounds_inputs, rng)
    if options.form == "full":
        value, parts, condition = _full(laws, rng)
    else:
        value, parts, condition = _separable(laws), _parts(laws), np.ones(laws.shape[0])
    n, d = laws.shape
    term = TERM_IN_HALF if eps > HALF else TERM
    count = term * condition + (d if options.reduction == "none" else n * d)
    count = count + (UNITS if options.wanted.printed(2) != 1 else 0)
    if options.form == "full":  # solved and factored at the price of the condition, d times over
        count = count + 4 * d * condition
    mean, trace, logs, exponents = parts[:4]
    size = mean + trace + d / 2 + logs
    steps = count + (INPUTS * condition if rounds_inputs else 0)
    twice = 2 if rounds_inputs else 1
    terms = np.where(condition > 1, mean + trace + d + logs, size)
    rounding = eps / 2 * (steps * terms + twice * exponents + (steps - count + term) * parts[4])
    oracle = own * (2 * count * terms + exponents)
    return Due(value, size, rounding + oracle)


def _other(
    laws: Laws, options: Options, eps: float, rounds_inputs: bool, rng: np.random.Generator
) -> Due:
    """The same of another quantity: each variance is rounded where it is computed."""
    found = integral(laws, options.wanted, rng)
    n, d = laws.shape
    condition = np.ones(n)
    if options.form == "full":
        values = (np.linalg.eigvalsh(v) for v in (laws.v0, laws.v1))
        condition = np.max([v[:, -1] / v[:, 0] for v in values], axis=0)
    term = TERM_IN_HALF if eps > HALF else TERM
    count = term * condition + (d if options.reduction == "none" else n * d)
    count = count + (UNITS if options.wanted.printed(2) != 1 else 0)
    count = count + (4 * d * condition if options.form == "full" else 0)
    steps = count + (INPUTS * condition if rounds_inputs else 0)
    exponents = (2 if rounds_inputs else 1) * found.exponents
    terms, moved = steps * found.size, (steps - count + term * condition) * found.moved
    own = float(np.finfo(float).eps) / 2
    oracle = own * (2 * count * (found.size + found.moved) + exponents)
    return Due(found.value, found.size, eps / 2 * (terms + moved + exponents) + oracle)


def _parts(laws: Laws) -> tuple[np.ndarray, ...]:
    """The absolute sizes of the mean, trace and log terms, of what an error in the exponents acts
    on (a log-variance l is rounded by l u before it goes through exp), and of what an error in the
    argument of log1p(v0/v1 - 1) does: a form that is right near equal laws loses v1/v0 of it.
    """
    n, d = laws.shape
    v0, v1 = (np.broadcast_to(v, (n, d)) for v in (laws.v0, laws.v1))
    mean = (np.abs(laws.m0) + np.abs(laws.m1)) ** 2 / (2 * v1)
    l0, l1 = np.abs(np.log(v0)), np.abs(np.log(v1))
    parts = (mean, v0 / v1 / 2, (l0 + l1) / 2, mean * l1 + v0 / v1 / 2 * (l0 + l1), v1 / v0 / 2)
    return tuple(p.sum(axis=1) for p in parts)


def _separable(laws: Laws) -> np.ndarray:
    """A point either side of the mean in each coordinate is exact for what acts entrywise."""
    n, d = laws.shape
    v0, v1 = (np.broadcast_to(v, (n, d)) for v in (laws.v0, laws.v1))
    total, shift = np.zeros((n, d)), laws.m0 - laws.m1
    for z in (np.sqrt(v0), -np.sqrt(v0)):  # from the first mean: nothing is lost to distant means
        first = -(z**2) / v0 - np.log(v0)
        second = -((z + shift) ** 2) / v1 - np.log(v1)
        total += (first - second) / 4
    return total.sum(axis=1)


def _full(
    laws: Laws, rng: np.random.Generator
) -> tuple[np.ndarray, tuple[np.ndarray, ...], np.ndarray]:
    n, d = laws.shape
    value, mean, trace, logs, inverse = np.empty((5, n))
    eigenvalues0, eigenvalues1 = np.linalg.eigvalsh(laws.v0), np.linalg.eigvalsh(laws.v1)
    for i, (m0, c0, m1, c1) in enumerate(zip(laws.m0, laws.v0, laws.m1, laws.v1, strict=True)):
        root, rotation = np.linalg.cholesky(c0), random_rotation(rng, d)
        first, second = (
            float(expectation(lambda z, m=m, c=c: _log_density(z, m, c), 0 * m0, root, rotation))  # type: ignore[misc]
            for m, c in ((0 * m0, c0), (m1 - m0, c1))
        )
        value[i] = first - second
        both = np.abs(m0) + np.abs(m1)
        mean[i] = both @ np.abs(np.linalg.inv(c1)) @ both / 2
        trace[i] = float(np.trace(np.linalg.solve(c1, c0))) / 2
        inverse[i] = float(np.trace(np.linalg.solve(c0, c1))) / 2
        logs[i] = float(np.sum(np.abs(np.log(eigenvalues0[i]))) / 2)
        logs[i] += float(np.sum(np.abs(np.log(eigenvalues1[i]))) / 2)
    condition = np.maximum(
        eigenvalues0[:, -1] / eigenvalues0[:, 0], eigenvalues1[:, -1] / eigenvalues1[:, 0]
    )
    return value, (mean, trace, logs, np.zeros(n), inverse), condition


def _log_density(x: np.ndarray, mean: np.ndarray, cov: np.ndarray) -> np.ndarray:
    """The log-density without ``d/2 log 2π``."""
    quadratic = np.sum(np.linalg.solve(cov, (x - mean).T).T * (x - mean), axis=1)
    return -(quadratic + np.linalg.slogdet(cov)[1]) / 2


#: what is handed over -> the ratio of the variances less 1, from the difference of what was
RATIOS: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "std": lambda s0, s1: (s0 - s1) * (s0 + s1) / s1**2,
    "variance": lambda v0, v1: (v0 - v1) / v1,
    "logvar": lambda l0, l1: np.expm1(l0 - l1),
    "logstd": lambda l0, l1: np.expm1(2 * (l0 - l1)),
    "precision": lambda p0, p1: (p1 - p0) / p0,
    "logprecision": lambda p0, p1: np.expm1(p1 - p0),
}
#: the same of matrices that are multiples of the identity, by their diagonals
MATRICES = {"covariance": "variance", "scale_tril": "std", "precision": "precision"}


def answer_kind(options: Options) -> str:
    """What the scales are, as a key of ``RATIOS``; another where digits are not looked at."""
    kind = options.side().kind
    return MATRICES.get(kind, kind) if options.form == "full" else kind


def without_cancellation(answer: Answer, options: Options) -> np.ndarray:
    """The divergence to a few roundings however close the laws are, from the difference of the
    scales that were passed; covariances are to be multiples of the identity.
    """
    laws, (n, d) = answer.laws, answer.laws.shape
    s0, s1, variances = answer.scale0, answer.scale1, laws.v1
    if options.form == "full":
        s0, s1, variances = (np.diagonal(s, axis1=1, axis2=2) for s in (s0, s1, laws.v1))
    ratio = RATIOS[answer_kind(options)](s0, s1)
    quadratic = (laws.m1 - laws.m0) ** 2 / variances
    return np.asarray(np.sum(quadratic + np.broadcast_to(excess(ratio), (n, d)), axis=1) / 2)
