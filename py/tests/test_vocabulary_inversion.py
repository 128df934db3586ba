"""Each known mistake of an inverse, or of noise maps, as a user's code makes it, is named."""

from __future__ import annotations

import numpy as np
import pytest

import scoreproof as sp
from scoreproof.objects.discrete import DiscreteVP

BETAS = np.linspace(1e-4, 0.02, 1000)
TABLE = DiscreteVP(BETAS)
BAR = np.cumprod(1 - BETAS)
RAW = np.cumprod(1 - np.linspace(4e-3, 0.02, 1000))  # whose first entry is far from the data
TIMES = np.arange(900, 99, -200)


def check(inverse, sampler, *arguments, **more):
    return sp.check_inversion(inverse, sampler, *arguments, shape=1, **more)


def euler(model, x, sigmas):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        x = x + (n - s) * (x - model(x, s)) / s
    return x


def test_a_right_pair():
    text = check(euler, euler).explain()
    assert "and with more steps the sampler leads every x back to where it came from" in text, text


class Table:
    """DDIM on a table, down or up; the model is told where x is."""

    def __init__(self, up=False, bar=BAR, first=1.0):
        self.up, self.alphas_cumprod, self.first = up, bar, first
        self.config = {"prediction_type": "epsilon", "num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.stride = 1000 // n
        times = np.arange(n) * self.stride
        self.timesteps = times if self.up else times[::-1]

    def bar(self, t):
        return self.alphas_cumprod[min(t, len(self.alphas_cumprod) - 1)] if t >= 0 else self.first

    def add_noise(self, x, noise, t):
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return bar**0.5 * x + (1 - bar) ** 0.5 * noise

    def step(self, eps, t, x):
        before, after = (t - self.stride, t) if self.up else (t, t - self.stride)
        now, then = self.bar(before), self.bar(after)
        x0 = (x - (1 - now) ** 0.5 * eps) / now**0.5
        return (then**0.5 * x0 + (1 - then) ** 0.5 * eps,)


@pytest.fixture
def unread(monkeypatch):
    """Steps are not read off: the words on the whole are asked for, and that costs seconds."""
    monkeypatch.setattr("scoreproof.public.inversion.slips.slip", lambda *_: None)


@pytest.mark.usefixtures("unread")
def test_an_error_that_still_falls(monkeypatch):
    monkeypatch.setattr("scoreproof.public.inversion.trips.MOST", 100)

    class Slow(Table):
        def step(self, eps, t, x):
            return super().step(eps * (1 - 0.1 * (self.stride / 1000) ** 0.75), t, x)

    text = check(Slow(up=True), Table(), steps=20).explain()
    assert "; but the error still falls as the steps become more: pass more" in text, text
    assert "?" not in text


@pytest.mark.usefixtures("unread")
def test_tables_of_another_length():
    short = np.cumprod(1 - np.linspace(1e-4, 0.006, 1200))
    text = check(Table(up=True, bar=short), Table(), steps=20).explain()
    assert "their tables differ: 1200 entries of ᾱ, and 1000" in text, text


@pytest.mark.usefixtures("unread")
def test_clean_data_taken_for_a_noisy_x():
    class First(Table):
        initial_alpha_cumprod = RAW[0]

    text = check(First(True, RAW, RAW[0]), Table(False, RAW), steps=20).explain()
    assert "the inverse takes x_0 for x at " in text and "or accept it: tolerance=" in text, text


def follows(times_of):
    def invert(model, x, timesteps):
        for t, after in times_of([int(t) for t in timesteps]):
            bar, then = BAR[int(t)], BAR[int(after)]
            eps = model(x, t)
            x = then**0.5 * (x - (1 - bar) ** 0.5 * eps) / bar**0.5 + (1 - then) ** 0.5 * eps
        return x

    return invert


def test_functions_that_do_not_follow_the_scheduler():
    class Few(Table):
        def set_timesteps(self, n):
            self.stride, self.timesteps = 500, np.array([500, 0])

    invert = follows(lambda t: list(zip(t[:-1], t[1:], strict=True)))
    with pytest.raises(sp.CallableError, match="go through 3 timesteps or more.*pass more steps="):
        check(invert, Few())
    between = follows(lambda t: [(a + 7, b + 7) for a, b in zip(t[:-1], t[1:], strict=True)])
    words = "ask its model at timesteps of the sampler.*it asked at 7.*use the times that it"
    with pytest.raises(sp.CallableError, match=words):
        check(between, Table(), steps=20)


# -- noise maps ------------------------------------------------------------------------------------


def mean_of(x, t, n, model, keep=1.0):
    a, b = BAR[int(t)], BAR[int(n)]
    eps = model(x, t)
    x0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
    var = (1 - b) / (1 - a) * (1 - a / b)
    return b**0.5 * x0 + keep * (1 - b - var) ** 0.5 * eps, var**0.5


def encode(spread=lambda std, k: std, keep=1.0):
    def run(model, xs, times):
        found = []
        for k, (t, n) in enumerate(zip(times[:-1], times[1:], strict=True)):
            mean, std = mean_of(xs[k], t, n, model, keep)
            found.append((xs[k + 1] - mean) / spread(std, k))
        return found

    return run


def decode(model, x, noises, times):
    for z, t, n in zip(noises, times[:-1], times[1:], strict=True):
        mean, std = mean_of(x, t, n, model)
        x = mean + std * z
    return x


MAPS = {
    "encode divides by √σ, decode multiplies by σ": encode(lambda std, k: std**0.5),
    "encode divides by the variance σ², decode multiplies": encode(lambda std, k: std**2),
    "encode divides by another σ than the one that decode": encode(lambda std, k: std * (1 + k)),
    "the means differ: in the step from t = ": encode(keep=0.9),
}


@pytest.mark.parametrize("words", MAPS)
def test_noise_maps_that_differ(words):
    text = check(MAPS[words], decode, TABLE, form="noises", times=TIMES).explain()
    assert words in text, text


def test_a_decoder_that_draws():
    def drawing(model, x, noises, times, rng=np.random):
        x = decode(model, x, noises, times)
        return x + 0.1 * rng.standard_normal(x.shape)

    text = check(encode(), drawing, TABLE, form="noises", times=TIMES).explain()
    assert "decode draws noise that is not among those it was handed" in text, text
