"""Wrong networks whose mistake is a factor of the level, a list of levels, or another velocity."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_denoiser

RNG = np.random.default_rng(77)
BANK = RNG.uniform(-1, 1, size=(20, 2, 3, 3))
ROWS = RNG.normal(size=(16, 3)) * [0.8, 1.1, 0.6]


def nearest_mean(x, alpha, variance, data):
    """The mean over the data; ``variance`` of the noise, a number for each row."""
    gaps = ((x[:, None] - np.reshape(alpha, (-1, 1, 1)) * data) ** 2).sum(-1)
    logits = -gaps / (2 * np.reshape(variance, (-1, 1)))
    weights = np.exp(logits - logits.max(1, keepdims=True))
    return weights @ data / weights.sum(1, keepdims=True)


@wrong("a mean over the pixels, not a sum", says=r"d = 18: the squared distance is averaged")
def averaged_distance() -> Evidence:
    def denoise(x, sigma):
        flat = nearest_mean(x.reshape(len(x), -1), 1.0, 18 * sigma**2, BANK.reshape(20, -1))
        return flat.reshape(x.shape)

    return check_denoiser(denoise, BANK, schedule=[0.5, 1.0, 3.0, 9.0])


@wrong("√(1 - ᾱ) ε is subtracted from the unscaled x", says=r"ε in it is 1/√\(σ² \+ 1\) \(√ᾱ")
def scale_forgotten() -> Evidence:
    def denoise(x, sigma):
        s = sigma[:, None]
        noise = (x - nearest_mean(x, 1.0, sigma**2, ROWS)) / s
        return x - s / np.sqrt(1 + s**2) * noise

    return check_denoiser(denoise, ROWS, schedule=[0.4, 1.5, 5.0, 12.0])


@wrong("σ is rounded to the nearest entry of a list", says=r"rounded to a list")
def rounded_level() -> Evidence:
    entries = np.geomspace(0.02, 40, 45)

    def denoise(x, sigma):
        own = entries[np.argmin(np.abs(entries - sigma[:, None]), axis=1)]
        return nearest_mean(x, 1.0, own**2, ROWS)

    return check_denoiser(denoise, ROWS, schedule=[0.45, 1.5, 5.1, 12.0])


class Path:
    """(1 - t) x_0 + (0.05 + 0.95 t) ε."""

    horizon = 1.0

    def alpha(self, t):
        return 1 - t

    def sigma(self, t):
        return 0.05 + 0.95 * t

    def derivatives(self, t):
        return -1.0, 0.95


@wrong("the velocity ignores σ_min", says=r"the factor 0\.95 before ε is missing")
def least_noise_ignored() -> Evidence:
    def velocity(x, t):
        alpha, sigma = 1 - t, 0.05 + 0.95 * t
        x0 = nearest_mean(x, alpha, sigma**2, ROWS)
        return (x - alpha[:, None] * x0) / sigma[:, None] - x0

    levels = [0.85, 0.6, 0.35]
    return check_denoiser(velocity, ROWS, schedule=Path(), prediction="velocity", levels=levels)


@wrong(
    "the softmax runs over the batch", says=r"softmax runs over the rows of the batch \(axis 0\)"
)
def softmax_of_columns() -> Evidence:
    def denoise(y):
        logits = -((y[:, None] - ROWS) ** 2).sum(-1) / (2 * 0.5)
        weights = np.exp(logits - logits.max(0))
        return (weights / weights.sum(0)) @ ROWS

    return check_denoiser(denoise, ROWS, 0.5)
