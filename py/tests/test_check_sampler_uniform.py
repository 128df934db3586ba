"""Uniform numbers where a sampler's noise is due, and normal noise that is made of them."""

import numpy as np
import pytest
from scipy.special import ndtri

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP

BETAS = np.linspace(1e-4, 0.05, 25)
BAR = np.cumprod(1 - BETAS)
BEFORE = np.append(1.0, BAR[:-1])


def ancestral(draw):
    def p_sample_loop(model, x, times, rng):
        for t in [int(t) for t in times]:
            x0 = (x - np.sqrt(1 - BAR[t]) * model(x, t)) / np.sqrt(BAR[t])
            mean = BETAS[t] * np.sqrt(BEFORE[t]) * x0
            mean = (mean + (1 - BEFORE[t]) * np.sqrt(1 - BETAS[t]) * x) / (1 - BAR[t])
            var = BETAS[t] * (1 - BEFORE[t]) / (1 - BAR[t])
            x = mean + np.sqrt(var) * (draw(x, rng) if t > 0 else 0)
        return x

    times = np.arange(24, -1, -1)
    return sp.check_sampler(
        p_sample_loop, DiscreteVP(BETAS), times=times, prediction="eps", exact=True, shape=2
    )


@pytest.mark.parametrize(
    ("draw", "says"),
    [
        (lambda x, rng: rng.random(x.shape), "uniform on \\[0, 1\\).*by its mean of 1/2"),
        (lambda x, rng: rng.uniform(0, 1, x.shape), "uniform on \\[0, 1\\).*by its mean of 1/2"),
        (lambda x, rng: rng.random((1, *x.shape[1:])), "uniform on \\[0, 1\\)"),
        (lambda x, rng: 2 * rng.random(x.shape) - 1, "mean 0 but 0.333 times the variance"),
        (lambda x, rng: rng.random(x.shape) - 0.5, "mean 0 but 0.0833 times the variance"),
    ],
    ids=["random", "uniform", "shared", "centred", "half"],
)
def test_uniform_noise_is_refuted_and_named(draw, says):
    import re

    evidence = ancestral(draw)
    text = evidence.explain()
    assert evidence.verdict == "refuted" and re.search(says, text), text
    assert "the noise is uniform (rand_like): draw it by randn_like" in text


@pytest.mark.parametrize(
    "draw",
    [
        lambda x, rng: np.sqrt(12) * (rng.random(x.shape) - 0.5),
        lambda x, rng: ndtri(rng.random(x.shape)),
        lambda x, rng: (
            np.sqrt(-2 * np.log(1 - rng.random(x.shape))) * np.cos(2 * np.pi * rng.random(x.shape))
        ),
    ],
    ids=["of variance 1", "inverse", "Box-Muller"],
)
def test_noise_made_of_uniform_numbers_is_not_refuted(draw):
    evidence = ancestral(draw)
    assert evidence.verdict == "undecided", evidence.explain()
    assert "it draws uniform numbers (" in evidence.explain()


def test_normal_noise_holds():
    assert ancestral(lambda x, rng: rng.standard_normal(x.shape)).verdict == "holds"
