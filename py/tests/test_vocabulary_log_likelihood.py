"""Each known mistake of a log-likelihood by a probability-flow ODE is named where it is made."""

from __future__ import annotations

import numpy as np
import pytest

from scoreproof import ArgumentError
from scoreproof import check_log_likelihood as check
from scoreproof.objects.schedules import VPLinear

PROCESS = VPLinear(0.1, 6.0)
EPS = 1e-3
LAST = 1 - float(np.exp(-(0.1 + 5.9 / 2)))  # σ(1)²


def likelihood(
    *,
    path=lambda b: b / 2,
    trace=lambda b: (1.0, b / 2),
    times=1.0,
    width=1.0,
    told=lambda log_p, d: log_p,
):
    """Of a VP process with β from 0.1 to 6; ``path``: what the score is multiplied by, ``trace``:
    what the traces of f and of the score are, ``times``: the sum of it.
    """

    def log_likelihood(score_fn, div, x, n_steps):
        dt, total, d = (1 - EPS) / n_steps, 0.0, x.shape[1]

        def drift(x, t):
            b = 0.1 + 5.9 * t
            return -b / 2 * x - path(b) * score_fn(x, t)

        for k in range(n_steps):
            t = EPS + k * dt
            half, middle = x + dt / 2 * drift(x, t), t + dt / 2
            b = 0.1 + 5.9 * middle
            of_f, of_score = trace(b)
            total = total + dt * (-of_f * b / 2 * d - of_score * div(half, middle))
            x = x + dt * drift(half, middle)
        prior = -(x**2).sum(axis=1) / (2 * width) - d / 2 * np.log(2 * np.pi * width)
        return told(prior + (times(d) if callable(times) else times) * total, d)

    return log_likelihood


MISTAKES = {
    "trace_missing": {"times": 0.0},
    "trace_times_n": {"times": lambda d: d},
    "path_whole_g2": {"path": lambda b: b},
    "trace_g_for_g2": {"trace": lambda b: (1.0, np.sqrt(b) / 2)},
    "trace_no_score": {"trace": lambda b: (1.0, 0.0)},
    "prior_sigma": {"width": LAST},
    "per_dimension": {"told": lambda log_p, d: log_p / d},
    "in_bits": {"told": lambda log_p, d: log_p / np.log(2)},
    "bits_per_dim": {"told": lambda log_p, d: -log_p / (d * np.log(2))},
}


def test_without_a_mistake_it_holds():
    assert check(likelihood(), PROCESS)


@pytest.mark.parametrize("name", MISTAKES)
def test_a_known_mistake_is_named(name):
    evidence = check(likelihood(**MISTAKES[name]), PROCESS)
    assert evidence.verdict == "refuted", evidence.explain()
    assert evidence.diagnosis.names == (name,), evidence.explain()


def test_a_prior_whose_variance_is_squared():
    evidence = check(likelihood(width=2.0**4), PROCESS, prior=2.0)
    assert evidence.diagnosis.names == ("prior_fourth",), evidence.explain()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"framework": "tensorflow"}, "name the library that the function is written in"),
        ({"prediction": "noise"}, "say what the model returns that the function is handed"),
    ],
)
def test_what_is_no_option_is_refused(options, said):
    with pytest.raises(ArgumentError, match=said):
        check(likelihood(), PROCESS, **options)
