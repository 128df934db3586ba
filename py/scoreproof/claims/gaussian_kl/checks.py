"""The Gaussian KL against integrals: exact moments, rigorous quadrature, exact cubature; and near equal variances.

The oracle is always an expectation of ``log p_0 - log p_1`` under the first law, never a closed form of the divergence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.claims.gaussian_kl.faults import of_form
from scoreproof.claims.gaussian_kl.stable import stable_isotropic
from scoreproof.claims.gaussian_kl.statement import KL
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.balls import ball, decide, integral, precision
from scoreproof.numerics.cubature import expectation, random_rotation, separable_expectation
from scoreproof.numerics.linear import random_covariance

__all__ = ["cubature", "integrals", "moments", "near_equal"]

EPS = float(np.finfo(float).eps)
PROBES = ("mean", "trace", "log")


@check(
    kind="exact",
    instances=lambda profile: (Instance("d = 3, all means and variances", lambda rng: 3),),
    blind=dict.fromkeys(of_form("full"), "the full form takes determinants, whose logarithms are no symbols here"),
)
def moments(subject: KL, d: int, rng: Any) -> Evidence:
    """E_0[log p_0 - log p_1] with the moments E_0[x] = μ and E_0[x²] = μ² + σ² as symbols, and log σ as a symbol of its own:
    its difference to the isotropic and to the diagonal formula must be the zero rational function.
    """
    from scoreproof.numerics.rational_functions import Positive, Ratio, symbols

    names = [f"{s}{i}" for i in range(d) for s in ("m", "n", "s", "t", "ls", "lt")]
    by_name: dict[str, Ratio] = dict(zip(names, symbols(*names), strict=True))

    def column(prefix: str) -> np.ndarray:
        return np.array([by_name[f"{prefix}{i}"] for i in range(d)], dtype=object)

    m0, m1 = column("m"), column("n")

    def expected(s0: Any, s1: Any, l0: Any, l1: Any) -> Any:
        # log p(x) = -(x - m)²/(2 s²) - l - log √(2π); E_0 (x - m1)² = s0² + m0² - 2 m0 m1 + m1²
        first = -sum((s0**2 + m0**2 - 2 * m0 * m0 + m0**2) / (2 * s0**2)) - sum(l0)
        second = -sum((s0**2 + m0**2 - 2 * m0 * m1 + m1**2) / (2 * s1**2)) - sum(l1)
        return first - second

    s, t, ls, lt = by_name["s0"], by_name["t0"], by_name["ls0"], by_name["lt0"]
    ones = np.array([by_name["s0"] * 0 + 1] * d, dtype=object)
    isotropic = subject.isotropic(m0, Positive(s, ls), m1, Positive(t, lt)) - expected(ones * s, ones * t, ones * ls, ones * lt)
    logvar0 = np.array([_LogVariance(by_name[f"s{i}"], by_name[f"ls{i}"]) for i in range(d)], dtype=object)
    logvar1 = np.array([_LogVariance(by_name[f"t{i}"], by_name[f"lt{i}"]) for i in range(d)], dtype=object)
    diagonal = subject.diagonal(m0, logvar0, m1, logvar1)
    diagonal = getattr(diagonal, "log_value", diagonal) - expected(column("s"), column("t"), column("ls"), column("lt"))
    nonzero = sum(0 if r.is_zero() else r.terms() for r in (isotropic, diagonal))
    return Evidence.exact(nonzero, f"the difference to E_0[log p_0 - log p_1] in d = {d}, for all means and variances at once, has {nonzero} terms")


class _LogVariance:
    """A log-variance ``c·log s`` whose exponential ``s^c`` is a rational function: what the diagonal form computes with."""

    def __init__(self, std: Any, log_std: Any, powers: tuple[tuple[Any, int], ...] | None = None, log_value: Any = None) -> None:
        self.powers = powers if powers is not None else ((std, 2),)
        self.log_value = log_value if log_value is not None else 2 * log_std

    def exp(self) -> Any:
        result = 1
        for base, power in self.powers:
            result = base**power * result
        return result

    def _combine(self, other: _LogVariance, sign: int) -> _LogVariance:
        return _LogVariance(None, None, self.powers + tuple((b, sign * p) for b, p in other.powers), self.log_value + sign * other.log_value)

    def __add__(self, other: Any) -> Any:
        if isinstance(other, _LogVariance):
            return self._combine(other, 1)
        return self.log_value + other  # leaves the logarithms: a plain number from here on

    __radd__ = __add__

    def __sub__(self, other: Any) -> Any:
        return self._combine(other, -1) if isinstance(other, _LogVariance) else self.log_value - other

    def __neg__(self) -> _LogVariance:
        return _LogVariance(None, None, tuple((b, -p) for b, p in self.powers), -self.log_value)

    def __mul__(self, n: int) -> _LogVariance:
        return _LogVariance(None, None, tuple((b, n * p) for b, p in self.powers), n * self.log_value)

    __rmul__ = __mul__

    def __truediv__(self, n: int) -> _LogVariance:
        return _LogVariance(None, None, tuple((b, p // n) for b, p in self.powers), self.log_value / n)


def _one_dimension(m0: Any, s0: Any, m1: Any, s1: Any, bits: int) -> Any:
    """``∫ p_0 log(p_0/p_1)`` in one dimension by rigorous quadrature, the two tails bounded.

    In units of σ0 the integrand is ``φ(u) q(u)`` with a quadratic q; beyond T it is at most ``φ(u)(|a| + |b|u + |c|u²)``,
    and ``∫_T^∞ φ = ½ erfc(T/√2) <= φ(T)/T``, ``∫ u φ = φ(T)``, ``∫ u² φ = T φ(T) + ∫ φ``.
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


