"""Wrong forms of β and σ, wrong lists of σ and of timesteps."""

from __future__ import annotations

import math
from types import SimpleNamespace
from typing import Any

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_schedule

T = 1000


def _torch() -> Any:
    import torch

    return torch


def _linear(n: int = T) -> np.ndarray:
    scale = 1000 / n
    return np.linspace(scale * 1e-4, scale * 0.02, n, dtype=np.float64)


# -- the form of β ---------------------------------------------------------------------------------


@wrong("cosine without the offset s", says=r"s = 0|without the offset")
def cosine_without_offset() -> Evidence:
    f = [math.cos(i / T * math.pi / 2) ** 2 for i in range(T + 1)]
    betas = [min(1 - f[i + 1] / f[i], 0.999) for i in range(T)]
    return check_schedule(betas=betas, form="cosine")


@wrong("cosine made with steps = T + 1 for T", says=r"(T \+ 1|1001|ends? at t = |1000 of 1001)")
def cosine_with_wrong_t() -> Evidence:
    steps = T + 1
    x = np.linspace(0, steps, steps)
    bar = np.cos(((x / steps) + 0.008) / (1 + 0.008) * np.pi * 0.5) ** 2
    bar = bar / bar[0]
    betas = np.clip(1 - bar[1:] / bar[:-1], 0, 0.999)
    return check_schedule(betas=betas[:-1], form="cosine")


@wrong("cosine, not squared", says=r"cosine, not its square")
def cosine_not_squared() -> Evidence:
    def alpha_bar(t: float) -> float:
        return math.cos((t + 0.008) / 1.008 * math.pi / 2)

    betas = [min(1 - alpha_bar((i + 1) / 500) / alpha_bar(i / 500), 0.999) for i in range(500)]
    return check_schedule(betas=betas, form="squaredcos_cap_v2")


@wrong("scaled_linear without the square roots: it is linear", says=r"form 'linear'", needs="torch")
def scaled_linear_without_roots() -> Evidence:
    torch = _torch()
    scheduler = SimpleNamespace(
        betas=torch.linspace(0.00085, 0.012, T),
        config={"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012},
    )
    return check_schedule(scheduler)


@wrong(
    "scaled_linear without the final square",
    says=r"square root of the form 'scaled_linear'",
    needs="torch",
)
def scaled_linear_not_squared() -> Evidence:
    betas = _torch().linspace(0.00085**0.5, 0.012**0.5, T)
    return check_schedule(betas=betas, form="scaled_linear")


@wrong(
    "sigmoid from -3 to 3 for -6 to 6",
    says=r"-?3 to 3|± ?3|half the range|0\.5 times the range",
    needs="torch",
)
def sigmoid_of_half_range() -> Evidence:
    torch = _torch()
    betas = torch.sigmoid(torch.linspace(-3, 3, T)) * (0.02 - 1e-4) + 1e-4
    return check_schedule(betas=betas, form="sigmoid")


@wrong("the ends of a linear schedule are exchanged", says=r"reversed|exchanged")
def ends_exchanged() -> Evidence:
    return check_schedule(betas=np.linspace(0.02, 1e-4, T), form="linear")


@wrong("β_end 0.2 for 0.02", says=r"to 0\.2\b")
def wrong_beta_end() -> Evidence:
    return check_schedule(betas=np.linspace(1e-4, 0.2, T), form="linear")


@wrong(
    "zero terminal SNR: √ᾱ is shifted to end at 0, but not scaled back to start where it did",
    says=r"(shift|not scaled|without the scale)",
    needs="torch",
)
def zero_snr_without_scale() -> Evidence:
    torch = _torch()
    betas = torch.linspace(0.00085**0.5, 0.012**0.5, T, dtype=torch.float64) ** 2
    root = torch.cumprod(1 - betas, 0).sqrt()
    root = root - root[-1]
    bar = root**2
    betas = 1 - torch.cat([bar[:1], bar[1:] / bar[:-1]])
    options = {"rescale_betas_zero_snr": True}
    return check_schedule(betas=betas, form="scaled_linear", form_options=options)


@wrong("zero terminal SNR rescaled on ᾱ, not on √ᾱ", says=r"ᾱ is rescaled, not √ᾱ")
def zero_snr_of_bar() -> Evidence:
    bar = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, T) ** 2)
    bar = (bar - bar[-1]) * bar[0] / (bar[0] - bar[-1])
    betas = 1 - np.append(bar[0], bar[1:] / bar[:-1])
    options = {"rescale_betas_zero_snr": True}
    return check_schedule(betas=betas, form="scaled_linear", form_options=options)


