"""Wrong marginals: coefficients bounded late, tables of rates, the rates of an OU process."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_marginals

THETA, LOW, HIGH = 0.8, 0.1, 1.7
RATIO = np.log(HIGH / LOW)
BETAS = np.linspace(0.01, 0.2, 20)


@wrong(
    "1 - t bounded in the drift alone",
    says=r"right up to t = 0\.96; .*rate is \(1 - t\)/0\.04 times.*bounded from below by 0\.04",
)
def drift_bounded_late():
    return check_marginals(
        lambda x, t: -x / max(1 - t, 0.04),
        lambda t: np.sqrt(2 * t / (1 - t)),
        lambda x, t: ((1 - t) * x, t),
        horizon=0.99,
    )


def ouve(std) -> Evidence:
    return check_marginals(
        lambda x, t: -THETA * x,
        lambda t: LOW * (HIGH / LOW) ** t * np.sqrt(2 * RATIO),
        lambda x, t: (np.exp(-THETA * t) * x, std(t)),
    )


@wrong("log r left out of θ + log r", says=r"\(θ \+ L\)/θ.*either the standard deviation.*or g")
def growth_missing_below():
    def std(t):
        grown = np.exp(-2 * THETA * t) * np.expm1(2 * (THETA + RATIO) * t)
        return LOW * np.sqrt(grown * RATIO / THETA)

    return ouve(std)


@wrong("N β_k for -N log(1 - β_k)", says=r"20 β_k where -20 log\(1 - β_k\) is due")
def rate_of_a_table():
    n = len(BETAS)
    logs = np.concatenate([[0.0], np.cumsum(np.log1p(-BETAS))])

    def rate(t):
        return n * BETAS[min(int(t * n + 1e-9), n - 1)]

    def marginal(x, t):
        log = np.interp(t * n, np.arange(n + 1), logs)
        return np.exp(log / 2) * x, np.sqrt(-np.expm1(log))

    breaks = tuple(np.arange(1, n) / n)
    return check_marginals(
        lambda x, t: -rate(t) / 2 * x, lambda t: np.sqrt(rate(t)), marginal, breaks=breaks
    )


@wrong("β twice what is due", says=r"β half as large.*either β is twice what is due in the drift")
def rate_of_two_beta():
    def rate(t):
        return 2 * (0.2 + 6 * t)

    def marginal(x, t):
        whole = 0.2 * t + 3 * t**2
        return np.exp(-whole / 2) * x, np.sqrt(-np.expm1(-whole))

    return check_marginals(lambda x, t: -rate(t) / 2 * x, lambda t: np.sqrt(rate(t)), marginal)
