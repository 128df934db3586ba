"""Kinds of mistakes in samplers: each is claimed where it explains the steps, and not where it
does not quite; what is right is not refuted.
"""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import FlowMatching
from scoreproof.public.sampler.arguments import Request, validate
from scoreproof.public.sampler.causes import begin, combined, drift, scaled
from scoreproof.public.sampler.causes.explain import earlier
from scoreproof.public.sampler.causes.formulas import formulas
from scoreproof.public.sampler.causes.question import question, shape_of
from scoreproof.public.sampler.causes.steps import steps_of
from scoreproof.public.sampler.causes.tableau import measured
from scoreproof.public.sampler.runs import Runs

BETAS = np.linspace(1e-4, 0.02, 1000)
BAR = np.cumprod(1 - BETAS)
TABLE, FLOW = DiscreteVP(BETAS), FlowMatching()
LIST = {"process": TABLE, "times": range(960, -1, -32), "prediction": "eps", "shape": 1}
EVEN = {"process": FLOW, "times": np.linspace(0.95, 0.05, 16), "prediction": "flow", "shape": 1}
EPS = float(np.finfo(float).eps)
check = sp.check_sampler


def pairs(values):
    return list(zip(values[:-1], values[1:], strict=True))


def named(evidence):
    return () if evidence.diagnosis is None else evidence.diagnosis.names


def parts(sampler, given):
    """The job, its steps, what is asked of formulas, and the formulas of its prediction type."""
    more = (given["process"], None, given["prediction"], None, given["times"], 1, None, False)
    job = validate(Request(sampler, *more))
    Runs(job).first()
    steps = steps_of(measured(job, job.steps))
    q = question(job, steps, EPS, 0, earlier(job, steps))
    every = formulas(shape_of(steps), steps.stages, job.form.grid.whole)
    return job, steps, q, [f for f in every if f.kind == given["prediction"]]


def move(x, t, n, e):
    a, b = BAR[int(t)], BAR[int(n)]
    return (b / a) ** 0.5 * (x - (1 - a) ** 0.5 * e) + (1 - b) ** 0.5 * e


def flow(tell=lambda t, n: t, factor=lambda t, n: 1.0, noise=None, asked=1.0):
    def sample(model, x, times, rng):
        for t, n in pairs(times):
            x = x + factor(t, n) * (n - t) * model(asked * x, tell(t, n))
            if noise is not None:
                x = x + noise(t, n) * rng.standard_normal(x.shape)
        return x

    return sample


# -- the start -------------------------------------------------------------------------------------


def from_its_own(size):
    def sample(model, x, sigmas, rng):
        return euler(model, size(sigmas) * rng.standard_normal(x.shape), sigmas)

    return sample


def euler(model, x, sigmas):
    for s, n in pairs(sigmas):
        x = x + (n - s) * (x - model(x, s)) / s
    return x


@pytest.mark.parametrize(
    ("size", "verdict"),
    [
        (lambda s: s[0], "holds"),
        (lambda s: (1 + s[0] ** 2) ** 0.5, "holds"),
        (lambda s: 0.97 * s[0], "refuted"),
        (lambda s: 1.0, "refuted"),
    ],
)
def test_the_noise_that_a_sampler_starts_from(size, verdict):
    evidence = check(from_its_own(size), shape=1)
    assert evidence.verdict == verdict, evidence.explain()
    assert "draws the x that it starts from itself" in evidence.explain()
    if verdict == "refuted":
        assert "multiply what is drawn by" in evidence.explain() and named(evidence) == ("start",)


@pytest.mark.parametrize(
    ("size", "verdict"), [(0.9, "holds"), (0.906, "holds"), (0.6, "refuted"), (1.3, "undecided")]
)
def test_a_start_where_something_of_the_data_is_left(size, verdict):
    def sample(model, x, times, rng):
        return flow()(model, size * rng.standard_normal(x.shape), times, rng)

    given = EVEN | {"times": np.linspace(0.9, 0.05, 16)}
    assert check(sample, **given).verdict == verdict


# -- steps of one width ----------------------------------------------------------------------------


