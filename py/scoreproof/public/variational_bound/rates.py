"""The weight of |ε - ε̂|² in a diffusion loss, and what it is by mistake.

Conventions: as in `continuous`; s = t - horizon/T.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.public.variational_bound.continuous import Clock

__all__ = ["COMMON", "Weight", "weight_of_steps", "weights_of"]

#: how many steps people take
COMMON = (10, 20, 50, 100, 128, 200, 250, 256, 500, 512, 1000, 1024, 2000, 4000, 10000)

Weight = Callable[[float], float]


def weights_of(clock: Clock, steps: int | None, prediction: str = "eps") -> dict[str, Weight]:
    """The right one is called "", the others as their mistakes."""
    gamma = clock.gamma

    def snr(t: float) -> float:
        return float(np.exp(-gamma(t)))

    rate: Weight = clock.rate
    found: dict[str, Weight] = {
        "": lambda t: 0.5 * rate(t),
        "diffusion_no_half": rate,
        "diffusion_half_twice": lambda t: 0.25 * rate(t),
        "rate_sign": lambda t: -0.5 * rate(t),
        "rate_missing": lambda t: 0.5,
        "weight_one": lambda t: 1.0,
        "snr_rate": lambda t: 0.5 * rate(t) * snr(t),
        "snr_rate_negative": lambda t: -0.5 * rate(t) * snr(t),
        "gamma_for_its_rate": lambda t: 0.5 * gamma(t),
    }
    if steps:
        gap = clock.horizon / steps

        def rise(t: float) -> float:
            return gamma(t) - gamma(t - gap)

        right = weight_of_steps(clock, steps)
        found = {
            "": right,
            "diffusion_no_half": lambda t: 2 * right(t),
            "steps_missing_in_diffusion": lambda t: right(t) / steps,
            "negative_of_s_and_t": lambda t: -0.5 * steps * np.expm1(-rise(t)),
            "order_of_s_and_t": lambda t: 0.5 * steps * np.expm1(-rise(t)),
            "snr_order": lambda t: -right(t),
            "exp_for_expm1": lambda t: 0.5 * steps * np.exp(rise(t)),
            "rise_for_expm1": lambda t: 0.5 * steps * rise(t),
            "continuous_for_steps": lambda t: 0.5 * rate(t),
            "snr_difference": lambda t: right(t) * snr(t),
            "one_step_later": lambda t: right(t + gap),
        }
    return found | _of_another_square(clock, found[""], prediction)


def _of_another_square(clock: Clock, right: Weight, prediction: str) -> dict[str, Weight]:
    """The weight of |ε - ε̂|² before the square of what the model predicts."""

    def level(t: float) -> tuple[float, float]:
        return clock.level(t)

    if prediction == "x0":
        return {
            "before_the_square_of_x0": lambda t: right(t) * (level(t)[1] / level(t)[0]) ** 2,
            "half_before_the_square_of_x0": lambda t: 0.5 * (level(t)[1] / level(t)[0]) ** 2,
        }
    if prediction == "v":  # v - v̂ = (ε - ε̂)(α² + σ²)/α

        def norm(t: float) -> float:
            a, s = level(t)
            return (a**2 + s**2) ** 2 / a**2

        return {
            "before_the_square_of_v": lambda t: right(t) * norm(t),
            "half_before_the_square_of_v": lambda t: 0.5 * norm(t),
        }
    if prediction == "score":
        return {
            "before_the_square_of_the_score": lambda t: right(t) / level(t)[1] ** 2,
            "half_before_the_square_of_the_score": lambda t: 0.5 / level(t)[1] ** 2,
            # g² = σ² γ'
            "g_for_its_square": lambda t: 0.5 * clock.rate(t) ** 0.5 / level(t)[1],
        }
    return {}


def weight_of_steps(clock: Clock, steps: int) -> Weight:
    """½ T (exp(γ(t) - γ(s)) - 1)."""
    gap = clock.horizon / steps
    return lambda t: float(0.5 * steps * np.expm1(clock.gamma(t) - clock.gamma(t - gap)))
