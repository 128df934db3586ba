"""The probability-flow ODE solved beside the user's code, with the traces that a mistake would sum.

Conventions: dx/dt = f x - ½ g² ∇log p_t, with f = α'/α and g² = 2 σ σ' - 2 f σ²; from ``start`` to
``end``. Where α is 0 at an end, f has no limit there and the velocity α' E[x_0] + σ' E[ε] is taken.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass

import numpy as np

from scoreproof.public.log_likelihood.clocks import Clock
from scoreproof.public.log_likelihood.law import Law, Parts
from scoreproof.public.log_likelihood.model import predicted

__all__ = ["RIGHT", "Path", "Route", "followed"]

RTOL, ATOL = 1e-10, 1e-11
#: a route that goes so far is of no use
FAR = 1e8


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
    """``z``: where the route ends; integrals along it, ``(n,)``: of the divergence of the velocity
    (``trace``), of f x (``linear``), of -½ g² s (``pull``), of -½ g s, of the score, and of the
    prediction. ``parted``: whether f and g are finite, so that those of their own are known.
    """

    z: np.ndarray
    trace: np.ndarray
    linear: np.ndarray
    pull: np.ndarray
    rooted: np.ndarray
    score: np.ndarray
    model: np.ndarray
    parted: bool


def followed(
    law: Law,
    clock: Clock,
    x: np.ndarray,
    ends: tuple[float, float],
    kind: str,
    route: Route = RIGHT,
) -> Path:
    """The route from x, whose time is the first of ``ends``."""
    from scipy.integrate import solve_ivp

    n, d = x.shape
    start, end = ends
    whole = end - start
    parted = min(float(clock.at(t)[0]) for t in (start, end)) > 0
    plain = route.linear == route.pull == 1 and not route.root

    # σ' of a process need not be finite at its ends; of the way, so little is below rounding
    inside = 0.0 if clock.native else 1e-9

    def field(tau: float, state: np.ndarray) -> np.ndarray:
        rows = state[: n * d].reshape(n, d)
        part = (1 - tau) if route.backwards else tau
        t = start + whole * float(np.clip(part, inside, 1 - inside))
        alpha, sigma, alpha_dot, sigma_dot = levels = [float(v) for v in clock.at(t)]
        parts = law.parts(rows, alpha, sigma)
        of_x0, of_score = law.divergences(rows, alpha, sigma)
        zero = np.zeros(n)
        sums = [zero] * 4
        move = alpha_dot * parts.x0 + sigma_dot * parts.eps
        if parted:
            f = alpha_dot / alpha
            g2 = 2 * sigma * sigma_dot - 2 * f * sigma**2
            g = np.sqrt(max(g2, 0.0))
            half = (g if route.root else g2) / 2
            if not plain:
                move = route.linear * f * rows - route.pull * half * parts.score
            sums = [f * d + zero, -g2 / 2 * of_score, -g / 2 * of_score, of_score]
        trace = alpha_dot * of_x0 - sigma_dot * sigma * of_score
        of_eps = -sigma * of_score
        model = predicted(kind, Parts(of_x0, of_eps, of_score, None), levels)
        rates = np.concatenate([route.ahead * move.ravel(), trace, *sums, model])
        if not np.all(np.isfinite(rates[: n * d + n])) or np.max(np.abs(rows)) > FAR:
            raise FloatingPointError  # a solver would look for a step for ever
        return whole * rates

    begin = np.concatenate([x.ravel(), np.zeros(6 * n)])
    tight = (RTOL, ATOL) if route == RIGHT else (1e-8, 1e-9)
    last = np.full_like(begin, np.nan)
    with np.errstate(all="ignore"), suppress(FloatingPointError):
        out = solve_ivp(field, (0.0, 1.0), begin, "DOP853", rtol=tight[0], atol=tight[1])
        last = out.y[:, -1] if out.success else last
    a, b, c, e, f, g = last[n * d :].reshape(6, n)
    return Path(last[: n * d].reshape(n, d), a, b, c, e, f, g, parted)
