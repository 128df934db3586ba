"""Wrong samplers: a posterior's mean for x_0, correctors, consistency sampling."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._samplers import BETAS, pairs
from scoreproof import check_sampler
from scoreproof.objects.discrete import DiscreteVP

BAR = np.cumprod(1 - BETAS)
LIST = {"times": range(960, -1, -32), "shape": 1}
SIGMAS = {"times": np.append(np.geomspace(8, 0.06, 16), 0), "shape": 1}


def ddim_with_the_posterior(prediction, both):
    def sample(model, x, times):
        for t, n in pairs([int(t) for t in times]):
            a, p, out = BAR[t], BAR[n], model(x, t)
            x0 = out if prediction == "x0" else (x - (1 - a) ** 0.5 * out) / a**0.5
            b = 1 - a / p
            mean = (p**0.5 * b * x0 + (1 - b) ** 0.5 * (1 - p) * x) / (1 - a)
            e = (x - a**0.5 * (mean if both else x0)) / (1 - a) ** 0.5
            x = p**0.5 * mean + (1 - p) ** 0.5 * e
        return x

    return check_sampler(sample, DiscreteVP(BETAS), prediction=prediction, **LIST)


@wrong(
    "q_posterior's first value taken for x_0", says=r"posterior's mean.*where x_0 is due, in x_n"
)
def ddim_of_the_posterior_mean():
    return ddim_with_the_posterior("eps", False)


@wrong("the same, and ε formed of it", says=r"posterior's mean.*is due, in ε and in x_next")
def ddim_and_its_noise_of_the_posterior_mean():
    return ddim_with_the_posterior("x0", True)


def corrected(weight):
    def sample(model, x, sigmas):
        d = model(x, sigmas[0])
        for s, n in pairs(sigmas[:-1]):
            r = n / s
            new = model(r * x + (1 - r) * d, n)
            x, d = r * x + (1 - r) * (d + weight * (new - d)), new
        return d

    return check_sampler(sample, order=2, **SIGMAS)


@wrong("the corrector takes the whole difference", says=r"corrector as UniPC's.*/2·.* is due, in y")
def corrector_without_its_half():
    return corrected(1.0)


@wrong("the corrector's sign", says=r"corrector as UniPC's.*the sign.*, in y; right: y = ")
def corrector_with_the_wrong_sign():
    return corrected(-0.5)


def consistency(size):
    def sample(f, x, sigmas, rng):
        x = f(x, sigmas[0])
        for s in sigmas[1:-1]:
            x = f(x + size(s) * rng.standard_normal(x.shape), s)
        return x

    return check_sampler(sample, **SIGMAS)


@wrong("consistency sampling with a denoiser", says=r"x anew from the predicted x_0.*their mean")
def consistency_sampling_of_a_denoiser():
    return consistency(lambda s: s)


@wrong("σ² - ε² without its root", says=r"front of z stands σ_next² - 0\.004².*σ_next is due")
def consistency_sampling_without_the_root():
    return consistency(lambda s: s**2 - 0.004**2 if s**2 > 0.004**2 else 0.0)


class OfATable:
    """Euler's method on x_0 + σ ε with the σ of a table; its network was trained by ``BAR``."""

    alphas_cumprod = BAR

    def __init__(self, table, start=None, scale=None):
        self.table, self.start, self.scale = table, start, scale

    def set_timesteps(self, n):
        self.timesteps = np.linspace(len(BAR) - 1, 0, n)
        at = np.interp(self.timesteps, np.arange(len(BAR)), self.table)
        self.sigmas, self.k = np.append(at, 0.0), 0
        self.init_noise_sigma = self.start or float(np.hypot(1, self.sigmas[0]))

    def scale_model_input(self, x, t):
        s = self.sigmas[self.k]
        return x / np.hypot(1, s) if self.scale is None else self.scale(s) * x

    def add_noise(self, x, noise, t):
        at = np.interp(t, np.arange(len(BAR)), self.table)
        return x + np.reshape(at, (-1,) + (1,) * (x.ndim - 1)) * noise

    def step(self, eps, t, x):
        k, self.k = self.k, self.k + 1
        return (x + (self.sigmas[k + 1] - self.sigmas[k]) * eps,)


@wrong("σ of a table without the root", says=r"alphas_cumprod.*\(1 - ᾱ\) / ᾱ: the root is missing")
def table_of_variances():
    return check_sampler(OfATable((1 - BAR) / BAR), shape=1)


@wrong("init_noise_sigma = 1 of σ to 157", says=r"init_noise_sigma = 1 is that of a variance-pres")
def start_of_another_process():
    return check_sampler(OfATable(np.sqrt((1 - BAR) / BAR), start=1.0), shape=1)


@wrong("scale_model_input by 1/(1 + σ²)", says=r"scale_model_input.*the root is missing")
def input_scaled_by_the_variance():
    return check_sampler(OfATable((1 / BAR - 1) ** 0.5, scale=lambda s: 1 / (1 + s**2)), shape=1)
