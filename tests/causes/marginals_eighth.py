"""Wrong marginals of two processes in one, in other numbers than the strangers' who wrote them."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_marginals

LOW, HIGH = 0.3, 9.0


def beta(t):
    return LOW + (HIGH - LOW) * t


def whole(t):
    return LOW * t + (HIGH - LOW) * t**2 / 2


def alpha(t):
    return np.exp(-whole(t) / 2)


def judged(rate, g2, marginal, **more) -> Evidence:
    return check_marginals(
        lambda x, t: -rate(t) / 2 * x, lambda t: np.sqrt(g2(t)), marginal, **more
    )


def tangent(t, s):
    return np.pi / (1 + s) * np.tan(np.pi / 2 * (t + s) / (1 + s))


def cosine(s):
    def bar(t):
        return np.cos(np.pi / 2 * (t + s) / (1 + s)) ** 2

    return lambda x, t: (np.sqrt(bar(t) / bar(0)) * x, np.sqrt(1 - bar(t) / bar(0)))


@wrong(
    "β of the cosine without its offset",
    says=r"two cosine schedules: β is 3\.1416 tan\(π/2 t\).*\(t \+ 0\.02\)/\(1 \+ 0\.02\)",
)
def tangent_without_offset():
    return judged(lambda t: tangent(t, 0), lambda t: tangent(t, 0), cosine(0.02), horizon=0.9)


@wrong("β of another offset", says=r"\(t \+ 0\.02\)/\(1 \+ 0\.02\).*\(t \+ 0\.01\)/\(1 \+ 0\.01\)")
def tangent_of_another_offset():
    def own(t):
        return tangent(t, 0.02)

    return judged(own, own, cosine(0.01), horizon=0.9)


@wrong("straight path: g at 1 - t", says=r"drift is right, but your g² is that of time 1 - t")
def noise_of_the_other_end():
    return check_marginals(
        lambda x, t: -x / (1 - t),
        lambda t: np.sqrt(2 * (1 - t) / t),
        lambda x, t: ((1 - t) * x, t),
        times=np.linspace(0.1, 0.8, 15),
    )


@wrong("sub-VP's std, the SDE's g", says=r"a variance .*; or drift and g² .*sub-VP SDE")
def sub_preserving_law():
    return judged(beta, beta, lambda x, t: (alpha(t) * x, 1 - alpha(t) ** 2))


@wrong("the root covers β alone", says=r"\(1 - α⁴\)², not 1 - α⁴, .*root does not cover")
def discount_outside_the_root():
    return judged(
        beta,
        lambda t: beta(t) * np.expm1(-2 * whole(t)) ** 2,
        lambda x, t: (alpha(t) * x, 1 - alpha(t) ** 2),
    )


@wrong("the discount lacks a 2 before the slope", says=r"exponent is -\(0\.6 t \+ 4\.35 t²\)")
def discount_of_half_the_slope():
    return judged(
        beta,
        lambda t: -beta(t) * np.expm1(-2 * LOW * t - (HIGH - LOW) * t**2 / 2),
        lambda x, t: (alpha(t) * x, 1 - alpha(t) ** 2),
    )


@wrong("a trigonometric SDE for a straight path", says=r"variance-preserving.*straight path")
def trigonometric_for_straight():
    return judged(
        lambda t: tangent(t, 0),
        lambda t: tangent(t, 0),
        lambda x, t: ((1 - t) * x, t),
        horizon=0.8,
    )


@wrong("β of one step, not of a unit of time", says=r"one step of 250.*multiply it by 250")
def rate_of_a_step():
    def own(t):
        return beta(t) / 250

    return judged(own, own, lambda x, t: (alpha(t) * x, np.sqrt(1 - alpha(t) ** 2)))
