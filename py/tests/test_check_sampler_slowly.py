"""A right method whose limit the steps at hand do not tell: what to do is said, with numbers."""

import re

import numpy as np

import scoreproof as sp
from scoreproof.objects.schedules import VPLinear


def euler_maruyama(model, x, times, rng):
    for t, s in zip(times[:-1], times[1:], strict=True):
        b = 0.1 + 19.9 * t
        drift = -0.5 * b * x - b * model(x, t)
        x = x + drift * (s - t) + np.sqrt(b * (t - s)) * rng.standard_normal(x.shape)
    return x


def asked(tolerance=None):
    times = np.linspace(1, 1e-3, 101)
    return sp.check_sampler(
        euler_maruyama,
        VPLinear(0.1, 20.0),
        times=times,
        prediction="score",
        shape=1,
        tolerance=tolerance,
    )


def test_the_tolerance_that_would_do_is_said_and_does():
    evidence = asked()
    assert evidence.verdict == "undecided"
    found = re.search(
        r"known to .* only .*: pass more steps, or accept that by tolerance=([\d.]+)",
        evidence.sentence,
    )
    assert found, evidence.explain()
    text = evidence.explain()
    assert re.search("read off one by one .* are those of Euler", text), text
    again = asked(float(found.group(1)))
    assert again.verdict == "holds", again.explain()
