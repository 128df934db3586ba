"""Random right and wrong samplers: whole functions of a list of σ, steps of a process, scheduler
objects that draw their own noise.

A wrong one is off by ``amount`` in one ingredient of every step, or of the steps in a stretch of
levels: its noise, its drift, the level that the model is asked at, the mean, one coordinate.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof import check_sampler
from scoreproof.objects.schedules import VPCosine, VPLinear

from . import Case

__all__ = ["case"]


@dataclass
class Slip:
    """What is wrong, where: factors of 1 and shifts of 0 are right."""

    noise: float = 1.0
    drift: float = 1.0
    level: float = 1.0
    shift: float = 0.0
    coordinate: int | None = None
    low: float = 0.0
    high: float = np.inf

    def at(self, sigma: float) -> Slip:
        return self if self.low <= sigma <= self.high else Slip()

    def part(self, x: Any, size: float) -> Any:
        """``size`` in the coordinates that are wrong, 1 elsewhere."""
        if self.coordinate is None or size == 1.0:
            return size
        factor = np.ones(int(np.prod(x.shape[1:])))
        factor[self.coordinate % len(factor)] = size
        factor = factor.reshape(tuple(x.shape[1:]))
        if isinstance(x, np.ndarray):
            return factor
        import torch

        return torch.tensor(factor)


def _normal(x: Any, rng: Any) -> Any:
    if isinstance(x, np.ndarray):
        return rng.standard_normal(x.shape)
    import torch

    return torch.randn(x.shape, generator=rng, dtype=x.dtype)


def _whole(method: str, eta: float, slip: Slip, drawn: bool) -> Callable[..., Any]:
    """A sampler of a list of σ, as in k-diffusion; ``model`` is a denoiser."""

    def step(model: Any, x: Any, s: Any, n: Any, old: Any, rng: Any) -> tuple[Any, Any]:
        here = slip.at(float(s))
        level = s * here.level
        denoised = model(x, level)
        d = (x - denoised) / s
        up = eta * (n**2 * (s**2 - n**2) / s**2) ** 0.5 if drawn else 0.0
        down = (n**2 - up**2) ** 0.5
        h = (down - s) * here.part(x, here.drift)
        if method == "heun" and n > 0 and not drawn:
            y = x + h * d
            x = x + h * (d + (y - model(y, n)) / n) / 2
        elif method == "midpoint" and n > 0 and not drawn:
            middle = (s * n) ** 0.5
            y = x + (middle - s) * d
            x = x + h * (y - model(y, middle)) / middle
        elif method == "multistep" and old is not None and n > 0 and not drawn:
            (s0, d0) = old
            ratio = np.log(float(n / s)) / np.log(float(s / s0)) / 2
            better = denoised + ratio * (denoised - d0)
            x = better + (n / s) * (x - better) if here.drift == 1 else x + h * (x - better) / s
        else:
            x = x + h * d
        if drawn and n > 0:
            x = x + up * here.part(x, here.noise) * _normal(x, rng)
        return x + here.shift * n * here.part(x, 1.0), (s, denoised)

    def sample(model: Any, x: Any, sigmas: Any, rng: Any = None) -> Any:
        old = None
        for s, n in zip(sigmas[:-1], sigmas[1:], strict=True):
            x, old = step(model, x, s, n, old, rng)
        return x

    return sample


def _step(process: Any, lam: float, slip: Slip) -> Callable[..., Any]:
    """Euler-Maruyama backward in time at one λ; ``model`` is the score."""

    def step(x: Any, t: Any, t_next: Any, noise: Any, model: Any) -> Any:
        here, h = slip.at(float(t)), t - t_next
        g2 = process.diffusion(t) ** 2
        drift = process.drift(x, t) - (1 - lam / 2) * g2 * model(x, t * here.level)
        spread = ((1 - lam) * g2 * h) ** 0.5 * here.part(x, here.noise)
        return x - h * here.part(x, here.drift) * drift + spread * noise + here.shift * h

    return step


class Scheduler:
    """A table of β and DDIM's step with η, in torch, as shipped libraries have it."""

    def __init__(self, betas: Any, eta: float, kind: str, spacing: str, slip: Slip) -> None:
        import torch

        self.alphas_cumprod = torch.cumprod(1 - torch.tensor(betas, dtype=torch.float32), 0)
        self.eta, self.prediction_type, self.spacing, self.slip = eta, kind, spacing, slip
        self.timesteps: Any = None

    def set_timesteps(self, n: int) -> None:
        import torch

        total = len(self.alphas_cumprod)
        self.stride = total // n
        times = np.arange(n)[::-1] * self.stride
        if self.spacing == "trailing":
            times = np.arange(total, 0, -self.stride)[:n] - 1
        self.timesteps = torch.tensor(times.copy())

    def bar(self, t: Any) -> Any:
        import torch

        return self.alphas_cumprod[t] if t >= 0 else torch.tensor(1.0)

    def add_noise(self, x: Any, noise: Any, t: Any) -> Any:
        bar = self.alphas_cumprod[t].reshape(-1, *[1] * (x.ndim - 1))
        return bar**0.5 * x + (1 - bar) ** 0.5 * noise

    def step(self, out: Any, t: Any, x: Any, generator: Any = None) -> Any:
        import torch

        bar, after = self.bar(t), self.bar(t - self.stride)
        here = self.slip.at(float(((1 - bar) / bar) ** 0.5))
        a, s = bar**0.5, (1 - bar) ** 0.5
        if self.prediction_type == "epsilon":
            eps, x0 = out, (x - s * out) / a
        elif self.prediction_type == "sample":
            x0, eps = out, (x - a * out) / s
        else:
            x0, eps = a * x - s * out, a * out + s * x
        var = self.eta**2 * (1 - after) / (1 - bar) * (1 - bar / after)
        mean = after**0.5 * x0 * here.part(x, here.drift)
        y = mean + (1 - after - var) ** 0.5 * eps * here.part(x, here.level)
        if self.eta and t - self.stride >= 0:
            y = y + var**0.5 * here.part(x, here.noise) * torch.randn(
                x.shape, generator=generator, dtype=x.dtype
            )
        return y + here.shift * (1 - after) ** 0.5


