"""Subjects of `check_score`: scores of noisy data and mixtures, in any type and prediction."""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof import check_score
from subjects import Case
from subjects.noisy_laws import Setting, draw_setting, in_type, right_mean, to_prediction, wrapped
from subjects.wrong_means import draw_wrong

__all__ = ["case"]


def case(rng: np.random.Generator) -> Case:
    s = draw_setting(rng, denoiser=False)
    mean = right_mean(rng, s)
    seed = int(rng.integers(1 << 30))

    def judge(callable_: Any) -> Any:
        return check_score(
            callable_,
            s.prior,
            s.given_cov,
            prediction=s.prediction,
            alpha=s.alpha,
            tolerance=s.tolerance,
            framework=s.framework,
            dtype=None if s.dtype == "float64" else s.dtype,
            seed=seed % 1000,
            **s.options,
        )

    def wrong(amount: float) -> tuple[str, Any]:
        own = np.random.default_rng(seed)
        unit = _unit(s, own)
        per_mean = unit_of_mean(s, unit)
        name, found = draw_wrong(own, s, s.mean, per_mean, amount)
        return name, judge(in_type(s, lambda y: to_prediction(s, found(y), y)))

    return Case(s.describe(), lambda: judge(wrapped(s, mean)), wrong)


def _unit(s: Setting, rng: np.random.Generator) -> Any:
    """The largest score over draws of y, coordinate by coordinate; more where it is larger."""
    usual = np.max(np.abs(s.score(s.draws(rng, 256))), axis=0)

    def unit(y: np.ndarray) -> np.ndarray:
        return usual * np.maximum(1, np.max(np.abs(s.score(y)) / usual, axis=1))[:, None]

    return unit


def unit_of_mean(s: Setting, unit: Any) -> Any:
    """A deviation of the mean that changes the score by one unit at least, in every coordinate."""
    inverse = np.linalg.inv(s.cov)
    # a change δ of one coordinate of the mean changes the same coordinate of the score by δ P_jj
    return lambda y: unit(y) / np.diagonal(inverse)
