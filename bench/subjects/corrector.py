"""Random Markov kernels, in each way that `check_corrector` judges: limits, steps, acceptance."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_corrector

from . import Case

__all__ = ["case"]

#: of the size of a deviation: what it does to the law, or to an acceptance, at the least
SHOWS = 3.0


def _langevin(rng: np.random.Generator) -> tuple[Callable[..., Any], list[str]]:
    """x ← x + c h G s + √(2 c h) G^½ z, several times; ``off`` multiplies a part of it."""
    scale = np.exp(rng.uniform(-1, 1, 4)) if rng.random() < 0.4 else np.ones(4)
    c, steps = float(np.exp(rng.uniform(-2, 1))), int(rng.integers(1, 4))
    fixed = rng.random() < 0.3
    own = float(np.exp(rng.uniform(np.log(1e-5), np.log(0.3))))

    def make(part: str, by: float) -> Callable[..., Any]:
        drift, noise = (by if part == p else 1.0 for p in ("drift", "noise"))
        one = np.where(np.arange(4) == 2, by if part == "coordinate" else 1.0, 1.0)
        shift = by - 1 if part == "shift" else 0.0

        def kernel(score: Any, x: Any, step_size: float, rng: Any) -> Any:
            h = c * step_size
            for _ in range(steps):
                z = rng.standard_normal(x.shape)
                x = x + drift * h * scale * (score(x) + shift)
                x = x + noise * one * np.sqrt(2 * h * scale) * z
            return x

        def alone(score: Any, x: Any, rng: Any) -> Any:
            return kernel(score, x, own, rng)

        return alone if fixed else kernel

    return make, ["drift", "noise", "coordinate", "shift"]


def _underdamped(rng: np.random.Generator) -> tuple[Callable[..., Any], list[str]]:
    friction = float(np.exp(rng.uniform(-1, 1)))
    order = str(rng.choice(["BAOAB", "OBABO", "ABOBA"]))

    def make(part: str, by: float) -> Callable[..., Any]:
        drift, noise = (by if part == p else 1.0 for p in ("drift", "noise"))

        def kernel(x: Any, v: Any, score: Any, h: float, rng: Any) -> Any:
            for letter in order:
                width = h / order.count(letter)
                if letter == "A":
                    x = x + width * v
                elif letter == "B":
                    v = v + drift * width * score(x)
                else:
                    keep = np.exp(-friction * width)
                    z = rng.normal(size=x.shape)
                    v = keep * v + noise * np.sqrt(1 - keep**2) * z
            return x, v

        return kernel

    return make, ["drift", "noise"]


def _ratio(rng: np.random.Generator) -> tuple[Callable[..., Any], list[str]]:
    """ε = 2 (r ‖z‖/‖s‖)² with norms averaged over the batch."""
    steps = int(rng.integers(1, 3))

    def make(part: str, by: float) -> Callable[..., Any]:
        drift, noise, size = (by if part == p else 1.0 for p in ("drift", "noise", "size"))

        def kernel(score_fn: Any, x: Any, t: float, snr: float, rng: Any) -> Any:
            for _ in range(steps):
                grad, z = score_fn(x, t), rng.standard_normal(x.shape)
                norms = [np.linalg.norm(a, axis=1).mean() for a in (z, grad)]
                eps = 2 * size * (snr * norms[0] / norms[1]) ** 2
                x = x + drift * eps * grad + noise * np.sqrt(2 * eps) * z
            return x

        return kernel

    return make, ["drift", "noise", "size"]


def _metropolis(rng: np.random.Generator) -> tuple[Callable[..., Any], list[str]]:
    """Random walks, MALA and HMC; acceptance by u, log u or an exponential number."""
    form = str(rng.choice(["walk", "mala", "hmc"]))
    how = str(rng.choice(["u", "log", "exponential"]))

    def make(part: str, by: float) -> Callable[..., Any]:
        target, proposal, every = (by if part == p else 1.0 for p in ("target", "proposal", "all"))

        def kernel(log_prob: Any, grad: Any, x: Any, h: float, rng: Any) -> Any:
            z = rng.standard_normal(x.shape)
            change: Any = 0.0
            if form == "walk":
                y = x + np.sqrt(2 * h) * z
            elif form == "mala":
                y = x + h * grad(x) + np.sqrt(2 * h) * z
                back = (x - y - h * grad(y)) / np.sqrt(2 * h)
                change = np.sum(z**2 - back**2, axis=1) / 2
            else:
                y, p = x, z
                for _ in range(3):
                    p = p + np.sqrt(h) / 2 * grad(y)
                    y = y + np.sqrt(h) * p
                    p = p + np.sqrt(h) / 2 * grad(y)
                change = np.sum(z**2 - p**2, axis=1) / 2
            ratio = target * (log_prob(y) - log_prob(x)) + proposal * change
            if part == "all":
                ratio = ratio - np.log(every)
            if how == "u":
                accept = rng.random(len(x)) < np.exp(np.minimum(ratio, 0))
            elif how == "log":
                accept = np.log(rng.random(len(x))) < ratio
            else:
                accept = -rng.exponential(size=len(x)) < ratio
            return np.where(accept[:, None], y, x)

        return kernel

    return make, ["target", "all"] if form == "walk" else ["target", "proposal", "all"]


def case(rng: np.random.Generator) -> Case:
    """A setting, its right kernel and wrong ones."""
    kind = str(rng.choice(["langevin", "underdamped", "ratio", "metropolis"]))
    makers = {
        "langevin": _langevin,
        "underdamped": _underdamped,
        "ratio": _ratio,
        "metropolis": _metropolis,
    }
    make, parts = makers[kind](rng)
    more: dict[str, Any] = {"seed": int(rng.integers(100))}
    if kind == "ratio":
        more["snr"] = float(np.exp(rng.uniform(np.log(0.05), np.log(0.5))))
    if kind == "metropolis":
        more["step_size"] = float(np.exp(rng.uniform(np.log(0.02), np.log(0.4))))
    if kind == "underdamped":
        more["step_size"] = float(np.exp(rng.uniform(np.log(1e-3), np.log(0.5))))

    def judge(part: str, by: float) -> Any:
        return check_corrector(make(part, by), **more)

    def wrong(amount: float) -> tuple[str, Any]:
        part = str(rng.choice(parts))
        by = 1 + SHOWS * max(amount, 1e-9) * float(rng.choice([1.0, 10.0, 100.0, 1e4]))
        by = min(by, 2.0)
        return f"{kind} {part} times {by:.9g}", judge(part, by)

    return Case(f"{kind}, {more}", lambda: judge("", 1.0), wrong)
