"""Copies of a flow: in double precision, and with its trainable parameters moved.

Conventions: what the caller passed is never changed. A parameter that training may reach anywhere
may be moved; buffers and what needs no gradient stay.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.copies import copied
from scoreproof.interop.frameworks import require
from scoreproof.interop.widened import following, widened, widened_together
from scoreproof.public.normalizing_flow.arguments import Job
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.frameworks import module_of
from scoreproof.public.normalizing_flow.points import sized
from scoreproof.streams import stream

__all__ = ["apart", "asked", "beside", "moved"]

BY = 0.1


def asked(job: Job) -> tuple[Flow, bool]:
    """The flow, ready to be asked, in double precision where it runs in it; and whether its shape
    was found by trying.
    """
    if job.framework != "torch" or job.dtype is not None:
        return sized(_copy(job))
    first: CallableError | None = None
    for mine, flow in _attempts(job):
        try:
            found, tried = sized(Flow(mine, flow))
            _answers(found)
            return found, tried
        except CallableError as error:
            first = first or error
            last = error
    assert first is not None
    raise last if _of_types(first) else first


def _attempts(job: Job) -> Iterator[tuple[Job, Any]]:
    """The job and its flow: in double precision first, where all that is found is of it."""
    flow, stands = copied(job.flow)
    own = beside(job, stands)
    wide, inverse, log_prob, base = widened_together(flow, own.inverse, own.log_prob, own.base)
    yield replace(own, inverse=inverse, log_prob=log_prob, base=base, dtype="float64"), wide
    yield replace(own, dtype="float32"), flow
    if module_of(job.flow) is None and flow is not job.flow:  # a copy may have lost its cache
        single = widened(job.flow) is not None
        yield replace(job, dtype="float32" if single else "float64"), job.flow


def beside(job: Job, stands: Mapping[int, Any]) -> Job:
    """The job with its functions beside the flow asking the flow's copy."""
    return replace(
        job,
        inverse=following(job.inverse, stands),
        log_prob=following(job.log_prob, stands),
        base=following(job.base, stands),
    )


def _copy(job: Job) -> Flow:
    flow, stands = copied(job.flow)
    return Flow(beside(job, stands), flow)


def _answers(flow: Flow) -> None:
    """Raises ``CallableError`` where a copy does not take the type: the first points that a layer
    sees may set its scales.
    """
    job = flow.job
    x = stream(job.seed, "normalizing_flow", "type").uniform(0.1, 0.9, (3, job.d))
    x = x if job.points is None else job.points
    other, stands = copied(flow.object)
    probe = Flow(beside(job, stands), other)
    try:
        probe.forward(x)
        probe.log_prob(x)
    except CallableError as error:
        if _of_types(error):
            raise


def _of_types(error: CallableError | None) -> bool:
    return error is not None and ("dtype" in error.got or "Double" in error.got)


def apart(flow: Flow, copy: Flow) -> list[str]:
    """What was passed beside the flow and was not seen to ask it: the copy's is the same."""
    names = ("inverse", "log_prob")
    given = [(n, getattr(flow.job, n), getattr(copy.job, n)) for n in names]
    return [n for n, mine, other in given if mine is not None and mine is other]


def moved(flow: Flow) -> Flow | None:
    """A copy with moved parameters; ``None`` where there are none."""
    module = module_of(flow.object)
    if module is None or not flow.job.moved:
        return None
    torch = require("torch")
    other, stands = copied(flow.object)
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
    result = Flow(beside(flow.job, stands), other, flow.calls)
    result.seed = flow.seed
    return result
