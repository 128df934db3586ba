"""Right samplers, written out as libraries and people write them, with parts to be replaced.

Conventions: ``x = α x_0 + σ ε``; a part is a method of a scheduler or an argument of a loop.
"""

from __future__ import annotations

from typing import Any

import numpy as np

BETAS = np.linspace(1e-4, 0.02, 1000)


def changed(scheduler: type, *arguments: Any, **methods: Any) -> Any:
    """A scheduler some of whose methods are others."""
    return type("Wrong", (scheduler,), methods)(*arguments)


class DDIM:
    """With η, on a table, in NumPy; ε-prediction or v."""

    def __init__(self, kind="epsilon"):
        self.betas = BETAS
        self.alphas_cumprod = np.cumprod(1 - BETAS)
        self.final_alpha_cumprod = 1.0
        self.config = {"prediction_type": kind, "num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.num_inference_steps = n
        self.timesteps = (np.arange(n) * (1000 // n))[::-1]

    def add_noise(self, x, noise, t):
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return np.sqrt(bar) * x + np.sqrt(1 - bar) * noise

    def previous(self, t):
        return t - 1000 // self.num_inference_steps

    def bar_of(self, t):
        return self.alphas_cumprod[t] if t >= 0 else self.final_alpha_cumprod

    def x0_of(self, out, x, bar):
        if self.config["prediction_type"] == "v_prediction":
            return bar**0.5 * x - (1 - bar) ** 0.5 * out
        return (x - (1 - bar) ** 0.5 * out) / bar**0.5

    def variance(self, bar, prev):
        return (1 - prev) / (1 - bar) * (1 - bar / prev)

    def direction(self, prev, std, bar):
        return (1 - prev - std**2) ** 0.5

    def spread(self, std, eta, variance, prev):
        return std

    def step(self, out, t, x, eta=0.0, rng=None):
        bar, prev = self.bar_of(t), self.bar_of(self.previous(t))
        x0 = self.x0_of(out, x, bar)
        eps = (x - bar**0.5 * x0) / (1 - bar) ** 0.5
        variance = self.variance(bar, prev)
        std = eta * variance**0.5
        after = prev**0.5 * x0 + self.direction(prev, std, bar) * eps
        if eta > 0:
            after = after + self.spread(std, eta, variance, prev) * rng.standard_normal(x.shape)
        return (after,)


class DDPM(DDIM):
    """The posterior's mean as q_posterior has it, from x_0."""

    def mean(self, x0, x, bar, prev, beta):
        return prev**0.5 * beta / (1 - bar) * x0 + (1 - beta) ** 0.5 * (1 - prev) / (1 - bar) * x

    def std(self, bar, prev, beta):
        return np.exp(0.5 * np.log(np.maximum((1 - prev) / (1 - bar) * beta, 1e-20)))

    def noisy(self, t):
        return t > 0

    def step(self, out, t, x, rng=None):
        bar, prev = self.bar_of(t), self.bar_of(self.previous(t))
        beta = 1 - bar / prev
        after = self.mean(self.x0_of(out, x, bar), x, bar, prev, beta)
        if self.noisy(t):
            after = after + self.std(bar, prev, beta) * rng.standard_normal(x.shape)
        return {"prev_sample": after}


class Euler:
    """On the σ of a table, as k-diffusion's in a library; ancestral with eta."""

    ancestral = False

    def __init__(self):
        bar = np.cumprod(1 - BETAS)
        self.table = np.sqrt((1 - bar) / bar)
        self.config = {"prediction_type": "epsilon", "num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.timesteps = np.linspace(999, 0, n)
        at = np.interp(self.timesteps, np.arange(1000), self.table)
        self.sigmas, self.step_index = np.append(at, 0.0), 0

    def add_noise(self, x, noise, t):
        level = np.interp(t, np.arange(1000), self.table)
        return x + np.reshape(level, (-1,) + (1,) * (x.ndim - 1)) * noise

    def pair(self, i):
        return self.sigmas[i], self.sigmas[i + 1]

    def gap(self, sigma, to, down):
        return down - sigma

    def up(self, sigma, to):
        return (to**2 * (sigma**2 - to**2) / sigma**2) ** 0.5

    def x0_of(self, out, x, sigma):
        return x - sigma * out

    def step(self, out, t, x, rng=None):
        sigma, to = self.pair(self.step_index)
        self.step_index += 1
        up = self.up(sigma, to) if self.ancestral else 0.0
        down = (to**2 - min(up, to) ** 2) ** 0.5
        d = (x - self.x0_of(out, x, sigma)) / sigma
        x = x + d * self.gap(sigma, to, down)
        if self.ancestral:
            x = x + up * rng.standard_normal(x.shape)
        return {"prev_sample": x}


class Flow:
    """A rectified flow on σ from 1 to 0: x = (1 - σ) x_0 + σ ε, the model is ε - x_0."""

    def __init__(self):
        self.config = {"num_train_timesteps": 1000}

    def set_timesteps(self, n):
        self.sigmas, self.step_index = np.linspace(1, 0, n + 1), 0
        self.timesteps = 1000 * self.sigmas[:-1]

    def scale_noise(self, sample, timestep, noise):
        sigma = (timestep / 1000).reshape(-1, *[1] * (sample.ndim - 1))
        return sigma * noise + (1.0 - sigma) * sample

    def change(self, i):
        return self.sigmas[i + 1] - self.sigmas[i]

    def step(self, model_output, timestep, sample):
        i, self.step_index = self.step_index, self.step_index + 1
        return (sample + self.change(i) * model_output,)


def ddpm_loop(betas, *, scale=None, factor=None, noise=None):
    """Algorithm 2 of Ho et al. over all timesteps, as a function."""
    alphas = 1 - betas
    bars = np.cumprod(alphas)
    scale = scale or (lambda t: 1 / np.sqrt(alphas[t]))
    factor = factor or (lambda t: betas[t] / np.sqrt(1 - bars[t]))
    noise = noise or (lambda t: np.sqrt(betas[t] * (1 - bars[t - 1]) / (1 - bars[t])))

    def sample(model, x, timesteps, rng):
        for t in timesteps.astype(int)[:-1]:
            z = rng.standard_normal(x.shape)
            x = scale(t) * (x - factor(t) * model(x, t)) + noise(t) * z
        return x

    return sample


def heun(model, x, sigmas, *, second=lambda s, n: n, half=0.5, told=lambda s, n: n):
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        d = (x - model(x, s)) / s
        if n == 0:
            x = x + (n - s) * d
        else:
            y = x + (n - s) * d
            x = x + (n - s) * half * (d + (y - model(y, told(s, n))) / second(s, n))
    return x


def karras_edm(net, x, sigmas, rng, *, s_noise=1.0, told=lambda s, h: h, size=None):
    size = size or (lambda s, h: (h**2 - s**2) ** 0.5)
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        hat = s * (1 + min(10 / (len(sigmas) - 1), 2**0.5 - 1))
        x = x + s_noise * size(s, hat) * rng.standard_normal(x.shape)
        x = x + (n - hat) * (x - net(x, told(s, hat))) / hat
    return x


def dpmpp_2m(model, x, sigmas, *, mix=lambda r: 1 / (2 * r), fn=np.log, sign=1.0):
    old, last = None, None
    for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
        denoised = model(x, s)
        h = fn(s) - fn(n)
        d = denoised
        if old is not None:
            r = last / h
            d = (1 + mix(r)) * denoised - mix(r) * old
        x = n / s * x - sign * np.expm1(-h) * d
        old, last = denoised, h
    return x


def reverse(model, x, t, n, z, *, half=1.0, g2=None, root=np.sqrt, sign=1.0, told=None):
    h = t - n
    beta = g2(t) if g2 else 0.1 + t * 19.9
    s = model(x, t if told is None else told(t, n))
    return x + h * (0.5 * beta * x + sign * half * beta * s) + np.sqrt(beta) * root(h) * z


def pairs(values):
    return zip(values[:-1], values[1:], strict=True)


def lms(model, x, sigmas, sign=1.0, order=4):
    """Linear multistep on σ, as in k-diffusion."""
    nodes, weights = np.polynomial.legendre.leggauss(8)
    slopes = []
    for i, (s, n) in enumerate(pairs(sigmas)):
        slopes = [sign * (x - model(x, s)) / s, *slopes][:order]
        t, m = (n - s) / 2 * nodes + (n + s) / 2, len(slopes)
        for j in range(m):
            others = [sigmas[i - k] for k in range(m) if k != j]
            part = np.prod([(t - o) / (sigmas[i - j] - o) for o in others], axis=0)
            x = x + (n - s) / 2 * np.sum(weights * part) * slopes[j]
    return x


def dpmpp_2s(model, x, sigmas, rng, noise=lambda up, down: up):
    """Single-step DPM-Solver++ of second order, ancestral."""
    for s, n in pairs(sigmas):
        denoised = model(x, s)
        up = min(n, (n**2 * (s**2 - n**2) / s**2) ** 0.5)
        down = (n**2 - up**2) ** 0.5
        if down == 0:
            x = x + (down - s) * (x - denoised) / s
        else:
            m = (s * down) ** 0.5
            y = m / s * x + (1 - m / s) * denoised
            x = down / s * x + (1 - down / s) * model(y, m)
        if n > 0:
            x = x + noise(up, down) * rng.standard_normal(x.shape)
    return x


def rk4(model, x, times, weights=(1, 2, 2, 1)):
    """On a velocity."""
    for t, n in pairs(times):
        h = n - t
        k1 = model(x, t)
        k2 = model(x + h / 2 * k1, t + h / 2)
        k3 = model(x + h / 2 * k2, t + h / 2)
        k4 = model(x + h * k3, n)
        x = x + h / 6 * sum(w * k for w, k in zip(weights, (k1, k2, k3, k4), strict=True))
    return x


def corrected(model, x, times, rng, process, factor=2.0):
    """Predictor and Langevin corrector, with β from 0.1 to 20."""
    for t, n in pairs(times):
        x = reverse(model, x, t, n, rng.standard_normal(x.shape))
        e = 0.1 * process.sigma(n) ** 2
        x = x + e * model(x, n) + (factor * e) ** 0.5 * rng.standard_normal(x.shape)
    return x
