"""More wrong schedules, written after the first were named."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_schedule

T = 1000
BETAS = np.linspace(1e-4, 0.02, T)
BAR = np.cumprod(1 - BETAS)


def _torch() -> Any:
    import torch

    return torch


class _Buffers:
    """denoising-diffusion-pytorch's buffers, computed in double and kept in single precision."""

    def __init__(self, betas: Any, **wrong_ones: Any) -> None:
        torch = _torch()
        alphas = 1.0 - betas
        bar = torch.cumprod(alphas, dim=0)
        prev = torch.nn.functional.pad(bar[:-1], (1, 0), value=1.0)
        variance = betas * (1.0 - prev) / (1.0 - bar)
        tables = {
            "betas": betas,
            "alphas_cumprod": bar,
            "alphas_cumprod_prev": prev,
            "sqrt_recip_alphas_cumprod": torch.sqrt(1.0 / bar),
            "sqrt_recipm1_alphas_cumprod": torch.sqrt(1.0 / bar - 1),
            "posterior_variance": variance,
            "posterior_log_variance_clipped": torch.log(variance.clamp(min=1e-20)),
            "posterior_mean_coef1": betas * torch.sqrt(prev) / (1.0 - bar),
            "posterior_mean_coef2": (1.0 - prev) * torch.sqrt(alphas) / (1.0 - bar),
        }
        tables |= {k: make(betas, alphas, bar, prev) for k, make in wrong_ones.items()}
        for name, values in tables.items():
            setattr(self, name, values.to(torch.float32))


def _buffers(**wrong_ones: Any) -> Evidence:
    betas = _torch().linspace(1e-4, 0.02, T, dtype=_torch().float64)
    return check_schedule(_Buffers(betas, **wrong_ones))


@wrong(
    "√ᾱ_{t-1} for √α_t in the second coefficient",
    says=r"posterior_mean_coef2.*√ᾱ_\{t-1\}",
    needs="torch",
)
def second_coefficient_of_prev() -> Evidence:
    return _buffers(
        posterior_mean_coef2=lambda b, a, bar, prev: (1 - prev) * prev.sqrt() / (1 - bar)
    )


@wrong("√(1/ᾱ) - 1 for √(1/ᾱ - 1)", says=r"√\(1 / ᾱ_t\) - 1|√\(1 / ᾱ_t\) - 1", needs="torch")
def root_before_minus_one() -> Evidence:
    return _buffers(sqrt_recipm1_alphas_cumprod=lambda b, a, bar, prev: (1 / bar).sqrt() - 1)


@wrong("ᾱ_{t-1} starts at ᾱ_0, not at 1", says=r"entry 0 alone|only entry 0", needs="torch")
def prev_starts_at_bar() -> Evidence:
    return _buffers(alphas_cumprod_prev=lambda b, a, bar, prev: _torch().cat([bar[:1], bar[:-1]]))


@wrong("σ at the timesteps are variances: the root is missing", says=r"variances|σ²")
def levels_without_root() -> Evidence:
    t = np.linspace(0, T - 1, 30)[::-1].round().astype(int)
    scheduler = SimpleNamespace(
        alphas_cumprod=BAR, timesteps=t, sigmas=np.append(((1 - BAR) / BAR)[t], 0.0)
    )
    return check_schedule(scheduler)


@wrong(
    "log-SNR is read as half of it: ᾱ = sigmoid(2 λ)",
    says=r"(2 times|0\.5|half|λ|lambda)",
    needs="torch",
)
def bar_of_half_log_snr() -> Evidence:
    torch = _torch()
    logsnr = torch.linspace(10, -10, 200, dtype=torch.float64)
    return check_schedule(alphas_cumprod=torch.sigmoid(2 * logsnr), log_snr=logsnr)


@wrong("q_sample clamps x_t to [-1, 1]", says=r"clip|clamp", needs="torch")
def noised_and_clamped() -> Evidence:
    torch = _torch()
    bar = torch.tensor(BAR)

    def q_sample(x_start: Any, t: Any, noise: Any) -> Any:
        a, s = bar[t].sqrt()[:, None], (1 - bar[t]).sqrt()[:, None]
        return (a * x_start + s * noise).clamp(-1, 1)

    return check_schedule(betas=BETAS, add_noise=q_sample)


@wrong("natural logarithms are given to logspace, which is base 10", says=r"base 10")
def logspace_of_natural_logarithms() -> Evidence:
    sigmas = np.logspace(np.log(10.0), np.log(0.1), 15)
    options = {"sigma_min": 0.1, "sigma_max": 10.0}
    return check_schedule(sigmas=sigmas, form="exponential", form_options=options)


