"""Random divergences and weights of paths, in each way that `check_path_kl` judges."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof import check_path_kl

from . import Case

__all__ = ["case"]

#: of the size of a deviation: what it does to one term of one step, at the least
SHOWS = 3.0


def _apart(g: Any, v: Any, noise: str) -> Any:
    """g⁻¹ v."""
    return np.linalg.solve(g, v[..., None])[..., 0] if noise in ("full", "matrix") else v / g


def _noise(g: Any, z: Any, noise: str) -> Any:
    return np.einsum("...ij,...j->...i", g, z) if noise in ("full", "matrix") else g * z


def _terms(
    setting: dict[str, Any], part: str, by: float
) -> Callable[[Any, Any, Any, Any, Any, Any, int, int], Any]:
    """What a step adds: x and y its ends; ``by`` multiplies a part of it."""
    noise, form = setting["noise"], setting["form"]
    which = setting["step"]

    def step(a: Any, b: Any, g: Any, x: Any, y: Any, dt: Any, k: int, last: int) -> Any:
        here = by if part == "step" and k == min(which, last) else 1.0
        u = _apart(g, a - b, noise)
        if part == "coordinate":
            u = u * np.where(np.arange(u.shape[-1]) == 0, by, 1.0)
        energy = 0.5 * np.sum(u * u, axis=-1) * dt
        if form == "energy":
            return here * (by if part == "whole" else 1.0) * energy
        dw = _apart(g, y - x - a * dt, noise)
        if form == "densities":
            other = _apart(g, y - x - b * dt, noise)
            value = (np.sum(other**2, -1) - np.sum(dw**2, -1)) / (2 * dt)
            return here * (by if part == "whole" else 1.0) * value
        factors = {n: by if part == n else 1.0 for n in ("energy", "ito", "whole")}
        whole = factors["energy"] * energy + factors["ito"] * np.sum(u * dw, axis=-1)
        return here * factors["whole"] * whole

    return step


def _along(setting: dict[str, Any], part: str, by: float) -> Callable[..., Any]:
    """Of paths that are handed over, laid out in either way."""
    step, first = _terms(setting, part, by), setting["layout"] == "batch first"

    def along(drift0: Any, drift1: Any, diffusion: Any, x: Any, t: Any) -> Any:
        x = np.swapaxes(x, 0, 1) if first else x
        total: Any = 0.0
        for k in range(len(t) - 1):
            a, b, g = drift0(x[k], t[k]), drift1(t[k], x[k]), _at(diffusion, x[k], t[k])
            total = total + step(a, b, g, x[k], x[k + 1], t[k + 1] - t[k], k, len(t) - 2)
        return total.mean() if setting["mean"] else total

    return along


def _at(diffusion: Any, x: Any, t: Any) -> Any:
    return diffusion(x, t) if callable(diffusion) else diffusion


def _making(setting: dict[str, Any], part: str, by: float) -> Callable[..., Any]:
    """Of paths that it makes."""
    step, once = _terms(setting, part, by), setting["once"]

    def making(drift0: Any, drift1: Any, diffusion: Any, x0: Any, t: Any, rng: Any) -> Any:
        x, total = x0, 0.0
        steps = len(t) - 1
        zs = rng.standard_normal((steps, *x0.shape)) if once else None
        for k in range(steps):
            dt = t[k + 1] - t[k]
            z = zs[k] if once else rng.normal(size=x.shape)
            a, b, g = drift0(x, t[k]), drift1(x, t[k]), _at(diffusion, x, t[k])
            size = by if part == "noise" else 1.0
            y = x + a * dt + size * np.sqrt(dt) * _noise(g, z, setting["noise"])
            total = total + step(a, b, g, x, y, dt, k, steps - 1)
            x = y
        return total.mean() if setting["mean"] else total

    return making


def _heun(setting: dict[str, Any], part: str, by: float) -> Callable[..., Any]:
    """Another scheme, judged by its limit."""

    def heun(drift0: Any, drift1: Any, diffusion: Any, x0: Any, t: Any, rng: Any) -> Any:
        def rate(x: Any, s: Any) -> Any:
            value = (drift0(x, s) - drift1(x, s)) / diffusion(s)
            return 0.5 * np.sum(value**2, axis=1) * (by if part == "whole" else 1.0)

        x, total = x0, 0.0
        for now, then in zip(t[:-1], t[1:], strict=True):
            dt = then - now
            dw = np.sqrt(dt) * rng.standard_normal(x.shape) * (by if part == "noise" else 1.0)
            guess = x + drift0(x, now) * dt + diffusion(now) * dw
            y = x + (drift0(x, now) + drift0(guess, then)) / 2 * dt
            y = y + (diffusion(now) + diffusion(then)) / 2 * dw
            total = total + (rate(x, now) + rate(y, then)) / 2 * dt
            x = y
        return total

    return heun


def case(rng: np.random.Generator) -> Case:
    """A setting, its right function and wrong ones."""
    kind = str(rng.choice(["along", "making", "heun"], p=[0.45, 0.4, 0.15]))
    setting: dict[str, Any] = {
        "noise": str(rng.choice(["scalar", "number", "diagonal", "full", "matrix"])),
        "form": str(rng.choice(["energy", "both", "densities"])),
        "layout": str(rng.choice(["time first", "batch first"])),
        "mean": bool(rng.random() < 0.3),
        "once": bool(rng.random() < 0.4),
        "step": int(rng.integers(8)),
    }
    more: dict[str, Any] = {"seed": int(rng.integers(100)), "shape": int(rng.integers(2, 5))}
    if kind == "heun":
        setting |= {"noise": "scalar", "form": "energy"}
    if kind == "along":
        more["layout"] = setting["layout"]
    if rng.random() < 0.2:
        more["dtype"] = "float32"
    more["noise"] = setting["noise"]
    ratio = setting["form"] != "energy"
    if ratio:
        more["quantity"] = "log_ratio"
    makers = {"along": _along, "making": _making, "heun": _heun}
    parts = ["whole"] if kind == "heun" else ["whole", "step", "coordinate"]
    if setting["form"] == "both":
        parts += ["energy", "ito"]
    if kind == "making" and not ratio:
        parts.append("noise")
    if setting["form"] == "densities":
        parts.remove("coordinate")

    def judge(part: str, by: float) -> Any:
        return check_path_kl(makers[kind](setting, part, by), **more)

    def wrong(amount: float) -> tuple[str, Any]:
        part = str(rng.choice(parts))
        size = SHOWS * max(amount, 1e-9) * float(rng.choice([1.0, 10.0, 100.0, 1e4]))
        by = min(1 + size, 2.0)
        return f"{kind} {part} times {by:.9g}", judge(part, by)

    return Case(f"{kind}, {setting}, {more}", lambda: judge("", 1.0), wrong)