def strided(last=-1, factor=1.0):
    def sample(model, x, times):
        h = factor * (times[0] - times[1])
        for t in times[:last]:
            x = x - h * model(x, t)
        return x

    return sample


def test_a_width_taken_from_the_first_two_times():
    evidence = check(strided(), **EVEN)
    assert evidence and "does not change with its last time" in evidence.explain()
    assert check(strided(last=-2), **EVEN).verdict == "refuted"
    assert check(strided(factor=1.02), **EVEN).verdict == "refuted"


def test_an_inverse_that_takes_its_width_from_the_first_two_times():
    def up(model, x, times):
        h = times[1] - times[0]
        for t in times[:-1]:
            x = x + h * model(x, t)
        return x

    def table_up(model, x, times):
        stride = int(times[1] - times[0])
        for t in times[:-1]:
            x = move(x, t, min(int(t) + stride, 999), model(x, t))
        return x

    def table_down(model, x, times):
        for t, n in pairs(times):
            x = move(x, t, n, model(x, t))
        return x

    given = {"form": "sample", "shape": 1}
    for one, two, more in ((up, strided(), EVEN), (table_up, table_down, LIST)):
        evidence = sp.check_inversion(one, two, **more | given)
        assert evidence and "width of its steps from others" in evidence.explain()


# -- one call --------------------------------------------------------------------------------------


def test_one_call_for_all_steps():
    def once(model, x, times):
        v = model(x, times[0])
        for t, n in pairs(times):
            x = x + (n - t) * v
        return x

    evidence = check(once, **EVEN)
    assert evidence.verdict == "refuted" and "outside the loop" in evidence.explain()
    with pytest.raises(sp.CallableError, match="3 levels or more"):  # a denoiser is no chain
        check(lambda model, x, times: x - times[0] * model(x, times[0]), **EVEN)


# -- what the model is told and asked --------------------------------------------------------------


@pytest.mark.parametrize(
    ("tell", "says"),
    [
        (lambda t, n: 3 * t / (1 + 2 * t), "t shifted by 3, not t"),
        (lambda t, n: 0.8 * t, "0.8 times the time"),
        (lambda t, n: 0.5 + 0.4 * t, "0.4·t + 0.5, not t"),
        (lambda t, n: t**1.5, "t^1.5, not t"),
        (lambda t, n: np.sin(1.4 * t), "another time than the one that x is at"),
        (lambda t, n: 1.3 * t / (1 + 0.3 * t) + 1e-4 * t**2, "another time than the one"),
    ],
)
def test_another_time(tell, says):
    text = check(flow(tell), **EVEN).explain()
    assert says in text and "The steps themselves are those of Euler's method" in text, text


def test_another_x():
    assert "asked at 0.7·x" in check(flow(asked=0.7), **EVEN).explain()
    job = parts(flow(asked=0.7, factor=lambda t, n: 1 + t), EVEN)[0]
    assert begin.started(job, measured(job, job.steps), EPS) == ""


# -- noise -----------------------------------------------------------------------------------------


def test_noise_without_its_drift_is_said_only_of_right_steps():
    added = {"noise": lambda t, n: 0.4 * (t - n) ** 0.5}
    assert named(check(flow(**added), **EVEN)) == ("drift",)
    _, steps, q, same = parts(flow(factor=lambda t, n: 1 + 0.05 * t, **added), EVEN)
    assert drift.kept(steps, q, same) == ""

    def right(model, x, times, rng):
        for t, n in pairs(times):
            v, w = model(x, t), 0.4 * n * (1 - n / t) ** 0.5
            x0, e = x - t * v, x + (1 - t) * v
            x = (1 - n) * x0 + (n**2 - w**2) ** 0.5 * e + w * rng.standard_normal(x.shape)
        return x

    assert check(right, **EVEN)


def test_churn_that_falls_and_churn_that_stays():
    def churned(gamma):
        def sample(net, x, sigmas, rng):
            for s, n in pairs(sigmas):
                hat = s * (1 + gamma(len(sigmas) - 1))
                x = x + (hat**2 - s**2) ** 0.5 * rng.standard_normal(x.shape)
                x = x + (n - hat) * (x - net(x, hat)) / hat
            return x

        return check(sample, shape=1)

    assert named(churned(lambda n: 0.3)) == ("churn",)
    assert churned(lambda n: 3 / n)


