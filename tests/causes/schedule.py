"""Wrong tables of a noise schedule, and wrong functions that noise data."""

from __future__ import annotations

from typing import Any

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_schedule

T = 1000


def _torch() -> Any:
    import torch

    return torch


class Tables:
    """The tables of guided-diffusion's GaussianDiffusion, for subclasses to get wrong."""

    def __init__(self, betas: np.ndarray) -> None:
        self.betas = np.array(betas, dtype=np.float64)
        self.num_timesteps = len(betas)
        self.fill()

    def fill(self) -> None:
        self.alphas_cumprod = np.cumprod(1.0 - self.betas, axis=0)
        self.alphas_cumprod_prev = np.append(1.0, self.alphas_cumprod[:-1])
        self.sqrt_alphas_cumprod = np.sqrt(self.alphas_cumprod)
        self.sqrt_one_minus_alphas_cumprod = np.sqrt(1.0 - self.alphas_cumprod)
        self.posterior()

    def posterior(self) -> None:
        gone, gone_before = 1.0 - self.alphas_cumprod, 1.0 - self.alphas_cumprod_prev
        self.posterior_variance = self.betas * gone_before / gone
        self.posterior_log_variance_clipped = np.log(
            np.append(self.posterior_variance[1], self.posterior_variance[1:])
        )
        self.posterior_mean_coef1 = self.betas * np.sqrt(self.alphas_cumprod_prev) / gone
        self.posterior_mean_coef2 = gone_before * np.sqrt(1.0 - self.betas) / gone


def _linear(n: int = T) -> np.ndarray:
    scale = 1000 / n
    return np.linspace(scale * 1e-4, scale * 0.02, n, dtype=np.float64)


# -- tables that follow from β ---------------------------------------------------------------------


@wrong(
    "posterior variance β_t for β̃_t",
    says=r"posterior_variance.*(it is betas|β_t where β̃|β_t, not β̃)",
)
def posterior_variance_is_beta() -> Evidence:
    class Fixedlarge(Tables):
        def posterior(self) -> None:
            super().posterior()
            self.posterior_variance = self.betas

    return check_schedule(Fixedlarge(_linear()))


@wrong(
    "ᾱ_t for ᾱ_{t-1} in the posterior variance: all entries are β",
    says=r"posterior_variance.*(ᾱ_t for ᾱ_\{t-1\}|it is betas)",
    needs="torch",
)
def posterior_variance_without_prev() -> Evidence:
    torch = _torch()
    betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    bar = torch.cumprod(1 - betas, dim=0)
    posterior = betas * (1.0 - bar) / (1.0 - bar)
    return check_schedule(betas=betas, alphas_cumprod=bar, posterior_variance=posterior)


@wrong(
    "prev table padded at the end, not at the start: it is shifted the wrong way",
    says=r"alphas_cumprod_prev.*"
    r"(entry t holds that of t \+|ᾱ_\{t\+1\}, 0 at the last entry, where)",
    needs="torch",
)
def prev_table_is_next() -> Evidence:
    torch = _torch()
    betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    bar = torch.cumprod(1 - betas, dim=0)
    prev = torch.nn.functional.pad(bar[1:], (0, 1), value=0.0)
    return check_schedule(betas=betas, alphas_cumprod=bar, alphas_cumprod_prev=prev)


@wrong(
    "log variance clamped at a floor that cuts real entries (1e-3 in place of 1e-20)",
    says=r"clamped to at least.*log 0\.001",
)
def log_variance_clamped() -> Evidence:
    class Clamped(Tables):
        def posterior(self) -> None:
            super().posterior()
            self.posterior_log_variance_clipped = np.log(np.maximum(self.posterior_variance, 1e-3))

    return check_schedule(Clamped(_linear()))


@wrong(
    "posterior standard deviations' logarithm: log of the variance without the factor 2",
    says=r"posterior_log_variance_clipped.*(0\.5 (= 1/2 )?times|½|half)",
)
def log_std_for_log_variance() -> Evidence:
    class LogStd(Tables):
        def posterior(self) -> None:
            super().posterior()
            self.posterior_log_variance_clipped = np.log(
                np.sqrt(np.append(self.posterior_variance[1], self.posterior_variance[1:]))
            )

    return check_schedule(LogStd(_linear()))


@wrong("√ᾱ_t for √ᾱ_{t-1} in posterior_mean_coef1", says=r"posterior_mean_coef1.*ᾱ_t for ᾱ_\{t-1\}")
def first_coefficient_uses_bar() -> Evidence:
    class Coefficients(Tables):
        def posterior(self) -> None:
            super().posterior()
            gone = 1.0 - self.alphas_cumprod
            self.posterior_mean_coef1 = self.betas * np.sqrt(self.alphas_cumprod) / gone

    return check_schedule(Coefficients(_linear(250)))


@wrong("cumsum for cumprod", says=r"alphas_cumprod.*(sum for the product|cumsum)")
def cumsum_for_cumprod() -> Evidence:
    alphas = 1 - np.linspace(1e-5, 1e-3, T)
    return check_schedule(betas=1 - alphas, alphas_cumprod=np.cumsum(alphas) - np.arange(T))


@wrong("the cumulative product of β instead of that of 1 - β", says=r"product of β(?!\S*1)")
def cumprod_of_betas() -> Evidence:
    betas = np.linspace(0.05, 0.4, 30)
    return check_schedule(betas=betas, alphas_cumprod=np.cumprod(betas))


@wrong(
    "cumulative product computed in float16: it holds few digits",
    says=r"(half|float16|16[- ]bit)",
    needs="torch",
)
def float16_cumprod() -> Evidence:
    torch = _torch()
    betas = torch.linspace(1e-4, 0.02, T)
    bar = torch.cumprod((1 - betas).half(), dim=0).float()
    return check_schedule(betas=betas, alphas_cumprod=bar)


