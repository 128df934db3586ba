"""What a wrong network may want to be told instead: other times, and x in other units.

Conventions: T is the number of timesteps, or the last time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from scoreproof.public.network.levels import NoiseLevel

__all__ = ["Question", "questions"]

#: what else the network may want to be told, by what that is in words
TIMES: dict[str, tuple[Callable[[NoiseLevel, float], float], str]] = {
    "time_plus_1": (lambda v, T: v.when + 1, "t + 1: its index is off by one"),
    "time_minus_1": (lambda v, T: v.when - 1, "t - 1: its index is off by one"),
    "time_reversed": (lambda v, T: T - 1 - v.when, "T - 1 - t: its time runs the other way"),
    "time_from_the_end": (lambda v, T: T - v.when, "T - t: its time runs the other way"),
    "time_1_minus": (lambda v, T: 1 - v.when, "1 - t: its time runs the other way"),
    "time_over_T": (lambda v, T: v.when / T, "t / T, in place of the timestep"),
    "time_over_T_minus_1": (lambda v, T: v.when / max(T - 1, 1), "t / (T - 1)"),
    "time_1_based_over_T": (lambda v, T: (v.when + 1) / T, "(t + 1) / T"),
    "time_times_1000": (lambda v, T: 1000 * v.when, "1000 t"),
    "time_times_999": (lambda v, T: 999 * v.when, "999 t"),
    "time_halved": (lambda v, T: v.when / 2, "t / 2"),
    "time_doubled": (lambda v, T: 2 * v.when, "2 t"),
    "level_ratio": (lambda v, T: v.ratio, "σ/α"),
    "level_sigma": (lambda v, T: v.sigma, "σ"),
    "level_variance": (lambda v, T: v.sigma**2, "σ²: a variance, where it was told another level"),
    "level_root": (lambda v, T: v.when**0.5, "the square root of the time"),
    "level_square": (lambda v, T: v.when**2, "the square of the time"),
    "level_log": (lambda v, T: float(np.log(v.ratio)), "log(σ/α)"),
    "level_log10": (lambda v, T: float(np.log10(v.ratio)), "log₁₀(σ/α)"),
    "level_c_noise": (lambda v, T: float(np.log(v.ratio)) / 4, "log(σ/α) / 4, EDM's c_noise"),
    "level_log_snr": (lambda v, T: -2 * float(np.log(v.ratio)), "the log-SNR, log(α²/σ²)"),
    "level_minus_log_snr": (lambda v, T: 2 * float(np.log(v.ratio)), "minus the log-SNR"),
    "level_half_log_snr": (lambda v, T: -float(np.log(v.ratio)), "half the log-SNR, log(α/σ)"),
    "level_alpha_bar": (lambda v, T: v.alpha**2, "ᾱ = α²"),
    "level_alpha": (lambda v, T: v.alpha, "α"),
}
#: what else x may be, by what that is in words
SCALES: dict[str, tuple[Callable[[NoiseLevel], float], str]] = {
    "x_over_alpha": (lambda v: 1 / v.alpha, "x / α, which is x_0 + (σ/α) ε"),
    "x_at_unit_length": (
        lambda v: 1 / float(np.hypot(v.alpha, v.sigma)),
        "x / √(α² + σ²): scale_model_input, or c_in, is missing",
    ),
    "x_of_unit_variance_ratio": (
        lambda v: v.alpha / float(np.hypot(v.alpha, v.sigma)),
        "α x / √(α² + σ²)",
    ),
}

#: names, words, the time and the scale of x at a level
Question = tuple[
    tuple[str, ...], tuple[str, ...], Callable[[NoiseLevel], float], Callable[[NoiseLevel], float]
]


def questions(told: Callable[[NoiseLevel], float], total: float) -> Iterator[Question]:
    """All of them, the one that was asked first."""
    same: list[tuple[str, Callable[[NoiseLevel], float], str]] = [("", told, "")]
    times = same + [
        (name, lambda v, f=f: f(v, total), f"it is right when told {words}")
        for name, (f, words) in TIMES.items()
    ]
    scales: list[tuple[str, Callable[[NoiseLevel], float], str]] = [("", lambda v: 1.0, "")]
    scales += [(n, f, f"it is right when x is given as {w}") for n, (f, w) in SCALES.items()]
    for s_name, scale, s_words in scales:
        for t_name, when, t_words in times:
            yield (
                tuple(n for n in (t_name, s_name) if n),
                tuple(w for w in (t_words, s_words) if w),
                when,
                scale,
            )
