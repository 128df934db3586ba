"""The probability-flow ODE solved beside the user's code, with the traces that a mistake would sum.

Conventions: dx/dt = f x - ½ g² ∇log p_t, with f = α'/α and g² = 2 σ σ' - 2 f σ²; from ``start`` to
``end``. Where α is 0 at an end, f has no limit there and the velocity α' E[x_0] + σ' E[ε] is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from scoreproof.public.log_likelihood.clocks import Clock
from scoreproof.public.log_likelihood.law import Law
from scoreproof.public.log_likelihood.model import of_prediction

__all__ = ["RIGHT", "Path", "Route", "drift_parts", "followed"]

RTOL, ATOL = 1e-10, 1e-11


@dataclass(frozen=True)
class Route:
    """What is integrated: ``linear`` times f x and ``pull`` times -½ g² s; ``root``: g for g².
    ``clock``: what time the field is taken at, along the time τ from 0 to 1 of the route, as parts
    of the span from data (0) to noise (1); ``ahead``: the sign of dx/dτ.
    """

    linear: float = 1.0
    pull: float = 1.0
    root: bool = False
    backwards: bool = False
    ahead: float = 1.0


RIGHT = Route()


@dataclass(frozen=True, eq=False)
class Path:
    """``z``: where the route ends; integrals along it, ``(n,)``: of the divergences of f x
    (``linear``), of -½ g² s (``pull``), of -½ g s, of the score, and of the prediction.
    """

    z: np.ndarray
    linear: np.ndarray
    pull: np.ndarray
    rooted: np.ndarray
    score: np.ndarray
    model: np.ndarray

    @property
    def trace(self) -> np.ndarray:
        return self.linear + self.pull


def drift_parts(clock: Clock, t: float) -> tuple[float, float]:
    """f and g² at a time."""
    alpha, sigma, alpha_dot, sigma_dot = (float(v) for v in clock.at(t))
    f = alpha_dot / alpha
    return f, 2 * sigma * sigma_dot - 2 * f * sigma**2


def followed(
    law: Law, clock: Clock, x: np.ndarray, start: float, end: float, kind: str, route: Route = RIGHT
) -> Path:
    """The route from x, whose time is ``start``."""
    from scipy.integrate import solve_ivp

    n, d = x.shape
    whole = end - start
    right = route == RIGHT
    singular = min(float(clock.at(t)[0]) for t in (start, end)) <= 0

    def field(tau: float, state: np.ndarray) -> np.ndarray:
        rows = state[: n * d].reshape(n, d)
        t = start + whole * ((1 - tau) if route.backwards else tau)
        levels = [float(v) for v in clock.at(t)]
        alpha, sigma, alpha_dot, sigma_dot = levels
        parts = law.parts(rows, alpha, sigma)
        zero = np.zeros(n)
        if singular:
            move = alpha_dot * parts.x0 + sigma_dot * parts.eps
            sums = [zero] * 5
        else:
            f, g2 = drift_parts(clock, t)
            lap = law.laplacian(rows, alpha, sigma)
            g = np.sqrt(max(g2, 0.0))
            half = (g if route.root else g2) / 2
            move = route.linear * f * rows - route.pull * half * parts.score
            sums = [f * d + zero, -g2 / 2 * lap, -g / 2 * lap, lap,
                    of_prediction(kind, law, rows, levels)]  # fmt: skip
        rates = [route.ahead * move.ravel(), *sums]
        return whole * np.concatenate(rates)

    begin = np.concatenate([x.ravel(), np.zeros(5 * n)])
    tight = (RTOL, ATOL) if right else (1e-8, 1e-9)
    with np.errstate(all="ignore"):
        # not at the very ends, where a rate of a process may have no limit
        out = solve_ivp(field, (0.0, 1.0), begin, "DOP853", rtol=tight[0], atol=tight[1])
        last = np.where(np.isfinite(out.y[:, -1]), out.y[:, -1], np.nan)
        if not out.success:
            last = np.full_like(last, np.nan)
    sums = last[n * d :].reshape(5, n)
    return Path(last[: n * d].reshape(n, d), *sums)

