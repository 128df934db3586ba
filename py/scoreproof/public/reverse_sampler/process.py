"""The user's process: its α, shift and σ, and whether they are those of its drift and diffusion.

Conventions: ``X_t | X_0 ~ N(α X_0 + shift, σ² I)``; σ is a standard deviation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from scoreproof.errors import ArgumentError

if TYPE_CHECKING:
    from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = ["agrees_on", "consistent", "dimension_of", "horizon_of", "level"]


def dimension_of(process: Any) -> int | None:
    """d, if the process says it: a `LinearSDE` of numbers only does not."""
    return None if getattr(process, "any_dimension", False) else getattr(process, "dimension", None)


def level(process: Any, dimension: int) -> Callable[[float], tuple[float, np.ndarray, float]]:
    if hasattr(process, "transition"):  # a linear SDE

        def from_transition(t: float) -> tuple[float, np.ndarray, float]:
            phi, shift, cov = process.transition(0.0, t)
            if dimension_of(process) is None:  # one coordinate stands for all
                shift = np.repeat(shift, dimension)
            alpha, var = float(phi[0, 0]), float(cov[0, 0])
            eye = np.eye(len(phi))
            if not (
                np.allclose(phi, alpha * eye, atol=1e-12)
                and np.allclose(cov, var * eye, atol=1e-12)
            ):
                raise ArgumentError(
                    "process",
                    "isotropic: X_t | X_0 ~ N(α X_0 + c, σ² I)",
                    "a drift matrix that mixes coordinates",
                    "check the sampler on a process of one coordinate",
                )
            return alpha, np.asarray(shift, dtype=float), var

        return from_transition

    def number(value: Any) -> float:
        return float(np.ravel(value)[0])

    return lambda t: (number(process.alpha(t)), np.zeros(dimension), number(process.sigma(t)) ** 2)


def consistent(target: Diffused) -> None:
    """Refuse a process whose declared α, σ are not those of its drift and diffusion: no sampler
    could be right for both.
    """
    zero, one = np.zeros((1, target.dimension)), np.ones((1, target.dimension))
    for t in (0.3 * target.horizon, 0.7 * target.horizon):
        rate, g2 = (
            float((target.drift(one, t) - target.drift(zero, t))[0, 0]),
            target.diffusion(t) ** 2,
        )
        h = 1e-3 * target.horizon
        # σ² / α² grows at the rate g² / α², and log α at `rate`: central differences, error about
        # 1e-6
        levels = {s: target.level(t + s * h) for s in (-1, 0, 1)}
        slope = (np.log(levels[1][0]) - np.log(levels[-1][0])) / (2 * h)
        growth = (
            (levels[1][2] / levels[1][0] ** 2 - levels[-1][2] / levels[-1][0] ** 2)
            / (2 * h)
            * levels[0][0] ** 2
        )
        if (
            abs(slope - rate) > 1e-3 * (abs(rate) + 1 / target.horizon)
            or abs(growth - g2) > 1e-3 * g2
        ):
            raise ArgumentError(
                "process",
                "one whose alpha and sigma are the marginals of its drift and diffusion",
                f"at t = {t:g} (log α)' = {slope:.4g} against a drift of {rate:.4g} x, and noise"
                f" growing at {growth:.4g} against g² = {g2:.4g}",
                "judge the schedule first, with check_marginals",
            )


def agrees_on(target: Diffused, low: float, high: float) -> None:
    """Refuse a process whose α, σ do not move between the times of a grid from ``low`` to ``high``
    as its drift and noise say: no jump passes.
    """
    zero, one = np.zeros((1, target.dimension)), np.ones((1, target.dimension))
    grid = np.linspace(low, high, 13)
    levels = [target.level(float(t)) for t in grid]
    for a, b, (alpha, _, var), (alpha_, _, var_) in zip(
        grid[:-1], grid[1:], levels[:-1], levels[1:], strict=True
    ):
        sums = []
        for count in (6, 10):
            nodes, weights = np.polynomial.legendre.leggauss(count)
            at, w = (a + b) / 2 + (b - a) / 2 * nodes, (b - a) / 2 * weights
            rate = np.array(
                [float((target.drift(one, t) - target.drift(zero, t))[0, 0]) for t in at.tolist()]
            )
            alphas, g2 = (
                np.array([target.level(t)[0] for t in at.tolist()]),
                np.array([target.diffusion(t) ** 2 for t in at.tolist()]),
            )
            sums.append((float(w @ rate), alpha_**2 * float(w @ (g2 / alphas**2))))
        (rough, rough_noise), (slope, noise) = sums
        change, growth = float(np.log(alpha_ / alpha)), var_ - (alpha_ / alpha) ** 2 * var
        # 1e-6 leaves room for schedules in single precision; what two quadratures differ by, for
        # those with kinks
        allowed = (
            1e-6 * (1 + abs(slope)) + min(4 * abs(slope - rough), 1e-3),
            1e-6 * (var_ + noise) + min(4 * abs(noise - rough_noise), 1e-3 * noise),
        )
        if not (abs(change - slope) <= allowed[0] and abs(growth - noise) <= allowed[1]):
            raise ArgumentError(
                "process",
                "one whose alpha and sigma are the marginals of its drift and diffusion",
                f"from t = {a:.4g} to {b:.4g} log α changes by {change:.6g} against a drift of"
                f" {slope:.6g}, and noise grows by {growth:.6g} against {noise:.6g}",
                "judge the schedule first, with check_marginals",
            )


def horizon_of(process: Any) -> float:
    """T, if the process says it under one of the usual names, else 1."""
    return next(
        (
            float(getattr(process, n))
            for n in ("horizon", "T", "t_max")
            if isinstance(getattr(process, n, None), int | float)
        ),
        1.0,
    )
