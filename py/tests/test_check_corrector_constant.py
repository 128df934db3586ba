"""`check_corrector` on kernels that are no map of x and of as many random numbers in each call."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp

check = sp.check_corrector


def accepted(rng, x, y, log_ratio):
    return np.where((np.log(rng.random(len(x))) < log_ratio)[:, None], y, x)


def until_accepted(log_prob, x, h, rng):
    out, open_ = x.copy(), np.ones(len(x), bool)
    while open_.any():
        y = x + h * rng.standard_normal(x.shape)
        yes = open_ & (np.log(rng.random(len(x))) < log_prob(y) - log_prob(x))
        out[yes], open_ = y[yes], open_ & ~yes
    return out


def five_tries(log_prob, x, h, rng):
    out, open_ = x.copy(), np.ones(len(x), bool)
    for _ in range(5):
        y = x + h * rng.standard_normal(x.shape)
        yes = open_ & (np.log(rng.random(len(x))) < log_prob(y) - log_prob(x))
        out[yes], open_ = y[yes], open_ & ~yes
        if not open_.any():
            break
    return out


def a_smaller_step_where_few_accept(log_prob, x, h, rng):
    y = x + h * rng.standard_normal(x.shape)
    yes = np.log(rng.random(len(x))) < log_prob(y) - log_prob(x)
    out = np.where(yes[:, None], y, x)
    if yes.mean() < 0.25:
        y = x + h / 3 * rng.standard_normal(x.shape)
        out = np.where(yes[:, None], out, accepted(rng, x, y, log_prob(y) - log_prob(x)))
    return out


def more_noise_far_out(score, x, h, rng):
    out = x + h * score(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)
    if np.any(np.abs(x) > 3):
        out = out + 0.1 * rng.standard_normal(x.shape)
    return out


@pytest.mark.parametrize(
    "kernel",
    [until_accepted, five_tries, a_smaller_step_where_few_accept, more_noise_far_out],
)
def test_draws_that_come_only_at_times_are_left_open(kernel):
    evidence = check(kernel)
    assert evidence.verdict == "undecided" and "draw" in evidence.sentence


def restart(log_prob, x, h, rng):
    y = x + h * rng.standard_normal(x.shape)
    out = accepted(rng, x, y, log_prob(y) - log_prob(x))
    return np.zeros_like(x) if rng.uniform() < 0.1 else out


def anyway(log_prob, x, h, rng):
    y = x + h * rng.standard_normal(x.shape)
    out = accepted(rng, x, y, log_prob(y) - log_prob(x))
    return y if rng.random(1)[0] > 0.85 else out


def half_of_the_ratio(log_prob, x, h, rng):
    y = x + h * rng.standard_normal(x.shape)
    c = 0.5 if rng.uniform() < 0.05 else 1
    return accepted(rng, x, y, c * (log_prob(y) - log_prob(x)))


def restart_at_times(log_prob, x, h, rng):
    return restart(log_prob, x, h, rng) if 0.37 < rng.random() < 0.42 else x


@pytest.mark.parametrize("kernel", [restart, anyway, half_of_the_ratio, restart_at_times])
def test_a_number_for_all_rows_that_decides_something_is_left_open(kernel):
    assert check(kernel).verdict == "undecided"


def test_a_number_for_all_rows_that_chooses_between_right_kernels():
    def either(log_prob, x, h, rng):
        h = h if rng.random() < 0.3 else 2 * h
        y = x + h * rng.standard_normal(x.shape)
        return accepted(rng, x, y, log_prob(y) - log_prob(x))

    evidence = check(either, step_size=0.4)
    assert evidence and "held at 0.01, 0.3" in evidence.notes[-1]


def test_what_another_value_makes_up_for_is_not_refuted():
    def there_or_back(log_prob, x, h, rng):  # symmetric as a whole, and at neither value
        y = x + h * (1 if rng.random() < 0.5 else -1) + h * rng.standard_normal(x.shape)
        return accepted(rng, x, y, log_prob(y) - log_prob(x))

    assert check(there_or_back).verdict == "undecided"


def test_a_lazy_step_is_not_accepted_together():
    def lazy(score, x, h, rng):
        if rng.uniform() < 0.1:
            return x
        return x + h * score(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)

    evidence = check(lazy)
    assert evidence.verdict == "undecided" and "wherever they are" in evidence.sentence


def kept_log_p():
    last = {}

    def step(log_prob, x, h, rng):
        y = x + h * rng.standard_normal(x.shape)
        old = last.get(len(x), log_prob(x))
        last[len(x)] = log_prob(y)
        return accepted(rng, x, y, last[len(x)] - old)

    return step


def adapting():
    state = {"h": 0.2}

    def step(log_prob, x, rng):
        y = x + state["h"] * rng.standard_normal(x.shape)
        yes = np.log(rng.random(len(x))) < log_prob(y) - log_prob(x)
        state["h"] *= np.exp(0.1 * (yes.mean() - 0.3))
        return np.where(yes[:, None], y, x)

    return step


def annealing():
    state = {"h": 0.1}

    def step(score, x, rng):
        state["h"] *= 0.95
        return x + state["h"] * score(x) + np.sqrt(2 * state["h"]) * rng.standard_normal(x.shape)

    return step


def own_generator():
    rng = np.random.default_rng(1)

    def step(score, x, h):
        return x + h * score(x) + np.sqrt(2 * h) * rng.standard_normal(x.shape)

    return step


@pytest.mark.parametrize("made", [kept_log_p, adapting, annealing, own_generator])
def test_what_is_kept_from_call_to_call_comes_first(made):
    evidence = check(made())
    assert evidence.verdict == "undecided" and not evidence.diagnosis
    assert "from call to call" in evidence.sentence


def test_what_is_kept_of_the_same_x_is_no_state():
    known = {}

    def step(log_prob, x, h, rng):
        y = x + h * rng.standard_normal(x.shape)
        return accepted(rng, x, y, log_prob(y) - known.setdefault(x.tobytes(), log_prob(x)))

    assert check(step, step_size=0.4)
