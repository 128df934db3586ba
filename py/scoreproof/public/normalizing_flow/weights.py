"""Copies of a flow: in double precision, and with its trainable parameters moved.

Conventions: what the caller passed is never changed. A parameter that training may reach anywhere
may be moved; buffers and what needs no gradient stay.
"""

from __future__ import annotations

import copy
import inspect
from collections.abc import Iterator
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
    """A deep copy of an object of torch, or of a method that of its object; the same where it
    cannot be copied.
    """
    if inspect.isfunction(flow) or inspect.isbuiltin(flow) or inspect.isclass(flow):
        return flow
    try:
        if inspect.ismethod(flow):
            return getattr(copy.deepcopy(flow.__self__), flow.__name__)
        if type(flow).__name__ == "_InverseTransform":  # what it is the inverse of is not copied
            return copy.deepcopy(flow.inv).inv
        return copy.deepcopy(flow)
    except Exception:  # caches with weak references, generators
        return flow


def _doubled(value: Any, depth: int = 6, seen: set[int] | None = None) -> Any:
    """A copy's tensors of single precision in double precision, wherever it holds them."""
    torch = require("torch")
    seen = set() if seen is None else seen
    if torch.is_tensor(value):
        single = value.dtype in (torch.float32, torch.float16, torch.bfloat16)
        return value.double() if single and not isinstance(value, torch.nn.Parameter) else value
    if isinstance(value, tuple) and type(value) is tuple:
        return tuple(_doubled(v, depth - 1, seen) for v in value)
    if depth < 0 or id(value) in seen or inspect.isclass(value) or inspect.isroutine(value):
        return value
    seen.add(id(value))
    if isinstance(value, torch.nn.Module):
        value.double()
    if isinstance(value, list):
        value[:] = [_doubled(v, depth - 1, seen) for v in value]
    elif isinstance(value, dict):
        for key in value:
            value[key] = _doubled(value[key], depth - 1, seen)
    elif hasattr(value, "__dict__") and type(value).__name__ != "module":
        held = vars(value)
        for key in list(held):
            held[key] = _doubled(held[key], depth - 1, seen)
    return value


def asked(job: Job) -> tuple[Flow, bool]:
    """The flow, ready to be asked, in double precision where it runs in it; and whether its shape
    was found by trying.
    """
    if job.framework != "torch" or job.dtype is not None:
        return sized(Flow(job, _copied(job.flow)))
    first: CallableError | None = None
    for flow, base, dtype in _attempts(job):
        try:
            return sized(Flow(replace(job, dtype=dtype, base=base), flow))
        except CallableError as error:
            first = first or error
            last = error
    assert first is not None
    raise last if _of_types(first) else first


def _attempts(job: Job) -> Iterator[tuple[Any, Any, str]]:
    """Flow, base law and type: in double precision where nothing that is held is of single."""
    wide, base = _copied(job.flow), _copied(job.base)
    for copied, given in ((wide, job.flow), (base, job.base)):
        if copied is not given:
            _doubled(getattr(copied, "__self__", copied))
    mine = getattr(job.flow, "__self__", job.flow)
    others = [f for f in (job.inverse, job.log_prob) if getattr(f, "__self__", None) is not mine]
    if not holds_single((wide, base, *others)):
        yield wide, base, "float64"
    yield _copied(job.flow), job.base, "float32"
    if module_of(job.flow) is None and wide is not job.flow:  # a copy may have lost its cache
        yield job.flow, job.base, "float32" if holds_single(job.flow) else "float64"


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
