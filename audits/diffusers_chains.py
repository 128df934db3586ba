"""What the audit of diffusers shares: schedulers as shipped, the law of a whole chain, and noise in
the place of random draws.

A step is affine in x and in its noise when the data are Gaussian and the model is exact, so the law
of a whole chain is read off one batch: one row for the mean, one for the spread, one with unit
noise at each step.
"""

from __future__ import annotations

import importlib
import inspect
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import diffusers
import numpy as np
import torch

warnings.filterwarnings("ignore")
diffusers.utils.logging.set_verbosity_error()
torch.set_num_threads(1)

P = "diffusers"
EPS32 = 2.0**-23
TRAIN = 1000
EPSILON = {
    "DDIMScheduler": {"clip_sample": False},
    "DDPMScheduler": {"clip_sample": False},
    "EulerDiscreteScheduler": {},
    "EulerAncestralDiscreteScheduler": {},
    "HeunDiscreteScheduler": {},
    "LMSDiscreteScheduler": {},
    "DPMSolverMultistepScheduler": {},
    "DPMSolverMultistepScheduler (sde)": {"algorithm_type": "sde-dpmsolver++"},
    "UniPCMultistepScheduler": {},
    "DEISMultistepScheduler": {},
}
ATOM = 0.7


def make(name: str, **more: Any) -> Any:
    kind = getattr(diffusers, name.split(" ")[0])
    known = inspect.signature(kind.__init__).parameters
    return kind(**{k: v for k, v in {**EPSILON.get(name, {}), **more}.items() if k in known})


def levels(
    scheduler: Any, timesteps: torch.Tensor, dtype: Any = torch.float32
) -> tuple[np.ndarray, np.ndarray]:
    """(α, σ) that the scheduler's own forward process (add_noise, scale_noise) uses at these
    timesteps.
    """
    one, zero = (
        torch.ones(len(timesteps), 1, dtype=dtype),
        torch.zeros(len(timesteps), 1, dtype=dtype),
    )

    def forward(x: torch.Tensor, noise: torch.Tensor) -> np.ndarray:
        out = (
            scheduler.scale_noise(x, timesteps, noise)
            if hasattr(scheduler, "scale_noise")
            else scheduler.add_noise(x, noise, timesteps)
        )
        return out.double().numpy().ravel()

    return forward(one, zero), forward(zero, one)


class _Doubled:
    """A module whose float32 is float64."""

    def __init__(self, module: Any) -> None:
        self.module = module

    def __getattr__(self, name: str) -> Any:
        return getattr(self.module, "float64" if name == "float32" else name)


@contextmanager
def doubled(kind: type) -> Iterator[None]:
    """Run a scheduler's own code in double precision: the ``float32`` that its module names is
    float64 for the while.
    """
    module = importlib.import_module(kind.__module__)
    kept = {n: getattr(module, n) for n in ("torch", "np") if hasattr(module, n)}
    for name, value in kept.items():
        setattr(module, name, _Doubled(value))
    try:
        yield
    finally:
        for name, value in kept.items():
            setattr(module, name, value)


@dataclass
class Chain:
    """A chain from the exact law at the first timestep: mean and std after each step, next to the
    forward process's.
    """

    alpha: np.ndarray  # at timesteps[0], …, timesteps[-1], and 1 at the end
    sigma: np.ndarray  # and 0
    mean: np.ndarray  # after each step
    std: np.ndarray


