"""Random right and wrong pairs of an inverse and a sampler: functions of a list of σ, steps of DDIM
on a process, noise maps.

A wrong one is off by ``amount`` in one ingredient of every step of the inverse, or of the steps in
a stretch of levels: the step's length, the level that the model is told, a shift, one coordinate;
or of its noise maps.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_inversion
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.objects.schedules import VPCosine, VPLinear

from . import Case

__all__ = ["case"]


def _factor(x: Any, size: float, coordinate: int | None) -> Any:
    if coordinate is None:
        return size
    factor = np.ones(int(np.prod(x.shape[1:])))
    factor[coordinate % len(factor)] = size
    return factor.reshape(x.shape[1:])


Slip = tuple[str, float, float, float, int | None]  # what, how much, between which levels, where
RIGHT: Slip = ("", 0.0, 0.0, np.inf, None)


def _whole(method: str, slip: Slip = RIGHT) -> Callable[..., Any]:
    what, size, low, high, coordinate = slip

    def run(model: Any, x: Any, sigmas: Any) -> Any:
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            a = size if low <= s <= high else 0.0
            level = 1 + a if what == "level" else 1.0
            h = (n - s) * (_factor(x, 1 + a, coordinate) if what == "drift" else 1.0)
            told = (n if method == "late" else s) * level
            d = (x - model(x, told)) / (n if method == "late" else s)
            y = x + h * d
            if method == "heun":
                y = x + h * (d + (y - model(y, n * level)) / n) / 2
            x = y + (a * abs(n - s) * _factor(x, 1.0, None) if what == "shift" else 0.0)
        return x

    return run


def _ddim(process: Any, slip: Slip = RIGHT) -> Callable[..., Any]:
    what, size, low, high, coordinate = slip

    def step(x: Any, t: Any, t_next: Any, model: Any) -> Any:
        inside = low <= process.sigma(t) / process.alpha(t) <= high
        a = size if inside else 0.0
        eps = model(x, t)
        x0 = (x - process.sigma(t) * eps) / process.alpha(t)
        y = process.alpha(t_next) * x0 + process.sigma(t_next) * eps
        if what == "drift":
            return x + _factor(x, 1 + a, coordinate) * (y - x)
        if what == "level":
            return y + a * (t_next - t) / process.horizon * process.sigma(t_next) * eps
        return y + (a * (t_next - t) / process.horizon if what == "shift" else 0.0)

    return step


def _maps(table: Any, size: float = 0.0) -> tuple[Callable[..., Any], Callable[..., Any]]:
    def mean(model: Any, x: Any, t: Any, n: Any, wrong: float) -> Any:
        a, b = table.alpha(t) ** 2, table.alpha(n) ** 2
        eps = model(x, t) * (1 + wrong)
        var = (1 - b) / (1 - a) * (1 - a / b)
        x0 = (x - (1 - a) ** 0.5 * eps) / a**0.5
        return b**0.5 * x0 + (1 - b - var) ** 0.5 * eps, var**0.5

    def encode(model: Any, xs: Any, times: Any) -> Any:
        found = []
        for k, (t, n) in enumerate(zip(times[:-1], times[1:], strict=True)):
            mu, std = mean(model, xs[k], t, n, size)
            found.append((xs[k + 1] - mu) / std)
        return found

    def decode(model: Any, x: Any, noises: Any, times: Any) -> Any:
        for z, t, n in zip(noises, times[:-1], times[1:], strict=True):
            mu, std = mean(model, x, t, n, 0.0)
            x = mu + std * z
        return x

    return encode, decode


def case(rng: np.random.Generator) -> Case:
    """A setting, its right pair and its wrong ones."""
    form = str(rng.choice(["whole", "whole", "step", "maps"]))
    shape = ((1,), (4,), (3,), (2, 3))[int(rng.integers(4))]
    options: dict[str, Any] = {"shape": shape, "seed": int(rng.integers(100))}
    if form == "maps":
        table = DiscreteVP(np.linspace(1e-4, float(rng.choice([0.02, 0.012])), 1000))
        gap = int(rng.choice([50, 100]))
        options |= {"form": "noises", "times": np.arange(900, 99, -gap), "process": table}

        def wrong_maps(a: float) -> tuple[str, Any]:
            return f"maps {a:+.2g}", check_inversion(*_maps(table, a), **options)

        return Case(
            f"maps, gap {gap}, shape {shape}",
            lambda: check_inversion(*_maps(table), **options),
            wrong_maps,
        )
    if form == "whole":
        up, down = (str(rng.choice(["euler", "heun", "late"])) for _ in range(2))
        down = "euler" if down == "late" else down
        n, rho = int(rng.choice([16, 24, 40])), float(rng.choice([3, 7]))
        top, least = rng.uniform(5, 40), rng.uniform(0.02, 0.1)
        sigmas = np.linspace(top ** (1 / rho), least ** (1 / rho), n) ** rho
        options |= {"times": sigmas.tolist()}
        ends = (least, top)
        setting, sampler = f"whole, {up} and {down}", _whole(down)

        def make(slip: Slip) -> Any:
            return _whole(up, slip)
    else:
        process = (VPLinear(0.1, 6.0), VPCosine())[int(rng.integers(2))]
        times = np.linspace(0.9, 0.05, int(rng.choice([16, 32]))) * process.horizon
        options |= {"times": times.tolist(), "process": process, "prediction": "eps"}
        ends = tuple(float(process.sigma(t) / process.alpha(t)) for t in (times[-1], times[0]))
        setting, sampler = f"step, {type(process).__name__}", _ddim(process)

        def make(slip: Slip) -> Any:
            return _ddim(process, slip)

    def wrong(a: float) -> tuple[str, Any]:
        what = str(rng.choice(["drift", "drift", "shift", "level"]))
        low, high = 0.0, np.inf
        if rng.random() < 0.3:
            # within what the chain passes: elsewhere the stretch is empty
            middle = np.exp(rng.uniform(np.log(2 * ends[0]), np.log(ends[1] / 2)))
            low, high = middle / 2, middle * 2
        coordinate = int(rng.integers(6)) if what == "drift" and rng.random() < 0.4 else None
        size = float(rng.choice([-1, 1])) * min(a, 0.9)
        text = f"{what} {size:+.2g}" + (" in a stretch" if low else "")
        slip = (what, size, low, high, coordinate)
        return text, check_inversion(make(slip), sampler, **options)

    return Case(
        f"{setting}, shape {shape}", lambda: check_inversion(make(RIGHT), sampler, **options), wrong
    )
