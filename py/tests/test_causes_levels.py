"""What explains a network over several levels, and where it is not claimed."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.public.denoiser.inner_rules import Told, rule_of
from scoreproof.public.network.schedules import levels_of
from scoreproof.public.posterior.closed import common

DATA = np.random.default_rng(5).normal(size=(14, 3)) + 0.3
SIGMAS = [0.3, 0.8, 2.0, 5.0]


def mean(x, sigma, data=DATA):
    s = np.broadcast_to(sigma, (len(x),))
    logits = -((x[:, None] - data) ** 2).sum(-1) / (2 * s[:, None] ** 2)
    w = np.exp(logits - logits.max(1, keepdims=True))
    return w @ data / w.sum(1, keepdims=True)


def judged(network, **more):
    return sp.check_denoiser(network, DATA, schedule=SIGMAS, **more)


def test_rows_of_several_levels_are_asked_in_one_batch():
    wrong = judged(lambda x, s: mean(x, s[0]))
    assert wrong.verdict == "refuted" and wrong.diagnosis.names == ("one_time_for_all",)
    assert "time of the first row" in wrong.explain()

    def by_rank(x, s):  # a right answer for each, in another order of the rows
        order = np.argsort(s, kind="stable")
        out = np.empty_like(x)
        out[order] = mean(x[order], s[order])
        return out

    assert judged(by_rank)


def test_a_network_that_refuses_a_batch_of_several_levels_is_not_refuted():
    def one_level(x, s):
        if s.ndim != 1 or np.ptp(s) > 0:
            raise ValueError("one level for all rows")
        return mean(x, s)

    assert judged(one_level)


def test_a_factor_at_all_levels_is_no_clamp():
    names = judged(lambda x, s: mean(x, s) / 2).diagnosis.names
    assert "level_clamped" not in names and names


def test_a_clamp_has_to_lie_between_the_wrong_levels_and_the_right():
    def scaled(x, s):  # beyond 1 it is σ/5 of what is due, and nothing is clamped at 5
        return np.where(s < 1, 1.0, s / 5)[:, None] * mean(x, s)

    assert judged(scaled).diagnosis.names != ("level_clamped",)
    right = judged(
        lambda x, s: -(x - mean(x, s)) / np.maximum(s, 1.2)[:, None] ** 2, prediction="score"
    )
    assert right.diagnosis.names == ("level_clamped",) and "1.44" in right.explain()


def test_an_option_without_effect_is_not_the_cause_of_a_factor():
    def network(x, s, label):
        return 1.5 * mean(x, s)

    found = judged(network, options={"label": np.zeros(1, int)})
    assert "options_unused" not in found.diagnosis.names


def test_nothing_inside_explains_a_smooth_deviation():
    found = judged(lambda x, s: mean(x, s) + 0.05 * np.sin(2 * x))
    assert found.diagnosis.names == ()


def test_rows_that_are_mixed_are_no_mean_over_the_batch():
    def network(y):
        logits = -((y[:, None] - DATA) ** 2).sum(-1)
        w = np.exp(logits - logits.max(0))
        return w / w.sum(0) @ DATA

    names = sp.check_denoiser(network, DATA, 0.5).diagnosis.names
    assert names == ("rows_mixed", "softmax_over_batch")


@pytest.mark.parametrize(
    ("made", "words"),
    [
        (lambda s: s**4, "divided by 4"),
        (lambda s: 1 + s, "log(1 + σ)"),
        (lambda s: 3 * s, "3 times"),
        (lambda s: 0 * s + 2, "stands still"),
        (lambda s: s * (1.1 + 0.05 * np.sin(s)), "next larger"),
        (lambda s: s * np.exp(np.sin(9 * s)), ""),
    ],
)
def test_rules_of_levels(made, words):
    levels = levels_of([0.2, 0.5, 1.5, 4.0])
    found = [Told(levels.of(s), float(made(s))) for s in (0.2, 0.5, 1.5, 4.0)]
    rule = rule_of(found, levels, "F")
    assert words in rule and (words or not rule)


def test_a_number_that_was_added_has_few_digits():
    sigmas = [0.3, 1.0, 2.0]
    symbols = [{"σ": s} for s in sigmas]
    assert common([s / (s + 0.05) for s in sigmas], symbols) == "σ/(σ + 0.05)"
    assert common([s**2 / (s**2 + 0.1) for s in sigmas], symbols) == "σ²/(σ² + 0.1)"
    assert common([s / (s + 0.0513793) for s in sigmas], symbols) == ""


def test_a_batch_size_by_heart_is_a_whole_number():
    def kl(number):
        def of(mu, logvar):
            return (mu**2 + np.exp(logvar) - 1 - logvar).sum() / 2 / number

        vae = {"form": "diagonal", "parameterization": "logvar", "against": "standard"}
        return sp.check_kl(of, reduction="mean", **vae).explain()

    assert "the number is 48" in kl(48)
    assert "the number is" not in kl(48.37)
