"""A third round of wrong marginals, held out like the second."""

from __future__ import annotations

import math

import numpy as np

from causes import wrong
from scoreproof import check_marginals


def beta(t):
    return 0.1 + 19.9 * t


def integral(t):
    return 0.1 * t + 19.9 * t * t / 2


def judged(marginal, **more):
    return check_marginals(
        lambda x, t: -0.5 * beta(t) * x, lambda t: math.sqrt(beta(t)), marginal, **more
    )


def alpha(t):
    return math.exp(-0.5 * integral(t))


def sigma(t):
    return math.sqrt(-math.expm1(-integral(t)))


@wrong(
    "exp(¼ log σ²) where exp(½ log σ²) is due",
    says=r"√σ|(square )?root of|σ where σ²|N\(X_0, σ_t\)",
)
def quarter_of_log_variance():
    return judged(lambda x, t: (alpha(t) * x, math.exp(0.25 * math.log(sigma(t) ** 2))))


@wrong("the mean is 0", says=r"mean does not depend on x0")
def mean_zero():
    return judged(lambda x, t: (0 * x, sigma(t)))


@wrong("e^{2θt} - 1 where 1 - e^{-2θt} is due", says=r"σ/α|divided by α")
def growing_variance():
    theta, s = 0.8, 0.5

    def marginal(x, t):
        return x * np.exp(-theta * t), s * np.sqrt((np.exp(2 * theta * t) - 1) / (2 * theta))

    return check_marginals(lambda x, t: -theta * x, lambda t: s, marginal)


@wrong(
    "ᾱ of the cosine schedule is not divided by its value at 0",
    says=r"0\.9\d+ times|α\(0\)|at t = 0|t=1e-05",
)
def cosine_not_normalised():
    def angle(t):
        return (t + 0.008) / 1.008 * math.pi / 2

    def rate(t):
        return 2 * math.tan(angle(t)) * math.pi / 2 / 1.008

    def marginal(x, t):
        return math.cos(angle(t)) * x, math.sin(angle(t))

    return check_marginals(
        lambda x, t: -0.5 * rate(t) * x,
        lambda t: math.sqrt(rate(t)),
        marginal,
        times=np.linspace(0.05, 0.95, 19),
    )


@wrong("t is clamped from below at 1e-3 in the marginal", says=r"t clamped|0\.001")
def time_clamped():
    return judged(lambda x, t: (alpha(max(t, 1e-3)) * x, sigma(max(t, 1e-3))))


@wrong(
    "the mean of the coordinates' g² is used in the std of each",
    says=r"coordinates?[^.]*(mean|average|rms|same)|same in all coordinates",
)
def variance_averaged():
    g = np.array([0.5, 1.5])

    def marginal(x, t):
        return x, np.sqrt(np.mean(g**2) * t) * np.ones(2)

    return check_marginals(lambda x, t: 0 * x, lambda t: g, marginal)


@wrong(
    "the drift pushes away from 0",
    says=r"sign of the reverse clock|drift[^.]*sign|log α is -1 times",
)
def drift_outwards():
    return check_marginals(
        lambda x, t: 0.5 * beta(t) * x,
        lambda t: math.sqrt(beta(t)),
        lambda x, t: (alpha(t) * x, sigma(t)),
        horizon=0.5,
    )


@wrong("∫β is taken as β(0) t", says=r"β\(0\)|rate at 0|its start|constant rate")
def constant_beta():
    def marginal(x, t):
        a = math.exp(-0.5 * 0.1 * t)
        return a * x, math.sqrt(1 - a * a)

    return judged(marginal)


@wrong(
    "a bridge whose mean has b t² where b t is due",
    says=r"does not depend on x0[^.]*\bt\b|part of the mean[^.]*\bt times",
)
def bridge_mean():
    b = 0.7
    return check_marginals(
        lambda x, t: (b - x) / (1 - t),
        lambda t: 1.0,
        lambda x, t: (x * (1 - t) + b * t * t, math.sqrt(t * (1 - t))),
        times=np.linspace(0.05, 0.9, 18),
    )


@wrong("1e-3 is added to the std", says=r"and 0\.001[^.]* more, everywhere")
def deviation_offset():
    return judged(lambda x, t: (alpha(t) * x, sigma(t) + 1e-3))
