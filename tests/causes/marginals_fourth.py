"""A fourth round of wrong marginals, held out like the second and third."""

from __future__ import annotations

import math

import numpy as np

from causes import wrong
from scoreproof import check_marginals


def beta(t):
    return 0.1 + 19.9 * t


def alpha(t):
    return math.exp(-0.05 * t - 19.9 * t * t / 4)


def sigma(t):
    return math.sqrt(-math.expm1(-0.1 * t - 19.9 * t * t / 2))


def judged(marginal, **more):
    return check_marginals(
        lambda x, t: -0.5 * beta(t) * x, lambda t: math.sqrt(beta(t)), marginal, **more
    )


@wrong(
    "β_min and β_max are exchanged in the marginal",
    says=r"β_min and β_max exchanged|-10 \+ 9\.95 t",
)
def ends_exchanged():
    def marginal(x, t):
        log = -0.5 * (20.0 * t - 19.9 * t * t / 2)
        return math.exp(log) * x, math.sqrt(-math.expm1(2 * log))

    return judged(marginal)


@wrong("the std depends on x0", says=r"one deviation for every x0|depends on x0")
def deviation_of_the_data():
    return judged(lambda x, t: (alpha(t) * x, sigma(t) * np.maximum(1, np.abs(x) / 10)))


@wrong(
    "the offset s of the cosine schedule is in the drift only",
    says=r"β is 3\.1167 tan\(π/2 \(t \+ 0\.008\).*but 3\.1416 tan\(π/2 t\)",
)
def cosine_offset():
    def rate(t):
        return math.pi / 1.008 * math.tan((t + 0.008) / 1.008 * math.pi / 2)

    def marginal(x, t):
        return math.cos(t * math.pi / 2) * x, math.sin(t * math.pi / 2)

    return check_marginals(
        lambda x, t: -0.5 * rate(t) * x,
        lambda t: math.sqrt(rate(t)),
        marginal,
        times=np.linspace(0.05, 0.95, 19),
    )


@wrong("g = √2 t where √(2t) is due", says=r"g² is 2 t\^2, and must be 2 t|g², 2 t\^2, is t times")
def karras_without_root():
    return check_marginals(lambda x, t: 0 * x, lambda t: 2**0.5 * t, lambda x, t: (x, t))


@wrong(
    "drift and diffusion are read from a table of 50 at the index before",
    says=r"table of 50 entries",
)
def coefficients_of_a_table():
    def held(t):
        return beta(math.floor(50 * t) / 50)

    return check_marginals(
        lambda x, t: -0.5 * held(t) * x,
        lambda t: math.sqrt(held(t)),
        lambda x, t: (alpha(t) * x, sigma(t)),
    )


@wrong("∫β over t/1000 where it is over t, in index units", says=r"log α is 0\.001 times")
def index_units():
    def rate(t):
        return (0.1 + 19.9 * t / 1000) / 1000

    def marginal(x, t):
        log = -0.5 * (0.1 * t / 1000 + 19.9 * (t / 1000) ** 2 / 2) / 1000
        return math.exp(log) * x, math.sqrt(-math.expm1(2 * log))

    return check_marginals(
        lambda x, t: -0.5 * rate(t) * x, lambda t: math.sqrt(rate(t)), marginal, horizon=1000.0
    )


@wrong(
    "the rate of coordinate 2 is 1.0 in the marginal and 1.5 in the drift",
    says=r"coordinate 2 of 3: [^.]*drift[^.]*1\.5",
)
def one_rate():
    rates, declared = np.array([0.5, 2.0, 1.5]), np.array([0.5, 2.0, 1.0])

    def marginal(x, t):
        mean = x * np.exp(-declared * t)
        return mean, np.sqrt((1 - np.exp(-2 * declared * t)) / (2 * declared))

    return check_marginals(lambda x, t: -rates * x, lambda t: 1.0, marginal, d=3)


@wrong(
    "the drift is μ - θ x where θ (μ - x) is due", says=r"does not depend on x0[^.]*1\.5 times|μ"
)
def mean_without_rate():
    theta, mu = 1.5, 0.8

    def marginal(x, t):
        a = np.exp(-theta * t)
        return mu + (x - mu) * a, np.sqrt((1 - a * a) / (2 * theta))

    return check_marginals(lambda x, t: mu - theta * x, lambda t: 1.0, marginal)


@wrong("the index before: t - 1/1000", says=r"t - 0\.001")
def index_before():
    def marginal(x, t):
        u = max(t - 1 / 1000, 0.0)
        return alpha(u) * x, sigma(u)

    return judged(marginal)


@wrong(
    "α and σ are exchanged",
    says=r"x0 in the mean is (σ|√\(1 - α²\)) where α is due[\s\S]*deviation is α where",
)
def levels_exchanged():
    return judged(lambda x, t: (sigma(t) * x, alpha(t)))
