"""Wrong coefficients in DDIM's and DDPM's steps, given as a step, for four kinds of model."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_reverse_sampler
from scoreproof.objects.schedules import VPLinear

VP = VPLinear(0.1, 10.0)


def bars(t, t_next):
    return VP.alpha(t) ** 2, VP.alpha(t_next) ** 2


def ddim(x0=None, signal=np.sqrt, direction=None):
    """A DDIM step of ε with one part of it replaced."""

    def step(x, t, t_next, noise, model, eta):
        a, b = bars(t, t_next)
        eps = model(x, t)
        start = (x0 or (lambda x, e, a: (x - np.sqrt(1 - a) * e) / np.sqrt(a)))(x, eps, a)
        std = eta * np.sqrt((1 - b) / (1 - a) * (1 - a / b))
        along = (direction or (lambda a, b, s: np.sqrt(1 - b - s**2)))(a, b, std)
        return signal(b) * start + along * eps + std * noise

    return check_reverse_sampler(step, VP, prediction="eps", parameter="eta")


def ancestral(step, prediction):
    return check_reverse_sampler(step, VP, (0.0,), prediction=prediction)


def posterior_std(a, b):
    return np.sqrt((1 - a / b) * (1 - b) / (1 - a))


@wrong("x0 is not divided by √ᾱ", says=r"α_t is left out in x_0")
def x0_not_divided():
    return ddim(x0=lambda x, e, a: x - np.sqrt(1 - a) * e)


@wrong("1 - ᾱ before ε, not its root", says=r"σ_t² stands where σ_t is due, in x_0")
def x0_with_variance():
    return ddim(x0=lambda x, e, a: (x - (1 - a) * e) / np.sqrt(a))


@wrong("x0 is divided by ᾱ, not by its root", says=r"α_t² stands where α_t is due, in x_0")
def x0_divided_by_bar():
    return ddim(x0=lambda x, e, a: (x - np.sqrt(1 - a) * e) / a)


@wrong("ᾱ_prev before x0, not its root", says=r"α_next² stands where α_next is due, before x_0")
def signal_without_root():
    return ddim(signal=lambda b: b)


@wrong("the direction is made of ᾱ_t", says=r"√\(σ_t² - s²\) stands where √\(σ_next² - s²\) is due")
def direction_of_the_start():
    return ddim(direction=lambda a, b, s: np.sqrt(1 - a - s**2))


@wrong("the direction lacks its root", says=r"σ_next² - s² stands where √\(σ_next² - s²\) is due")
def direction_without_root():
    return ddim(direction=lambda a, b, s: 1 - b - s**2)


@wrong("x0 is clipped to [-1, 1]", says=r"x_0[^.]*clipped to \[-1, 1\]")
def x0_clipped():
    return ddim(x0=lambda x, e, a: np.clip((x - np.sqrt(1 - a) * e) / np.sqrt(a), -1, 1))


@wrong("the coefficients of the posterior's mean are swapped", says=r"x_0 and of x are exchanged")
def posterior_swapped():
    def step(x, t, t_next, noise, model):
        a, b = bars(t, t_next)
        of_x, of_x0 = np.sqrt(b) * (1 - a / b) / (1 - a), np.sqrt(a / b) * (1 - b) / (1 - a)
        return of_x0 * model(x, t) + of_x * x + posterior_std(a, b) * noise

    return ancestral(step, "x0")


@wrong("α_t for √α_t before x in the posterior's mean", says=r"\(α_t/α_next\)² σ_next²/σ_t² stands")
def posterior_without_root():
    def step(x, t, t_next, noise, model):
        a, b = bars(t, t_next)
        of_x0, of_x = np.sqrt(b) * (1 - a / b) / (1 - a), (a / b) * (1 - b) / (1 - a)
        return of_x0 * model(x, t) + of_x * x + posterior_std(a, b) * noise

    return ancestral(step, "x0")


def ddpm(front, inside):
    def step(x, t, t_next, noise, model):
        a, b = bars(t, t_next)
        mean = front(a / b) * (x - inside(1 - a / b, 1 - a) * model(x, t))
        return mean + np.sqrt(1 - a / b) * noise

    return ancestral(step, "eps")


@wrong("β/(1-ᾱ) without the root", says=r"σ_t² stands where σ_t is due, in \(β/σ_t\) ε")
def ddpm_noise_without_root():
    return ddpm(lambda r: r**-0.5, lambda beta, var: beta / var)


@wrong("1/α for 1/√α in front", says=r"\(α_next/α_t\)² stands where α_next/α_t is due, in front")
def ddpm_front():
    return ddpm(lambda r: 1 / r, lambda beta, var: beta / np.sqrt(var))


@wrong("α and σ exchanged in x0 of v", says=r"σ_t stands where α_t is due, before x, in x_0")
def v_with_sigma():
    def step(x, t, t_next, noise, model):
        a, s, v = VP.alpha(t), VP.sigma(t), model(x, t)
        x0, eps = s * x - s * v, s * x + a * v
        return VP.alpha(t_next) * x0 + VP.sigma(t_next) * eps

    return check_reverse_sampler(step, VP, (1.0,), prediction="v")


@wrong("σ for σ² in Tweedie's x0", says=r"σ_t stands where σ_t² is due, in x_0 = \(x \+ σ_t² score")
def tweedie_without_square():
    def step(x, t, t_next, noise, model):
        a, s, score = VP.alpha(t), VP.sigma(t), model(x, t)
        x0, eps = (x + s * score) / a, -s * score
        return VP.alpha(t_next) * x0 + VP.sigma(t_next) * eps

    return check_reverse_sampler(step, VP, (1.0,), prediction="score")


@wrong("two slips at once: no cause, but which coefficients", says=r"that of x is .* is due")
def two_slips():
    return ddim(
        x0=lambda x, e, a: x - (1 - a) * e,
        direction=lambda a, b, s: np.sqrt(1 - a - s**2),
    )
