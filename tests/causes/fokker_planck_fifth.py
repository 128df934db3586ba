"""Wrong scores of a Gaussian, flows, axes and masses of arrays, drifts that noise asks for."""

from __future__ import annotations

import numpy as np

from causes import wrong
from scoreproof import Evidence, check_fokker_planck

X, T = np.linspace(-5, 5, 201), np.linspace(0, 1, 51)


def mean(t):
    return np.exp(-t)


def variance(t):
    return (1 - np.exp(-2 * t)) / 2


def log_p(x, t):
    gap = ((x - mean(t)) ** 2).sum(axis=1) / variance(t)
    return -(gap + x.shape[1] * np.log(2 * np.pi * variance(t))) / 2


def saved(x):
    v = variance(T[:, None]) + 0.1 * np.exp(-2 * T[:, None])
    return np.exp(-((x - mean(T[:, None])) ** 2) / 2 / v) / np.sqrt(2 * np.pi * v)


def array(p, x, **more) -> Evidence:
    return check_fokker_planck(lambda x, t: -x, 1.0, density=p, axes=(T, x), **more)


@wrong("an ε-network's output for the score", says=r"divide it by σ_t.*std_for_variance")
def epsilon_for_score() -> Evidence:
    return check_fokker_planck(
        lambda x, t: -x,
        1.0,
        score=lambda x, t: -(x - mean(t)) / np.sqrt(variance(t)),
        dimension=2,
    )


@wrong("a score divided by σ twice too often", says=r"score of a Gaussian.*variance_for_std")
def score_over_fourth_power() -> Evidence:
    return check_fokker_planck(
        lambda x, t: -x, 1.0, score=lambda x, t: -(x - mean(t)) / variance(t) ** 2
    )


@wrong("a score of β(t) t where the integral is due", says=r"score of a Gaussian.*beta_times_t")
def score_of_beta_times_t() -> Evidence:
    def beta(t):
        return 0.1 + 19.9 * t

    def score(x, t):
        alpha = np.exp(-beta(t) * t / 2)
        return -(x - 1.3 * alpha) / (1 - alpha**2)

    return check_fokker_planck(
        lambda x, t: -beta(t) * x / 2, lambda t: np.sqrt(beta(t)), score=score
    )


@wrong("a probability flow with g² s for ½ g² s", says=r"take the ½.*flow_without_half")
def flow_with_the_whole_score() -> Evidence:
    def drift(x, t):
        return -x + (x - mean(t)) / variance(t)

    return check_fokker_planck(drift, 0.0, log_density=log_p)


@wrong("no noise, and no score in the drift", says=r"lacks -½ g² ∇log p.*flow_without_score")
def flow_without_its_score() -> Evidence:
    return check_fokker_planck(lambda x, t: -x, 0.0, log_density=log_p, dimension=2)


@wrong("t is rounded to a table's steps", says=r"goes in steps.*density_in_steps")
def time_of_a_table() -> Evidence:
    return check_fokker_planck(
        lambda x, t: -x, 1.0, log_density=lambda x, t: log_p(x, np.round(t * 50) / 50)
    )


@wrong("a stationary density that loses its mass", says=r"^(?!.*gradient_outside).*normaliser_of")
def stationary_and_lost() -> Evidence:
    return check_fokker_planck(
        lambda x, t: -x, 1.0, log_density=lambda x, t: -(x[:, 0] ** 2) - t, normalized=False
    )


def _diffusivity(x):
    return 0.5 + 0.3 * np.sin(x)


def _of_state(times) -> Evidence:
    def drift(x, t):
        return -_diffusivity(x) * x + times * 0.3 * np.cos(x)

    return check_fokker_planck(
        drift,
        lambda x, t: _diffusivity(x[:, 0]),
        log_density=lambda x, t: -(x[:, 0] ** 2 + np.log(2 * np.pi)) / 2,
        diffusion_is="diffusivity",
        interpretation="ito",
    )


@wrong("the noise-induced drift counted twice", says=r"take one D' away")
def noise_induced_drift_twice() -> Evidence:
    return _of_state(2)


@wrong("the noise-induced drift with the wrong sign", says=r"lacks 2 g ∂g.*wrong sign")
def noise_induced_drift_turned() -> Evidence:
    return _of_state(-1)


def _periodic(n):
    x = 2 * np.pi * np.arange(n) / n
    k, waves = np.fft.fftfreq(n, 1 / n), np.fft.fft(np.eye(n), axis=0)
    first = np.real(np.linalg.solve(waves, (1j * k)[:, None] * waves))
    second = np.real(np.linalg.solve(waves, -((k**2)[:, None]) * waves))
    step = T[1] * (-first @ np.diag(1 - 1.5 * np.sin(x)) + 0.3 * second)
    # the exponential of a step by its series, of a part that is small
    power = total = np.eye(n)
    for m in range(1, 20):
        power = power @ step / (16 * m)
        total = total + power
    for _ in range(4):
        total = total @ total
    p = [np.exp(np.cos(x - 2))]
    p = [p[0] / p[0].sum() * n / (2 * np.pi)]
    for _ in T[1:]:
        p.append(total @ p[-1])
    return np.array(p)


@wrong("a periodic axis made with both its ends", says=r"64 points.*endpoint=False.*axis_scaled")
def both_ends_of_a_circle() -> Evidence:
    return check_fokker_planck(
        lambda x, t: 1 - 1.5 * np.sin(x),
        np.sqrt(0.6),
        density=_periodic(64),
        axes=(T, np.linspace(0, 2 * np.pi, 64)),
        boundary="periodic",
    )


@wrong("an axis twice as wide: one cause, not two", says=r"^(?!.*not_normalised).*2 times.*axis_s")
def axis_twice_as_wide() -> Evidence:
    return array(saved(X), 2 * X)


@wrong("points that are not even, passed as a linspace", says=r"not evenly spaced.*axis_uneven")
def uneven_points() -> Evidence:
    return array(saved(5 * np.sinh(X / 2.5) / np.sinh(2)), X)


@wrong("states multiplied by 1.03 from one time on", says=r"from t = 0\.5 on.*mass_jumps")
def another_normaliser_from_a_time_on() -> Evidence:
    p = saved(X)
    p[25:] *= 1.03
    return array(p, X)
