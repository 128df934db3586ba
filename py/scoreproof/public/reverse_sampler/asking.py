"""How the user's sampler is asked: for drift and noise, or for a step of a batch of rows.

Conventions: drifts are for dt < 0 whatever the caller's clock; a noise's covariance is per unit of
time.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.public.reverse_sampler.arguments import Job
from scoreproof.public.reverse_sampler.model import exact_model
from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = ["ask_sde", "ask_step", "subject"]


def ask_sde(
    job: Job, target: Diffused, x: np.ndarray, t: float, lam: float
) -> tuple[np.ndarray, np.ndarray]:
    """Drift ``(n, d)`` and the variances ``(d,)`` of the noise, from one call."""
    result = job.call.raw(x, t, _model(job, target, x, t), *job.last(lam))
    if not isinstance(result, tuple | list) or len(result) != 2:
        raise CallableError(
            "sampler",
            "return the pair (drift, noise)",
            f"it returned {type(result).__name__}",
            'a one-step sampler needs form="step"',
        )
    drift = _real(job.call.accept(result[0], x.shape, "a drift"))
    noise = _real(job.call.accept(result[1], x.shape, "a noise coefficient"))
    squares = noise**2
    if np.max(np.ptp(squares, axis=0)) > 1e3 * job.call.eps * float(np.max(squares)):
        raise CallableError(
            "sampler",
            "return a noise coefficient that depends on t only",
            "it varies with x",
            "the family has noise √(1-λ) g(t)",
        )
    return job.sign * drift, squares[0]


def ask_step(
    job: Job, target: Diffused, x: np.ndarray, z: np.ndarray, times: tuple[float, float], lam: float
) -> np.ndarray:
    """Images of the rows x under a step from ``times[0]`` down to ``times[1]`` with noises z."""
    out = job.call(x, *times, z, _model(job, target, x, times[0]), *job.last(lam), shape=x.shape)
    return _real(out)


def _model(job: Job, target: Diffused, x: np.ndarray, t: float) -> Callable[[Any, Any], Any]:
    exact = exact_model(target, job.prediction)
    return exact if job.model is None else job.model(target, x, t)


def subject(job: Job) -> Callable[[Any, np.ndarray, float, float], tuple[np.ndarray, float]]:
    """Drift and noise with the signature of the claim's formula, the noise as its mean variance."""

    def ask(target: Diffused, x: np.ndarray, t: float, lam: float) -> tuple[np.ndarray, float]:
        drift, squares = ask_sde(job, target, x, t, lam)
        return drift, float(np.mean(squares))

    return ask


def _real(values: np.ndarray) -> np.ndarray:
    if np.iscomplexobj(values):
        raise CallableError(
            "sampler",
            "return real numbers",
            "it returned complex ones",
            "check the square root of 1 - λ",
        )
    return values
