"""Tweedie's formula in ball arithmetic: priors with a density by rigorous quadrature, atoms in the plane by jets.

All inputs are exact rationals; precision doubles until the enclosure decides.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from flint import acb, arb, fmpq

from scoreproof.claims.tweedie.statement import Posterior
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.balls import ball, decide, integral
from scoreproof.numerics.jets import Jet

__all__ = ["atoms_in_balls", "quadrature"]

RADIUS = 1e-55


def bump(x: Jet) -> Jet:
    """A polynomial density on [-1, 2], up to its constant: skew, and zero with two derivatives at both ends."""
    return (x + 1) ** 3 * (2 - x) ** 3 * (3 + x)


def sech(x: Jet) -> Jet:
    """1 / cosh(x - 1/3): it and its first two derivatives lie between -1 and 1."""
    return (x - fmpq(1, 3)).cosh().reciprocal()


class Moments:
    """The integrals of one instance (prior, variance s, point y), computed once for each precision.

    The derivatives of p_Y come from the prior's: ``p_Y⁽ᵏ⁾ = ∫ φ(y - x) p_X⁽ᵏ⁾(x) dx``, after moving them off the kernel by
    parts. Taking them on the kernel instead would write the posterior mean twice.
    """

    def __init__(self, prior: Callable[[Jet], Jet], support: tuple[int, int] | None, y: fmpq, s: fmpq) -> None:
        self.prior, self.support, self.y, self.s = prior, support, y, s
        self.at = cache(self._at)

    def _at(self, bits: int) -> tuple[Any, ...]:
        y, s = ball(self.y), ball(self.s)
        if self.support is not None:
            low, high, tail = ball(self.support[0]), ball(self.support[1]), arb(0)
        else:
            # beyond T = sqrt(2 s bits ln 2) on either side of y, with the prior and its derivatives within [-1, 1]:
            # ∫ (1 + x²) exp(-u²/2s) <= 2 (1 + y² + 2|y|s/T... ) is bounded term by term below, u = |x - y|
            cut = (2 * s * bits * arb(2).log()).sqrt().upper()
            e = (-cut * cut / (2 * s)).exp()
            mass, first, second = s / cut * e, s * e, (cut * s + s * s / cut) * e  # ∫_T^∞ of 1, u, u² times exp(-u²/2s)
            size = abs(y)
            bound = 2 * ((1 + size + size * size) * mass + (1 + 2 * size) * first + second)
            low, high, tail = y - cut, y + cut, arb(0, bound.upper())

        def part(factor: Callable[[acb], acb], k: int) -> arb:
            def integrand(z: acb, analytic: bool) -> acb:
                return (-((y - z) ** 2) / (2 * s)).exp() * self.prior(Jet.variable(z, 2)).derivative(k) * factor(z)

            return integral(integrand, low, high).real + tail

        mass = part(lambda z: acb(1), 0)
        mean = part(lambda z: z, 0) / mass
        square = part(lambda z: z * z, 0) / mass
        score = part(lambda z: acb(1), 1) / mass
        hessian = part(lambda z: acb(1), 2) / mass - score * score
        return y, s, score, hessian, mean, square - mean * mean


def _moments(profile: str) -> tuple[Instance, ...]:
    bumps = Instance("polynomial prior on [-1, 2]", lambda rng: Moments(bump, (-1, 2), fmpq(7, 5), fmpq(3, 10)))
    if profile == "faults":
        return (bumps,)
    sechs = Instance("sech prior on the line", lambda rng: Moments(sech, None, fmpq(-3, 4), fmpq(7, 4)))
    far = Instance("polynomial prior, point far outside", lambda rng: Moments(bump, (-1, 2), fmpq(9, 2), fmpq(1, 5)))
    return (bumps, sechs) if profile == "quick" else (bumps, sechs, far)


_ONE_DIMENSION = "a 1x1 covariance equals its transpose, its diagonal and its reordered factor"


@check(
    kind="certified",
    instances=_moments,
    blind={"swapped_factor": _ONE_DIMENSION, "diagonal_cov": _ONE_DIMENSION},
    probes=("score", "y", "prior_covariance_term", "hessian"),
)
def quadrature(subject: Posterior, moments: Moments, rng: Any) -> Evidence:
    """Non-Gaussian priors with a density, in one dimension: all integrals by rigorous quadrature in ball arithmetic, infinite
    ranges cut where a proved bound takes over; the derivatives of p_Y come from the prior's by parts.
    """

    def residuals() -> list[Any]:
        from flint import ctx

        y, s, score, hessian, mean, variance = moments.at(ctx.prec)
        found = subject.mean(_array(y, 2), _array(score, 2), _array(s, 2)).ravel()[0]
        spread = subject.covariance(_array(hessian, 3), _array(s, 2)).ravel()[0]
        return [found - mean, spread - variance]

    return decide(residuals, "posterior mean and variance against rigorous integrals", radius=RADIUS)


def _array(value: Any, dimensions: int) -> np.ndarray:
    out = np.empty((1,) * dimensions, dtype=object)
    out[...] = value
    return out


#: Atoms in the plane with a full covariance; small rationals, chosen without symmetry.
_POINTS = ((fmpq(1, 2), fmpq(-1, 3)), (fmpq(-2, 3), fmpq(3, 4)), (fmpq(5, 4), fmpq(1, 5)))
_WEIGHTS = (fmpq(1, 2), fmpq(1, 3), fmpq(1, 6))
_COV = ((fmpq(3, 2), fmpq(2, 5)), (fmpq(2, 5), fmpq(2, 3)))
_POINT = (fmpq(1, 7), fmpq(3, 5))


@check(
    kind="certified",
    instances=lambda profile: (Instance("three atoms in the plane", lambda rng: None),),
    probes=("score", "y", "prior_covariance_term", "hessian"),
)
def atoms_in_balls(subject: Posterior, instance: None, rng: Any) -> Evidence:
    """Three atoms in the plane with a full covariance, in ball arithmetic: log p_Y is differentiated by truncated power
    series along three directions, the posterior moments are weighted averages of the atoms.
    """
    return decide(lambda: _plane(subject), "posterior mean and covariance of atoms in the plane", radius=RADIUS)


def _plane(subject: Posterior) -> list[Any]:
    cov = np.array([[ball(c) for c in row] for row in _COV], dtype=object)
    det = cov[0, 0] * cov[1, 1] - cov[0, 1] * cov[1, 0]
    points = [[ball(c) for c in p] for p in _POINTS]
    weights = [ball(w) for w in _WEIGHTS]
    y = [ball(c) for c in _POINT]

    def exponential(u: Any, v: Any, x: list[Any]) -> Any:
        p, q = u - x[0], v - x[1]
        return ((cov[1, 1] * p * p - 2 * cov[0, 1] * p * q + cov[0, 0] * q * q) / det / (-2)).exp()

    def log_density(direction: tuple[int, int]) -> Jet:
        u, v = (Jet([y[i], arb(direction[i]), arb(0)]) for i in range(2))
        terms = [w * exponential(u, v, x) for w, x in zip(weights, points, strict=True)]
        return (terms[0] + terms[1] + terms[2]).log()

    first, second, both = (log_density(d) for d in ((1, 0), (0, 1), (1, 1)))
    score = np.array([[first.derivative(1), second.derivative(1)]], dtype=object)
    mixed = (both.derivative(2) - first.derivative(2) - second.derivative(2)) / 2
    hessian = np.array([[[first.derivative(2), mixed], [mixed, second.derivative(2)]]], dtype=object)

    e = np.array([w * exponential(y[0], y[1], x) for w, x in zip(weights, points, strict=True)], dtype=object)
    x = np.array(points, dtype=object)
    mean = (e @ x) / e.sum()
    spread = sum(e[i] * np.outer(x[i], x[i]) for i in range(len(e))) / e.sum() - np.outer(mean, mean)
    at = np.array([y], dtype=object)
    return [*(subject.mean(at, score, cov)[0] - mean), *(subject.covariance(hessian, cov)[0] - spread).ravel()]