def case(rng: np.random.Generator) -> Case:
    """A setting, its right sampler and its wrong ones."""
    form = str(rng.choice(["whole", "whole", "step", "scheduler", "scheduler"]))
    shape = ((1,), (4,), (3,), (2, 3), (3, 4, 4))[int(rng.integers(5))]
    options: dict[str, Any] = {"shape": shape, "seed": int(rng.integers(100))}
    drawn = bool(rng.random() < 0.5)
    eta = float(rng.choice([1.0, 1.0, 0.5])) if drawn else 0.0
    if form == "whole":
        method = str(rng.choice(["euler", "heun", "midpoint", "multistep"]))
        n = int(rng.choice([12, 20, 30]))
        top, least, rho = rng.uniform(5, 80), rng.uniform(0.01, 0.1), float(rng.choice([3, 7]))
        sigmas = np.linspace(top ** (1 / rho), least ** (1 / rho), n) ** rho
        options |= {"times": [*sigmas.tolist(), 0.0]}
        framework = str(rng.choice(["numpy", "torch"])) if drawn else "numpy"
        options["framework"] = framework
        name, span = f"{method}, {framework}", (least, top)

        def make(slip: Slip) -> Any:
            return _whole(method, eta, slip, drawn)
    elif form == "step":
        process = (VPLinear(0.1, 6.0), VPCosine())[int(rng.integers(2))]
        lam = float(rng.choice([0.0, 0.5])) if drawn else 1.0
        times = np.linspace(0.9, 0.05, int(rng.choice([16, 32]))).tolist()
        options |= {"times": times, "process": process}
        name, span = f"{type(process).__name__}, λ = {lam:g}", (0.05, 0.9)

        def make(slip: Slip) -> Any:
            return _step(process, lam, slip)
    else:
        betas = np.linspace(1e-4, float(rng.choice([0.02, 0.012])), 1000)
        kind = str(rng.choice(["epsilon", "v_prediction", "sample"]))
        spacing = str(rng.choice(["leading", "trailing"]))
        options |= {"steps": int(rng.choice([25, 50]))}
        name, span = f"{kind}, {spacing}", (0.05, 20.0)

        def make(slip: Slip) -> Any:
            return Scheduler(betas, eta, kind, spacing, slip)

    def wrong(a: float) -> tuple[str, Any]:
        sign = float(rng.choice([-1, 1])) if a < 0.9 else 1.0
        kinds = ["drift", "shift"] + ["noise"] * (2 if drawn else 0)
        kinds += ["level"] if form == "scheduler" else []
        what = str(rng.choice(kinds))
        where: dict[str, Any] = {}
        if rng.random() < 0.4:
            middle = np.exp(rng.uniform(*np.log(span)))
            where = {"low": middle / 2, "high": middle * 2}
        if rng.random() < 0.4 and what != "shift":
            where["coordinate"] = int(rng.integers(48))
        size = sign * a if what == "shift" else 1 + sign * a
        text = f"{what} {sign * a:+.2g}" + (" in a stretch" if "low" in where else "")
        return text, check_sampler(make(Slip(**{what: size}, **where)), **options)

    return Case(
        f"{form}, {name}, η = {eta:g}, shape {shape}",
        lambda: check_sampler(make(Slip()), **options),
        wrong,
    )
