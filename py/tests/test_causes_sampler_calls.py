"""Causes of samplers that ask twice, look back, stop early or have another table."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP

check = sp.check_sampler
GRID = np.linspace(15 ** (1 / 7), 0.03 ** (1 / 7), 12) ** 7


def pairs(values):
    return list(zip(values[:-1], values[1:], strict=True))


def heun(x_of="y", told="end", stop=False):
    def sample(model, x, sigmas):
        for s, n in pairs(sigmas[: len(sigmas) - stop]):
            d = (x - model(x, s)) / s
            y = x + (n - s) * d
            if n > 0:
                at = {"y": y, "x": x, "half": x + (n - s) * d / 2}[x_of]
                y = x + (n - s) * (d + (y - model(at, {"end": n, "start": s}[told])) / n) / 2
            x = y
        return x

    return sample


def singlestep(told):
    def sample(model, x, sigmas):
        for s, n in pairs(sigmas):
            m = np.sqrt(s * n)
            y = m / s * x + (1 - m / s) * model(x, s)
            x = n / s * x + (1 - n / s) * model(y, {"mid": m, "end": n, "start": s}[told])
        return x

    return sample


def test_right_methods_hold():
    assert check(heun(), order=2, shape=2)
    assert check(singlestep("mid"), order=2, times=GRID, shape=2)


@pytest.mark.parametrize(
    ("sampler", "times", "said"),
    [
        (heun("x"), None, "the second call of the model is made at x itself"),
        (heun("half"), None, "the second call of the model is made at 0.90"),
        (heun(told="start"), None, "told t, the step's start, while x is at its end"),
        (singlestep("end"), GRID, "told t_next, the step's end, while x is between the two ends"),
        (singlestep("start"), GRID, "told t, the step's start, while x is between the two ends"),
        (heun(stop=True), None, "the loop stops 1 step before the end of its times"),
    ],
)
def test_the_second_call_and_the_last_step(sampler, times, said):
    text = check(sampler, order=2, times=times, shape=2).explain()
    assert f"Cause: {'the model is ' * said.startswith('told')}{said}" in text, text


def multistep(inverted):
    def sample(model, x, sigmas):
        old = before = None
        for s, n in pairs(sigmas):
            now, h = model(x, s), np.log(s / n)
            r = 1 if before is None else h / before if inverted else before / h
            seen = now if old is None else now + (now - old) / (2 * r)
            x = n / s * x + (1 - n / s) * seen
            old, before = now, h
        return x

    return sample


def test_a_ratio_of_widths_that_fades_is_noted():
    right, wrong = (check(multistep(k), order=2, times=GRID, shape=2) for k in (False, True))
    assert right and "looks back" not in right.explain()
    assert "h/h_prev where h_prev/h is due" in wrong.explain(), wrong.explain()


@pytest.mark.parametrize("prediction", ["eps", "x0"])
@pytest.mark.parametrize("table", ["scaled_linear", "warm"])
def test_an_inverse_with_another_table(prediction, table):
    betas = np.linspace(1e-4, 0.02, 1000)
    other = np.linspace(1e-2, 0.02**0.5, 1000) ** 2 if table == "scaled_linear" else betas * 0.7

    def ddim(betas):
        bar = np.cumprod(1 - betas)

        def run(model, x, times):
            for t, n in pairs([int(t) for t in times]):
                a, b, out = bar[t], bar[n], model(x, t)
                x_0 = (x - np.sqrt(1 - a) * out) / np.sqrt(a) if prediction == "eps" else out
                eps = (x - np.sqrt(a) * x_0) / np.sqrt(1 - a)
                x = np.sqrt(b) * x_0 + np.sqrt(1 - b) * eps
            return x

        return run

    given = {"times": range(960, -1, -40), "prediction": prediction, "shape": 2}
    text = sp.check_inversion(ddim(other), ddim(betas), DiscreteVP(betas), **given).explain()
    assert "Cause: in the inverse, the steps are those of DDIM with another table of ᾱ" in text, (
        text
    )
    assert ("that of the scaled_linear" in text) == (table == "scaled_linear"), text
    assert "that of the linear (β from 0.0001 to 0.02) schedule:" in text


def edm(net, x, sigmas, rng):
    """EDM's sampler with S_churn = 8: at 608 steps one σ̂ lies beside another σ of the grid."""
    n = len(sigmas) - 1
    for s, r in zip(sigmas[:-1], sigmas[1:], strict=True):
        hat = s * (1 + min(8 / n, 2**0.5 - 1))
        x = x + (hat**2 - s**2) ** 0.5 * rng.standard_normal(x.shape)
        d = (x - net(x, hat)) / hat
        y = x + (r - hat) * d
        x = y if r == 0 else x + (r - hat) / 2 * (d + (y - net(y, r)) / r)
    return x


def test_a_churn_before_the_last_step_ends_at_what_is_denoised_there():
    assert check(edm, shape=1)


def test_a_last_step_that_is_told_more_noise_than_there_is():
    def euler(net, x, sigmas):
        for s, r in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (r - s) * (x - net(x, s if r else 1.3 * s)) / s
        return x

    found = check(euler, times=[*np.geomspace(8, 0.3, 20), 0], shape=1)
    assert found.verdict == "refuted" and "another time" in found.diagnosis.sentence


def test_noise_on_a_step_without_noise_has_two_mends():
    def predictor(score, x, sigmas, rng):
        for s, r in zip(sigmas[:-1], sigmas[1:], strict=True):
            g2 = s**2 - r**2
            x = x + 0.5 * g2 * score(x, s) + g2**0.5 * rng.standard_normal(x.shape)
        return x

    def churn_free(net, x, sigmas, rng):
        for s, r in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (r - s) * (x - net(x, s)) / s
            x = x + (s**2 - r**2) ** 0.5 * rng.standard_normal(x.shape)
        return x

    more = {"times": np.geomspace(9, 0.1, 24), "shape": 1}
    for sampler, kind in ((predictor, "score"), (churn_free, "x0")):
        said = check(sampler, prediction=kind, **more).diagnosis.sentence
        assert "Two mends fit" in said and "EDM" not in said