@wrong("one entry of ᾱ is wrong: entry 417", says=r"\[417\].*entry 417 alone")
def one_entry() -> Evidence:
    bar = np.cumprod(1 - _linear())
    bar[417] += 0.01
    return check_schedule(betas=_linear(), alphas_cumprod=bar)


@wrong("ᾱ is shifted by one: ᾱ_0 = 1", says=r"entry t holds that of t - 1")
def shifted_by_one() -> Evidence:
    betas = _linear(100)
    bar = np.cumprod(np.concatenate([[1.0], 1 - betas]))[:-1]
    return check_schedule(betas=betas, alphas_cumprod=bar)


@wrong("√(1 - √ᾱ) for √(1 - ᾱ)", says=r"√\(1 - √ᾱ(_t)?\)|made of √ᾱ where ᾱ", needs="torch")
def root_of_root() -> Evidence:
    torch = _torch()
    betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    bar = torch.cumprod(1 - betas, dim=0)
    root = bar.sqrt()
    return check_schedule(
        betas=betas, sqrt_alphas_cumprod=root, sqrt_one_minus_alphas_cumprod=(1 - root).sqrt()
    )


@wrong("1 - √ᾱ for √(1 - ᾱ)", says=r"1 - √ᾱ")
def one_minus_root() -> Evidence:
    bar = np.cumprod(1 - _linear())
    return check_schedule(
        betas=_linear(), sqrt_alphas_cumprod=bar**0.5, sqrt_one_minus_alphas_cumprod=1 - bar**0.5
    )


@wrong("log-SNR to base 10", says=r"log₁₀|base 10")
def log_snr_base_10() -> Evidence:
    bar = np.cumprod(1 - _linear())
    return check_schedule(alphas_cumprod=bar, log_snr=np.log10(bar) - np.log10(1 - bar))


@wrong(
    "half the log-SNR, λ = log(α/σ), given as the log-SNR",
    says=r"0\.5 times|half|lambda_t",
    needs="torch",
)
def half_log_snr() -> Evidence:
    torch = _torch()
    betas = torch.linspace(1e-4, 0.02, T, dtype=torch.float64)
    bar = torch.cumprod(1 - betas, 0)
    return check_schedule(betas=betas, log_snr=torch.log(bar.sqrt()) - torch.log((1 - bar).sqrt()))


@wrong("SNR = √(ᾱ/(1 - ᾱ)): not squared", says=r"snr.*square root|snr.*√")
def snr_without_the_square() -> Evidence:
    bar = np.cumprod(1 - _linear())
    return check_schedule(alphas_cumprod=bar, snr=bar**0.5 / (1 - bar) ** 0.5)


@wrong("SNR upside down", says=r"snr.*(reciprocal|upside down|1 /)")
def snr_inverted() -> Evidence:
    bar = np.cumprod(1 - _linear())
    return check_schedule(alphas_cumprod=bar, snr=(1 - bar) / bar)


# -- add_noise -------------------------------------------------------------------------------------


@wrong(
    "add_noise uses ᾱ for √ᾱ",
    says=r"x_0.*(alphas_cumprod, ᾱ|its square|ᾱ_t, where √ᾱ_t)",
    needs="torch",
)
def bar_for_its_root() -> Evidence:
    torch = _torch()
    bar = torch.cumprod(1 - torch.linspace(1e-4, 0.02, T), 0)

    def q_sample(x_start: Any, t: Any, noise: Any) -> Any:
        a = bar[t].view(-1, 1)
        return a * x_start + (1 - a).sqrt() * noise

    return check_schedule(alphas_cumprod=bar, add_noise=q_sample)


@wrong("add_noise: variance 1 - ᾱ for its root", says=r"multiplies noise.*(1 - ᾱ_t|square)")
def variance_for_its_root() -> Evidence:
    bar = np.cumprod(1 - _linear())

    def add_noise(x: np.ndarray, noise: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.sqrt(bar[t])[:, None] * x + (1 - bar[t])[:, None] * noise

    return check_schedule(betas=_linear(), add_noise=add_noise)


@wrong("add_noise: the noise is subtracted", says=r"minus √|sign")
def noise_subtracted() -> Evidence:
    bar = np.cumprod(1 - _linear())

    def add_noise(x: np.ndarray, noise: np.ndarray, t: np.ndarray) -> np.ndarray:
        return np.sqrt(bar[t])[:, None] * x - np.sqrt(1 - bar[t])[:, None] * noise

    return check_schedule(betas=_linear(), add_noise=add_noise)


@wrong(
    "flow: x_0 and noise exchanged, x_t = σ x_0 + (1 - σ) noise", says=r"exchanged|swapped|1 - σ"
)
def flow_exchanged() -> Evidence:
    s = np.linspace(1, 0.05, 20)

    def add_noise(x: np.ndarray, noise: np.ndarray, t: np.ndarray) -> np.ndarray:
        return t[:, None] * x + (1 - t[:, None]) * noise

    return check_schedule(sigmas=s, timesteps=s, add_noise=add_noise)


@wrong(
    "add_noise: α of step t (1 - β_t) for ᾱ_t",
    says=r"1 - β_t|step t alone|made of 1 - β",
    needs="torch",
)
def alpha_for_bar() -> Evidence:
    torch = _torch()
    alphas = 1 - torch.linspace(1e-4, 0.02, T, dtype=torch.float64)

    class DDPM:
        alphas_cumprod = torch.cumprod(alphas, 0)

        def add_noise(self, x: Any, noise: Any, timesteps: Any) -> Any:
            a = alphas[timesteps][:, None]
            return a.sqrt() * x + (1 - a).sqrt() * noise

    return check_schedule(DDPM())
