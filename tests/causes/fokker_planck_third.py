"""Wrong pairs of an SDE and a density: masses, rows, factors of time, moments."""

from __future__ import annotations

import numpy as np

from causes import wrong
from causes._fokker_planck import THETA, X0, gaussian, judged, ou, ou_variance
from scoreproof import Evidence, check_fokker_planck


def heat(log_p, dimension=1, **more) -> Evidence:
    return check_fokker_planck(
        lambda x, t: 0 * x, lambda t: 0.6, dimension=dimension, log_density=log_p, **more
    )


def normals(x, t, means, spread=0.2):
    v = spread + 0.36 * t
    squares = ((x[:, None] - np.asarray(means)[None]) ** 2).sum(axis=2)
    return np.exp(-0.5 * squares / v) / (2 * np.pi * v) ** (x.shape[1] / 2)


@wrong(
    "the weights of a mixture in the plane are added to its components",
    says=r"constant 1 is added to the density.*without it the integral is 3",
)
def weights_added() -> Evidence:
    means, w = [[-1.0, 0.0], [0.5, 1.0], [1.0, -1.0]], np.array([0.2, 0.5, 0.3])
    return heat(lambda x, t: np.log((w + normals(x, t, means)).sum(axis=1)), 2)


@wrong(
    "a floor of 1e-3 under a density, meant against log 0",
    says=r"constant 0\.001 is added to the density.*without it the integral is 1\)",
)
def floor_under_the_density() -> Evidence:
    return heat(lambda x, t: np.log(normals(x, t, [[0.3]])[:, 0] + 1e-3))


@wrong(
    "len(x) for the dimension in a normaliser",
    says=r"log p at a point depends on how many rows x has.*x\.shape\[0\] or len\(x\)",
)
def number_of_points_for_the_dimension() -> Evidence:
    def log_p(x, t):
        v = 0.2 + 0.36 * t
        return -0.5 * (x * x).sum(axis=1) / v - 0.5 * len(x) * np.log(2 * np.pi * v)

    return heat(log_p, 2)


@wrong(
    "a density that is normalised over the points it is asked at",
    says=r"log p at a point depends on the other rows.*runs over axis 0",
)
def softmax_over_the_points() -> Evidence:
    def log_p(x, t):
        v = 0.2 + 0.36 * t
        raw = -0.5 * x[:, 0] ** 2 / v - 0.5 * np.log(v)
        return raw - np.log(np.exp(-0.5 * x[:, 0] ** 2).sum())

    return heat(log_p)


@wrong(
    "the drift subtracts the mean of the batch",
    says=r"drift at a point depends on the other rows",
)
def batch_mean_in_the_drift() -> Evidence:
    return judged(ou, drift=lambda x, t: -THETA * (x - x.mean(axis=0)))


@wrong(
    "the density's mean relaxes to 0 and the drift to 1.1",
    says=r"mean moves at .*tends to 0, .*drift pulls to 1\.1;.*variance is right",
)
def long_run_mean_left_out() -> Evidence:
    return judged(ou, drift=lambda x, t: THETA * (1.1 - x))


@wrong(
    "the long-run mean of the second coordinate is left out of the drift",
    says=r"tends to \(0, 0\.8\), .*drift pulls to \(0, 0\)",
)
def long_run_mean_of_a_coordinate() -> Evidence:
    def log_p(x, t):
        a = np.exp(-THETA * t)
        mean = np.array([X0, 0.8]) * [a, 1 - a] if np.ndim(a) == 0 else None
        v = ou_variance(t)
        return -0.5 * ((x - mean) ** 2).sum(axis=1) / v - np.log(2 * np.pi * v)

    return judged(log_p, dimension=2)


@wrong(
    "one coordinate's variance relaxes with the other's rate",
    says=r"variance of coordinate 0 .*relaxes 3 times as fast.*rate of coordinate 1",
)
def rate_of_the_other_coordinate() -> Evidence:
    rates = np.array([0.4, 1.2])

    def log_p(x, t):
        level = 0.5 / (2 * rates)
        v = level + (0.7 - level) * np.exp(-2 * rates[1] * t)
        return (-0.5 * x**2 / v - 0.5 * np.log(2 * np.pi * v)).sum(axis=1)

    return judged(log_p, drift=lambda x, t: -rates * x, noise=lambda t: 0.5**0.5, dimension=2)


def bridge(t):
    """A variance-preserving process with β(t) = 0.3 + 2.4 t."""
    a = np.exp(-0.5 * (0.3 * t + 1.2 * t**2))
    return 0.7 * a, 1 - 0.6 * a**2


def preserved(x, t):
    m, v = bridge(t)
    return gaussian(x, m, v)


@wrong("the drift lacks β(t)", says=r"the drift lacks the factor c\(t\) = ρ\(t\)²")
def beta_missing_in_the_drift() -> Evidence:
    return judged(preserved, drift=lambda x, t: -x / 2, noise=lambda t: np.sqrt(0.3 + 2.4 * t))


@wrong(
    "the drift is divided by t, as that of a bridge",
    says=r"the drift is to be divided by c\(t\) = 1/t|the drift lacks the factor c\(t\) = t:",
)
def divided_by_t() -> Evidence:
    return judged(ou, drift=lambda x, t: -THETA * x / t)


@wrong(
    "β's slope is β_max in ρ and β_max - β_min in the density",
    says=r"ρ² is 0\.3 \+ 2\.7 t, and 0\.3 \+ 2\.4 t is needed",
)
def slope_of_beta() -> Evidence:
    def beta(t):
        return 0.3 + 2.7 * t

    return judged(preserved, drift=lambda x, t: -beta(t) * x / 2, noise=lambda t: np.sqrt(beta(t)))


@wrong(
    "the noise-induced drift D' is left out (Itô, a Boltzmann density)",
    says=r"the drift lacks g ∂g = D'\(x\).*add it",
)
def noise_induced_drift() -> Evidence:
    def d(x):
        return 0.8 + 0.3 * np.cos(x)

    return check_fokker_planck(
        lambda x, t: -d(x) * x / 0.9,
        lambda x, t: np.sqrt(2 * d(x[:, 0])),
        lambda x, t: np.exp(-(x[:, 0] ** 2) / 1.8) / np.sqrt(1.8 * np.pi),
        interpretation="ito",
    )


@wrong(
    "the same for a Stratonovich drift",
    says=r"the drift lacks ½ g ∂g = ½ D'\(x\).*Stratonovich sense",
)
def noise_induced_drift_stratonovich() -> Evidence:
    def d(x):
        return 0.8 + 0.3 * np.cos(x)

    return check_fokker_planck(
        lambda x, t: -d(x) * x / 0.9,
        lambda x, t: np.sqrt(2 * d(x[:, 0])),
        lambda x, t: np.exp(-(x[:, 0] ** 2) / 1.8) / np.sqrt(1.8 * np.pi),
        interpretation="stratonovich",
    )
