"""The Gaussian KL in floats: against exact cubature in many dimensions, and near equal laws, where
it loses its digits.

The oracle is an expectation of ``log p_0 - log p_1`` under the first law, never a closed form of
the divergence.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.faults import of_form
from scoreproof.claims.gaussian_kl.stable import stable_diagonal, stable_isotropic
from scoreproof.claims.gaussian_kl.statement import KL, TRUTH
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.balls import precision
from scoreproof.numerics.cubature import expectation, random_rotation, separable_expectation
from scoreproof.numerics.linear import random_covariance

__all__ = ["cubature", "near_equal"]

EPS = float(np.finfo(float).eps)
PROBES = ("mean", "trace", "log")
CONDITION = 10.0


@dataclass(frozen=True)
class Pair:
    """Two Gaussians: log-variances of the diagonal form, and (in moderate dimensions) full
    covariances and a rotation.
    """

    m0: np.ndarray
    m1: np.ndarray
    logvar0: np.ndarray
    logvar1: np.ndarray
    cov0: np.ndarray | None = None
    cov1: np.ndarray | None = None
    rotation: np.ndarray | None = None
    sigma: tuple[float, float] = (0.75, 1.3)


def _pair(
    rng: np.random.Generator, d: int, full: bool, unit: float = 1.0, apart: float = 1.0
) -> Pair:
    """``unit`` is that of x; ``apart`` spreads means and log-variances, widens the first law."""
    m0, m1 = unit * apart * rng.standard_normal((2, d))
    logvar0, logvar1 = apart * rng.uniform(-1, 1, (2, d)) + 2 * np.log(unit)
    sigma = (0.75 * unit, 1.3 * unit)
    if not full:  # O(d) memory
        return Pair(m0, m1, logvar0, logvar1, sigma=sigma)
    return Pair(
        m0,
        m1,
        logvar0,
        logvar1,
        (unit * apart) ** 2 * random_covariance(rng, d, CONDITION),
        unit**2 * random_covariance(rng, d, CONDITION),
        random_rotation(rng, d),
        sigma,
    )


def _pairs(profile: str) -> tuple[Instance, ...]:
    sizes = {
        "faults": ((4, True),),
        "quick": ((0, False), (50, True)),
        "default": ((0, False), (50, True), (1000, True)),
    }
    chosen = sizes.get(profile, (*sizes["default"], (10_000_000, False)))
    pairs = tuple(
        Instance(f"d = {d}" + ("" if full else ", separable"), partial(_pair, d=d, full=full))
        for d, full in chosen
    )
    if profile == "faults":
        return pairs
    # log-variances about -37 and 37, then laws far apart: a limit to any of them shows
    return (
        *pairs,
        Instance("d = 4, in units of 1e-8", partial(_pair, d=4, full=True, unit=1e-8)),
        Instance("d = 4, in units of 1e8", partial(_pair, d=4, full=True, unit=1e8)),
        Instance("d = 4, far apart", partial(_pair, d=4, full=True, apart=10.0)),
    )


def _log_normal(mean: np.ndarray, logvar: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    """``x -> log N(x; mean, exp(logvar))`` per coordinate, without the constant that cancels in the
    difference.
    """
    inverse = np.exp(-logvar)
    return lambda x: -((x - mean) ** 2 * inverse + logvar) / 2


def _log_density(mean: np.ndarray, cov: np.ndarray) -> Callable[[np.ndarray], np.ndarray]:
    precision_matrix, half_log_det = np.linalg.inv(cov), np.linalg.slogdet(cov)[1] / 2
    return lambda x: (
        -np.sum(((x - mean) @ precision_matrix) * (x - mean), axis=1) / 2 - half_log_det
    )


@check(kind="float", instances=_pairs, probes=PROBES)
def cubature(subject: KL, pair: Pair, rng: Any) -> Evidence:
    """E_0[log p_0 - log p_1] by a cubature of 2d points that is exact for quadratics, in a random
    rotation, in up to 1000 dimensions (ten million for the deep profile, where the sum over
    coordinates separates).
    """
    d = len(pair.m0)
    s0, s1 = pair.sigma
    wide = np.ones(d)

    def separable(logvar0: np.ndarray, logvar1: np.ndarray) -> tuple[float, float]:
        densities = (_log_normal(pair.m0, logvar0), _log_normal(pair.m1, logvar1))
        if pair.rotation is None:
            first, second = (
                separable_expectation(f, pair.m0, np.exp(logvar0 / 2)) for f in densities
            )
        else:
            root = np.diag(np.exp(logvar0 / 2))
            first, second = (
                float(
                    expectation(
                        lambda x, f=f: f(x).sum(axis=1),  # type: ignore[misc]
                        pair.m0,
                        root,
                        pair.rotation,
                    )
                )
                for f in densities
            )
        return first, second

    # (value, E_0 log p_0, E_0 log p_1, condition): the two expectations apart, for their sizes are
    # what rounding acts on
    compared = [
        (
            subject.isotropic(pair.m0, s0, pair.m1, s1),
            *separable(wide * 2 * np.log(s0), wide * 2 * np.log(s1)),
            1.0,
        ),
        (
            subject.diagonal(pair.m0, pair.logvar0, pair.m1, pair.logvar1),
            *separable(pair.logvar0, pair.logvar1),
            1.0,
        ),
    ]
    if pair.cov0 is not None and pair.cov1 is not None and pair.rotation is not None:
        root = np.linalg.cholesky(pair.cov0)
        densities = (_log_density(pair.m0, pair.cov0), _log_density(pair.m1, pair.cov1))
        expected = (float(expectation(f, pair.m0, root, pair.rotation)) for f in densities)
        compared.append(
            (subject.full(pair.m0, pair.cov0, pair.m1, pair.cov1), *expected, CONDITION)
        )
    # an inverse amplifies rounding by the condition number; in units of that, one bound serves the
    # three forms
    error = max(
        abs(float(value) - (first - second)) / max((abs(first) + abs(second)) * condition, 1e-300)
        for value, first, second, condition in compared
    )
    # a term is made in four roundings, and the exponential of a log-variance carries the rounding
    # of its argument; matrix products add d terms one by one (√d roundings, their signs being
    # random), plain sums pairwise (log d at most)
    exponent = sum(float(np.max(np.abs(v), initial=0.0)) for v in (pair.logvar0, pair.logvar1))
    bound = EPS * (
        4 + exponent + (2 * np.sqrt(d) if pair.rotation is not None else 2 * np.log2(1 + d))
    )
    return Evidence.measured(error, bound, f"the three forms against exact cubature in d = {d}")


@check(
    kind="float",
    instances=lambda profile: (Instance("relative gap 2^-27", lambda rng: 2.0**-27),),
    blind=dict.fromkeys(
        of_form("full"), "only the isotropic and the diagonal form are looked at here"
    ),
    probes=PROBES,
)
def near_equal(subject: KL, gap: float, rng: Any) -> Evidence:
    """Near σ0 = σ1 the printed form loses its digits in floating point: the formula in 400-bit
    balls against the stable form in floats, at a relative gap of 2^-27 and means as close;
    isotropic and diagonal.
    """
    from flint import arb

    d, sigma0, sigma1 = 5, 1.25 * (1 + gap), 1.25
    m0 = np.arange(1.0, d + 1)
    m1 = m0 + gap * np.array([1.0, -2.0, 3.0, 1.0, -1.0])
    logvar1 = np.array([-1.5, -0.5, 0.25, 1.0, 2.0])
    logvar0 = logvar1 + gap * np.array(
        [2.0, -1.0, 1.0, 3.0, 1.0]
    )  # the sum is not 0, or the log term would not be seen

    def balls(values: np.ndarray) -> np.ndarray:
        return np.array([arb(float(v)) for v in values], dtype=object)

    isotropic, diagonal = (
        stable_isotropic(m0, sigma0, m1, sigma1),
        stable_diagonal(m0, logvar0, m1, logvar1),
    )
    with precision(400):
        first = subject.isotropic(balls(m0), arb(sigma0), balls(m1), arb(sigma1))
        second = subject.diagonal(balls(m0), balls(logvar0), balls(m1), balls(logvar1))
        error = max(
            float(abs(exact / arb(stable) - 1).upper())
            for exact, stable in ((first, isotropic), (second, diagonal))
        )
    lost = abs(float(TRUTH.isotropic(m0, sigma0, m1, sigma1)) - isotropic) / isotropic
    # eight roundings: two differences, a product and a quotient in r (or an expm1), the square, two
    # products and the sum
    return Evidence.measured(
        error,
        8 * EPS,
        f"the stable forms at a relative gap of {gap:.1e}; there the printed form in floats is off"
        f" by {lost:.2g}",
    )
