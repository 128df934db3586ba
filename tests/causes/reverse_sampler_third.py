"""A third round of wrong reverse-time samplers, held out like the second."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import check_reverse_sampler
from scoreproof.objects.schedules import EDM, VE, VPLinear

VP, KARRAS, GEOMETRIC = VPLinear(0.1, 20.0), EDM(), VE(0.01, 50.0)


def beta(t):
    return 0.1 + t * 19.9


def std(t):
    return np.sqrt(1 - np.exp(-0.1 * t - 19.9 * t**2 / 2))


@wrong(
    "G where G² is due before the score, G² = σ_i² - σ_{i-1}²",
    says=r"drift is multiplied by √h|√h[^.]*drift|√β stands where β is due, in β score",
)
def smld_not_squared():
    def step(x, t, t_next, z, score):
        now, then = 0.01 * 5000.0**t, 0.01 * 5000.0**t_next
        size = np.sqrt(now**2 - then**2)
        return x + size * score(x, t) + size * z

    return check_reverse_sampler(step, GEOMETRIC, (0.0,))


@wrong("β_max where β(t) is due before the score", says=r"20/g\(t\)²|g\(T\)²/g\(t\)²")
def largest_beta():
    def sampler(x, t, score):
        return -0.5 * beta(t) * x - 20.0 * score(x, t), np.sqrt(beta(t))

    return check_reverse_sampler(sampler, VP, (0.0,), form="sde")


@wrong("(x - D)/σ² where (x - D)/σ is due in the ODE", says=r"1/σ\(t\)|1/t|σ² where|divided by σ")
def slope_over_variance():
    def step(x, t, t_next, z, denoiser):
        return x + (t_next - t) * (x - denoiser(x, t)) / t**2

    return check_reverse_sampler(step, KARRAS, (1.0,), prediction="x0", times=(0.1, 50.0))


@wrong(
    "guidance of 1.5 from t = 0.5 on",
    says=r"t = 0\.5\d* to 0\.9[^.]*[\s\S]*score[^.]*1\.5|1\.5[^.]*t = 0\.5",
)
def guidance_interval():
    def sampler(x, t, score, lam):
        scale = 1.5 if t > 0.5 else 1.0
        g2 = beta(t)
        return -0.5 * g2 * x - (1 - lam / 2) * g2 * scale * score(x, t), np.sqrt((1 - lam) * g2)

    return check_reverse_sampler(sampler, VP)


@wrong(
    "the model is given the index round(1000 t)",
    says=r"asked at about 1000 t|rounded to a whole number",
)
def index_for_time():
    def sampler(x, t, eps):
        e = eps(x, int(t * 1000))
        return -0.5 * beta(t) * x + beta(t) * e / std(t), np.sqrt(beta(t))

    return check_reverse_sampler(sampler, VP, (0.0,), form="sde", prediction="eps")


@wrong(
    "(α x0 - x)/σ where (α x0 - x)/σ² is due",
    says=r"σ\(t\)[^.]*(left out|missing)|1/σ is left out|multiplied by σ\(t\)",
)
def score_over_deviation():
    def sampler(x, t, denoiser):
        score = (np.sqrt(1 - std(t) ** 2) * denoiser(x, t) - x) / std(t)
        return -0.5 * beta(t) * x - beta(t) * score, np.sqrt(beta(t))

    return check_reverse_sampler(sampler, VP, (0.0,), form="sde", prediction="x0")


@wrong("the noise has √(2 β h)", says=r"√2")
def noise_of_langevin():
    def step(x, t, t_next, z, score):
        h, g2 = t - t_next, beta(t)
        return x + h * g2 * (0.5 * x + score(x, t)) + np.sqrt(2 * g2 * h) * z

    return check_reverse_sampler(step, VP, (0.0,))


@wrong(
    "f has ∫β where β is due",
    says=r"f is multiplied[^.]*(log α|∫)|forward drift[^.]*(∫|integral|log α)",
)
def forward_drift_of_integral():
    def sampler(x, t, score):
        return -0.5 * (0.1 * t + 19.9 * t**2 / 2) * x - beta(t) * score(x, t), np.sqrt(beta(t))

    return check_reverse_sampler(sampler, VP, (0.0,), form="sde")


@wrong(
    "the coordinates of the model's answer come in reverse order",
    says=r"coordinates[^.]*(exchanged|reverse|order)",
)
def coordinates_reversed():
    def sampler(x, t, score):
        return -0.5 * beta(t) * x - beta(t) * score(x, t)[:, ::-1], np.sqrt(beta(t))

    return check_reverse_sampler(sampler, VP, (0.0,), form="sde", dimension=2)


@wrong(
    "a pair whose noise is g²", says=r"variance rate handed over|g² (dW|where g)|noise[^.]*g\(t\)²"
)
def pair_with_variance():
    def drift(x, t, score, lam):
        return -0.5 * beta(t) * x - (1 - lam / 2) * beta(t) * score(x, t)

    def noise(t, lam):
        return (1 - lam) ** 0.5 * beta(t)

    return check_reverse_sampler((drift, noise), VP)
