"""Copies of a flow: in double precision, and with its trainable parameters moved.

Conventions: what the caller passed is never changed. A parameter that training may reach anywhere
may be moved; buffers and what needs no gradient stay.
"""

from __future__ import annotations

import copy
import inspect
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.public.normalizing_flow.arguments import Job
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.frameworks import holds_single, module_of
from scoreproof.public.normalizing_flow.points import sized
from scoreproof.streams import stream

__all__ = ["asked", "moved"]

BY = 0.1


def _copied(flow: Any) -> Any:
    """A deep copy; of a method, that of its object; the same where it cannot be copied."""
    try:
        if inspect.ismethod(flow) and module_of(flow) is not None:
            return getattr(copy.deepcopy(flow.__self__), flow.__name__)
        return copy.deepcopy(flow) if module_of(flow) is not None else flow
    except Exception:  # caches with weak references, generators
        return flow


def _doubled(module: Any) -> None:
    """Parameters, buffers, and tensors that are plain attributes."""
    module.double()
    torch = require("torch")
    for part in module.modules():
        for name, value in list(vars(part).items()):
            if torch.is_tensor(value) and value.dtype == torch.float32:
                setattr(part, name, value.double())


def asked(job: Job) -> tuple[Flow, bool]:
    """The flow, ready to be asked, in double precision where it runs in it; and whether its shape
    was found by trying.
    """
    if job.framework != "torch" or job.dtype is not None:
        return sized(Flow(job, _copied(job.flow)))
    first: CallableError | None = None
    for dtype in ("float64", "float32"):
        flow = _copied(job.flow)
        module = module_of(flow)
        if dtype == "float64":
            if module is not None and flow is not job.flow:
                _doubled(module)
            if holds_single((flow, job.base, job.inverse, job.log_prob)):
                continue
        try:
            return sized(Flow(replace(job, dtype=dtype), flow))
        except CallableError as error:
            first = first or error
            last = error
    assert first is not None
    raise last if _of_types(first) else first


def _of_types(error: CallableError | None) -> bool:
    return error is not None and ("dtype" in error.got or "Double" in error.got)


def moved(flow: Flow) -> Flow | None:
    """A copy with moved parameters; ``None`` where there are none."""
    module = module_of(flow.object)
    if module is None or not flow.job.moved:
        return None
    torch = require("torch")
    other = _copied(flow.object)
    mine = module_of(other)
    if mine is module:
        return None
    rng = stream(flow.job.seed, "normalizing_flow", "weights")
    changed = False
    with torch.no_grad():
        for parameter in mine.parameters():
            if parameter.requires_grad and parameter.is_floating_point():
                step = BY * rng.standard_normal(tuple(parameter.shape))
                value = as_numpy(parameter).astype(float) + np.asarray(step)
                parameter.copy_(torch.tensor(value, dtype=parameter.dtype))
                changed = True
    if not changed:
        return None
    result = Flow(flow.job, other, flow.calls)
    result.seed = flow.seed
    return result
