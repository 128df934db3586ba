"""The log density of the prior, for code that takes it as an argument."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.public.log_likelihood.arguments import Job

__all__ = ["normal_log_density"]


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
