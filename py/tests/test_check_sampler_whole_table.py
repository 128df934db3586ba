"""`check_sampler` of samplers that go from t to t - 1 whatever list they are given: that list is
judged, not a thinner one.
"""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from scoreproof import check_sampler
from scoreproof.interop.callables import rounded_before
from scoreproof.objects.discrete import DiscreteVP

N = 36
BETAS = np.linspace(2e-3, 0.3, N)
BARS = np.cumprod(1 - BETAS)


def sampler(wrong="", ends=False):
    def sample(model, x, times, rng):
        for t in map(int, times if ends else times[:-1]):
            a, p, b = BARS[t], BARS[t - 1] if t else 1.0, BETAS[t]
            eps = model(x, t)
            x_0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
            z = rng.standard_normal(x.shape)
            if wrong == "renoised":
                x = p**0.5 * x_0 + (1 - p) ** 0.5 * z
                continue
            if wrong == "negated":
                x = p**0.5 * x_0 - (1 - p) ** 0.5 * eps
                continue
            c_t = (1 - b) ** (1.0 if wrong == "root" else 0.5) * (1 - p) / (1 - a)
            var = (b * (1 - p) / (1 - a)) ** (2 if wrong == "square" else 1)
            x = p**0.5 * b / (1 - a) * x_0 + c_t * x + var**0.5 * z
        return x_0 if wrong == "denoised" else x

    return sample


def judged(sample, exact=True, **more):
    given = {"times": range(N - 1, -1, -1), "prediction": "eps", "shape": 2, "exact": exact}
    return check_sampler(sample, DiscreteVP(BETAS), **given, **more)


@pytest.mark.parametrize("ends", [False, True])
def test_right_steps_hold_on_the_list_itself(ends):
    evidence = judged(sampler(ends=ends))
    assert evidence.verdict == "holds" and f"with {N - 1} steps" in evidence.sentence
    assert "one of DDIM's" in evidence.sentence and evidence.value < 1e-12
    assert judged(sampler("denoised", ends)).verdict == "holds"


def test_without_exact_it_is_told():
    evidence = judged(sampler(), exact=False)
    assert evidence.verdict == "undecided" and "pass exact=True" in evidence.sentence


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("root", r"α_t·\(1 - ᾱ_prev\)/\(1 - ᾱ_t\) where √α_t"),
        ("renoised", "every step draws x anew"),  # right at one point, wrong of data that spread
        ("negated", "the sign"),
    ],
)
def test_wrong_steps_are_refuted(wrong, said):
    evidence = judged(sampler(wrong))
    assert evidence.verdict == "refuted"
    assert re.search(said, evidence.diagnosis.sentence)


def by_buffers(narrow, root=0.5):
    kind = torch.float32 if narrow else torch.float64
    as_buffer = lambda v: torch.tensor(v).to(kind).double()  # noqa: E731
    before = np.append(1.0, BARS[:-1])
    c_0 = as_buffer(before**0.5 * BETAS / (1 - BARS))
    c_t = as_buffer((1 - BETAS) ** root * (1 - before) / (1 - BARS))
    std = as_buffer((BETAS * (1 - before) / (1 - BARS)) ** 0.5)
    over, more = as_buffer(BARS**-0.5), as_buffer((1 / BARS - 1) ** 0.5)

    def sample(model, x, times):
        for t in times:
            x_0 = over[t] * x - more[t] * model(x, t)
            x = c_0[t] * x_0 + c_t[t] * x + std[t] * torch.randn_like(x)
        return x

    return sample


def test_buffers_that_were_rounded_before_are_known_by_their_values():
    narrow = judged(by_buffers(True), framework="torch")
    assert narrow.verdict == "holds" and 1e-9 < narrow.value < 1e-6
    assert any("rounded to float32 before" in n for n in narrow.notes)
    wide = judged(by_buffers(False), framework="torch")
    assert wide.verdict == "holds" and wide.value < 1e-12
    assert judged(by_buffers(True, 0.51), framework="torch").verdict == "refuted"


def test_which_tables_were_rounded():
    thirds = np.arange(1, 40) / 3
    assert rounded_before(thirds.astype(np.float32).astype(float))
    for table in (thirds, np.arange(40.0), np.arange(40) / 64, np.full(40, 0.5), np.zeros(3)):
        assert not rounded_before(table)
    assert not rounded_before(thirds.astype(np.float32))  # its type says so


class Strided:
    """DDPM's steps over strides of a table; ``power``: 1 is right, -1 has the two ends of the
    variance exchanged, which fades as the strides become shorter; ``std``: what η is taken with.
    """

    def __init__(self, power=1, std=None):
        self.alphas_cumprod, self.num_train_timesteps = BARS, N
        self.power, self.std = power, std

    def set_timesteps(self, n):
        self.stride = N // n
        self.timesteps = np.arange(n)[::-1] * self.stride

    def add_noise(self, x, z, t):
        a = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return a**0.5 * x + (1 - a) ** 0.5 * z

    def step(self, eps, t, x, generator=None):
        a, p = BARS[t], BARS[t - self.stride] if t >= self.stride else 1.0
        beta = 1 - a / p
        var = beta * ((1 - p) / (1 - a)) ** self.power if p < 1 else 0.0
        x_0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
        z = generator.standard_normal(x.shape)
        if self.std is not None:
            s = self.std(var)
            return p**0.5 * x_0 + (1 - p - s**2) ** 0.5 * eps + s * z
        c_t = (1 - beta) ** 0.5 * (1 - p) / (1 - a)
        return p**0.5 * beta / (1 - a) * x_0 + c_t * x + var**0.5 * z


def test_a_slip_that_fades_is_no_refutation():
    evidence = check_sampler(Strided(-1), steps=9, shape=1)
    assert evidence.verdict == "undecided" and "no error is seen" not in evidence.sentence
    assert "known to" in evidence.sentence or "still falls" in evidence.sentence


@pytest.mark.parametrize(
    ("std", "said"), [(np.sqrt, False), (lambda v: 0.6 * v**0.5, False), (lambda v: v, True)]
)
def test_noise_of_no_one_eta_is_said(std, said):
    evidence = check_sampler(Strided(std=std), steps=18, shape=1, tolerance=0.2)
    assert evidence.verdict == "holds"
    assert any("is not η·√var" in n for n in evidence.notes) == said
