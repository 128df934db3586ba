"""Tweedie's formula in ball arithmetic: priors with a density by rigorous quadrature, atoms in the
plane by jets.

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
    """A polynomial density on [-1, 2], up to its constant: skew, and zero with two derivatives at
    both ends.
    """
    return (x + 1) ** 3 * (2 - x) ** 3 * (3 + x)


def ramp(x: Jet) -> Jet:
    """A density that jumps at both ends of [-1, 2], up to its constant: positive and with a slope
    there.
    """
    return x + fmpq(3, 2)


def sech(x: Jet) -> Jet:
    """1 / cosh(x - 1/3): it and its first two derivatives lie between -1 and 1."""
    return (x - fmpq(1, 3)).cosh().reciprocal()


class Moments:
    """The integrals of one instance (prior, variance s, point y), computed once for each precision.

    The derivatives of p_Y come from the prior's, after moving them off the kernel φ by parts. On
    [a, b], where the prior may jump:

        p_Y'  = ∫ φ(y - x) p_X'(x) dx  + φ(y - a) p_X(a) - φ(y - b) p_X(b)
        p_Y'' = ∫ φ(y - x) p_X''(x) dx + φ(y - a) p_X'(a) - φ(y - b) p_X'(b) + φ'(y - a) p_X(a) -
        φ'(y - b) p_X(b)

    Taking them on the kernel instead would write the posterior mean twice. φ is not normalised:
    every use is a ratio.
    """

    def __init__(
        self, prior: Callable[[Jet], Jet], support: tuple[int, int] | None, y: fmpq, s: fmpq
    ) -> None:
        self.prior, self.support, self.y, self.s = prior, support, y, s
        self.at = cache(self._at)

    def _range(self, y: arb, s: arb, bits: int) -> tuple[arb, arb, arb]:
        """The ends of the integrals and a ball that holds what lies outside."""
        if self.support is not None:
            return ball(self.support[0]), ball(self.support[1]), arb(0)
        # T = sqrt(2 s bits ln 2) on either side of y. The integrands are at most (1, |x| or x²)
        # exp(-u²/2s) with u = |x - y|, for the prior and its derivatives lie within [-1, 1]; and
        # |x| <= |y| + u, x² <= y² + 2|y|u + u².
        cut = (2 * s * bits * arb(2).log()).sqrt().upper()
        e = (-cut * cut / (2 * s)).exp()
        # ∫_T^∞ of 1, u, u² times exp(-u²/2s) is at most:
        mass, first, second = s / cut * e, s * e, (cut * s + s * s / cut) * e
        size = abs(y)
        bound = 2 * ((1 + size + size * size) * mass + (1 + 2 * size) * first + second)
        return y - cut, y + cut, arb(0, bound.upper())

    def _at(self, bits: int) -> tuple[Any, ...]:
        y, s = ball(self.y), ball(self.s)
        low, high, tail = self._range(y, s, bits)

        def kernel(x: Any) -> Any:
            return (-((y - x) ** 2) / (2 * s)).exp()

        def part(factor: Callable[[acb], acb], k: int) -> arb:
            # kernel and prior are analytic on the whole plane but for sech's poles, where its
            # enclosure is not finite: the flag that asks for analyticity needs no other answer
            def integrand(z: acb, analytic: bool) -> acb:
                return kernel(z) * self.prior(Jet.variable(z, k)).derivative(k) * factor(z)

            return integral(integrand, low, high).real + tail

        mass = part(lambda z: acb(1), 0)
        mean = part(lambda z: z, 0) / mass
        square = part(lambda z: z * z, 0) / mass
        first, second = part(lambda z: acb(1), 1), part(lambda z: acb(1), 2)
        if self.support is not None:
            for end, sign in ((low, 1), (high, -1)):
                jet, phi = self.prior(Jet.variable(end, 1)), kernel(end) * sign
                first += phi * jet.derivative(0)
                second += phi * (jet.derivative(1) - (y - end) / s * jet.derivative(0))
        score = first / mass
        return y, s, score, second / mass - score * score, mean, square - mean * mean


def _moments(profile: str) -> tuple[Instance, ...]:
    bumps = Instance(
        "polynomial prior on [-1, 2]", lambda rng: Moments(bump, (-1, 2), fmpq(7, 5), fmpq(3, 10))
    )
    if profile == "faults":
        return (bumps,)
    ramps = Instance(
        "prior with jumps on [-1, 2]", lambda rng: Moments(ramp, (-1, 2), fmpq(6, 5), fmpq(2, 3))
    )
    if profile == "quick":
        return (bumps, ramps)
    sechs = Instance(
        "sech prior on the line", lambda rng: Moments(sech, None, fmpq(-3, 4), fmpq(7, 4))
    )
    far = Instance(
        "polynomial prior, point far outside",
        lambda rng: Moments(bump, (-1, 2), fmpq(9, 2), fmpq(1, 5)),
    )
    return (bumps, ramps, sechs, far)


_ONE_DIMENSION = "a 1x1 covariance equals its transpose, its diagonal and its reordered factor"


@check(
    kind="certified",
    instances=_moments,
    blind={"swapped_factor": _ONE_DIMENSION, "diagonal_cov": _ONE_DIMENSION},
    probes=("score", "y", "prior_covariance_term", "hessian"),
)
def quadrature(subject: Posterior, moments: Moments, rng: Any) -> Evidence:
    """Non-Gaussian priors with a density, in one dimension: all integrals by rigorous quadrature in
    ball arithmetic, infinite ranges cut where a proved bound takes over; the derivatives of p_Y
    come from the prior's by parts, jumps included.
    """

    def residuals() -> list[Any]:
        from flint import ctx

        y, s, score, hessian, mean, variance = moments.at(ctx.prec)
        found = subject.mean(_array(y, 2), _array(score, 2), _array(s, 2)).ravel()[0]
        spread = subject.covariance(_array(hessian, 3), _array(s, 2)).ravel()[0]
        return [found - mean, spread - variance]

    return decide(
        residuals, "posterior mean and variance against rigorous integrals", radius=RADIUS
    )


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
    """Three atoms in the plane with a full covariance, in ball arithmetic: log p_Y is
    differentiated by truncated power series along three directions, the posterior moments are
    weighted averages of the atoms.
    """
    return decide(
        lambda: _plane(subject),
        "posterior mean and covariance of atoms in the plane",
        radius=RADIUS,
    )


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
    hessian = np.array(
        [[[first.derivative(2), mixed], [mixed, second.derivative(2)]]], dtype=object
    )

    e = np.array(
        [w * exponential(y[0], y[1], x) for w, x in zip(weights, points, strict=True)], dtype=object
    )
    x = np.array(points, dtype=object)
    mean = (e @ x) / e.sum()
    spread = sum(e[i] * np.outer(x[i], x[i]) for i in range(len(e))) / e.sum() - np.outer(
        mean, mean
    )
    at = np.array([y], dtype=object)
    return [
        *(subject.mean(at, score, cov)[0] - mean),
        *(subject.covariance(hessian, cov)[0] - spread).ravel(),
    ]
