"""Subjects of `check_denoiser`: posterior means of data and mixtures, in any type and
prediction.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof import check_denoiser
from subjects import Case
from subjects.noisy_laws import Setting, draw_setting, in_type, right_mean, to_prediction, wrapped
from subjects.wrong_means import draw_wrong

__all__ = ["case"]


def case(rng: np.random.Generator) -> Case:
    s = draw_setting(rng, denoiser=True)
    mean = right_mean(rng, s)
    seed = int(rng.integers(1 << 30))

    def judge(callable_: Any) -> Any:
        return check_denoiser(
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
        name, found = draw_wrong(own, s, s.mean, _unit(s, own), amount)
        return name, judge(in_type(s, lambda y: to_prediction(s, found(y), y)))

    return Case(s.describe(), lambda: judge(wrapped(s, mean)), wrong)


def _unit(s: Setting, rng: np.random.Generator) -> Any:
    """What the check's resolution is relative to: its docstring, in other words."""
    y = s.draws(rng, 256)
    mean, centre = s.mean(y), s.scaled.mean()
    own, noise = np.max(np.abs(mean - centre), axis=0), np.max(np.abs(mean - y), axis=0)
    own = np.where(own > 0, own, noise)
    data = np.mean(np.diagonal(s.scaled.covariance()) / np.diagonal(s.cov))
    usual = np.sqrt(np.diagonal(s.cov) * data / (1 + data))  # EDM's c_out

    def unit(y: np.ndarray) -> np.ndarray:
        m = s.mean(y)
        a = own * np.maximum(1, np.max(np.abs(m - centre) / own, axis=1))[:, None]
        b = noise * np.maximum(1, np.max(np.abs(m - y) / noise, axis=1))[:, None]
        return np.maximum(a, usual) if s.tolerance else np.minimum(a, b)

    return unit
