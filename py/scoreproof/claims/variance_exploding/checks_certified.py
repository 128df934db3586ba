"""The kernel in ball arithmetic: heat equation, mass, ∫ρ², Chapman–Kolmogorov. All inputs are
rationals.

Conventions: as in `statement`. A Gaussian integral over the line is a rigorous integral over [c -
L, c + L] plus a bound of the two
tails: ``∫_L^∞ exp(-u²/2w) du <= w/L exp(-L²/2w)``. Where an exponent has the wrong sign there is no
such bound; the integrand
is positive, so the inner part is a lower bound, and it is what is compared.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from flint import acb, arb, ctx, fmpq

from scoreproof.claims.variance_exploding.checks_exact import CONSTANT_SHIFT, RATE_ONLY
from scoreproof.claims.variance_exploding.scales import SCALES, Scale
from scoreproof.claims.variance_exploding.statement import Law, Sigma
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.balls import ball, decide, integral
from scoreproof.numerics.jets import Jet

__all__ = ["chapman_kolmogorov", "heat_equation", "integral_of_rate", "normalisation"]

RADIUS = 1e-55
Y = fmpq(2, 7)
#: Where σ_0 ≠ 0, everything is visible; the lowest profile needs no other σ.
GENERIC = "quadratic, σ_0 = 1/3"


def _scales(profile: str, *, at_zero: bool = False, quick: int = 2) -> tuple[Instance, ...]:
    chosen = [s for s in SCALES.values() if s.smooth_at_zero or not at_zero]
    if profile in ("faults", "quick"):
        chosen = [s for s in chosen if s.name == GENERIC] if profile == "faults" else chosen[:quick]
    return tuple(Instance(s.name, partial(_given, s)) for s in chosen)


def _given(scale: Scale, rng: Any) -> Scale:
    return scale


def _sigma(scale: Scale, t: fmpq, start: fmpq | int = 0) -> Sigma:
    """σ at the time t·horizon, in balls."""
    horizon = ball(scale.horizon)
    return Sigma.at(scale.sigma, ball(t) * horizon, horizon, ball(start) * horizon)


def _series(law: Law, **parts: Any) -> Law:
    return Law(
        *[
            v if isinstance(v, Jet) else Jet([v, v * 0])
            for v in (law.mean, law.spread, law.root, law.rate)
        ]
    )


def _now(law: Law) -> Law:
    return Law(
        *[getattr(v, "coefficients", [v])[0] for v in (law.mean, law.spread, law.root, law.rate)]
    )


@check(kind="certified", instances=_scales, blind=CONSTANT_SHIFT, probes=("spread", "rate"))
def heat_equation(subject: Any, scale: Scale, rng: Any) -> Evidence:
    """The residual ∂_t p - (ρ²/2) ∂_xx p of the kernel at rational points and times in ball
    arithmetic; both derivatives are coefficients of truncated power series of the kernel itself.
    """
    points, times = (fmpq(-5, 3), fmpq(1, 2), fmpq(7, 4)), (fmpq(2, 5), fmpq(5, 7))

    def residuals() -> list[Any]:
        found = []
        for t in times:
            law = subject(ball(Y), _sigma(scale, t))
            now, moving = _now(law), _series(law)
            for x in points:
                rate = moving.kernel(ball(x)).derivative(1)
                curvature = now.kernel(Jet.variable(ball(x), 2)).derivative(2)
                found.append(rate - now.rate / 2 * curvature)
        return found

    return decide(
        residuals,
        f"∂_t p - (ρ²/2) ∂_xx p at 6 rational points, σ {scale.name}",
        radius=RADIUS,
        max_bits=1024,
    )


def _line(integrand: Any, centre: arb, width: arb, height: arb) -> arb:
    """``∫ integrand`` over the line, for a positive integrand that is at most
    ``height·exp(-(z-centre)²/(2 width))`` (see the module's docstring).
    """
    proper = bool(width > 0)
    scale = width if proper else -width
    reach = (2 * scale * (ctx.prec + 32) * arb(2).log()).sqrt().upper()
    inner = integral(integrand, centre - reach, centre + reach).real
    if not proper:
        return inner
    tail = 2 * height * scale / reach * (-1 * reach * reach / (2 * scale)).exp()
    return inner + tail * arb(fmpq(1, 2), fmpq(1, 2))  # the tail lies in [0, bound]


@check(
    kind="certified",
    instances=_scales,
    blind={
        **RATE_ONLY,
        **CONSTANT_SHIFT,
        **dict.fromkeys(
            ("std_as_variance", "difference_squared", "variance_reversed", "variance_remaining"),
            "exponent and normaliser share the wrong variance: the mass is 1",
        ),
        "mean_shrunk": "a shifted density has mass 1",
    },
    probes=("spread", "root"),
)
def normalisation(subject: Any, scale: Scale, rng: Any) -> Evidence:
    """The mass of the kernel by rigorous quadrature with a proved bound for the tails: it must be
    1. The source's printed normaliser √(2π σ_t) fails here.
    """

    def residuals() -> list[Any]:
        law = _now(subject(ball(Y), _sigma(scale, fmpq(2, 5)).values()))
        height = 1 / (2 * arb.pi() * law.root).sqrt()
        return [
            _line(lambda z, analytic: _complex(law).kernel(z), law.mean, law.spread, height) - 1
        ]

    return decide(
        residuals, f"the mass of the kernel minus 1, σ {scale.name}", radius=RADIUS, max_bits=1024
    )


def _complex(law: Law) -> Law:
    return Law(acb(law.mean), acb(law.spread), acb(law.root), law.rate)


@check(
    kind="certified",
    instances=partial(_scales, at_zero=True),
    probes=("spread", "root", "rate"),
    blind={"mean_shrunk": "the mean does not enter an integral of ρ²"},
)
def integral_of_rate(subject: Any, scale: Scale, rng: Any) -> Evidence:
    """∫ρ² from 0 to t by rigorous quadrature against σ_t² - σ_0² and against the variance in the
    kernel's exponent and normaliser: this is where σ_0 ≠ 0 shows, to which the heat equation is
    blind.
    """
    t = fmpq(3, 5)
    cut = fmpq(1, 5)  # also the part from cut to t, where a rate with a pole at 0 is finite

    def residuals() -> list[Any]:
        horizon = ball(scale.horizon)

        def rate(z: acb, analytic: bool) -> acb:
            return acb(_now(subject(ball(Y), Sigma.at(scale.sigma, z, horizon).values())).rate)

        late = integral(rate, ball(cut) * horizon, ball(t) * horizon).real
        squares = [scale.sigma(ball(u) * horizon) ** 2 for u in (fmpq(0), cut, t)]
        part = late - (squares[2] - squares[1])
        if not part.contains(0):
            return [part]
        variance = integral(rate, ball(0), ball(cut) * horizon).real + late
        law = _now(subject(ball(Y), _sigma(scale, t).values()))
        return [
            part,
            variance - (squares[2] - squares[0]),
            law.spread - variance,
            law.root - variance,
        ]

    return decide(
        residuals,
        f"∫ρ² against σ_t² - σ_0² and the kernel's variance, σ {scale.name}",
        radius=RADIUS,
        max_bits=1024,
    )


@check(kind="certified", instances=partial(_scales, quick=1), blind=RATE_ONLY, probes=("root",))
def chapman_kolmogorov(subject: Any, scale: Scale, rng: Any) -> Evidence:
    """Going from time 0 to r and from r to t must be going from 0 to t: the integral of the product
    of two kernels over the point in between, by rigorous quadrature, against the third kernel.
    """
    r, t = fmpq(9, 40), fmpq(1, 2)

    def residuals() -> list[Any]:
        x, y = ball(fmpq(6, 5)), ball(Y)
        first, whole = (_now(subject(y, _sigma(scale, u).values())) for u in (r, t))
        second = _sigma(scale, t, r).values()

        def product(z: acb, analytic: bool) -> acb:
            return _complex(first).kernel(z) * Law(
                *[acb(v) for v in _parts(subject(z, second))]
            ).kernel(acb(x))

        height = (
            1 / (2 * arb.pi() * first.root).sqrt() / (2 * arb.pi() * subject(y, second).root).sqrt()
        )
        return [_line(product, first.mean, first.spread, height) - whole.kernel(x)]

    return decide(
        residuals,
        f"the kernels over [0, r] and [r, t] composed minus the one over [0, t], σ {scale.name}",
        radius=RADIUS,
        max_bits=1024,
    )


def _parts(law: Law) -> tuple[Any, ...]:
    return law.mean, law.spread, law.root, law.rate
