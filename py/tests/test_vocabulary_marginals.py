"""Every known mistake about a marginal, put to check_marginals on a small process."""

from __future__ import annotations

import math

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError, CallableError


def beta(t):
    """No polynomial, so that no coefficient of one is found in its place."""
    return 1 + 3 * math.exp(t)


def integral(t):
    return t + 3 * math.expm1(t)


def alpha(t):
    return math.exp(-0.5 * integral(t))


def sigma(t):
    return math.sqrt(-math.expm1(-integral(t)))


def law(mean=lambda x, t: alpha(t) * x, std=sigma):
    return lambda x, t: (mean(x, t), std(t))


TIMES = np.linspace(0.05, 1, 14)


def judged(marginal, rate=lambda t: 0.5 * beta(t), square=beta, point=0.0, **more):
    more = {"times": TIMES, "d": 1} | more
    return sp.check_marginals(
        lambda x, t: -rate(t) * (x - point), lambda t: math.sqrt(square(t)), marginal, **more
    )


def of_exponent(log):
    """Mean and standard deviation of another log α."""
    return law(lambda x, t: math.exp(log(t)) * x, lambda t: math.sqrt(-math.expm1(2 * log(t))))


@pytest.mark.parametrize(
    ("said", "marginal", "more"),
    [
        (
            "a power of 10 stands where one of e is due",
            of_exponent(lambda t: -0.5 * integral(t) * math.log(10)),
            {},
        ),
        (
            "the declared log α is t times the drift's rate at t, and must be its integral",
            of_exponent(lambda t: -0.5 * beta(t) * t),
            {},
        ),
        (
            "the drift's rate integrated from t to T, and must be from 0 to t",
            of_exponent(lambda t: -0.5 * (integral(1.0) - integral(t))),
            {},
        ),
        (
            "the factor of x0 in the mean is the one due times t",
            law(lambda x, t: t * alpha(t) * x),
            {},
        ),
        ("the part of the mean that does not depend on x0 is left out", law(), {"point": 0.7}),
        (
            "a constant part 0.3, independent of x0, where the due part varies with t",
            law(lambda x, t: alpha(t) * x + 0.3),
            {"point": 0.7},
        ),
        (
            "is μ (1 - α²) where μ (1 - α) is due, μ = 0.7",
            law(lambda x, t: alpha(t) * x + 0.7 * (1 - alpha(t) ** 2)),
            {"point": 0.7},
        ),
        (
            "0.01 t is taken from the variance",
            law(std=lambda t: math.sqrt(sigma(t) ** 2 - 0.01 * t)),
            {},
        ),
        (
            "-1.5 times the one due: it must be positive",
            law(std=lambda t: -1.5 * sigma(t)),
            {},
        ),
        (
            "your drift is t times, and your g² 2 t times those that the declared law needs",
            law(),
            {"rate": lambda t: 0.5 * beta(t) * t, "square": lambda t: 2 * t * beta(t)},
        ),
        (
            "your drift and g² are t times those that the declared law needs",
            law(),
            {"rate": lambda t: 0.5 * beta(t) * t, "square": lambda t: t * beta(t)},
        ),
        ("half the rate that the marginal has", law(), {"rate": lambda t: 0.25 * beta(t)}),
        (
            "that of the SDE without its drift",
            law(lambda x, t: x, lambda t: math.sqrt(integral(t))),
            {},
        ),
        ("multiplied by α once more", law(std=lambda t: alpha(t) * sigma(t)), {}),
        (
            "1-α² of the sub-VP SDE",
            law(std=lambda t: sigma(t) ** 2),
            {"square": lambda t: beta(t) * (2 + t), "times": [0.1, 0.2, 0.4]},
        ),
        ("the standard deviation has the wrong sign", law(std=lambda t: -sigma(t)), {}),
        ("log α = -¼ ∫β where -½ ∫β is due", law(lambda x, t: alpha(t) ** 0.5 * x), {}),
        ("the mean is divided by α", law(lambda x, t: x / alpha(t)), {}),
    ],
)
def test_a_mistake_in_a_marginal_is_named(said, marginal, more):
    evidence = judged(marginal, **more)
    assert evidence.verdict == "refuted" and evidence.diagnosis.names, evidence.explain()
    assert said in evidence.explain(), evidence.explain()


def blurred(x, t):
    """Of data that were blurred by 0.3 first."""
    return alpha(t) * x, math.sqrt(sigma(t) ** 2 + (0.3 * alpha(t)) ** 2)


def not_at_zero(x, t):
    return alpha(t) * x, 1 / (1 / sigma(t))


@pytest.mark.parametrize(
    ("said", "marginal", "more"),
    [
        ('pass reading="blurred" (or initial_std=0.3); if not, the variance due', blurred, {}),
        ("held against data that are blurred by 0.2: if", blurred, {"initial_std": 0.2}),
        ('pass reading="literal"', law(), {"initial_std": 0.2}),
    ],
)
def test_the_reading_under_which_it_is_right_is_said(said, marginal, more):
    evidence = judged(marginal, **more)
    assert evidence.verdict == "refuted" and said in evidence.explain(), evidence.explain()


def test_a_blur_that_cannot_be_read_is_asked_for():
    with pytest.raises(ArgumentError, match="'literal' where the marginal cannot be evaluated"):
        judged(not_at_zero, reading="blurred")


def test_one_coordinate_without_a_cause_leaves_none():
    evidence = judged(law(std=lambda t: sigma(t) * np.array([1.5, 1 + 0.2 * math.sin(9 * t)])), d=2)
    assert evidence.diagnosis.names == ()
    assert "No one cause explains it. In coordinate 0: " in evidence.explain(), evidence.explain()


def test_times_that_the_process_does_not_reach_are_said():
    def diffusion(t):
        if t > 1 - 1e-11:
            raise ValueError("too near the end")
        return 1 / (1 - t)

    evidence = sp.check_marginals(
        lambda x, t: 0 * x,
        diffusion,
        lambda x, t: (x, math.sqrt(1 / (1 - t) - 1) if t < 1 else 5.0),
    )
    assert "which drift and diffusion cannot be integrated up to" in evidence.explain()


def test_digits_that_float64_loses_are_said():
    evidence = judged(
        law(std=lambda t: math.sqrt(1 - math.exp(-integral(t)))), times=[3e-16, 2e-15]
    )
    assert "such as 1 - exp(-x) may lose that much, expm1" in evidence.explain(), evidence.explain()


def test_batches_of_different_times_are_asked_of_each_row():
    def fixed(x, t):
        if np.ptp(t) > 0:
            raise ValueError("one time only")
        return np.exp(-t)[:, None] * x, np.sqrt(-np.expm1(-2 * t))

    rows = {"batched_time": True}
    with pytest.raises(CallableError, match="with a different time for each row.*; give each row"):
        sp.check_marginals(lambda x, t: -x, lambda t: np.sqrt(2 + 0 * t), fixed, **rows)
    with pytest.raises(CallableError, match="depend on t only .*its rows differ at one t"):
        sp.check_marginals(lambda x, t: -x, lambda t: 1 + np.arange(len(t)), fixed, **rows)
