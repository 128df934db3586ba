"""Log-likelihoods that are right where the data are: what clamps do to them far out."""

from __future__ import annotations

from typing import Any

import numpy as np

from causes import wrong
from scoreproof import check_log_likelihood


def clamped(
    *,
    of_x: float = np.inf,
    of_z: float = np.inf,
    of_model: float = np.inf,
    least: float = -np.inf,
) -> Any:
    """A flow by the midpoint rule, with clamps of everything that people clamp."""

    def log_p(velocity: Any, div: Any, x: Any, n_steps: int = 16) -> Any:
        def move(y: Any, t: float) -> Any:
            return np.clip(velocity(y, t), -of_model, of_model)

        x, h, total = np.clip(x, -of_x, of_x), 1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 - (k + 0.5) * h
            half = x - h / 2 * move(x, t + h / 2)
            x, total = x - h * move(half, t), total - h * div(half, t)
        z = np.clip(x, -of_z, of_z)
        log_prior = -(z**2).sum(1) / 2 - z.shape[1] / 2 * np.log(2 * np.pi)
        return np.maximum(log_prior + total, least)

    return log_p


@wrong("z clamped to ±4 before the prior", says=r"clamped or clipped")
def clamped_z():
    return check_log_likelihood(clamped(of_z=4.0))


@wrong("log p clamped at -15", says=r"nats more than what is due 6 standard deviations out")
def clamped_log_p():
    return check_log_likelihood(clamped(least=-15.0))


@wrong("x clipped to ±2.5 first", says=r"right where the data are, .* clamped or clipped")
def clamped_x():
    return check_log_likelihood(clamped(of_x=2.5))


@wrong("the velocity clamped", says=r"Let no clamp act on x, on z, on the model's answer")
def clamped_velocity():
    return check_log_likelihood(clamped(of_model=3.5), shape=2)


# -- two mistakes, one of them in the clock --------------------------------------------------------


def turned(*, trace: float = 1.0, at_x: bool = False, constant: bool = True) -> Any:
    """A flow from data to noise whose model is told 1 - t."""

    def log_p(velocity: Any, div: Any, x: Any, n_steps: int = 16) -> Any:
        start, h, total = x, 1 / n_steps, 0.0
        for k in range(n_steps):
            s = (k + 0.5) * h
            half = x - h / 2 * velocity(x, s - h / 2)
            x, total = x - h * velocity(half, s), total - h * div(half, s)
        z = start if at_x else x
        log_prior = -(z**2).sum(1) / 2 - constant * z.shape[1] / 2 * np.log(2 * np.pi)
        return log_prior + trace * total

    return log_p


@wrong("the clock turned, and ∫ tr left away", says=r"told T - t.*∫ tr\(∂f/∂x\) dt is missing")
def turned_without_trace():
    return check_log_likelihood(turned(trace=0.0))


@wrong("the clock turned, and the prior at x", says=r"told T - t.*prior is evaluated at x")
def turned_with_prior_at_x():
    return check_log_likelihood(turned(at_x=True))


@wrong("the clock turned, and no log 2π", says=r"told T - t.*lacks its constant")
def turned_without_constant():
    return check_log_likelihood(turned(constant=False))


@wrong("the prior with the mean of z²", says=r"mean of z² over the coordinates where their sum")
def mean_of_squares():
    def log_p(velocity: Any, div: Any, x: Any, n_steps: int = 16) -> Any:
        h, total = 1 / n_steps, 0.0
        for k in range(n_steps):
            t = 1 - (k + 0.5) * h
            half = x - h / 2 * velocity(x, t + h / 2)
            x, total = x - h * velocity(half, t), total - h * div(half, t)
        return -0.5 * np.mean(x**2, axis=1) - x.shape[1] / 2 * np.log(2 * np.pi) + total

    return check_log_likelihood(log_p)
