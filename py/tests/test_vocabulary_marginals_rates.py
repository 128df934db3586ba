"""Mistakes made of rates, of tables of β, of two schedules and of ranges of time, put to
check_marginals on small processes: each is made by hand, and is to be said in its own words.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

import scoreproof as sp

TIMES = np.linspace(0.05, 1, 14)
THETA = 1.3


def said(evidence):
    assert evidence.verdict == "refuted" and evidence.diagnosis.names, evidence.explain()
    return evidence.explain()


def judged(rate, square, marginal, times=TIMES, breaks=()):
    return said(
        sp.check_marginals(
            lambda x, t: -rate(t) * x,
            lambda t: math.sqrt(square(t)),
            marginal,
            times=times,
            breaks=breaks,
            d=1,
        )
    )


def preserving(integral):
    """The law of ∫β: α = exp(-½ ∫β), and 1 - α² the variance."""
    return lambda x, t: (math.exp(-0.5 * integral(t)) * x, math.sqrt(-math.expm1(-integral(t))))


def of_beta(beta, integral, times=TIMES, breaks=()):
    """Drift and g² of one β, beside the law of another."""
    return judged(lambda t: 0.5 * beta(t), beta, preserving(integral), times, breaks)


def of_rates(variance, growth):
    """f = -θ x and g = 0.8 exp(L t), beside a variance that is 0.64 (…) times ``variance``."""

    def marginal(x, t):
        between = math.exp(2 * growth * t) - math.exp(-2 * THETA * t)
        return math.exp(-THETA * t) * x, 0.8 * math.sqrt(between * variance(THETA, growth))

    return judged(
        lambda t: THETA, lambda t: 0.64 * math.exp(2 * growth * t), marginal, np.linspace(0.1, 1, 6)
    )


@pytest.mark.parametrize(
    ("text", "variance"),
    [
        ("θ is left out of the denominator θ + L", lambda q, L: 1 / (2 * L)),
        ("L is left out of the denominator θ + L", lambda q, L: 1 / (2 * q)),
        ("the denominator θ + L is left out", lambda q, L: 1 / 2),
        ("the denominator 2 (θ + L) is left out", lambda q, L: 1),
        ("it is divided by θ + L twice", lambda q, L: 1 / (2 * (q + L) ** 2)),
        ("it is divided by 2 (θ + L) twice", lambda q, L: 1 / (2 * (q + L)) ** 2),
        (
            "a factor L is left out (in g² = 2 L σ², of g = σ √(2 L))",
            lambda q, L: 1 / (2 * (q + L)) / L,
        ),
        ("a factor 2 L is left out (of g = σ √(2 L))", lambda q, L: 1 / (2 * (q + L)) / (2 * L)),
        ("it has a factor L too much", lambda q, L: L / (2 * (q + L))),
        ("it has a factor 2 L too much, or g lacks √(2 L)", lambda q, L: 2 * L / (2 * (q + L))),
        ("θ stands where L is due", lambda q, L: q / L / (2 * (q + L))),
        ("L stands where θ is due", lambda q, L: L / q / (2 * (q + L))),
        ("the denominator has L - θ where θ + L is due", lambda q, L: 1 / (2 * (L - q))),
        ("2 L stands for L below", lambda q, L: 1 / (2 * (q + 2 * L))),
        ("2 θ stands for θ below", lambda q, L: 1 / (2 * (2 * q + L))),
    ],
    ids=[
        "(θ + L)/L",
        "(θ + L)/θ",
        "θ + L",
        "2 (θ + L)",
        "1/(θ + L)",
        "1/(2 (θ + L))",
        "1/L",
        "1/(2 L)",
        "L",
        "2 L",
        "θ/L",
        "L/θ",
        "L - θ",
        "θ + 2 L",
        "2 θ + L",
    ],
)
def test_a_factor_made_of_both_rates_is_named(text, variance):
    assert f": {text}" in of_rates(variance, 1.9)


def test_a_variance_divided_twice_by_the_rate_of_the_drift():
    text = of_rates(lambda q, L: 1 / (2 * q) ** 2, 0.0)
    assert "1/(2 θ), θ = 1.3 the rate of the drift: it is divided by 2 θ twice, or g has" in text
    assert " a √(2 θ) that is not in the law" in text


def curve(t):
    """No polynomial, so that no coefficient of one is found in its place."""
    return 1 + 3 * math.exp(t)


def area(t):
    return t + 3 * math.expm1(t)


def bump(t):
    """Neither a power nor an exponential, which are others of their kind at another time."""
    return 1 + 2 * t / (1 + t * t)


def under_bump(t):
    return t + math.log1p(t * t)


@pytest.mark.parametrize(
    ("text", "beta", "integral"),
    [
        (
            "your drift and g² belong together, but they are those of time t², where t is due",
            lambda t: curve(t * t),
            area,
        ),
        (
            "those of time t, where time u = (t + s)/(1 + s), s = 0.008 is due (the offset s of a"
            " cosine schedule is in the declared law alone)",
            bump,
            lambda t: 1.008 * (under_bump((t + 0.008) / 1.008) - under_bump(0.008 / 1.008)),
        ),
        (
            "those of time t, where time u = 0.5 t + 0.2, times du/dt = 0.5 is due",
            bump,
            lambda t: under_bump(0.5 * t + 0.2) - under_bump(0.2),
        ),
    ],
    ids=["t²", "offset", "chain rule"],
)
def test_coefficients_of_another_time_are_named(text, beta, integral):
    assert text in of_beta(beta, integral, TIMES[::2])


def test_a_beta_counted_by_steps_is_asked_for():
    text = judged(lambda t: 0.5 * curve(t), lambda t: 250 * curve(t), preserving(area))
    assert "250 times the one" in text
    assert ": is it counted by steps, of which a unit of time has 250? divide it" in text
    text = judged(lambda t: 0.5 * curve(t), lambda t: curve(t) / 250, preserving(area))
    assert ": is it counted by steps, of which a unit of time has 250? multiply it" in text


def test_a_piece_that_begins_with_too_much_is_named():
    def integral(t):
        return 2 * t if t < 0.4 else 0.9 + 6 * (t - 0.4)  # 0.8 is due

    text = of_beta(lambda t: 2.0 if t < 0.4 else 6.0, integral, breaks=[0.4])
    assert "log α is 0.05 too small at all times: ∫β has too much: 0.1 (for a drift -½ β x" in text


def test_a_variance_of_another_rate_from_a_time_on_is_named():
    text = judged(
        lambda t: 0.0,
        lambda t: 1.0 if t < 0.4 else 3.0,
        lambda x, t: (x, math.sqrt(t if t < 0.4 else 0.4 + 2 * (t - 0.4))),
        breaks=[0.4],
    )
    assert "from t = 0.4 on the declared variance, divided by α², changes 0.666667 = 2/3" in text


def test_the_two_schedules_of_one_process_are_named():
    def log_bar(t):
        return 2 * math.log(math.cos(math.pi / 2 * (t + 0.008) / 1.008))

    text = of_beta(
        lambda t: 0.1 + 19.9 * t, lambda t: log_bar(0) - log_bar(t), np.linspace(0.05, 0.9, 9)
    )
    assert "but of two schedules: β is 0.1 + 19.9 t in drift and g², 3.1167 tan(π/2 (t" in text
    assert ") in the declared law." in text


STEPS = 6
#: no polynomial in k
BETAS = np.array([0.03, 0.11, 0.05, 0.2, 0.17, 0.4])


def of_table(rates, log_bar):
    """A table of rates, beside the law of ``log_bar(t)`` = log ᾱ."""
    return of_beta(
        lambda t: STEPS * rates[min(int(t * STEPS), STEPS - 1)],
        lambda t: -log_bar(t),
        np.linspace(0.03, 1, 7),
        np.arange(1, STEPS) / STEPS,
    )


def gathered(steps):
    """What is added in each step, straight in between."""
    edges, values = np.linspace(0, 1, STEPS + 1), np.append(0.0, np.cumsum(steps))
    return lambda t: float(np.interp(t, edges, values))


def bent(t):
    """ᾱ, and not its logarithm, straight in between."""
    edges, values = np.linspace(0, 1, STEPS + 1), np.exp(-np.append(0.0, np.cumsum(BETAS)))
    return math.log(np.interp(t, edges, values))


EARLIER, LATER = np.append(BETAS[0], BETAS[:-1]), np.append(BETAS[1:], BETAS[-1])


@pytest.mark.parametrize(
    ("text", "rates", "log_bar"),
    [
        (
            "a table of 6 entries; at its entries the declared law is theirs, between them it is"
            " another (log ᾱ must be interpolated linearly in t, or the table be interpolated)",
            BETAS,
            bent,
        ),
        (
            "-6 log(1 - β_k) where 6 β_k is due: the declared ᾱ is multiplied by e^-β_k in each",
            -np.log1p(-BETAS),
            gathered(-BETAS),
        ),
        (
            "log(1 - β_k/2) is due: the declared α is multiplied by 1 - β_k/2 in each step",
            BETAS,
            gathered(2 * np.log1p(-BETAS / 2)),
        ),
        (
            "log(1 - β_k) is due: the declared α, not ᾱ = α², is multiplied by 1 - β_k in each",
            BETAS,
            gathered(2 * np.log1p(-BETAS)),
        ),
        ("each interval has the entry before the one that is due.", EARLIER, gathered(-BETAS)),
        (
            "each interval has the entry after the one that is due, and the rate is 6 β_k where"
            " -6 log(1 - β_k) is due",
            LATER,
            gathered(np.log1p(-BETAS)),
        ),
    ],
    ids=["between", "exp", "half", "bar", "before", "after"],
)
def test_a_table_of_other_steps_is_named(text, rates, log_bar):
    assert text in of_table(rates, log_bar)


def test_a_rate_that_is_0_at_first_ends_no_search():
    def rate(t):
        return max(0.0, 3 * (t - 0.1))

    found = sp.check_marginals(
        lambda x, t: -rate(t) * x,
        lambda t: math.sqrt(1 + 2 * rate(t) * t),
        lambda x0, t: (x0 * math.exp(-rate(1) * t), math.sqrt(t)),
        times=TIMES,
        d=1,
    )
    assert found.verdict == "refuted" and "ended in" not in found.explain(), found.explain()
    assert "t times the drift's rate at T" in found.explain()
