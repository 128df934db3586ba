"""The log density of the prior, for code that takes it as an argument, and a model as a module."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.public.log_likelihood.arguments import Job
from scoreproof.public.log_likelihood.model import Model

__all__ = ["handed_over", "normal_log_density", "theta_like"]


def normal_log_density(job: Job) -> Callable[[Any], Any]:
    """``log π(z)`` ``(n,)`` in the user's own library."""
    if callable(job.prior):
        return job.prior
    std = float(job.prior or 1.0)
    norm = job.d * (np.log(std) + 0.5 * np.log(2 * np.pi))

    def log_prior(z: Any) -> Any:
        flat = z.reshape(tuple(z.shape[: z.ndim - len(job.shape)]) + (job.d,))
        return -((flat / std) ** 2).sum(-1) / 2 - norm

    return log_prior


def theta_like(x: Any) -> tuple[Any, Any]:
    """A shift ``(d,)`` and the log of a scale, both 0, in the library and type of x."""
    flat = x.reshape(len(x), -1)[0]
    return 0 * flat, 0 * flat[0]


def handed_over(job: Job, model: Model, x: Any) -> Any:
    """The model, as a ``torch.nn.Module`` where its parameters ``shift`` and ``log_scale`` are
    differentiated.
    """
    if job.framework != "torch" or "params" not in job.gradients:
        return model
    torch = sys.modules["torch"]

    def forward(self: Any, *args: Any, **named: Any) -> Any:
        model.theta = self.shift, self.log_scale
        return model(*args, **named)

    made = type("ExactModel", (torch.nn.Module,), {"forward": forward})()
    made.shift, made.log_scale = (torch.nn.Parameter(v.detach()) for v in theta_like(x))
    made.sigma_min, made.sigma_max, made.label_dim = model.sigma_min, model.sigma_max, 0
    return made
