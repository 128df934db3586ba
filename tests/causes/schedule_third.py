"""Wrong schedules that strangers wrote, in other numbers and another layout."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_schedule

T = 400
ANGLES = (np.arange(T + 1) / T + 0.01) / 1.01 * np.pi / 2
WHOLE = np.cos(ANGLES) ** 2 / np.cos(ANGLES[0]) ** 2
BETAS = np.linspace(0.03, 0.11, 1000) ** 2
LEVELS = np.sqrt(1 / np.cumprod(1 - BETAS) - 1)
FRACTIONS = np.linspace(999, 0, 16)


@wrong(
    "ᾱ is saved before the steps are clipped, with the 1 of the data in front",
    says=r"shifted by one.*and it is made of β before they were clipped",
)
def shifted_and_not_clipped() -> Evidence:
    steps = np.clip(WHOLE[1:] / WHOLE[:-1], 5e-4, 1 - 5e-4)
    return check_schedule({"alphas": steps, "betas": 1 - steps, "alphas_cumprod": WHOLE[:T]})


@wrong("√ᾱ is that of β before they were clipped", says=r"made of β before they were clipped")
def root_not_clipped() -> Evidence:
    betas = np.minimum(1 - WHOLE[1:] / WHOLE[:-1], 0.3)
    return check_schedule(betas=betas, sqrt_alphas_cumprod=np.sqrt(WHOLE[1:]))


@wrong("√ᾱ_t for √(1 - β_t) in the mean's second factor", says=r"with √ᾱ_t for √\(1 - β_t\)")
def second_factor_of_the_mean() -> Evidence:
    bar = np.cumprod(1 - BETAS)
    before = np.append(1.0, bar[:-1])
    second = (1 - before) / (1 - bar) * np.sqrt(bar)
    return check_schedule(betas=BETAS, posterior_mean_coef2=second)


@wrong("σ are looked up half a timestep late", says=r"those of the timestep t \+ 0\.5")
def half_a_timestep_late() -> Evidence:
    sigmas = np.interp(FRACTIONS, np.arange(1000) - 0.5, LEVELS)
    return check_schedule(betas=BETAS, timesteps=FRACTIONS, sigmas=sigmas, spacing="linspace")


@wrong("timesteps are rounded before σ is looked up, not in the list", says=r"timesteps rounded")
def rounded_for_sigma_alone() -> Evidence:
    sigmas = LEVELS[FRACTIONS.round().astype(int)]
    return check_schedule(betas=BETAS, timesteps=FRACTIONS, sigmas=sigmas, spacing="linspace")


@wrong("t / T (T - 1) for t", says=r"those of the timestep 0\.999 t")
def squeezed_timesteps() -> Evidence:
    t = FRACTIONS.round()
    sigmas = np.interp(t * 999 / 1000, np.arange(1000), LEVELS)
    return check_schedule(betas=BETAS, timesteps=t, sigmas=sigmas)


def _shifted(s: np.ndarray | float) -> np.ndarray | float:
    return 5 * s / (1 + 4 * s)


@wrong(
    "the ends are kept after the shift, and shifted again", says=r"of ends that were shifted before"
)
def ends_shifted_again() -> Evidence:
    low = float(_shifted(2e-3))
    sigmas = _shifted(np.linspace(1.0, low, 40))
    options = {"shift": 5.0, "sigma_max": 1.0, "sigma_min": low}
    return check_schedule(sigmas=sigmas, form="shifted", form_options=options)


@wrong("the list is shifted twice", says=r"shifted once more by 5")
def list_shifted_again() -> Evidence:
    low = float(_shifted(2e-3))
    sigmas = _shifted(_shifted(np.linspace(1.0, 2e-3, 40)))
    options = {"shift": 5.0, "sigma_max": 1.0, "sigma_min": low}
    return check_schedule(sigmas=sigmas, form="shifted", form_options=options)
