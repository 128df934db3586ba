"""`check_log_likelihood`: far out in the tails, and solvers that cannot be refined."""

from __future__ import annotations

import re

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError
from scoreproof.objects.schedules import VPLinear

check = sp.check_log_likelihood


def normal(z):
    return -(z**2).sum(1) / 2 - z.shape[1] / 2 * np.log(2 * np.pi)


def flow(velocity, div, x, n_steps=16, prior=normal):
    h, total = 1 / n_steps, 0.0
    for k in range(n_steps):
        t = 1 - (k + 0.5) * h
        half = x - h / 2 * velocity(x, t + h / 2)
        x, total = x - h * velocity(half, t), total - h * div(half, t)
    return prior(x) + total


@pytest.mark.parametrize("d", [1, 3, 4])
def test_what_is_clamped_far_out_is_refuted(d):
    def clamped(velocity, div, x, n_steps=16):
        return flow(velocity, div, x, n_steps, lambda z: normal(np.clip(z, -4, 4)))

    evidence = check(clamped, shape=d)
    assert evidence.diagnosis.names == ("tails",)
    assert "6 standard deviations out" in evidence.diagnosis.sentence


def test_a_clamp_beyond_the_tails_is_no_mistake():
    def clamped(velocity, div, x, n_steps=16):
        return flow(velocity, div, x, n_steps, lambda z: normal(np.clip(z, -30, 30)))

    assert check(clamped)


def test_the_coverage_says_how_far_out_it_looked():
    covered = check(flow, given=("velocity", "div", "x", "n_steps")).coverage
    assert "5 of the first one 6 standard deviations from its middle" in covered.span
    assert covered.asked == {"laws": 2, "points": 15}


def test_a_map_that_has_no_value_far_out_leaves_the_tails_away():
    def of_positive(velocity, div, x, n_steps=16):
        with np.errstate(invalid="ignore"):
            y = np.log(1.9 + x)
        return flow(velocity, div, y, n_steps) - y.sum(1)

    evidence = check(of_positive, shape=2)
    assert evidence, evidence.explain()
    assert evidence.coverage.span.endswith("none in the tails")


def by_euler(velocity, div, x):
    total = np.zeros(len(x))
    for k in range(100):
        v, change = velocity(x, 1 - k / 100), div(x, 1 - k / 100)
        x, total = x - v / 100, total - change / 100
    return normal(x) + total


def test_euler_without_a_number_of_steps_is_left_open():
    """It is off by 5 %, as Euler's method is with these steps."""
    evidence = check(by_euler)
    assert evidence.verdict == "undecided" and "let it take n_steps" in evidence.sentence


def test_a_gross_error_of_eulers_is_refuted():
    assert check(lambda velocity, div, x: 1.5 * by_euler(velocity, div, x)).verdict == "refuted"


def between(late=0.0, early=0.0, sign=1.0):
    """By Heun's method from 1 - late to early."""

    def log_p(velocity, div, x, n_steps=16):
        h, total = (1 - late - early) / n_steps, 0.0
        for k in range(n_steps):
            t = 1 - late - k * h
            v = velocity(x, t)
            y = x - h * v
            total = total - h / 2 * (div(x, t) + div(y, t - h))
            x = x - h / 2 * (v + velocity(y, t - h))
        return normal(x) + sign * total

    return log_p


@pytest.mark.parametrize("ends", [(1e-5, 0.0), (1e-5, 1e-5), (1e-3, 1e-3)])
def test_a_flow_with_small_cutoffs_holds(ends):
    evidence = check(between(*ends))
    assert evidence, evidence.explain()
    if ends[0] > 1e-4:
        note = next(n for n in evidence.notes if n.startswith("It begins at t = "))
        assert "0.999, 0.001 beside the time of the data" in note and "nats another" in note


@pytest.mark.parametrize("ends", [(1e-2, 0.0), (0.0, 1e-2)], ids=["late", "early"])
def test_cutoffs_that_a_verdict_would_see_are_left_open(ends):
    evidence = check(between(*ends))
    assert evidence.verdict == "undecided"
    assert "these cutoffs alone make 0.0" in evidence.sentence
    assert "accept it by tolerance=" in evidence.sentence


def test_a_mistake_beside_a_cutoff_is_named():
    assert check(between(1e-2, 0.0, -1.0)).diagnosis.names == ("trace_sign",)


def test_a_flow_that_begins_far_too_late_is_refuted():
    assert check(between(0.05)).diagnosis.names == ("starts_late",)


def along(move=1.0, told=lambda t: t, trace=1.0, at_x=False, mean=False):
    def log_p(velocity, div, x, n_steps=16):
        start, h, total = x, 1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 - (k + 0.5) * h
            half = x - move * h / 2 * velocity(x, told(t + h / 2))
            x, total = x - move * h * velocity(half, told(t)), total - h * div(half, told(t))
        z = start if at_x else x
        square = (z**2).mean(1) if mean else (z**2).sum(1)
        return -square / 2 - z.shape[1] / 2 * np.log(2 * np.pi) + trace * total

    return log_p


