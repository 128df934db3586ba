"""Layers that are frozen at the identity: statistics that no data have moved yet, in a copy.

Conventions: of a running mean, a variance or a scale that is 0 or 1 throughout, its terms of
log_det are 0 whatever their sign and factor; what is moved keeps ones positive. Masks, permutations
and what belongs to a base law stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy
from scoreproof.interop.copies import copied
from scoreproof.interop.frameworks import require
from scoreproof.public.normalizing_flow.asking import Flow
from scoreproof.public.normalizing_flow.frameworks import module_of
from scoreproof.public.normalizing_flow.weights import beside
from scoreproof.streams import stream

__all__ = ["thawed"]

BY = 0.3
#: names of what data, or a checkpoint, set
SET = re.compile(r"mean|var|std|scale|bias|shift|logs|log_s|weight|gamma|beta|mu|sigma")
#: of these two it is known that one does not follow from the other
APART = ("running_mean", "running_var")
#: parts of a flow that are no layer
LAWS = re.compile(r"base|prior|dist|q0|latent|mask|perm")


def thawed(flow: Flow) -> tuple[Flow, list[str], bool] | None:
    """A copy with such buffers and frozen parameters moved, their names, and whether all of them
    are known to be free of each other; ``None`` where there are none.
    """
    module = module_of(flow.object)
    if module is None or not flow.job.moved or not list(_frozen(module)):
        return None
    torch = require("torch")
    other, stands = copied(flow.object)
    mine = module_of(other)
    if mine is module:
        return None
    rng = stream(flow.job.seed, "normalizing_flow", "buffers")
    names = []
    with torch.no_grad():
        for name, tensor in _frozen(mine):
            value = as_numpy(tensor).astype(float)
            step = BY * rng.standard_normal(value.shape)
            value = value * np.exp(step) if np.all(value == 1) else value + step
            tensor.copy_(torch.tensor(value, dtype=tensor.dtype))
            names.append(name)
    result = Flow(beside(flow.job, stands), other, flow.calls)
    result.seed = flow.seed
    return result, names, all(name.split(".")[-1] in APART for name in names)


def _frozen(module: Any) -> Iterator[tuple[str, Any]]:
    held = ((n, p) for n, p in module.named_parameters() if not p.requires_grad)
    for name, tensor in (*module.named_buffers(), *held):
        if not tensor.is_floating_point() or not tensor.numel() or LAWS.search(name):
            continue
        value = as_numpy(tensor)
        if SET.search(name.split(".")[-1]) and (np.all(value == 0) or np.all(value == 1)):
            yield name, tensor
