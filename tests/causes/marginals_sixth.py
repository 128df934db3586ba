"""Wrong marginals that a stranger found to be explained wrongly: one coefficient, one side."""

from __future__ import annotations

from math import exp, sqrt

from causes import wrong
from scoreproof import check_marginals


def beta(t):
    return 0.1 + 19.9 * t


@wrong("β_max for β_max - β_min in log α", says=r"coefficient of t² .* 20 for 19\.9")
def largest_for_difference():
    def marginal(x, t):
        log = -0.25 * t**2 * 20 - 0.05 * t
        return exp(log) * x, sqrt(1 - exp(2 * log))

    return check_marginals(lambda x, t: -0.5 * beta(t) * x, lambda t: sqrt(beta(t)), marginal)


@wrong("flow matching: g² = 2t for 2t/(1-t)", says=r"your g², 2 t, is α times the one")
def flow_matching_noise():
    return check_marginals(
        lambda x, t: -x / (1 - t),
        lambda t: sqrt(2 * t),
        lambda x, t: ((1 - t) * x, t),
        horizon=0.95,
    )


@wrong("VP's deviation declared for sub-VP", says=r"root of the one due.*variance-preserving")
def preserving_for_sub():
    def integral(t):
        return 0.1 * t + 9.95 * t * t

    return check_marginals(
        lambda x, t: -0.5 * beta(t) * x,
        lambda t: sqrt(beta(t) * (1 - exp(-2 * integral(t)))),
        lambda x, t: (x * exp(-integral(t) / 2), sqrt(1 - exp(-integral(t)))),
    )