@wrong("Karras' ramp i / n for i / (n - 1): it does not reach σ_min", says=r"one step more|reach")
def karras_ramp_too_long() -> Evidence:
    n, low, high = 20, 0.03, 14.6
    ramp = np.arange(n) / n
    sigmas = (high ** (1 / 7) + ramp * (low ** (1 / 7) - high ** (1 / 7))) ** 7
    options = {"sigma_min": low, "sigma_max": high}
    return check_schedule(sigmas=sigmas, form="karras", form_options=options)


@wrong("DDIM's timesteps rise: they are not flipped", says=r"reverse them|rise")
def timesteps_not_flipped() -> Evidence:
    t = np.asarray(list(range(0, T, T // 50))) + 1
    return check_schedule(betas=BETAS, timesteps=t, spacing="leading", steps_offset=1)


@wrong("from step 500 on ᾱ was continued with other β", says=r"from entry 500 on")
def continued_with_others() -> Evidence:
    alphas = 1 - BETAS
    alphas[500:] = 1 - np.linspace(0.02, 0.03, 500)
    return check_schedule(betas=BETAS, alphas_cumprod=np.cumprod(alphas))


@wrong("SNR is clipped at 5, as a loss weight is", says=r"clamped to at most 5|at most 5")
def clipped_snr() -> Evidence:
    return check_schedule(alphas_cumprod=BAR, snr=np.minimum(BAR / (1 - BAR), 5.0))


@wrong("√(1 - ᾱ_{t-1}) for √(1 - ᾱ_t)", says=r"ᾱ_\{t-1\}|holds that of t - 1", needs="torch")
def noise_of_the_step_before() -> Evidence:
    torch = _torch()
    bar = torch.tensor(BAR)
    prev = torch.cat([torch.ones(1, dtype=bar.dtype), bar[:-1]])
    return check_schedule(alphas_cumprod=bar, sqrt_one_minus_alphas_cumprod=(1 - prev).sqrt())


@wrong("linspace squared, without roots of its ends", says=r"β_start²", needs="torch")
def square_without_roots() -> Evidence:
    torch = _torch()
    betas = torch.linspace(0.00085, 0.012, T, dtype=torch.float64) ** 2
    return check_schedule(betas=betas, form="scaled_linear")


@wrong(
    "score_sde: exp(log_mean_coeff) is √ᾱ, and is taken for ᾱ",
    says=r"√ᾱ",
)
def mean_coefficient_for_bar() -> Evidence:
    t = np.arange(1, T + 1) / T
    log_mean = -0.25 * t**2 * (20 - 0.1) - 0.5 * t * 0.1
    bar = np.exp(2 * log_mean)
    snr = bar / (1 - bar)
    return check_schedule(snr=snr, alphas_cumprod=np.exp(log_mean))


@wrong("the dynamic shift has the wrong sign: e^-μ", says=r"inverted|1 / |e\^-μ|-μ")
def shift_of_minus_mu() -> Evidence:
    mu, s = 1.15, np.linspace(1, 1 / 30, 30)
    sigmas = np.exp(-mu) / (np.exp(-mu) + (1 / s - 1))
    return check_schedule(sigmas=sigmas, form="shifted", form_options={"mu": mu})


@wrong("scale_noise: (1 - σ) multiplies the noise", says=r"exchanged", needs="torch")
def scale_noise_exchanged() -> Evidence:
    torch = _torch()
    sigmas = torch.linspace(1.0, 0.05, 20)

    class FlowMatch:
        def __init__(self) -> None:
            self.sigmas = sigmas
            self.timesteps = sigmas * T
            self.config = {"num_train_timesteps": T}

        def scale_noise(self, sample: Any, timestep: Any, noise: Any) -> Any:
            s = (timestep / T).reshape(-1, *[1] * (sample.ndim - 1))
            return s * sample + (1 - s) * noise

    return check_schedule(FlowMatch())


# -- a third set -----------------------------------------------------------------------------------


@wrong("log of √β for the log of the posterior variance", says=r"logarithm of √β_t")
def log_of_deviations() -> Evidence:
    return check_schedule(betas=BETAS, posterior_log_variance_clipped=0.5 * np.log(BETAS))


@wrong("ᾱ is the product of 1 - √β", says=r"√β for β")
def product_of_roots() -> Evidence:
    return check_schedule(betas=BETAS, alphas_cumprod=np.cumprod(1 - np.sqrt(BETAS)))


@wrong("ᾱ_{t-1} by a roll: the first is ᾱ_T", says=r"entry 0.*end of the table")
def prev_by_a_roll() -> Evidence:
    return check_schedule(betas=BETAS, alphas_cumprod_prev=np.roll(BAR, 1))


@wrong("1e-3 is added to 1 - ᾱ below", says=r"0\.001 is added to 1 - ᾱ_t below")
def epsilon_in_snr() -> Evidence:
    return check_schedule(alphas_cumprod=BAR, snr=BAR / (1 - BAR + 1e-3))


@wrong("log-SNR is clipped to [-5, 5]", says=r"clamped to \[-5, 5\]")
def clipped_log_snr() -> Evidence:
    return check_schedule(alphas_cumprod=BAR, log_snr=np.clip(np.log(BAR / (1 - BAR)), -5, 5))


@wrong("Karras' σ at timesteps that are evenly spaced", says=r"Karras' σ with ρ = 7")
def karras_at_other_timesteps() -> Evidence:
    t = np.linspace(0, T - 1, 20)[::-1].round().astype(int)
    sigmas = np.linspace(157.4 ** (1 / 7), 0.01 ** (1 / 7), 20) ** 7
    return check_schedule(betas=BETAS, timesteps=t, sigmas=sigmas)


def _noised(alpha: np.ndarray, sigma: np.ndarray) -> Evidence:
    def add_noise(x: np.ndarray, noise: np.ndarray, t: np.ndarray) -> np.ndarray:
        return alpha[t][:, None] * x + sigma[t][:, None] * noise

    return check_schedule(betas=BETAS, add_noise=add_noise)


@wrong("the noise of a VE process in a VP one", says=r"noise is multiplied by √\(1 / ᾱ_t - 1\)")
def exploding_noise() -> Evidence:
    return _noised(BAR**0.5, ((1 - BAR) / BAR) ** 0.5)


@wrong("the velocity is returned", says=r"velocity")
def velocity_for_sample() -> Evidence:
    return _noised(-((1 - BAR) ** 0.5), BAR**0.5)


@wrong("t is divided by T and then taken for an index", says=r"timestep 0, whatever t is.*t / T")
def index_of_a_fraction() -> Evidence:
    first = np.zeros(T, int)
    return _noised((BAR**0.5)[first], ((1 - BAR) ** 0.5)[first])


@wrong("each β is every 20th of a finer table", says=r"20 times as fine")
def respaced_without_new_betas() -> Evidence:
    return check_schedule(betas=BETAS[::20], alphas_cumprod=BAR[::20])


@wrong("1000 / T multiplies the ends twice", says=r"16 times β_start and β_end")
def scaled_twice() -> Evidence:
    return check_schedule(betas=np.linspace(1e-4, 0.02, 250) * 4 * 4, form="linear")


@wrong("polyexponential with ρ = 2 for exponential", says=r"'polyexponential' with ρ = 2")
def polyexponential_for_exponential() -> Evidence:
    ramp = np.linspace(1, 0, 20) ** 2
    sigmas = np.exp(ramp * (np.log(80) - np.log(0.01)) + np.log(0.01))
    return check_schedule(sigmas=sigmas, form="exponential")


@wrong("trailing timesteps are rounded down", says=r"rounded down")
def trailing_rounded_down() -> Evidence:
    t = np.floor(np.arange(T, 0, -T / 30)).astype(int)[:30] - 1
    return check_schedule(betas=BETAS, timesteps=t, spacing="trailing")


@wrong("x_0 is shifted to [-1, 1] inside of q_sample", says=r"x_0 is shifted inside")
def data_shifted_inside() -> Evidence:
    a, s = np.sqrt(BAR), np.sqrt(1 - BAR)

    def q_sample(x_start: np.ndarray, t: np.ndarray, noise: np.ndarray) -> np.ndarray:
        return a[t][:, None] * (2 * x_start - 1) + s[t][:, None] * noise

    return check_schedule(betas=BETAS, add_noise=q_sample)


@wrong("the noise of the first sample is used for all", says=r"noise of one sample is in x_t of")
def shared_noise() -> Evidence:
    a, s = np.sqrt(BAR), np.sqrt(1 - BAR)

    def add_noise(x: np.ndarray, noise: np.ndarray, t: np.ndarray) -> np.ndarray:
        return a[t][:, None] * x + s[t][:, None] * noise[:1]

    return check_schedule(betas=BETAS, add_noise=add_noise)
