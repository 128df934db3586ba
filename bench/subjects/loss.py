"""Random right and wrong training losses: on tables, straight paths, variance exploding, VP; with a
weight that is claimed or read.

A wrong one is off by ``amount`` at all t or in a stretch of them: x_t's or the target's factor of
x_0 or of ε, a target that has some of another, a claimed weight, a weight that looks at the sample,
a part of the error that is no square, errors of other samples.
"""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np

from scoreproof import check_loss
from scoreproof.objects.schedules import VPCosine, VPLinear

from . import Case

__all__ = ["case"]

KINDS = ("x0_in_x", "noise_in_x", "target", "mixed", "weight", "sample", "shape", "rows", "entry")


def _process(rng: np.random.Generator) -> tuple[Any, Callable[[Any], tuple[Any, Any]], str]:
    which = str(rng.choice(["table", "flow", "sigma", "vp"]))
    if which == "table":
        bar = np.cumprod(1 - np.linspace(1e-4, float(rng.choice([0.02, 0.012])), 1000))
        return (
            {"alphas_cumprod": bar},
            lambda t: (np.sqrt(bar[t.astype(int)]), np.sqrt(1 - bar[t.astype(int)])),
            which,
        )
    if which == "flow":
        return "flow", lambda t: (1 - t, t), which
    if which == "sigma":
        return None, lambda t: (np.ones_like(t), t), which
    sde = (VPLinear(0.1, float(rng.uniform(5, 20))), VPCosine())[int(rng.integers(2))]
    return sde, lambda t: (sde.alpha(t), sde.sigma(t)), which


def _target(kind: str, a: Any, s: Any, x0: Any, e: Any) -> Any:
    if kind == "v":
        return (a * e - s * x0) / (a**2 + s**2) ** 0.5
    return {"eps": e, "x0": x0, "score": -e / s, "flow": e - x0}[kind]


def _loss(setting: SimpleNamespace, what: str = "", size: float = 0.0) -> Callable[..., Any]:
    """The loss in NumPy, or in torch by way of its tensors."""

    def loss(model: Any, x0: Any, t: Any, noise: Any) -> Any:
        import torch

        torched = isinstance(x0, torch.Tensor)
        times = np.asarray(t)
        a, s = (np.reshape(v, (-1, *[1] * (x0.ndim - 1))) for v in setting.levels(times))
        off = np.where((times >= setting.low) & (times <= setting.high), size, 0.0)
        off = off.reshape(a.shape)
        w = np.reshape(setting.weight(times), a.shape)
        if torched:
            a, s, off, w = (torch.from_numpy(np.array(v)) for v in (a, s, off, w))

        def part(name: str) -> Any:
            return off if what == name else 0.0 * off

        x_t = a * (1 + part("x0_in_x")) * x0 + s * (1 + part("noise_in_x")) * noise
        target = setting.target(setting.kind, a, s, x0, noise) * (1 + part("target"))
        scale = (target**2).mean()
        target = target + part("mixed") * (x0 + noise) * scale**0.5
        if what == "rows":
            rolled = torch.roll(target, 1, 0) if torched else np.roll(target, 1, 0)
            target = target + off * (rolled - target)
        error = model(x_t, t) - target
        if what == "entry":
            mask = np.zeros(x0.shape[1:])
            mask.flat[-1] = 1.0
            mask = torch.from_numpy(mask) if torched else mask
            error = error + off * mask * (target**2).mean() ** 0.5
        square = error**2
        if what == "shape":
            unit = (target**2).mean() ** 0.5
            square = square + off * abs(error) ** 3 / unit
        # a factor that is the same at all t is none
        rise = np.reshape(times / setting.span, a.shape)
        w = w * (1 + part("weight") * (torch.from_numpy(rise) if torched else rise))
        if what == "sample":
            tail = tuple(range(1, x0.ndim))
            total = noise.sum(tail).reshape(a.shape)
            w = w * (1 + off * (torch.sin(total) if torched else np.sin(total)))
        return (w * square).mean()

    return loss


def case(rng: np.random.Generator) -> Case:
    """A setting, its right loss and its wrong ones."""
    process, levels, name = _process(rng)
    kinds = ["eps", "x0", "v", "score"] + (["flow"] if name == "flow" else [])
    kind = str(rng.choice(kinds))
    shape = ((4,), (3, 2, 2), (5,))[int(rng.integers(3))]
    framework = str(rng.choice(["torch", "torch", "numpy"]))
    claimed = bool(rng.integers(2))
    tilt = float(rng.uniform(-1, 1))
    span = {"table": 999.0, "flow": 0.98, "sigma": 60.0, "vp": 1.0}[name]

    def weight(t: Any) -> Any:
        return np.exp(tilt * np.asarray(t, dtype=float) / span) * 3.0

    setting = SimpleNamespace(
        levels=levels, kind=kind, weight=weight, target=_target, low=-1.0, high=np.inf, span=span
    )
    options: dict[str, Any] = {
        "prediction": kind,
        "shape": shape,
        "framework": framework,
        "weight": weight if claimed else None,
        "seed": int(rng.integers(100)),
    }
    if framework == "numpy":
        options["shape"] = (4,)

    def wrong(amount: float) -> tuple[str, Any]:
        known = [k for k in KINDS if k != "weight" or claimed]
        what = str(rng.choice(known))
        size = float(rng.choice([-1, 1])) * min(amount, 0.9)
        size = abs(size) if what in ("shape", "rows") else size
        part = ""
        if rng.random() < 0.3 and name != "sigma":
            low = float(rng.uniform(0.1, 0.6)) * span
            setting.low, setting.high, part = low, low + 0.25 * span, " in a stretch"
        text = f"{what} {size:+.2g}{part}"
        return text, check_loss(_loss(setting, what, size), process, **options)

    return Case(
        f"{name}, {kind}, {framework}, shape {options['shape']}",
        lambda: check_loss(_loss(setting), process, **options),
        wrong,
    )