def _exact_laws(rng: Any) -> tuple[Any, ...]:
    from scoreproof.numerics.balls import rational

    return tuple(tuple(map(rational, row)) for row in (("1/3", "-2/5", "3/4"), ("-1/2", "1/7", "5/3"), ("3/5", "4/3", "7/8"), ("9/7", "2/3", "5/4")))


@check(kind="certified", instances=lambda profile: (Instance("d = 3, rational data", _exact_laws),), probes=PROBES)
def integrals(subject: KL, laws: tuple[Any, ...], rng: Any) -> Evidence:
    """The integrals of p_0 log(p_0/p_1) by rigorous quadrature in ball arithmetic, with proved bounds for the tails; in three
    dimensions the divergence of independent coordinates is the sum of three such integrals.
    """
    from flint import ctx

    cached: dict[int, tuple[Any, Any]] = {}

    def residuals() -> list[Any]:
        m0, m1, s0, s1 = (np.array([ball(v) for v in row], dtype=object) for row in laws)
        if ctx.prec not in cached:
            cached[ctx.prec] = (
                sum(_one_dimension(m0[i], s0[0], m1[i], s1[0], ctx.prec) for i in range(3)),
                sum(_one_dimension(m0[i], s0[i], m1[i], s1[i], ctx.prec) for i in range(3)),
            )
        isotropic, diagonal = cached[ctx.prec]
        logs0, logs1 = (np.array([2 * v.log() for v in s], dtype=object) for s in (s0, s1))
        # a rotation (a 3-4-5 turn in the first two axes) leaves the divergence as it is and fills the covariances
        turn = np.array([[ball("3/5"), ball("-4/5"), ball(0)], [ball("4/5"), ball("3/5"), ball(0)], [ball(0), ball(0), ball(1)]], dtype=object)
        cov0, cov1 = ((turn * (s * s)) @ turn.T for s in (s0, s1))
        return [
            subject.isotropic(m0, s0[0], m1, s1[0]) - isotropic,
            subject.diagonal(m0, logs0, m1, logs1) - diagonal,
            subject.full(turn @ m0, cov0, turn @ m1, cov1) - diagonal,
        ]

    return decide(residuals, "the three forms against rigorous integrals of p_0 log(p_0/p_1)", radius=1e-55)


@dataclass(frozen=True)
class Pair:
    """Two Gaussians with full covariances, in float; the isotropic and diagonal forms use parts of them."""

    m0: np.ndarray
    m1: np.ndarray
    cov0: np.ndarray
    cov1: np.ndarray
    rotation: np.ndarray | None


def _pair(rng: np.random.Generator, d: int, full: bool) -> Pair:
    m0, m1 = rng.standard_normal((2, d))
    if not full:  # only the diagonals: O(d) memory
        return Pair(m0, m1, np.exp(rng.uniform(-1, 1, d)), np.exp(rng.uniform(-1, 1, d)), None)
    return Pair(m0, m1, random_covariance(rng, d, 10.0), random_covariance(rng, d, 10.0), random_rotation(rng, d))


def _pairs(profile: str) -> tuple[Instance, ...]:
    sizes = {"faults": ((4, True),), "quick": ((50, True),), "default": ((50, True), (1000, True))}
    chosen = sizes.get(profile, (*sizes["default"], (10_000_000, False)))
    return tuple(Instance(f"d = {d}" + ("" if full else ", separable"), lambda rng, a=(d, full): _pair(rng, *a)) for d, full in chosen)