def chain(
    scheduler: Any,
    n: int,
    mean: float,
    var: float,
    dtype: Any = torch.float32,
    exact_start: int = 0,
) -> Chain:
    """Run ``n`` steps with the exact model of data N(mean, var); the results of the first
    ``exact_start`` are replaced by the exact flow's.
    """
    scheduler.set_timesteps(n)
    timesteps = scheduler.timesteps
    alpha, sigma = levels(scheduler, timesteps, dtype)
    steps, module = len(timesteps), importlib.import_module(type(scheduler).__module__)
    spread = float(np.sqrt(alpha[0] ** 2 * var + sigma[0] ** 2))
    x = np.full((steps + 2, 1), alpha[0] * mean)
    x[1] += spread
    noises = np.zeros((steps, steps + 2, 1))
    for k in range(steps):
        noises[k, 2 + k] = 1.0
    now = [0]
    kept = getattr(module, "randn_tensor", None)
    module.randn_tensor = lambda *a, **k: torch.tensor(noises[now[0]], dtype=dtype)
    means, stds = [], []
    try:
        sample = torch.tensor(x, dtype=dtype)
        for k, t in enumerate(timesteps):
            now[0] = k
            a, s = alpha[k], sigma[k]
            y = sample.double().numpy()
            x0 = mean + var * a / (a**2 * var + s**2) * (y - a * mean)
            eps = (y - a * x0) / s
            kind = getattr(scheduler.config, "prediction_type", "flow")
            norm = np.hypot(a, s)  # 1 for variance-preserving schedules; v is that of x / norm
            out = {
                "epsilon": eps,
                "flow": eps - x0,
                "sample": x0,
                "v_prediction": (a * eps - s * x0) / norm,
            }[kind]
            (
                scheduler.scale_model_input(sample, t)
                if hasattr(scheduler, "scale_model_input")
                else None
            )
            sample = scheduler.step(torch.tensor(out, dtype=dtype), t, sample, return_dict=False)[0]
            if k < exact_start:
                stretch = np.sqrt(
                    (alpha[k + 1] ** 2 * var + sigma[k + 1] ** 2) / (a**2 * var + s**2)
                )
                sample = torch.tensor(alpha[k + 1] * mean + stretch * (y - a * mean), dtype=dtype)
            z = sample.double().numpy().ravel()
            means.append(z[0])
            stds.append(np.sqrt((z[1] - z[0]) ** 2 + np.sum((z[2:] - z[0]) ** 2)))
    finally:
        if kept is not None:
            module.randn_tensor = kept
    return Chain(np.append(alpha, 1.0), np.append(sigma, 0.0), np.array(means), np.array(stds))


def law_error(
    c: Chain,
    mean: float,
    var: float,
    *,
    eps: float = EPS32,
    ends_at: tuple[float, float] | None = (1.0, 0.0),
) -> tuple[float, float, int]:
    """Worst error of mean and std over the chain, in units of the std (where that is 0: of the
    mean): (error, its bound, the step).

    ``ends_at`` is the (α, σ) that the last step should reach; None leaves the last step out.
    """
    a, s, m, sd = c.alpha.copy(), c.sigma.copy(), c.mean, c.std
    if ends_at is None:
        a, s, m, sd = a[:-1], s[:-1], m[:-1], sd[:-1]
    else:
        a[-1], s[-1] = ends_at
    right = np.sqrt(a[1:] ** 2 * var + s[1:] ** 2)
    scale = np.where(right > 0, right, abs(mean) or 1.0)
    # a step forms x_0 from x and ε with some 16 roundings (of numbers of size |x| + σ, divided by α
    # where it forms x_0) and weighs it with the next α; 1 - ᾱ is a difference of numbers of size 1
    with np.errstate(divide="ignore"):
        growth = np.where(a[:-1] > 0, a[1:] / a[:-1], 1.0)
    vp = a**2 + s**2 < 1.5
    rounding = 16 * eps * np.cumsum((3 + 3 * growth) * (1 + abs(mean) / scale)) + np.where(
        vp[1:] & (s[1:] > 0), eps / np.maximum(s[1:], 1e-12) ** 2, 0
    )
    error = np.maximum(np.abs(m - a[1:] * mean), np.abs(sd - right)) / scale
    k = int(np.argmax(np.where(np.isfinite(error), error / rounding, np.inf)))
    return float(error[k]), float(rounding[k]), k


def after(scheduler: Any, k: int) -> str:
    """The timestep after the k-th, in words."""
    names = [f"{t:g}" for t in scheduler.timesteps.tolist()] + ["the data"]
    return f"from timestep {names[k]} to {names[k + 1]}"


def with_noise(
    scheduler: Any, noise: torch.Tensor, *arguments: Any, **options: Any
) -> torch.Tensor:
    """``scheduler.step`` with ``noise`` in the place of its random draws."""
    module = importlib.import_module(type(scheduler).__module__)
    kept = getattr(module, "randn_tensor", None)
    module.randn_tensor = lambda *a, **k: noise
    try:
        with doubled(type(scheduler)):
            return scheduler.step(*arguments, return_dict=False, **options)[0]
    finally:
        if kept is not None:
            module.randn_tensor = kept