# -- lists of σ ------------------------------------------------------------------------------------


@wrong("Karras ρ inverted", says=r"1 / 7|inverted")
def karras_rho_inverted() -> Evidence:
    ramp = np.linspace(0, 1, 20)
    sigmas = (10.0**7 * (1 - ramp) + 0.1**7 * ramp) ** (1 / 7)
    return check_schedule(sigmas=np.append(sigmas, 0.0), form="karras")


@wrong("Karras without the outer power: it stays in σ^(1/ρ)", says=r"1/ρ|1 / ρ|power|root")
def karras_without_power() -> Evidence:
    options = {"sigma_min": 0.002, "sigma_max": 80.0}
    sigmas = np.linspace(80.0 ** (1 / 7), 0.002 ** (1 / 7), 18)
    return check_schedule(sigmas=sigmas, form="karras", form_options=options)


@wrong("σ_min and σ_max in each other's place", says=r"rising|reverse|exchanged")
def karras_ends_swapped() -> Evidence:
    bar = np.cumprod(1 - np.linspace(0.00085**0.5, 0.012**0.5, T) ** 2)
    train = ((1 - bar) / bar) ** 0.5
    t = np.linspace(T - 1, 0, 10).round().astype(int)
    return check_schedule(alphas_cumprod=bar, timesteps=t, sigmas=train[t][::-1])


@wrong(
    "geometric σ made of the ratio of variances: they fall to σ_min²/σ_max",
    says=r"ends? at 4e-06|to 4e-06|σ_min² ?/ ?σ_max",
)
def geometric_levels_of_variances() -> Evidence:
    n, low, high = 50, 0.02, 100.0
    schedule = [high * (low**2 / high**2) ** (i / (n - 1)) for i in range(n)]
    options = {"sigma_min": low, "sigma_max": high}
    return check_schedule(sigmas=schedule, form="exponential", form_options=options)


@wrong("the shift of a flow applied twice", says=r"applied twice|shift = 9\b", needs="torch")
def flow_shift_twice() -> Evidence:
    torch = _torch()
    shift = 3.0
    s = torch.linspace(1, 1 / T, T)
    s = shift * s / (1 + (shift - 1) * s)
    s = torch.linspace(float(s[0]), float(s[-1]), 28)
    s = shift * s / (1 + (shift - 1) * s)
    s = shift * s / (1 + (shift - 1) * s)
    return check_schedule(sigmas=s, timesteps=T * s, form="shifted", form_options={"shift": shift})


@wrong("the shift of a flow inverted", says=r"1 / 3|inverted")
def flow_shift_inverted() -> Evidence:
    s = np.linspace(1, 1 / T, 28)
    s = s / (3.0 + (1 - 3.0) * s)
    return check_schedule(sigmas=s, form="shifted")


@wrong("σ of the flow are shifted, its timesteps are not", says=r"before a shift of 3")
def timesteps_not_shifted() -> Evidence:
    s = np.linspace(1, 1 / T, 28)
    return check_schedule(sigmas=3 * s / (1 + 2 * s), timesteps=T * s)


# -- timesteps -------------------------------------------------------------------------------------


@wrong("leading timesteps without the configured offset", says=r"offset")
def leading_without_offset() -> Evidence:
    scheduler = SimpleNamespace(
        betas=np.linspace(0.00085**0.5, 0.012**0.5, T) ** 2,
        timesteps=(np.arange(0, 50) * (T // 50)).round()[::-1].astype(np.int64),
        config={"timestep_spacing": "leading", "steps_offset": 1},
    )
    return check_schedule(scheduler)


@wrong("timesteps are leading where trailing is due", says=r"they have leading spacing")
def leading_for_trailing() -> Evidence:
    t = np.arange(0, T, T // 25)[::-1]
    return check_schedule(betas=_linear(), timesteps=t, spacing="trailing")


@wrong(
    "trailing timesteps one too low: 1 is subtracted twice",
    says=r"(1|one) (too )?(less|low)|- 1 twice|steps_offset -1",
)
def trailing_from_t() -> Evidence:
    t = np.round(np.arange(T - 1, 0, -T / 25)).astype(int)
    return check_schedule(betas=_linear(), timesteps=t - 1, spacing="trailing")


@wrong(
    "timesteps in [0, 1], t/T, where indices are due", says=r"t / T|divided by (T|1000)|fractions"
)
def fractions_for_indices() -> Evidence:
    t = np.linspace(T - 1, 0, 20) / T
    return check_schedule(betas=_linear(), timesteps=t, spacing="linspace")