@check(kind="float", instances=_pairs, probes=PROBES)
def cubature(subject: KL, pair: Pair, rng: Any) -> Evidence:
    """E_0[log p_0 - log p_1] by a cubature of 2d points that is exact for quadratics, in a random rotation, in up to 1000
    dimensions (ten million for the deep profile, where the sum over coordinates separates).
    """
    d = len(pair.m0)
    var0, var1 = (pair.cov0, pair.cov1) if pair.rotation is None else (np.diag(pair.cov0), np.diag(pair.cov1))
    s0, s1 = 0.75, 1.3
    errors, scales = [], []

    def compare(value: Any, terms: np.ndarray) -> None:
        truth = float(np.sum(terms))
        errors.append(abs(float(value) - truth))
        scales.append(float(np.sum(np.abs(terms))))

    def separable(v0: np.ndarray, v1: np.ndarray) -> np.ndarray:
        # log p_0 and log p_1 kept apart: their sizes are what rounding acts on
        parts = [
            separable_expectation(lambda x, m=m, v=v: -((x - m) ** 2) / (2 * v) - np.log(v) / 2, pair.m0, np.sqrt(v0))
            for m, v in ((pair.m0, v0), (pair.m1, v1))
        ]
        return np.array([parts[0], -parts[1]])

    wide = np.ones(d)
    compare(_vectorised(subject.isotropic, pair.m0, s0, pair.m1, s1), separable(wide * s0**2, wide * s1**2))
    compare(_vectorised(subject.diagonal, pair.m0, np.log(var0), pair.m1, np.log(var1)), separable(var0, var1))
    condition = 1.0
    if pair.rotation is not None:
        root = np.linalg.cholesky(pair.cov0)
        parts = []
        for mean, cov in ((pair.m0, pair.cov0), (pair.m1, pair.cov1)):
            precision_matrix, (_, logdet) = np.linalg.inv(cov), np.linalg.slogdet(cov)

            def log_density(x: np.ndarray, mean: Any = mean, p: Any = precision_matrix, logdet: Any = logdet) -> np.ndarray:
                return -np.sum(((x - mean) @ p) * (x - mean), axis=1) / 2 - logdet / 2

            parts.append(float(expectation(log_density, pair.m0, root, pair.rotation)))
        compare(subject.full(pair.m0, pair.cov0, pair.m1, pair.cov1), np.array([parts[0], -parts[1]]))
        condition = float(np.linalg.cond(pair.cov1))
    error = max(e / s for e, s in zip(errors, scales, strict=True))
    # pairwise and sequential sums of d terms: sqrt(d) roundings is what they leave; the full form inverts C1
    return Evidence.measured(
        error, EPS * (4 + 2 * np.sqrt(d)) * (condition if pair.rotation is not None else 1.0), f"the three forms against exact cubature in d = {d}"
    )


def _vectorised(form: Any, m0: np.ndarray, scale0: Any, m1: np.ndarray, scale1: Any) -> Any:
    return form(m0, scale0, m1, scale1)


@check(
    kind="float",
    instances=lambda profile: (Instance("relative gap 2^-27", lambda rng: 2.0**-27),),
    blind=dict.fromkeys((*of_form("diagonal"), *of_form("full")), "only the isotropic form is looked at here"),
    probes=("mean",),
)
def near_equal(subject: KL, gap: float, rng: Any) -> Evidence:
    """Near σ0 = σ1 the printed form loses its digits in floating point: the formula in 400-bit balls against the stable form
    in floats, at a relative gap of 2^-27 and means as close.
    """
    from flint import arb

    d, sigma0, sigma1 = 5, 1.25 * (1 + gap), 1.25
    m0 = np.arange(1.0, d + 1)
    m1 = m0 + gap * np.array([1.0, -2.0, 3.0, 1.0, -1.0])
    stable = stable_isotropic(m0, sigma0, m1, sigma1)
    with precision(400):
        balls = [np.array([arb(float(v)) for v in m], dtype=object) for m in (m0, m1)]
        value = subject.isotropic(balls[0], arb(sigma0), balls[1], arb(sigma1))
        error = float(abs(value - arb(stable)).upper()) / stable
    naive = KL().isotropic(m0, sigma0, m1, sigma1)
    lost = abs(float(naive) - stable) / stable
    # eight roundings: two differences, a product and a quotient in r, the square, two products and the sum
    return Evidence.measured(error, 8 * EPS, f"the stable form at a relative gap of {gap:.1e}; there the printed form in floats is off by {lost:.2g}")
