"""Wrong schedules that strangers wrote, in other numbers and another layout."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_schedule

T = 300
BETAS = np.linspace(0.002, 0.03, T)
BAR = np.cumprod(1 - BETAS)
ENDS = {"sigma_min": 0.01, "sigma_max": 40.0, "rho": 7.0}


def to_zero(bar):
    root = np.sqrt(bar)
    return ((root - root[-1]) * root[0] / (root[0] - root[-1])) ** 2


def noised(first, second) -> Evidence:
    def add_noise(x, noise, t):
        a, b = (v[:, None] for v in (first(t), second(t)))
        return a * x + b * noise

    return check_schedule(betas=BETAS, alphas_cumprod=BAR, add_noise=add_noise)


@wrong("the SNR is that of ᾱ before the rescale", says=r"before the rescale to zero terminal SNR")
def snr_before_rescale():
    return check_schedule(alphas_cumprod=to_zero(BAR), sigma_t=np.sqrt(1 - BAR), prediction="v")


@wrong("β are those before the rescale", says=r"ᾱ rescaled to zero terminal SNR; β were not")
def betas_before_rescale():
    return check_schedule(betas=BETAS, alphas_cumprod=to_zero(BAR))


@wrong("ᾱ is rescaled, not its root", says=r"but ᾱ was, where √ᾱ is to be")
def rescaled_without_root():
    bar = (BAR - BAR[-1]) * BAR[0] / (BAR[0] - BAR[-1])
    return check_schedule(betas=BETAS, alphas_cumprod=bar)


@wrong(
    "signal at t - 1, clamped", says=r"x_0 is multiplied by that of timestep t - 1 \(at t = 0 its"
)
def clamped_index():
    return noised(lambda t: np.sqrt(BAR[np.maximum(t - 1, 0)]), lambda t: np.sqrt(1 - BAR[t]))


@wrong("add_noise is a straight line in t", says=r"multiplied by 1 - t/T .*straight path")
def straight_line():
    return noised(lambda t: 1 - t / T, lambda t: t / T)


@wrong("shift: the -1 is missing", says=r"4 σ/\(1 \+ 4 σ\), .*the -1 is missing")
def shift_without_its_one():
    s = np.linspace(1, 0.02, 40)
    options = {"shift": 4.0, "sigma_max": 1.0, "sigma_min": 0.08 / 1.06}
    return check_schedule(sigmas=4 * s / (1 + 4 * s), form="shifted", form_options=options)


@wrong("the ramp is squared", says=r"ramp r to the power 2")
def squared_ramp():
    top, low = 40 ** (1 / 7), 0.01 ** (1 / 7)
    sigmas = (top + np.linspace(0, 1, 14) ** 2 * (low - top)) ** 7
    return check_schedule(sigmas=sigmas, form="karras", form_options=ENDS)


@wrong("β_d t² without its half", says=r"the ½ before β_d is missing")
def integral_without_half():
    t = np.linspace(1, 1e-3, 25)
    options = {"beta_d": 12.0, "beta_min": 0.2}
    sigmas = np.sqrt(np.expm1(12 * t**2 + 0.2 * t))
    return check_schedule(sigmas=sigmas, form="vp", form_options=options)


@wrong("cosine of a quarter turn", says=r"cos² that ends at 0\.785398 = π/4")
def quarter_turn():
    u = np.arange(T + 1) / T
    bar = np.cos((u + 0.008) / 1.008 * np.pi / 4) ** 2
    return check_schedule(betas=1 - bar[1:] / bar[:-1], form="cosine")
