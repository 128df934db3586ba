"""Right reverse-time samplers, written down in many ways.

Conventions: a ``Kit`` is what a sampler knows: its process, what its model predicts, and how it
rounds the numbers of the schedule. Arrays are NumPy's, PyTorch's or JAX's; coefficients are plain
numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.objects.parameterizations import convert

__all__ = ["DRIFTS", "NOISY", "ODES", "WEAK", "Kit", "as_step"]


@dataclass(frozen=True)
class Kit:
    process: Any
    prediction: str
    rounded: Callable[[float], float] = float

    def number(self, name: str, t: float) -> float:
        return self.rounded(float(np.ravel(getattr(self.process, name)(t))[0]))

    def score(self, model: Any, x: Any, t: float) -> Any:
        if self.prediction == "score":
            return model(x, t)
        alpha, sigma = self.number("alpha", t), self.number("sigma", t)
        dots = {}
        if self.prediction == "velocity":
            alpha_dot, sigma_dot = self.process.derivatives(t)
            dots = {"alpha_dot": float(alpha_dot), "sigma_dot": float(sigma_dot)}
        return convert(model(x, t), x, self.prediction, "score", alpha, sigma, **dots)

    def pair(self, name: str, t: float, t_next: float) -> tuple[float, float]:
        return self.number(name, t), self.number(name, t_next)


def plain(kit: Kit, x: Any, t: float, model: Any, lam: float) -> tuple[Any, float]:
    g2 = kit.number("diffusion", t) ** 2
    b = kit.number("rate", t) * x - (1 - lam / 2) * g2 * kit.score(model, x, t)
    return b, ((1 - lam) * g2) ** 0.5


def flow_first(kit: Kit, x: Any, t: float, model: Any, lam: float) -> tuple[Any, float]:
    s, g = kit.score(model, x, t), kit.number("diffusion", t)
    flow = kit.number("rate", t) * x - g * g * s / 2
    return flow - s * ((1 - lam) * g * g / 2), g * (1 - lam) ** 0.5


def by_eps(kit: Kit, x: Any, t: float, model: Any, lam: float) -> tuple[Any, float]:
    sigma, g = kit.number("sigma", t), kit.number("diffusion", t)
    eps = kit.score(model, x, t) * (-sigma)
    return x * kit.number("rate", t) + eps * ((2 - lam) * g**2 / (2 * sigma)), g * (1 - lam) ** 0.5


def by_x0(kit: Kit, x: Any, t: float, model: Any, lam: float) -> tuple[Any, float]:
    alpha, sigma = kit.number("alpha", t), kit.number("sigma", t)
    x0 = (x + sigma**2 * kit.score(model, x, t)) / alpha
    s = (alpha * x0 - x) / sigma**2
    g2 = kit.number("diffusion", t) ** 2
    return kit.number("rate", t) * x - g2 * s + lam / 2 * g2 * s, (g2 - lam * g2) ** 0.5


#: drift and noise
DRIFTS = {"plain": plain, "flow first": flow_first, "by eps": by_eps, "by x0": by_x0}


def euler(kit: Kit, x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
    b, c = plain(kit, x, t, model, lam)
    return x - (t - tn) * b + (t - tn) ** 0.5 * c * z


def milstein_late(kit: Kit, x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
    """The noise of the middle, the drift of the beginning."""
    b, _ = flow_first(kit, x, t, model, lam)
    c = ((1 - lam) * (t - tn)) ** 0.5 * kit.number("diffusion", (t + tn) / 2)
    return x + (tn - t) * b + c * z


def heun_after_noise(kit: Kit, x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
    h = t - tn
    b, c = plain(kit, x, t, model, lam)
    guess = x - h * b + h**0.5 * c * z
    return x - h / 2 * (b + plain(kit, guess, tn, model, lam)[0]) + h**0.5 * c * z


def ddim(kit: Kit, x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
    (a, b), (s, r) = kit.pair("alpha", t, tn), kit.pair("sigma", t, tn)
    eps = -s * kit.score(model, x, t)
    c2 = (1 - lam) * (r / s) ** 2 * max(s * s - (a / b * r) ** 2, 0.0)
    return b * (x - s * eps) / a + max(r * r - c2, 0.0) ** 0.5 * eps + c2**0.5 * z


def ddim_by_ratio(kit: Kit, x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
    (a, b), (s, r) = kit.pair("alpha", t, tn), kit.pair("sigma", t, tn)
    eps = -s * kit.score(model, x, t)
    c2 = (1 - lam) * r * r * max(1 - (a * r / (b * s)) ** 2, 0.0)
    return (b / a) * x + (max(r * r - c2, 0.0) ** 0.5 - b * s / a) * eps + c2**0.5 * z


def exponential(kit: Kit, x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
    """The linear part exactly, the score frozen."""
    (a, b), (s, r) = kit.pair("alpha", t, tn), kit.pair("sigma", t, tn)
    grown = max((b / a * s) ** 2 - r * r, 0.0)
    return (
        b / a * x
        + (1 - lam / 2) * a / b * grown * kit.score(model, x, t)
        + ((1 - lam) * grown) ** 0.5 * z
    )


def churn(kit: Kit, x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
    """Up by some noise, then down along the flow (σ/α as time, by Euler)."""
    h = t - tn
    up = ((1 - lam) * h) ** 0.5 * kit.number("diffusion", t)
    y = x + up * z
    # the noise raises the variance by as much as the flow has to lower it more
    s = kit.score(model, y, t)
    g2 = kit.number("diffusion", t) ** 2
    return y - h * (kit.number("rate", t) * y - g2 / 2 * s) + h * (1 - lam) * g2 / 2 * s


def heun(kit: Kit, x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
    a = plain(kit, x, t, model, 1.0)[0]
    return x - (t - tn) / 2 * (a + flow_first(kit, x - (t - tn) * a, tn, model, 1.0)[0])


def midpoint(kit: Kit, x: Any, t: float, tn: float, z: Any, model: Any, lam: float) -> Any:
    m = (t + tn) / 2
    half = x - (t - m) * flow_first(kit, x, t, model, 1.0)[0]
    return x - (t - tn) * plain(kit, half, m, model, 1.0)[0]


#: one step, for λ = 1 only, and for any λ in [0, 1] (below 0: all but DDIM's)
ODES = {"Heun": heun, "midpoint": midpoint}
NOISY = {
    "Euler": euler,
    "noise of the middle": milstein_late,
    "Heun after noise": heun_after_noise,
    "DDIM": ddim,
    "DDIM by ratio": ddim_by_ratio,
    "exponential": exponential,
    "churn": churn,
}
#: noises of mean 0 and variance 1 made from normal draws
WEAK = {
    "two points": np.sign,
    "three points": lambda z: 3**0.5 * np.sign(z) * (abs(z) > 0.9674215661017014),
}


def as_step(kit: Kit, inner: Callable[..., Any]) -> Callable[..., Any]:
    """With the signature that the check calls."""
    return lambda x, t, tn, z, model, lam: inner(kit, x, t, tn, z, model, lam)
