"""Random log-likelihoods by ODE, of flows, denoisers and processes, in nats and in bits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_log_likelihood
from scoreproof.objects.schedules import VPLinear

from . import Case

__all__ = ["case"]

#: of the size of a deviation: what a part of log p that is so far off does to it, at the least
SHOWS = 3.0


def _solved(rng: np.random.Generator) -> Callable[..., Any]:
    """Heun's, the midpoint or the classical method, of x and log p side by side."""
    form = str(rng.choice(["midpoint", "heun", "rk4"]))

    def solve(rate: Any, x: Any, start: float, end: float, n: int) -> tuple[Any, Any]:
        h, total = (end - start) / n, np.zeros(len(x))
        for k in range(n):
            t = start + k * h
            a, p = rate(x, t)
            if form == "midpoint":
                b, q = rate(x + h / 2 * a, t + h / 2)
                x, total = x + h * b, total + h * q
            elif form == "heun":
                b, q = rate(x + h * a, t + h)
                x, total = x + h / 2 * (a + b), total + h / 2 * (p + q)
            else:
                b, q = rate(x + h / 2 * a, t + h / 2)
                c, r = rate(x + h / 2 * b, t + h / 2)
                e, s = rate(x + h * c, t + h)
                x, total = (
                    x + h / 6 * (a + 2 * b + 2 * c + e),
                    total + h / 6 * (p + 2 * q + 2 * r + s),
                )
        return x, total

    return solve


def case(rng: np.random.Generator) -> Case:
    """A setting, its right function and wrong ones."""
    kind = str(rng.choice(["velocity", "score", "field"]))
    solve = _solved(rng)
    d, n = int(rng.integers(1, 5)), int(rng.integers(8, 30))
    low, high = float(rng.uniform(0.05, 0.5)), float(rng.uniform(2.0, 6.0))
    data_at = int(rng.integers(2))
    drawn = rng.random() < 0.4
    bits = rng.random() < 0.3
    scale = float(rng.choice([1.0, 2.0, 0.7]))

    def make(part: str, by: float) -> Callable[..., Any]:
        move, trace, prior, constant, width, unit = (
            by if part == p else 1.0
            for p in ("move", "trace", "prior", "constant", "width", "unit")
        )

        def told(z: Any, change: Any) -> Any:
            square = prior * ((z / width) ** 2).sum(axis=1) / 2
            log_prior = -square - constant * d * (np.log(width) + np.log(2 * np.pi) / 2)
            log_p = log_prior + trace * change + d * np.log(scale)
            return unit * (-log_p / (d * np.log(2)) + 8 if bits else log_p)

        def of(drift: Any, div: Any, x: Any, ends: tuple[float, float], steps: int) -> Any:
            return told(
                *solve(lambda y, t: (move * drift(y, t), div(y, t)), scale * x, *ends, steps)
            )

        if kind != "score":
            ends = (float(data_at), 1.0 - data_at)

            def exact(velocity: Any, div: Any, x: Any, n_steps: int = n) -> Any:
                return of(velocity, div, x, ends, n_steps)

            def probed(velocity: Any, x: Any, rng: Any, n_steps: int = n) -> Any:
                nu = rng.choice([-1.0, 1.0], size=x.shape)

                def div(y: Any, t: float) -> Any:
                    near, far = velocity(y + 1e-4 * nu, t), velocity(y - 1e-4 * nu, t)
                    return (nu * (near - far)).sum(axis=1) / 2e-4

                return of(velocity, div, x, ends, n_steps)

            return probed if drawn else exact

        def of_score(score: Any, div: Any, x: Any, n_steps: int = n) -> Any:
            def rate(t: float) -> float:
                return low + t * (high - low)

            return of(
                lambda y, t: -rate(t) / 2 * (y + score(y, t)),
                lambda y, t: -rate(t) / 2 * (d + div(y, t)),
                x, (0.01, 1.0), n_steps,
            )  # fmt: skip

        return of_score

    more: dict[str, Any] = {"shape": d, "seed": int(rng.integers(100))}
    if bits:
        more |= {"units": "bits_per_dim", "data_range": (0, 1)}
    if kind != "score":
        more["data_at"] = data_at
        more |= {"prediction": "field"} if kind == "field" else {}
    else:
        more["process"] = VPLinear(low, high)

    def judge(part: str, by: float) -> Any:
        return check_log_likelihood(make(part, by), **more)

    def wrong(amount: float) -> tuple[str, Any]:
        parts = ["move", "trace", "prior", "constant", "width"]
        part = str(rng.choice(parts if bits else [*parts, "unit"]))
        by = 1 + SHOWS * max(amount, 1e-9) * float(rng.choice([1.0, 10.0, 100.0]))
        by = min(by, 2.0)
        return f"{kind} {part} times {by:.9g}", judge(part, by)

    return Case(f"{kind}, {more}", lambda: judge("", 1.0), wrong)
