"""Wrong marginals that strangers wrote, in other numbers and another layout."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_marginals

LOW, HIGH = 0.05, 20.0


def exploding(t):
    return LOW * (HIGH / LOW) ** t


def still(x, t):
    return 0 * x


@wrong("g = σ: √(2 log(σ_max/σ_min)) is left out", says=r"1/\(2 log\(σ\(T\)/σ\(0\)\)\)")
def logarithm_of_the_ends_is_missing():
    return check_marginals(still, exploding, lambda x, t: (x, exploding(t)), initial_std=LOW)


@wrong("σ' is left out of g² = 2 σ σ'", says=r"1/\(σ\(T\) - σ\(0\)\).* factor .* is missing")
def slope_of_sigma_is_missing():
    def sigma(t):
        return LOW + (HIGH - LOW) * t

    return check_marginals(
        still, lambda t: np.sqrt(2 * sigma(t)), lambda x, t: (x, sigma(t)), initial_std=LOW
    )


@wrong("log10 in g, in single precision", says=r"1/ln 10 .*base-10 logarithm", needs="torch")
def base_ten_in_single_precision():
    import torch

    def sigma(t):
        return LOW * (HIGH / LOW) ** t

    return check_marginals(
        lambda x, t: torch.zeros_like(x),
        lambda t: sigma(t) * (2 * np.log10(HIGH / LOW)) ** 0.5,
        lambda x, t: (x, (sigma(t) ** 2 - LOW**2) ** 0.5),
        framework="torch",
        dtype="float32",
    )


@wrong("flow with σ_min: g² is that of σ = t", says=r"your g² is t/σ times .* needs, 2 σ/α")
def flow_without_its_smallest_sigma():
    return check_marginals(
        lambda x, t: -x / (1 - t),
        lambda t: np.sqrt(2 * t / (1 - t)),
        lambda x, t: ((1 - t) * x, 0.2 + 0.8 * t),
        reading="blurred",
        horizon=0.9,
    )


def rate(t):
    return 2.0 if t < 0.4 else 6.0


def preserving(log):
    return lambda x, t: (np.exp(log(t)) * x, np.sqrt(-np.expm1(2 * log(t))))


def drift(x, t):
    return -0.5 * rate(t) * x


def noise(t):
    return rate(t) ** 0.5


@wrong("the second piece begins at 0", says=r"from t = 0\.4 on .* 0\.4 too large.*∫β lacks 0\.8")
def first_piece_is_forgotten():
    return check_marginals(drift, noise, preserving(lambda t: -t if t < 0.4 else -3 * (t - 0.4)))


@wrong("the second piece has another rate", says=r"from t = 0\.4 on .* 0\.5 times as fast")
def second_piece_is_slow():
    return check_marginals(
        drift, noise, preserving(lambda t: -t if t < 0.4 else -0.4 - 1.5 * (t - 0.4))
    )


@wrong(
    "ᾱ of a table is laid on i/(n - 1), from 0 to 1",
    says=r"entry i of a table of 200 is laid on i/199, and is due at \(i \+ 1\)/200",
)
def table_from_zero_to_one():
    betas = np.linspace(5e-4, 0.1, 200)
    logs = np.cumsum(np.log1p(-betas)) / 2

    def beta(t):
        return -200 * np.log1p(-betas[min(int(200 * t), 199)])

    return check_marginals(
        lambda x, t: -0.5 * beta(t) * x,
        lambda t: np.sqrt(beta(t)),
        preserving(lambda t: np.interp(t, np.linspace(0, 1, 200), logs)),
        tolerance=1e-6,
    )


@wrong("g of the other coordinate in σ", says=r"coordinate 0 has the g of coordinate 1")
def noises_exchanged():
    rates, g = np.array([0.4, 1.5]), np.array([0.7, 2.0])

    def marginal(x, t):
        var = g[[1, 0]] ** 2 * (1 - np.exp(-2 * rates * t)) / (2 * rates)
        return x * np.exp(-rates * t), np.sqrt(var) + 0 * x

    return check_marginals(lambda x, t: -rates * x, lambda t: g, marginal, d=2)


@wrong("g² of the scaled coordinate is twice too large", says=r"variance is half .* 2 times too")
def noise_twice():
    return check_marginals(
        lambda x, t: -2 * x,
        lambda t: 8**0.5,
        lambda x, t: (np.exp(-2 * t) * x, np.sqrt(-np.expm1(-4 * t))),
    )
