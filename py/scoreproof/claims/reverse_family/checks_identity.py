"""The identity of Fokker–Planck equations behind the family: over polynomials, in balls, in floats.

Conventions: forward ``∂_t p = -(f p)_x + g²/2 p_xx``; a reverse SDE (b, c) with dt < 0 has ``∂_t p
= -(b p)_x - c²/2 p_xx``.
Both hold for the same p exactly when the reverse SDE has the forward marginals (given uniqueness).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np

from scoreproof.claims.reverse_family.processes import AffineMixture, Benes, Floating
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.balls import ball, decide, rational
from scoreproof.numerics.jets import Jet

__all__ = ["closed_forms", "jet_symbols", "log_form"]

ALL = ("drift", "score", "half_lambda", "noise", "noise_lambda")
SYMBOLS = ("f", "fx", "p", "px", "pxx", "q")


@dataclass(frozen=True)
class Symbols:
    """A process that is nothing but names: at the time ``now`` one set of jet symbols, at any other
    time a second set.

    ``q`` stands for 1/p; everything is reduced by p q = 1 in the end.
    """

    ring: Any
    axis: int
    now: Any = field(init=False)
    horizon: Any = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "now", self.ring["t"])
        object.__setattr__(self, "horizon", self.ring["T"])

    def _get(self, name: str, t: Any) -> Any:
        shared = name in ("p", "q", "g")  # p and g are the same for every coordinate axis
        return self.ring[("" if t == self.now else "~") + name + ("" if shared else str(self.axis))]

    def drift(self, x: Any, t: Any) -> Jet:
        return Jet([self._get("f", t), self._get("fx", t)])

    def diffusion(self, t: Any) -> Any:
        return self._get("g", t)

    def density(self, x: Any, t: Any) -> Jet:
        return Jet([self._get("p", t), self._get("px", t)])

    def score(self, x: Any, t: Any) -> Jet:
        p, q, px, pxx = (self._get(n, t) for n in ("p", "q", "px", "pxx"))
        return Jet([px * q, pxx * q - px * px * q * q])


def _symbols(dimension: int, rng: Any) -> list[Symbols]:
    from flint import Ordering, fmpq_mpoly_ctx

    shared, per_axis = ("p", "q", "g"), [n for n in SYMBOLS if n not in ("p", "q")]
    names = [
        "lambda",
        "t",
        "T",
        *(
            m + s
            for m in ("", "~")
            for s in (*shared, *(n + str(i) for n in per_axis for i in range(dimension)))
        ),
    ]
    context = fmpq_mpoly_ctx.get(names, Ordering.lex)
    ring = dict(zip(names, context.gens(), strict=True))
    return [Symbols(ring, i) for i in range(dimension)]


def _dimensions(profile: str) -> tuple[Instance, ...]:
    dims = {"faults": (1,), "quick": (1, 2), "default": (1, 3), "deep": (1, 3, 6)}[profile]
    return tuple(Instance(f"dimension {d}", partial(_symbols, d)) for d in dims)


@check(kind="exact", instances=_dimensions)
def jet_symbols(subject: Any, axes: list[Symbols], rng: Any) -> Evidence:
    """Writes forward minus reverse Fokker–Planck operator as a polynomial over Q in the symbols p,
    p_x, p_xx, f, f_x, g and λ and reduces it by p·(1/p) = 1: it must vanish, for every smooth
    process and every λ at once, in the dimension of the instance.
    """
    ring = axes[0].ring
    residual: Any = 0
    for axis in axes:
        p, px, pxx = (axis._get(n, axis.now) for n in ("p", "px", "pxx"))
        f, g = axis.drift(None, axis.now), axis.diffusion(axis.now)
        b, c2 = subject(axis, None, axis.now, ring["lambda"])
        residual += -(f.coefficients[0] * px + f.coefficients[1] * p) + g * g * pxx / 2
        residual += b.coefficients[0] * px + b.coefficients[1] * p + c2 * pxx / 2
    for tilde in ("", "~"):
        residual = divmod(residual, ring[tilde + "p"] * ring[tilde + "q"] - 1)[1]
    terms = len(residual)
    return Evidence.exact(
        terms,
        f"{terms} terms of the difference of the two Fokker–Planck operators remain, for all p, f,"
        " g and λ",
        cost={"symbols": len(ring)},
    )


# -- balls --------------------------------------------------------------------------------------

LAMBDAS = {
    "faults": ("-1/2",),
    "quick": ("-3", "-1/2", "1/3", "1"),
    "default": ("-3", "-3/2", "-1/2", "0", "1/3", "2/3", "1"),
    "deep": ("-3", "-2", "-3/2", "-1", "-1/2", "-1/7", "0", "1/7", "1/3", "1/2", "2/3", "6/7", "1"),
}
POINTS = {"faults": 1, "quick": 1, "default": 3, "deep": 9}


@dataclass(frozen=True)
class Rational:
    """A process by exact rationals, turned into balls at whatever precision is asked for; with
    points, a time and λs.
    """

    kind: str
    numbers: tuple[tuple[Any, ...], ...]
    points: tuple[Any, ...]
    time: Any
    lambdas: tuple[Any, ...]

    def process(self) -> Any:
        weights, first, second, third, fourth = (
            tuple(ball(v) for v in row) for row in self.numbers
        )
        horizon = ball(1)
        if self.kind == "linear":
            return AffineMixture(
                weights, first, second, (third[0], third[1]), (fourth[0], fourth[1]), horizon
            )
        return Benes(weights, first, (fourth[0], fourth[1]), horizon)


def _rationals(kind: str, profile: str, rng: np.random.Generator) -> Rational:
    def draw(low: int, high: int) -> Any:
        return rational(f"{int(rng.integers(low * 100, high * 100))}/97")

    numbers = (
        ("2/5", "1/4", "7/20"),
        (draw(-2, -1), draw(0, 1), draw(1, 2)),
        ("1/10", "1/5", "2/7"),
        ("1/3", "1/5"),
        ("3/4", "2/3"),
    )
    points = tuple(draw(-2, 2) for _ in range(POINTS[profile]))
    return Rational(
        kind, numbers, points, rational("3/11"), tuple(rational(s) for s in LAMBDAS[profile])
    )


def _closed(profile: str) -> tuple[Instance, ...]:
    kinds = ("linear",) if profile == "faults" else ("linear", "Benes")
    names = {"linear": "linear SDE from a mixture", "Benes": "drift g² tanh x from three points"}
    return tuple(Instance(names[k], partial(_rationals, k, profile)) for k in kinds)


def _residual(subject: Any, process: Any, x: Any, t: Any, lam: Any) -> Any:
    """``∂_t p + (b p)_x + c²/2 p_xx`` in the arithmetic of x and t; ∂_t from the closed form in t,
    not from the SDE.
    """
    p = process.density(Jet.variable(x, 2), t)
    p_t = process.density(x, Jet.variable(t, 1)).derivative(1)
    b, c2 = subject(process, Jet.variable(x, 1), t, lam)
    return (
        p_t
        + b.coefficients[0] * p.derivative(1)
        + b.coefficients[1] * p.coefficients[0]
        + c2 * p.derivative(2) / 2
    )


@check(kind="certified", instances=_closed, probes=ALL)
def closed_forms(subject: Any, exact: Rational, rng: Any) -> Evidence:
    """Encloses ∂_t p + (b p)_x + c²/2 p_xx in balls, p the closed form of a linear SDE started from
    a Gaussian mixture and of one
    with drift g² tanh x: time derivative by a power series in t, space derivatives in x, λ rational
    from -3 to 1. Zero must lie in each ball, of radius at most 1e-50.
    """

    def residuals() -> list[Any]:
        process, t = exact.process(), ball(exact.time)
        return [
            _residual(subject, process, ball(x), t, ball(lam))
            for x in exact.points
            for lam in exact.lambdas
        ]

    return decide(
        residuals,
        f"the reverse Fokker–Planck equation at {len(exact.points)} points for λ ="
        f" {', '.join(map(str, exact.lambdas))}",
        radius=1e-50,
    )


# -- floats -------------------------------------------------------------------------------------


#: Units of x and of t. In the first the score and g are about 100, in the second x is, and the
#: others 1/100: a limit to any of them, from above or from below, shows in one of them.
UNITS = {"in small units": (1e-2, 1e-8), "in large units": (1e2, 1e8)}


def floating_process(
    rng: np.random.Generator | None = None,
    *,
    smallest: float = 0.3,
    unit: float = 1.0,
    clock: float = 1.0,
) -> Floating:
    """A mixture of three Gaussians under a linear SDE whose g runs from 0.9 to 1.3: no coefficient
    is 1, none is constant. ``unit`` and ``clock`` are the units of x and of t.
    """
    jitter = np.zeros(3) if rng is None else rng.uniform(-0.1, 0.1, 3)
    rate = unit**2 / clock
    return Floating(
        (0.4, 0.25, 0.35),
        tuple(unit * (np.array([-1.1, 0.2, 1.3]) + jitter)),
        tuple(unit**2 * smallest * k for k in (1.0, 1.2, 1.5)),
        (0.35 / clock, 0.15 / clock**2),
        (0.8 * rate, 1.3 * rate / clock),
        clock,
    )


@dataclass(frozen=True)
class Cloud:
    process: Floating
    x: np.ndarray
    times: tuple[float, ...]
    lambdas: tuple[float, ...]


def _cloud(profile: str, rng: np.random.Generator, unit: float = 1.0, clock: float = 1.0) -> Cloud:
    count, lambdas = {
        "faults": (16, (-0.5, 0.4)),
        "quick": (64, (-3.0, -0.5, 0.0, 0.4, 1.0)),
        "default": (2000, (-3.0, -0.5, 0.0, 0.4, 1.0)),
        "deep": (200000, tuple(np.linspace(-3, 1, 17))),
    }[profile]
    process = floating_process(rng, unit=unit, clock=clock)
    times = tuple(clock * t for t in (0.15, 0.35, 0.8))
    if unit != 1:
        lambdas = (-99.0, *lambdas)
    return Cloud(process, unit * rng.uniform(-3, 3, count), times, lambdas)


def _clouds(profile: str) -> tuple[Instance, ...]:
    chosen = (Instance("mixture of three", partial(_cloud, profile)),)
    if profile == "faults":
        return chosen
    return chosen + tuple(
        Instance(f"mixture of three {name}", partial(_cloud, "quick", unit=u, clock=c))
        for name, (u, c) in UNITS.items()
    )


@check(kind="float", instances=_clouds, probes=ALL)
def log_form(subject: Any, cloud: Cloud, rng: Any) -> Evidence:
    """Divides the same identity by p, (∂_t p)/p + b_x + b s + c²/2 p_xx/p, at many points, times
    and λ at once, each term by power series in floats; the error is relative to the sum of the
    terms' absolute values.
    """
    # every term is a quotient of sums of three exponentials whose arguments (|r²/2v| ≤ 20) carry
    # their own rounding
    bound = 64 * 20 * np.finfo(float).eps
    error = 0.0
    for t in cloud.times:
        p = cloud.process.density(Jet.variable(cloud.x, 2), t)
        p0, p1, p2 = (p.derivative(k) for k in range(3))
        p_t = cloud.process.density(cloud.x, Jet.variable(t, 1)).derivative(1) / p0
        for lam in cloud.lambdas:
            b, c2 = subject(cloud.process, Jet.variable(cloud.x, 1), t, lam)
            terms = np.array(
                [p_t, b.coefficients[1], b.coefficients[0] * p1 / p0, c2 * p2 / p0 / 2 + 0 * p0]
            )
            error = max(error, float(np.max(np.abs(terms.sum(axis=0)) / np.abs(terms).sum(axis=0))))
    return Evidence.measured(
        error,
        bound,
        f"the reverse Fokker–Planck equation in log form at {cloud.x.size} points,"
        f" {len(cloud.times)} times and {len(cloud.lambdas)} values of λ",
        cost={"evaluations": cloud.x.size * len(cloud.times) * len(cloud.lambdas)},
    )
