"""Wrong pairs of an SDE and a density: rotations, exponents, normalisers, sub-VP, weights."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._fokker_planck import judged
from scoreproof import Evidence, check_fokker_planck

PULL = 0.6


def relaxed(t, level=0.9, start=0.4):
    return level + (start - level) * np.exp(-2 * PULL * t)


def about_zero(x, v, normaliser=None):
    log = -0.5 * (x * x / v).sum(axis=1)
    if normaliser is None:
        normaliser = -0.5 * np.log(2 * np.pi * v * np.ones(x.shape[1])).sum()
    return log + normaliser


@wrong(
    "a rotation whose two entries have one sign",
    says=r"sign is wrong of x\[:, 1\] in drift\[:, 0\].*a rotation has opposite signs",
)
def rotation_without_its_minus() -> Evidence:
    turn = np.array([[0.0, 1.3], [1.3, 0.0]])
    return judged(
        lambda x, t: about_zero(x, relaxed(t)),
        drift=lambda x, t: -PULL * x + x @ turn.T,
        noise=lambda t: np.sqrt(2 * PULL * 0.9),
        dimension=2,
    )


@wrong(
    "a spiral that turns the other way",
    says=r"transposed: .*turns the rotation the other way",
)
def rotation_the_other_way() -> Evidence:
    def log_p(x, t):
        c, s = np.cos(0.9 * t), np.sin(0.9 * t)
        mean = 1.5 * np.exp(-PULL * t) * np.array([c, s])
        return about_zero(x - mean, relaxed(t))

    return judged(
        log_p,
        drift=lambda x, t: -PULL * x + 0.9 * np.stack([x[:, 1], -x[:, 0]], axis=1),
        noise=lambda t: np.sqrt(2 * PULL * 0.9),
        dimension=2,
    )


@wrong(
    "sigma for sigma squared in the exponent, the normaliser being right",
    says=r"square root of the one due.*exponent alone: the normaliser is that of the variance",
)
def deviation_in_the_exponent() -> Evidence:
    def log_p(x, t):
        v = relaxed(t)
        return about_zero(x, np.sqrt(v), -0.5 * x.shape[1] * np.log(2 * np.pi * v))

    return judged(
        log_p, drift=lambda x, t: -PULL * x, noise=lambda t: np.sqrt(1.8 * PULL), dimension=2
    )


@wrong(
    "the normaliser divides by the variance, not by its root",
    says=r"normaliser is not that of its covariance.*a square root, the ½ .* is missing",
)
def normaliser_without_its_root() -> Evidence:
    def log_p(x, t):
        v = relaxed(t)
        return about_zero(x, v, -np.log(2 * np.pi * v))

    return judged(log_p, drift=lambda x, t: -PULL * x, noise=lambda t: np.sqrt(1.8 * PULL))


@wrong(
    "the normaliser of one coordinate for four",
    says=r"is that of one coordinate; take it to the power d = 4",
)
def normaliser_of_one_coordinate() -> Evidence:
    def log_p(x, t):
        v = relaxed(t)
        return about_zero(x, v, -0.5 * np.log(2 * np.pi * v))

    return judged(
        log_p, drift=lambda x, t: -PULL * x, noise=lambda t: np.sqrt(1.8 * PULL), dimension=4
    )


@wrong("the density of the sub-VP SDE beside the noise of VP", says=r"the sub-VP SDE")
def sub_vp_density() -> Evidence:
    def decay(t):
        return np.exp(-0.2 * t - 1.5 * t**2)

    def log_p(x, t):
        a2 = decay(t) ** 2
        return about_zero(x - 0.5 * decay(t), 0.2 * a2 + (1 - a2) ** 2)

    return judged(
        log_p,
        drift=lambda x, t: -(0.2 + 3 * t) * x,
        noise=lambda t: np.sqrt(2 * (0.2 + 3 * t)),
    )


@wrong("the noise of the sub-VP SDE beside the density of VP", says=r"that of the sub-VP SDE")
def sub_vp_noise_beside_vp() -> Evidence:
    def decay(t):
        return np.exp(-0.2 * t - 1.5 * t**2)

    def log_p(x, t):
        a2 = decay(t) ** 2
        return about_zero(x - 0.5 * decay(t), 0.2 * a2 + 1 - a2)

    return judged(
        log_p,
        drift=lambda x, t: -(0.2 + 3 * t) * x,
        noise=lambda t: np.sqrt(2 * (0.2 + 3 * t) * (1 - decay(t) ** 4)),
    )


@wrong(
    "the weights of a mixture do not sum to 1",
    says=r"integral of the density is 0\.85 .*multiply the density by 1\.176",
)
def weights_short_of_one() -> Evidence:
    def p(x, t):
        v = 0.3 + 0.8 * t
        return sum(
            w * np.exp(-0.5 * (x[:, 0] - m) ** 2 / v) / np.sqrt(2 * np.pi * v)
            for w, m in ((0.25, -1.4), (0.6, 0.7))
        )

    return check_fokker_planck(lambda x, t: 0 * x, lambda t: np.sqrt(0.8), p)


def preserving(log_p):
    return judged(
        log_p,
        drift=lambda x, t: -(0.2 + 3 * t) * x,
        noise=lambda t: np.sqrt(2 * (0.2 + 3 * t)),
    )


@wrong(
    "the data's variance is added to that of the noise, not multiplied by alpha squared",
    says=r"constant 0\.45 where 0\.45 e\^\(2∫A dt\) is due",
)
def variance_of_the_data_kept() -> Evidence:
    def log_p(x, t):
        a = np.exp(-0.2 * t - 1.5 * t**2)
        return about_zero(x - 0.5 * a, 0.45 + 1 - a**2)

    return preserving(log_p)


@wrong(
    "alpha for alpha squared before the data's variance",
    says=r"holds α v₀ where α² v₀ is due, v₀ = 0\.45",
)
def alpha_before_the_variance() -> Evidence:
    def log_p(x, t):
        a = np.exp(-0.2 * t - 1.5 * t**2)
        return about_zero(x - 0.5 * a, 0.45 * a + 1 - a**2)

    return preserving(log_p)


def variance_preserving(x, t):
    a = np.exp(-0.1 * t - 1.5 * t**2)
    return about_zero(x - 0.5 * a, 0.45 * a**2 + 1 - a**2)


@wrong(
    "the drift without β(t)",
    says=r"drift lacks the factor c\(t\) = ρ\(t\)².*depends on t as if that factor were there",
)
def drift_without_beta() -> Evidence:
    return judged(
        variance_preserving,
        drift=lambda x, t: -x / 2,
        noise=lambda t: np.sqrt(0.2 + 6 * t),
    )


@wrong(
    "drift and noise without β(t)",
    says=r"drift and ρ² lacks? the factor c\(t\) = 0\.2 \+ 6 t: multiply",
)
def both_without_beta() -> Evidence:
    return judged(variance_preserving, drift=lambda x, t: -x / 2, noise=lambda t: 1.0)


@wrong(
    "the root of the diffusivity in three dimensions",
    says=r"Cause: diffusion returns √D where √\(2D\) is due",
)
def root_of_diffusivity() -> Evidence:
    def plume(x, t):
        v = 0.5 + 2 * 0.2 * t
        return np.exp(-(x * x).sum(axis=1) / (2 * v)) / (2 * np.pi * v) ** 1.5

    return check_fokker_planck(lambda x, t: 0 * x, lambda t: np.sqrt(0.2), plume, dimension=3)
