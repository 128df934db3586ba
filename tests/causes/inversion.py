"""Wrong inverses and samplers that do not lead back: DDIM both ways, Euler on σ, noise maps."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_inversion
from scoreproof.objects.discrete import DiscreteVP

BETAS = np.linspace(1e-4, 0.02, 1000)
TABLE = DiscreteVP(BETAS)


class DDIM:
    """Down, or up as DDIMInverseScheduler: the model is told the timestep that x is led to."""

    def __init__(self, up=False, betas=BETAS, offset=0):
        self.alphas_cumprod = np.cumprod(1 - betas)
        self.up, self.offset = up, offset
        self.config = {"prediction_type": "epsilon", "num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.stride = 1000 // n
        times = np.arange(n) * self.stride + self.offset
        self.timesteps = times if self.up else times[::-1]

    def bar_of(self, t):
        return self.alphas_cumprod[min(t, 999)] if t >= 0 else 1.0

    def add_noise(self, x, noise, t):
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return bar**0.5 * x + (1 - bar) ** 0.5 * noise

    def ends(self, t):
        return (t - self.stride, t) if self.up else (t, t - self.stride)

    def x0_of(self, eps, x, bar):
        return (x - (1 - bar) ** 0.5 * eps) / bar**0.5

    def step(self, eps, t, x):
        before, after = (self.bar_of(k) for k in self.ends(t))
        x0 = self.x0_of(eps, x, before)
        return (after**0.5 * x0 + (1 - after) ** 0.5 * eps,)


def both(up, down=None, **more):
    return check_inversion(up, down or DDIM(), **({"shape": 2, "steps": 25} | more))


@wrong("another table in the inverse", says=r"tables differ")
def inverse_of_another_table():
    return both(DDIM(True, np.linspace(0.00085**0.5, 0.012**0.5, 1000) ** 2))


@wrong(
    "the inverse goes from t to t - stride, as the sampler does",
    says=r"in the inverse.*ends of the step are exchanged",
)
def inverse_steps_down():
    class Wrong(DDIM):
        def ends(self, t):
            return (t, t - self.stride)

    return both(Wrong(True))


@wrong("x_0 divided by ᾱ for √ᾱ in the inverse", says=r"in the inverse.*/ᾱ_t where .*/√ᾱ_t is due")
def inverse_x0_without_the_root():
    class Wrong(DDIM):
        def x0_of(self, eps, x, bar):
            return (x - (1 - bar) ** 0.5 * eps) / bar

    return both(Wrong(True))


@wrong("the sampler's ε × 0.99", says=r"sampler.*0\.99|0\.99.*sampler")
def sampler_scales_epsilon():
    class Wrong(DDIM):
        def x0_of(self, eps, x, bar):
            return super().x0_of(0.99 * eps, x, bar)

    return both(DDIM(True), Wrong())


def euler(model, x, sigmas, told=lambda s, n: s, change=lambda s, n: n - s):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        x = x + change(s, n) * (x - model(x, told(s, n))) / s
    return x


@wrong("the sign of the step in the inverse", says=r"in the inverse.*\(the sign\)")
def euler_up_with_the_sign_of_down():
    return both(lambda m, x, s: euler(m, x, s, change=lambda a, b: a - b), euler, steps=None)


@wrong("the inverse's model is told σ²", says=r"in the inverse, the model is told the square")
def euler_up_told_the_variance():
    return both(lambda m, x, s: euler(m, x, s, told=lambda a, b: a**2), euler, steps=None)


@wrong("the inverse hands its list of σ on in falling order", says=r"times in reversed order")
def euler_up_on_reversed_sigmas():
    return both(lambda m, x, s: euler(m, x, s[::-1]), euler, steps=None)


@wrong(
    "the inverse's model is told the index, not the timestep", says=r"told the index of the step"
)
def inverse_told_the_index():
    def invert(model, x, times):
        for i, (t, n) in enumerate(zip(times[:-1], times[1:], strict=True)):
            eps = model(x, i)
            x0 = (x - TABLE.sigma(t) * eps) / TABLE.alpha(t)
            x = TABLE.alpha(n) * x0 + TABLE.sigma(n) * eps
        return x

    def sample(model, x, times):
        for t, n in zip(times[:-1], times[1:], strict=True):
            eps = model(x, t)
            x0 = (x - TABLE.sigma(t) * eps) / TABLE.alpha(t)
            x = TABLE.alpha(n) * x0 + TABLE.sigma(n) * eps
        return x

    return check_inversion(
        invert, sample, TABLE, prediction="eps", times=np.arange(980, 0, -20), shape=2
    )


@wrong("the sampler draws noise (η = 1)", says=r"draws noise")
def sampler_that_draws():
    def ancestral(model, x, sigmas, rng):
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            up = (n**2 * (s**2 - n**2) / s**2) ** 0.5
            x = x + ((n**2 - up**2) ** 0.5 - s) * (x - model(x, s)) / s
            x = x + up * rng.standard_normal(x.shape)
        return x

    return both(euler, ancestral, steps=None)


@wrong("the decoded latents are scaled by 0.18215 once more", says=r"returned is 0\.18215")
def sampler_scales_latents():
    return both(euler, lambda m, x, s: 0.18215 * euler(m, x, s), steps=None)


@wrong("the inverse returns ᾱ-scaled x: x/√(1 + σ²)", says=r"1/√\(1 \+ σ²\)")
def inverse_returns_scaled_input():
    return both(lambda m, x, s: euler(m, x, s) / np.sqrt(1 + s[-1] ** 2), euler, steps=None)


# -- noise maps ------------------------------------------------------------------------------------


def mean_and_std(model, x, t, n, told=None):
    a, b = TABLE.alpha(t) ** 2, TABLE.alpha(n) ** 2
    eps = model(x, t if told is None else told)
    var = (1 - b) / (1 - a) * (1 - a / b)
    x0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
    return b**0.5 * x0 + (1 - b - var) ** 0.5 * eps, var**0.5


def encode(model, xs, times, size=lambda std: std, told=lambda t, n: t, order=1):
    found = []
    for k, (t, n) in enumerate(zip(times[:-1], times[1:], strict=True)):
        mean, std = mean_and_std(model, xs[k], t, n, told(t, n))
        found.append((xs[k + 1] - mean) / size(std))
    return found[::order]


def decode(model, x, noises, times):
    for z, t, n in zip(noises, times[:-1], times[1:], strict=True):
        mean, std = mean_and_std(model, x, t, n)
        x = mean + std * z
    return x


def maps(encoder):
    return check_inversion(
        encoder, decode, TABLE, form="noises", times=np.arange(900, 99, -100), shape=2
    )


@wrong("the noise is divided by the variance", says=r"divides by the variance σ²")
def noise_over_the_variance():
    return maps(lambda m, xs, t: encode(m, xs, t, size=lambda std: std**2))


@wrong("the noises are handed over in reversed order", says=r"noises over in reversed order")
def noises_reversed():
    return maps(lambda m, xs, t: encode(m, xs, t, order=-1))


@wrong("encode tells its model the next time", says=r"from 900 to 800 encode tells it 800")
def noises_told_the_next_time():
    return maps(lambda m, xs, t: encode(m, xs, t, told=lambda a, b: b))
