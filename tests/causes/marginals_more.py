"""Further wrong marginals, written after the check had been mended for the first ones."""

from __future__ import annotations

import math

import numpy as np

from causes import wrong
from scoreproof import check_marginals


def beta(t):
    return 0.1 + 19.9 * t


def integral(t):
    return 0.1 * t + 19.9 * t * t / 2


def vp_drift(x, t):
    return -0.5 * beta(t) * x


def vp_diffusion(t):
    return math.sqrt(beta(t))


def vp_marginal(x, t):
    return x * math.exp(-0.5 * integral(t)), math.sqrt(-math.expm1(-integral(t)))


@wrong(
    "sub-VP: 1 - e^{-∫β} in g² where 1 - e^{-2∫β} is due",
    says=r"1 ?- ?α²[^.]*1 ?- ?α⁴|e\^|g²[^.]*α|\(1 ?\+ ?α²\)",
)
def sub_vp_diffusion():
    def diffusion(t):
        return math.sqrt(beta(t) * -math.expm1(-integral(t)))

    def marginal(x, t):
        return x * math.exp(-0.5 * integral(t)), -math.expm1(-integral(t))

    return check_marginals(vp_drift, diffusion, marginal)


@wrong(
    "the time is rounded down to a table of 1000 in the marginal", says=r"round|table|1000|0\.001"
)
def marginal_of_table():
    def marginal(x, t):
        return vp_marginal(x, math.floor(1000 * t) / 1000)

    return check_marginals(vp_drift, vp_diffusion, marginal, times=[0.0105, 0.1003, 0.3337, 0.7771])


@wrong("β of the cosine schedule without π/2", says=r"π/2|2/π|1\.5708|0\.63662")
def cosine_without_half_pi():
    def rate(t):
        return 2 * math.tan(math.pi / 2 * t)

    def marginal(x, t):
        return x * math.cos(math.pi / 2 * t), math.sin(math.pi / 2 * t)

    times = np.linspace(0.05, 0.95, 19)
    return check_marginals(
        lambda x, t: -0.5 * rate(t) * x, lambda t: math.sqrt(rate(t)), marginal, times=times
    )


@wrong("EDM: σ² = t² returned for σ", says=r"variance[^.]*standard deviation|σ² ")
def karras_variance():
    return check_marginals(lambda x, t: 0 * x, lambda t: math.sqrt(2 * t), lambda x, t: (x, t * t))


@wrong(
    "flow: g² = 2t/(1-t) returned for g",
    says=r"ρ² where ρ is due|g² (where|for) g|diffusion returns",
)
def flow_without_root():
    return check_marginals(
        lambda x, t: -x / (1 - t),
        lambda t: 2 * t / (1 - t),
        lambda x, t: ((1 - t) * x, t),
        times=np.linspace(0.05, 0.9, 18),
    )


@wrong(
    "Ornstein-Uhlenbeck: σ²/2 where σ²/(2θ) is due",
    says=r"1\.22474|√\(3/2\)|1\.5 times|factor 1\.5",
)
def ou_without_rate():
    theta, s = 1.5, 0.6

    def marginal(x, t):
        return x * np.exp(-theta * t), s * np.sqrt((1 - np.exp(-2 * theta * t)) / 2)

    return check_marginals(lambda x, t: -theta * x, lambda t: s, marginal)


@wrong(
    "the rates of the coordinates are exchanged in the marginal",
    says=r"coordinates?[^.]*exchanged|coordinate 0[^.]*coordinate 1",
)
def coordinates_exchanged():
    rates, flipped = np.array([0.5, 2.0]), np.array([2.0, 0.5])

    def marginal(x, t):
        return x * np.exp(-flipped * t), np.sqrt((1 - np.exp(-2 * flipped * t)) / (2 * flipped))

    return check_marginals(lambda x, t: -rates * x, lambda t: 1.0, marginal)


@wrong(
    "σ_min and σ_max are exchanged in the marginal",
    says=r"exchanged|T ?- ?t|negative exponent|falls|falling",
)
def scales_exchanged():
    low, high = 0.01, 50.0

    def diffusion(t):
        return low * (high / low) ** t * math.sqrt(2 * math.log(high / low))

    def marginal(x, t):
        return x, high * (low / high) ** t

    return check_marginals(lambda x, t: 0 * x, diffusion, marginal)


@wrong("log σ² is clamped from below at -5", says=r"(clamp|clipp)ed[^.]*0\.08208|0\.0821|-5\b")
def log_variance_clamped():
    def marginal(x, t):
        mean, std = vp_marginal(x, t)
        return mean, math.exp(0.5 * max(2 * math.log(std), -5.0))

    return check_marginals(vp_drift, vp_diffusion, marginal)


@wrong("the drift has ∫β where β is due", says=r"drift[^.]*(∫|integral)")
def drift_of_integral():
    return check_marginals(lambda x, t: -0.5 * integral(t) * x, vp_diffusion, vp_marginal)
