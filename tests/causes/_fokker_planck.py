"""What the wrong subjects of check_fokker_planck are built with."""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof import Evidence, check_fokker_planck

THETA, SIGMA, X0 = 0.8, 0.9, 1.2


def gaussian(x: Any, m: Any, v: Any) -> Any:
    """log N(x; m, v) of the first coordinate."""
    return -0.5 * (x[:, 0] - m) ** 2 / v - 0.5 * np.log(2 * np.pi * v)


def ou_variance(t: Any, theta: float = THETA, sigma: float = SIGMA) -> Any:
    return sigma**2 / (2 * theta) * (1 - np.exp(-2 * theta * t)) + 0.1 * np.exp(-2 * theta * t)


def ou(x: Any, t: Any) -> Any:
    return gaussian(x, X0 * np.exp(-THETA * t), ou_variance(t))


def ou_drift(x: Any, t: Any) -> Any:
    return -THETA * x


def ou_noise(t: Any) -> float:
    return SIGMA


def judged(log_density: Any, drift: Any = ou_drift, noise: Any = ou_noise, **more: Any) -> Evidence:
    return check_fokker_planck(drift, noise, log_density=log_density, **more)
