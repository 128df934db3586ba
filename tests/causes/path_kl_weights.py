"""Wrong log-weights of paths, stochastic control losses and score bounds."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_path_kl

RATIO = {"quantity": "log_ratio"}


def weight(a, b, g, x, t, *, ito=1.0, energy=1.0, noise="p", at=0.0):
    """Σ u·dW + ½ Σ |u|² dt along paths, with parts to be replaced."""
    total = 0.0
    for k in range(len(t) - 1):
        dt, s = t[k + 1] - t[k], g(t[k])
        u = (a(x[k], t[k]) - b(x[k], t[k])) / s
        drift = {"p": a(x[k], t[k]), "q": b(x[k], t[k]), "none": 0.0}[noise]
        dw = (x[k + 1] - x[k] - drift * dt) / s
        later = (a(x[k + 1], t[k + 1]) - b(x[k + 1], t[k + 1])) / g(t[k + 1])
        there = (1 - at) * u + at * later
        total = total + ito * np.sum(there * dw, axis=1) + energy * 0.5 * np.sum(u**2, 1) * dt
    return total


@wrong("MD reweighting: the sign of the stochastic integral", says=r"∫ u·dW has the wrong sign")
def sign_of_the_integral():
    return check_path_kl(lambda a, b, g, x, t: weight(a, b, g, x, t, ito=-1.0), **RATIO)


@wrong("P's noise with -½∫|u|²", says=r"½ ∫\|u\|² dt has the wrong sign: with P's noise")
def sign_of_the_energy():
    return check_path_kl(lambda a, b, g, x, t: weight(a, b, g, x, t, energy=-1.0), **RATIO)


@wrong("dW of the reference with +½∫|u|²", says=r"dW is Q's noise.*take g⁻¹\(dx - a dt\)")
def noise_of_the_other():
    return check_path_kl(lambda a, b, g, x, t: weight(a, b, g, x, t, noise="q"), **RATIO)


@wrong("the increments for the noise", says=r"increments dx stand for the noise")
def increments():
    return check_path_kl(lambda a, b, g, x, t: weight(a, b, g, x, t, noise="none"), **RATIO)


@wrong(
    "the stochastic integral dropped, its mean is 0", says=r"∫ u·dW is left out.*weight of a path"
)
def no_integral():
    return check_path_kl(lambda a, b, g, x, t: weight(a, b, g, x, t, ito=0.0), **RATIO)


@wrong("½∫|u|² dropped", says=r"½ ∫\|u\|² dt is left out")
def no_energy():
    return check_path_kl(lambda a, b, g, x, t: weight(a, b, g, x, t, energy=0.0), **RATIO)


@wrong("log dQ/dP", says=r"it is log dQ/dP where log dP/dQ is due")
def other_way_round():
    return check_path_kl(lambda a, b, g, x, t: -weight(a, b, g, x, t), **RATIO)


@wrong("the midpoint in ∫ u·dW", says=r"mean of both ends.*Stratonovich.*left end")
def midpoint():
    return check_path_kl(lambda a, b, g, x, t: weight(a, b, g, x, t, at=0.5), **RATIO)


@wrong("the right endpoint in ∫ u·dW", says=r"taken at the right end of each step in ∫ u·dW")
def right_end():
    return check_path_kl(lambda a, b, g, x, t: weight(a, b, g, x, t, at=1.0), **RATIO)


@wrong("MD: the random number η for √dt η", says=r"standard normal z stands for dW: dW = √dt z")
def eta_for_dw():
    def log_weight(biased_drift, drift, sigma, x0, dt, n_steps, rng):
        x, log_m = x0, 0.0
        for _ in range(n_steps):
            eta = rng.standard_normal(x.shape)
            u = (biased_drift(x) - drift(x)) / sigma
            log_m = log_m + np.sum(u * eta, axis=1) + 0.5 * np.sum(u**2, axis=1) * dt
            x = x + biased_drift(x) * dt + sigma * np.sqrt(dt) * eta
        return log_m

    return check_path_kl(log_weight, noise="number", **RATIO)


@wrong("density ratio: the laws at the start left out", says=r"law at the start is left out")
def no_start():
    def log_weight(a, b, g, x, t, log_p0, log_q0):
        return weight(a, b, g, x, t)

    return check_path_kl(log_weight, **RATIO)


@wrong("density ratio: log q0 - log p0", says=r"term of the start has the wrong sign")
def start_subtracted():
    def log_weight(a, b, g, x, t, log_p0, log_q0):
        return weight(a, b, g, x, t) + log_q0(x[0]) - log_p0(x[0])

    return check_path_kl(log_weight, **RATIO)


@wrong("particle filter: the mean instead of the sum over coordinates", says=r"mean over the coord")
def mean_of_coordinates():
    return check_path_kl(lambda a, b, g, x, t: weight(a, b, g, x, t) / 3, **RATIO)


def pis(control, drift, sigma, terminal_cost, x0, ts, rng, *, cost, end=1.0):
    """½ Σ |u|² dt and a terminal cost along controlled paths."""
    x, total = x0, 0.0
    for t, s in zip(ts[:-1], ts[1:], strict=True):
        u = control(x, t)
        total = total + cost(u, sigma(t), s - t)
        noise = np.sqrt(s - t) * rng.standard_normal(x.shape)
        x = x + (drift(x, t) + sigma(t) * u) * (s - t) + sigma(t) * noise
    return total + end * terminal_cost(x)


@wrong("path integral sampler: |u|² for ½|u|²", says=r"½ of ½ ∫\|u\|² dt is missing")
def control_without_half():
    def loss(control, drift, sigma, terminal_cost, x0, ts, rng):
        return pis(
            control,
            drift,
            sigma,
            terminal_cost,
            x0,
            ts,
            rng,
            cost=lambda u, s, dt: (u**2).sum(1) * dt,
        )

    return check_path_kl(loss)


@wrong("DDS: the control divided by σ again", says=r"control is divided by g: it is u itself")
def control_divided():
    def loss(control, drift, sigma, terminal_cost, x0, ts, rng):
        def cost(u, s, dt):
            return 0.5 * (u**2).sum(1) / s**2 * dt

        return pis(control, drift, sigma, terminal_cost, x0, ts, rng, cost=cost)

    return check_path_kl(loss)


@wrong("terminal cost subtracted", says=r"terminal cost is subtracted: add it at x_T")
def terminal_sign():
    def loss(control, drift, sigma, terminal_cost, x0, ts, rng):
        def cost(u, s, dt):
            return 0.5 * (u**2).sum(1) * dt

        return pis(control, drift, sigma, terminal_cost, x0, ts, rng, cost=cost, end=-1.0)

    return check_path_kl(loss)


def bound(score, model, g, x, t, kl_T, power):
    u2 = np.sum((score(x, t) - model(x, t)) ** 2, axis=-1).mean(1)
    return 0.5 * np.sum((g(t) ** power * u2)[:-1] * np.diff(t)) + kl_T


@wrong("likelihood weighting: g for g²", says=r"multiplied by g: by g²")
def g_for_its_square():
    return check_path_kl(lambda score, model, g, x, t, kl_T: bound(score, model, g, x, t, kl_T, 1))


@wrong("likelihood weighting: no weight", says=r"has no g²: ½ ∫ g² E")
def no_weight():
    return check_path_kl(lambda score, model, g, x, t, kl_T: bound(score, model, g, x, t, kl_T, 0))


@wrong("score bound: KL(p_T‖π) left out", says=r"divergence at the end.*left out: add it")
def no_prior():
    def nll_bound(score, model, g, x, t, kl_T):
        return bound(score, model, g, x, t, 0.0, 2)

    return check_path_kl(nll_bound)


@wrong("trapezoidal rule without its ½", says=r"½ of ½ ∫\|u\|² dt is missing")
def heun_doubled():
    def kl(f, h, g, x0, ts, rng):
        x, total = x0, 0.0

        def rate(t, x):
            return np.sum(((f(t, x) - h(t, x)) / g(t)) ** 2, axis=1)

        for t, s in zip(ts[:-1], ts[1:], strict=True):
            dw = np.sqrt(s - t) * rng.standard_normal(x.shape)
            guess = x + f(t, x) * (s - t) + g(t) * dw
            new = x + (f(t, x) + f(s, guess)) / 2 * (s - t) + (g(t) + g(s)) / 2 * dw
            total = total + (rate(t, x) + rate(s, new)) / 2 * (s - t)
            x = new
        return total

    return check_path_kl(kl)


@wrong("torch: no ½ in the augmented state", says=r"½ of ½ ∫\|u\|² dt is missing", needs="torch")
def torch_half():
    import torch

    def kl(f, h, g, y0, ts):
        y, logqp = y0, 0.0
        for t, s in zip(ts[:-1], ts[1:], strict=True):
            u = (f(t, y) - h(t, y)) / g(t, y)
            logqp = logqp + (u**2).sum(dim=1) * (s - t)
            y = y + f(t, y) * (s - t) + g(t, y) * torch.sqrt(s - t) * torch.randn_like(y)
        return logqp

    return check_path_kl(kl, framework="torch", noise="diagonal")
