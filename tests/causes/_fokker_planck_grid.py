"""What the solvers of the corpus are built with: a line of points, a start, and steps in time."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp

from scoreproof import Evidence, check_fokker_planck

X = np.linspace(-6.0, 6.0, 241)
DX = X[1] - X[0]
T = np.linspace(0.0, 1.0, 51)
START = np.exp(-((X - 1.0) ** 2) / 0.3) / np.sqrt(0.3 * np.pi)
SIGMA = 1.2


def lines(rate: Callable[[Any], Any], start: Any = START, times: Any = T) -> np.ndarray:
    """The method of lines: p[t, x]."""
    found = solve_ivp(
        lambda t, p: rate(p.reshape(start.shape)).ravel(),
        (times[0], times[-1]),
        start.ravel(),
        "LSODA",
        times,
        rtol=1e-7,
        atol=1e-10,
    )
    return found.y.T.reshape(len(times), *start.shape)


def ddx(p: Any, h: float = DX, axis: int = 0) -> np.ndarray:
    return np.gradient(p, h, axis=axis)


def d2dx2(p: Any, h: float = DX, axis: int = 0) -> np.ndarray:
    p = np.moveaxis(p, axis, 0)
    out = np.zeros_like(p)
    out[1:-1] = (p[2:] - 2 * p[1:-1] + p[:-2]) / h**2
    return np.moveaxis(out, 0, axis)


def drift(x: Any, t: Any) -> Any:
    return -x


def noise(t: Any) -> float:
    return SIGMA


def judged(p: Any, axes: Any = (T, X), **more: Any) -> Evidence:
    return check_fokker_planck(
        **{"drift": drift, "diffusion": noise, "density": p, "axes": axes, **more}
    )
