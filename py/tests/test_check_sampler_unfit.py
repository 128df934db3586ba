"""Callables that are no sample(model, x, times): the error says what to write."""

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.errors import ArgumentError


class Diffusion:
    betas = np.linspace(1e-4, 0.02, 50)

    def p_sample(self, x, t):
        return x

    def p_sample_loop(self, shape, cond=None, scale=1.0):
        return np.zeros(shape)

    def sample(self, batch_size=16):
        return self.p_sample_loop((batch_size, 3))

    def __call__(self, x):
        return x


def edm(net, latents, num_steps=18, sigma_min=0.002):
    return latents


def counted(model, x, n_steps):
    return x


def by_default(net, latents, how_many=18):
    return latents


@pytest.mark.parametrize(
    ("given", "says"),
    [
        (Diffusion(), r"Diffusion\(x\), of an object that samples by itself \(p_sample, "),
        (Diffusion().sample, r"sample\(batch_size\), of an object that samples by itself"),
        (Diffusion().p_sample_loop, r"p_sample_loop\(shape, cond, scale\), of an object"),
        (lambda x, t: x, r"\(x, t\), which takes no model, x and times"),
    ],
    ids=["object", "sample", "loop", "two"],
)
def test_what_samples_by_itself_is_sent_to_wrap(given, says):
    with pytest.raises(ArgumentError, match=says) as caught:
        sp.check_sampler(given)
    assert "--wrap" in str(caught.value) and "docs/guides.md" in str(caught.value)


@pytest.mark.parametrize("given", [edm, counted, by_default], ids=["edm", "counted", "default"])
def test_a_number_of_steps_is_no_list_of_sigmas(given):
    with pytest.raises(ArgumentError, match="a number of steps.; let it take the list") as caught:
        sp.check_sampler(given)
    assert f"{given.__name__}(model, x, times)" in str(caught.value)


def test_a_loop_that_takes_more_or_any_arguments_is_run():
    def any_of_them(*args):
        model, x, sigmas = args
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (n - s) * (x - model(x, s)) / s
        return x

    def steps(model, x, steps=None, disable=None):
        return any_of_them(model, x, steps)

    for sampler in (any_of_them, steps):
        assert sp.check_sampler(sampler).verdict == "holds"


@pytest.mark.parametrize("scales", [False, True], ids=["as it comes", "unit noise"])
def test_which_start_was_taken_is_said(scales):
    def sample(model, x, sigmas):
        x = x * sigmas[0] if scales else x
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x = x + (n - s) * (x - model(x, s)) / s
        return x

    evidence = sp.check_sampler(sample)
    assert evidence.verdict == "holds"
    said = (
        "it scales unit noise itself, by 15" if scales else "x is passed at its first level, σ = 15"
    )
    assert said in evidence.sentence, evidence.explain()
