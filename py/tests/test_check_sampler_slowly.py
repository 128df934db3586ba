"""A right method whose limit the steps at hand do not tell: where all of its steps are a known
method's it holds, else what to do is said, with numbers.
"""

import re

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.schedules import VPLinear


def euler_maruyama(beta=lambda t, s: 0.1 + 19.9 * t, score=lambda k: 1.0, noise=1.0, scale=1.0):
    """``beta(t, s)`` of a step; ``score(k)``, ``noise`` and ``scale``: factors on what is due."""

    def sample(model, x, times, rng):
        for k, (t, s) in enumerate(zip(times[:-1], times[1:], strict=True)):
            b = beta(t, s)
            drift = -0.5 * b * x - score(k) * b * model(x, t)
            z = rng.standard_normal(x.shape)
            x = x + drift * (s - t) + noise * np.sqrt(b * (t - s)) * z
        return scale * x

    return sample


def asked(sampler, tolerance=None, steps=100, **more):
    return sp.check_sampler(
        sampler,
        VPLinear(0.1, 20.0),
        times=np.linspace(1, 1e-3, steps + 1),
        prediction="score",
        shape=more.pop("shape", 1),
        tolerance=tolerance,
        **more,
    )


def test_the_tolerance_that_would_do_is_said_and_does():
    in_the_middle = euler_maruyama(lambda t, s: 0.1 + 19.9 * (t + s) / 2)
    evidence = asked(in_the_middle)
    assert evidence.verdict == "undecided"
    found = re.search(
        r"known to .* only .*: pass more steps, or accept that by tolerance=([\d.]+)",
        evidence.sentence,
    )
    assert found, evidence.explain()
    again = asked(in_the_middle, float(found.group(1)))
    assert again.verdict == "holds", again.explain()


@pytest.mark.parametrize("steps", [60, 100, 300])
def test_steps_that_are_all_euler_maruyamas_hold_and_say_how_far_off_they_are(steps):
    evidence = asked(euler_maruyama(), steps=steps, shape=2)
    assert evidence.verdict == "holds", evidence.explain()
    assert "read off one by one" in evidence.sentence
    assert "is one of Euler–Maruyama to rounding" in evidence.sentence
    assert re.search(r"with [\d, ]+ steps .* off at most", evidence.sentence)
    assert evidence.resolution <= 1e-4 and "coordinates" in evidence.coverage.asked


@pytest.mark.parametrize(
    "wrong",
    [
        euler_maruyama(score=lambda k: 1.001),
        euler_maruyama(score=lambda k: 1.0 if k < 90 else 1.05),
        euler_maruyama(score=lambda k: 1.1 if k == 7 else 1.0),
        euler_maruyama(score=lambda k: 1.1 if k == 99 else 1.0),
        euler_maruyama(score=lambda k: 1.1 if k == 0 else 1.0),
        euler_maruyama(noise=1.001),
        euler_maruyama(scale=1.001),
        euler_maruyama(lambda t, s: 0.1 + 19.9 * t**1.01),
    ],
    ids=["score", "last ten", "one step", "last step", "first step", "noise", "returned", "beta"],
)
def test_no_step_that_is_another_is_taken_for_one(wrong):
    evidence = asked(wrong)
    assert evidence.verdict in ("undecided", "refuted")
    assert "is one of Euler–Maruyama to rounding" not in evidence.sentence


def test_data_at_one_point_are_not_kept_by_it():
    assert asked(euler_maruyama(), exact=True).verdict == "refuted"
