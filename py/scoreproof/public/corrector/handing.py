"""What stands for each argument of a kernel that is no source of random numbers.

Conventions: states are rows ``(n, D)``: x flat, or x and v side by side.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.draws import Draw, Log, serve
from scoreproof.public.corrector.arguments import Job
from scoreproof.public.corrector.law import Law
from scoreproof.public.sampler.asking import to_framework

__all__ = ["Given", "handed"]


@dataclass(frozen=True, eq=False)
class Given:
    """What one call is made of: ``x`` as the kernel gets it, ``state`` with v beside it, the step
    size ``h``; ``times_in_rows``: whether a time goes in as ``(n,)``.
    """

    law: Law
    x: Any
    state: np.ndarray
    h: float | None
    log: Log
    script: Callable[[Draw], np.ndarray]
    times_in_rows: bool


def handed(role: str, job: Job, given: Given) -> Any:
    """The argument that plays ``role``."""
    law, state = given.law, given.state
    if role == "x":
        return given.x
    if role == "v":
        return to_framework(state[:, job.d :], job.shape, job.framework, job.dtype)
    if role == "step_size":
        return given.h
    if role == "snr":
        return job.snr
    if role in ("t", "t_batch"):
        in_rows = role == "t_batch" or given.times_in_rows
        return _times(job, len(state)) if in_rows else job.t
    if role in ("noise", "uniform"):
        shape = (len(state), *job.shape) if role == "noise" else (len(state),)
        kind = "normal" if role == "noise" else "uniform"
        log = given.log
        draw = Draw(len(log.draws), shape, kind, f"the argument {role}", "float64", False)
        value = serve(given.script, log, draw).reshape(len(state), -1)
        return to_framework(value, shape[1:], job.framework, job.dtype)
    if role in ("mean", "cov", "precision"):
        value = {
            "mean": law.target.mean,
            "cov": law.target.covariance,
            "precision": law.target.precision,
        }[role]
        return to_framework(value[None], value.shape, job.framework, job.dtype)[0]
    return getattr(law, role)


def _times(job: Job, n: int) -> Any:
    times = np.full(n, job.t)
    if job.framework == "numpy":
        return times
    whole = job.framework == "torch" and isinstance(job.t, int)
    return to_framework(times, (), job.framework, "int64" if whole else job.dtype)
