"""One operator of PyTorch, in double precision although the code asked for less.

Conventions: tensors of lower precision that go in are upcast, but for views of them, which share
their memory, and for those that are written into, which keep their type; what is new comes out in
double precision.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import torch

from scoreproof.interop.draws import Log

__all__ = ["LOW", "doubled"]

LOW = (torch.float32, torch.float16, torch.bfloat16)


def doubled(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any], log: Log) -> Any:
    """``func(*args, **kwargs)``, wide."""
    view, written, has_dtype = _traits(func)
    if view:
        return func(*args, **kwargs)
    target = next((args[i] for i in written if i < len(args) and _low(args[i])), None)
    if target is None:
        target = kwargs.get("out") if _low(kwargs.get("out")) else None
    if target is not None:
        log.note("writes into a tensor of lower precision, and rounds there")
        return func(*_mapped(args, target.dtype), **_mapped(kwargs, target.dtype))
    wide = _mapped(kwargs, torch.float64)
    if wide.get("dtype") in LOW:
        wide["dtype"] = torch.float64
    out = func(*_mapped(args, torch.float64), **wide)
    if has_dtype and wide.get("dtype") is None and _low(out):
        return func(*_mapped(args, torch.float64), **{**wide, "dtype": torch.float64})
    return _mapped(out, torch.float64) if _any_low(out) else out


@lru_cache(maxsize=4096)
def _traits(func: Any) -> tuple[bool, tuple[int, ...], bool]:
    """Whether it makes a view; which arguments it writes into; whether it takes ``dtype=``."""
    arguments = func._schema.arguments
    written = tuple(
        i for i, a in enumerate(arguments) if a.alias_info is not None and a.alias_info.is_write
    )
    return bool(func.is_view), written, any(a.name == "dtype" for a in arguments)


def _low(value: Any) -> bool:
    return isinstance(value, torch.Tensor) and value.dtype in LOW


def _any_low(value: Any) -> bool:
    return any(map(_low, value)) if isinstance(value, tuple | list) else _low(value)


def _mapped(value: Any, dtype: Any) -> Any:
    """The same with every floating tensor of another precision cast."""
    if isinstance(value, torch.Tensor):
        if value.dtype == dtype or not value.is_floating_point():
            return value
        return value.to(dtype)
    if isinstance(value, tuple | list):
        return type(value)(_mapped(v, dtype) for v in value)
    if isinstance(value, dict):
        return {k: _mapped(v, dtype) for k, v in value.items()}
    return value