def back(t):
    return 1 - t


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"told": back, "trace": 0.0}, ("clock_turned + trace_missing",)),
        ({"told": back, "trace": 1 / 3}, ("clock_turned + trace_mean",)),
        ({"told": back, "at_x": True}, ("clock_turned + prior_at_x",)),
        ({"told": back, "at_x": True, "trace": -1.0}, ("clock_turned + trace_sign + prior_at_x",)),
        ({"move": -1.0, "trace": 0.0}, ("wrong_way + trace_missing",)),
        ({"mean": True}, ("prior_square_mean",)),
    ],
    ids=["trace_missing", "trace_mean", "prior_at_x", "three", "wrong_way", "square_mean"],
)
def test_two_mistakes_with_the_clock_are_named(more, names):
    assert check(along(**more)).diagnosis.names == names


@pytest.mark.parametrize("most", [0.5, 2.0, 20.0])
def test_a_process_that_preserves_variances_ends_in_a_unit_prior(most):
    """However much signal is left at its end: where α is above a half as well."""
    low = 0.1

    def log_p(score, div, x, n_steps=16):
        d, h, total = x.shape[1], 0.99 / n_steps, 0.0

        def rate(t):
            return low + t * (most - low)

        for k in range(n_steps):
            t = 0.01 + k * h
            half = x - h / 2 * rate(t) / 2 * (x + score(x, t))
            t += h / 2
            total = total - h * rate(t) / 2 * (d + div(half, t))
            x = x - h * rate(t) / 2 * (half + score(half, t))
        return normal(x) + total

    evidence = check(log_p, VPLinear(low, most))
    assert evidence, evidence.explain()


@pytest.mark.parametrize("name", ["func", "odefunc", "cnf", "dynamics"])
def test_the_right_side_of_an_ode_is_a_velocity_with_a_process_too(name):
    source = f"lambda {name}, div, x, n_steps=16: of({name}, div, x, n_steps)"

    def of(velocity, div, x, n_steps):
        h, total = 0.99 / n_steps, 0.0
        for k in range(n_steps):
            t = 0.01 + k * h
            half = x + h / 2 * velocity(x, t)
            t += h / 2
            x, total = x + h * velocity(half, t), total + h * div(half, t)
        return normal(x) + total

    evidence = check(eval(source, {"of": of}), VPLinear(0.1, 5.0))
    assert evidence, evidence.explain()
    assert any(n.startswith("The model is taken to return the velocity") for n in evidence.notes)


BETAS = np.linspace(1e-3, 0.1, 200)


def of_table(sign=1.0, scaled=True):
    """DDIM's steps backwards in a table of β, with the trace of each."""

    def log_p(eps_model, div, x):
        kept = np.cumprod(1 - BETAS)
        alpha, r, total = np.sqrt(kept), np.sqrt(1 / kept - 1), np.zeros(len(x))
        for k in range(len(BETAS) - 1):
            h = r[k + 1] - r[k]
            e, change = eps_model(x, k), alpha[k] * div(x, k)
            x, total = (x / alpha[k] + h * e) * alpha[k + 1], total + h * change
        stretch = x.shape[1] * np.log(alpha[-1] / alpha[0])
        return normal(x) + sign * total + scaled * stretch

    return log_p


def test_a_table_of_betas_is_a_process():
    evidence = check(of_table(), {"betas": BETAS}, shape=2)
    assert evidence.verdict in ("holds", "undecided"), evidence.explain()
    assert check(of_table(-1.0), {"betas": BETAS}, shape=2).verdict == "refuted"
    assert check(of_table(scaled=False), {"betas": BETAS}, shape=2).verdict == "refuted"


def test_steps_of_a_table_are_accepted_by_the_tolerance_that_is_told():
    told = re.search(r"index to index of its table.*tolerance=([\d.e-]+) accepts what came back",
                     check(of_table(), {"betas": BETAS}, shape=2).sentence)  # fmt: skip
    assert told is not None
    accepted = float(told[1])
    assert check(of_table(), {"betas": BETAS}, shape=2, tolerance=accepted)
    wrong = check(of_table(-1.0), {"betas": BETAS}, shape=2, tolerance=accepted)
    assert wrong.verdict == "refuted"


def test_edms_raw_network_is_an_error_that_says_what_goes_in():
    with pytest.raises(ArgumentError, match="let the function take the denoiser D = c_skip x"):
        check(of_table(), {"betas": BETAS}, shape=2, prediction="F")


def test_a_table_that_is_none_is_an_error():
    with pytest.raises(ArgumentError, match="whose ᾱ falls from below 1 to above 0"):
        check(of_table(), {"betas": [0.5, 1.5, 0.1, 0.2]})
