"""Wrong methods of a diffusion's object, beside tables that are right."""

from __future__ import annotations

from typing import Any

import numpy as np

from causes import wrong
from causes.schedule import Tables
from scoreproof import Evidence, check_schedule

BETAS = np.linspace(2e-4, 0.04, 500)


def _at(table: np.ndarray, t: np.ndarray) -> np.ndarray:
    return table[t].reshape(-1, 1)


@wrong(
    "q_posterior takes its two coefficients the wrong way round",
    says=r"q_posterior at timestep.*x_0 and x_t are exchanged",
)
def posterior_exchanged() -> Evidence:
    class GaussianDiffusion(Tables):
        def q_posterior(self, x_start: Any, x_t: Any, t: Any) -> Any:
            mean = _at(self.posterior_mean_coef2, t) * x_start
            mean = mean + _at(self.posterior_mean_coef1, t) * x_t
            return mean, _at(self.posterior_variance, t)

    return check_schedule(GaussianDiffusion(BETAS))


@wrong(
    "x_0 of the predicted noise with a plus",
    says=r"_predict_xstart_from_eps.*sign of noise is turned",
)
def start_with_a_plus() -> Evidence:
    class GaussianDiffusion(Tables):
        def _predict_xstart_from_eps(self, x_t: Any, t: Any, eps: Any) -> Any:
            bar = _at(self.alphas_cumprod, t)
            return np.sqrt(1 / bar) * x_t + np.sqrt(1 / bar - 1) * eps

    return check_schedule(GaussianDiffusion(BETAS))


@wrong(
    "velocity: signal and noise factors exchanged",
    says=r"get_velocity.*(x_0 and noise|noise and x_0|-√ᾱ_t, where -√\(1 - ᾱ_t\))",
)
def velocity_exchanged() -> Evidence:
    class GaussianDiffusion(Tables):
        def get_velocity(self, sample: Any, noise: Any, timesteps: Any) -> Any:
            bar = _at(self.alphas_cumprod, timesteps)
            return np.sqrt(1 - bar) * noise - np.sqrt(bar) * sample

    return check_schedule(GaussianDiffusion(BETAS))


@wrong(
    "single precision: 1 - β for its root in posterior_mean_coef2",
    says=r"Cause: it is \(1 - β_t\) \(1 - ᾱ_\{t-1\}\) / \(1 - ᾱ_t\), with \(1 - β_t\) for √",
)
def second_coefficient_in_single_precision() -> Evidence:
    class Single(Tables):
        def posterior(self) -> None:
            super().posterior()
            gone, before = 1.0 - self.alphas_cumprod, 1.0 - self.alphas_cumprod_prev
            self.posterior_mean_coef2 = (before * (1.0 - self.betas) / gone).astype(np.float32)

    return check_schedule(Single(np.linspace(1e-4, 0.02, 1000)))
