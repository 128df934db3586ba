"""The Gaussian KL against rigorous integrals of ``p_0 log(p_0/p_1)`` in ball arithmetic."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.statement import KL
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.balls import ball, decide, integral

__all__ = ["integrals"]

#: rational means and standard deviations of the two laws, a column per coordinate; no ratio is 1
LAWS = (
    ("1/3", "-2/5", "3/4"),
    ("-1/2", "1/7", "5/3"),
    ("3/5", "4/3", "7/8"),
    ("9/7", "2/3", "5/4"),
)


def _one_dimension(m0: Any, s0: Any, m1: Any, s1: Any, bits: int) -> Any:
    """``∫ p_0 log(p_0/p_1)`` in one dimension by rigorous quadrature, the two tails bounded.

    In units of σ0 the integrand is ``φ(u) q(u)`` with a quadratic q; beyond T it is at most
    ``φ(u)(|a| + |b|u + |c|u²)``, and ``∫_T^∞ φ = ½ erfc(T/√2) <= φ(T)/T``, ``∫ u φ = φ(T)``, ``∫ u²
    φ = T φ(T) + ∫ φ``.
    """
    from flint import acb, arb

    cut = (2 * bits * arb(2).log()).sqrt().upper()
    normal = (-cut * cut / 2).exp() / (2 * arb.pi()).sqrt()

    def q(u: Any) -> Any:
        x = m0 + s0 * u
        return (s1 / s0).log() - u * u / 2 + (x - m1) ** 2 / (2 * s1 * s1)

    a, b, c = abs(q(arb(0))), abs((m0 - m1) * s0 / (s1 * s1)), abs(s0 * s0 / (s1 * s1) - 1) / 2
    tail = 2 * (a * normal / cut + b * normal + c * (cut * normal + normal / cut))

    def integrand(u: acb, analytic: bool) -> acb:
        return (-u * u / 2).exp() * q(u)

    return integral(integrand, -cut, cut).real / (2 * arb.pi()).sqrt() + arb(0, tail.upper())


@cache
def _divergences(bits: int) -> tuple[Any, Any]:
    """The integrals for ``LAWS``: isotropic (the first standard deviations for all coordinates) and
    diagonal. One per precision.
    """
    m0, m1, s0, s1 = (tuple(map(ball, row)) for row in LAWS)
    return (
        sum(_one_dimension(m0[i], s0[0], m1[i], s1[0], bits) for i in range(3)),
        sum(_one_dimension(m0[i], s0[i], m1[i], s1[i], bits) for i in range(3)),
    )


@check(
    kind="certified",
    instances=lambda profile: (Instance("d = 3, rational data", lambda rng: LAWS),),
    probes=("mean", "trace", "log"),
)
def integrals(subject: KL, laws: tuple[tuple[str, ...], ...], rng: Any) -> Evidence:
    """The integrals of p_0 log(p_0/p_1) by rigorous quadrature in ball arithmetic, with proved
    bounds for the tails; in three dimensions the divergence of independent coordinates is the sum
    of three such integrals.
    """
    from flint import ctx

    def residuals() -> list[Any]:
        m0, m1, s0, s1 = (np.array([ball(v) for v in row], dtype=object) for row in laws)
        isotropic, diagonal = _divergences(ctx.prec)
        # a rotation (a 3-4-5 turn in the first two axes) leaves the divergence as it is and fills
        # the covariances
        turn = np.array(
            [
                [ball("3/5"), ball("-4/5"), ball(0)],
                [ball("4/5"), ball("3/5"), ball(0)],
                [ball(0), ball(0), ball(1)],
            ],
            dtype=object,
        )
        cov0, cov1 = ((turn * (s * s)) @ turn.T for s in (s0, s1))
        return [
            subject.isotropic(m0, s0[0], m1, s1[0]) - isotropic,
            subject.diagonal(m0, 2 * np.log(s0), m1, 2 * np.log(s1)) - diagonal,
            subject.full(turn @ m0, cov0, turn @ m1, cov1) - diagonal,
        ]

    return decide(
        residuals, "the three forms against rigorous integrals of p_0 log(p_0/p_1)", radius=1e-55
    )