# -- methods that look back ------------------------------------------------------------------------


def back(kind, weights=(1.5, -0.5), replaced=True):
    """Two steps of ε, or of what the model returns, put together."""

    def sample(model, x, times):
        old = None
        for t, n in pairs(times):
            a, s = BAR[int(t)] ** 0.5, (1 - BAR[int(t)]) ** 0.5
            out = model(x, t)
            use = out if old is None else weights[0] * out + weights[1] * old
            old = out if replaced or old is None else old
            x = move(x, t, n, a * use + s * x if kind == "v" else use)
        return x

    return parts(sample, LIST | {"prediction": kind})


def test_raw_outputs_put_together():
    for weights, claimed in (((1.5, -0.5), True), ((1.5, -0.45), False)):
        job, steps, _, same = back("v", weights)
        text = combined.raw(job, steps, EPS, same, job.steps)
        assert bool(text) == claimed and ("Convert each of them" in text) == claimed
    job, steps, _, same = back("eps")
    assert combined.raw(job, steps, EPS, same, job.steps) == ""


def test_a_prediction_that_is_never_replaced():
    assert back("eps", replaced=False)[1].lasting == 0
    assert back("eps")[1].lasting is None and back("v")[1].lasting is None


def test_a_constant_in_front_of_the_output():
    half = np.log(BAR / (1 - BAR)) / 2

    def multistep(scale):
        def sample(model, x, times):
            old = last = None
            for k, (t, n) in enumerate(pairs([int(t) for t in times])):
                x0 = (x - (1 - BAR[t]) ** 0.5 * scale(k) * model(x, t)) / BAR[t] ** 0.5
                h = half[n] - half[t]
                d = x0 if old is None else x0 + (x0 - old) * h / (2 * last)
                x = ((1 - BAR[n]) / (1 - BAR[t])) ** 0.5 * x - BAR[n] ** 0.5 * np.expm1(-h) * d
                old, last = x0, h
            return x

        job, steps, q, same = parts(sample, LIST)
        return scaled.output(job, steps, q, same, EPS, job.steps)

    assert "multiplied by 1.05 in every step" in multistep(lambda k: 1.05)
    assert multistep(lambda k: 1.05 + 0.001 * k) == multistep(lambda k: 1.0) == ""


# -- steps whose mistake the limit does not show ---------------------------------------------------


def test_steps_of_a_table_that_is_not_respaced_are_refuted_at_any_number():
    before = np.append(1.0, BAR[:-1])

    def sample(model, x, times, rng):  # Ho et al.'s: each step leads to t - 1
        for t in [int(t) for t in times[:-1]]:
            std = (BETAS[t] * (1 - before[t]) / (1 - BAR[t])) ** 0.5
            mean = (x - BETAS[t] / (1 - BAR[t]) ** 0.5 * model(x, t)) / (1 - BETAS[t]) ** 0.5
            x = mean + std * rng.standard_normal(x.shape)
        return x

    evidence = check(sample, **LIST | {"times": range(980, -1, -20)})
    assert evidence.verdict == "refuted", evidence.explain()
    assert "from 980 to 979, and not to 960" in evidence.sentence
    assert "the step leads to timestep t - 1" in evidence.diagnosis.sentence


def test_what_is_wrong_at_the_given_times_is_noted_where_nothing_is_decided():
    def sample(model, x, times, rng):  # of a respaced table, with a variance that fades
        for t, n in zip(map(int, times[:-1]), map(int, times[1:]), strict=True):
            beta = 1 - BAR[t] / BAR[n]
            std = (beta * (1 - BAR[t]) / (1 - BAR[n])) ** 0.5
            mean = (x - beta / (1 - BAR[t]) ** 0.5 * model(x, t)) / (1 - beta) ** 0.5
            x = mean + std * rng.standard_normal(x.shape)
        return x

    evidence = check(sample, **LIST | {"times": range(980, -1, -20)})
    assert evidence.verdict == "undecided", evidence.explain()
    assert "With the times that it is given" in evidence.explain(), evidence.explain()
