"""Wrong reverse-time samplers, as they are written, in the form of a step."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_reverse_sampler
from scoreproof.objects.schedules import EDM, VPLinear

VP, KARRAS = VPLinear(0.1, 20.0), EDM()


def beta(t):
    return 0.1 + t * 19.9


def log_mean(t):
    return -0.25 * t**2 * 19.9 - 0.05 * t


def euler(x, t, t_next, z, model):
    h = t - t_next
    f, g = -0.5 * beta(t) * x, np.sqrt(beta(t))
    return x, h, f, g, model(x, t)


@wrong(
    "the sign of dt", says=r"sign of dt|sign of (the|its) step|other clock|clock s|forward in time"
)
def step_sign():
    def step(x, t, t_next, z, model):
        x, h, f, g, s = euler(x, t, t_next, z, model)
        return x + (f - g**2 * s) * h + g * np.sqrt(h) * z

    return check_reverse_sampler(step, VP, (0.0,))


@wrong(
    "the noise is not multiplied by √h", says=r"noise does not (vanish|shrink)|√\(t ?- ?t_next\)"
)
def noise_without_root_of_step():
    def step(x, t, t_next, z, model):
        x, h, f, g, s = euler(x, t, t_next, z, model)
        return x - (f - g**2 * s) * h + g * z

    return check_reverse_sampler(step, VP, (0.0,))


@wrong(
    "the noise is multiplied by h where √h is due", says=r"√\(t ?- ?t_next\)|√h|root of the step"
)
def noise_times_step():
    def step(x, t, t_next, z, model):
        x, h, f, g, s = euler(x, t, t_next, z, model)
        return x - (f - g**2 * s) * h + g * h * z

    return check_reverse_sampler(step, VP, (0.0,))


@wrong(
    "the drift is not multiplied by the step",
    says=r"drift[^.]*(not|without|missing)[^.]*(t ?- ?t_next|h\b|step)",
)
def drift_without_step():
    def step(x, t, t_next, z, model):
        x, h, f, g, s = euler(x, t, t_next, z, model)
        return x - (f - g**2 * s) / 1000 + g * np.sqrt(h) * z

    return check_reverse_sampler(step, VP, (0.0,))


@wrong("one draw for all coordinates", says=r"shared by the coordinates")
def noise_of_one_column():
    def step(x, t, t_next, z, model):
        x, h, f, g, s = euler(x, t, t_next, z, model)
        return x - (f - g**2 * s) * h + g * np.sqrt(h) * z[:, :1]

    return check_reverse_sampler(step, VP, (0.0,), dimension=2)


@wrong("the drift moves the first coordinate only", says=r"coordinate[s]? 1\b")
def first_coordinate_only():
    def step(x, t, t_next, z, model):
        x, h, f, g, s = euler(x, t, t_next, z, model)
        out = x.copy()
        out[:, 0] -= h * (f - g**2 * s)[:, 0]
        return out + g * np.sqrt(h) * z

    return check_reverse_sampler(step, VP, (0.0,), dimension=2)


def ddim(x, t, t_next, model):
    a, a_next = np.exp(2 * log_mean(t)), np.exp(2 * log_mean(t_next))
    eps = model(x, t)
    x0 = (x - np.sqrt(1 - a) * eps) / np.sqrt(a)
    return eps, x0, a_next, (1 - a_next) / (1 - a) * (1 - a / a_next)


@wrong(
    "DDIM's direction √(1-ᾱ) without -σ², while noise is added",
    says=r"ODE's (drift|direction)[^.]*noise is added|drift (is that )?of λ = 1\b",
)
def ddim_direction():
    def step(x, t, t_next, z, model, eta):
        eps, x0, a, variance = ddim(x, t, t_next, model)
        return np.sqrt(a) * x0 + np.sqrt(1 - a) * eps + eta * np.sqrt(variance) * z

    return check_reverse_sampler(step, VP, prediction="eps", parameter="eta")


@wrong(
    "η variance in the direction where η² variance is due",
    says=r"η for η²|η where η²|λ = 1 ?- ?η\b|√\(1 ?- ?λ\)|drift[^.]*λ = 0\.5[^.]*noise",
)
def ddim_eta_not_squared():
    def step(x, t, t_next, z, model, eta):
        eps, x0, a, variance = ddim(x, t, t_next, model)
        std = eta * np.sqrt(variance)
        return np.sqrt(a) * x0 + np.sqrt(1 - a - eta * variance) * eps + std * z

    return check_reverse_sampler(step, VP, (0.0, 0.4, 0.8), prediction="eps", parameter="eta")


@wrong(
    "the ancestral step goes down to σ_next, and adds σ_up z",
    says=r"ODE's (drift|direction)[^.]*noise is added|drift (is that )?of λ = 1\b",
)
def ancestral_without_down():
    def step(x, t, t_next, z, denoiser):
        up = np.sqrt(t_next**2 * (t**2 - t_next**2) / t**2)
        return x + (x - denoiser(x, t)) / t * (t_next - t) + up * z

    return check_reverse_sampler(step, KARRAS, (0.0,), prediction="x0", times=(0.1, 50.0))
