"""What a dispatch mode does not see of PyTorch: constants that are rounded as they are made from
Python's numbers, and copies of tensors.

Conventions: as in `doubled`. A mode over PyTorch's functions; nothing is patched.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

from scoreproof.interop.doubled import WIDE

__all__ = ["Constants"]

#: functions that make a tensor of Python's numbers
MAKERS: tuple[Callable[..., Any], ...] = (torch.tensor, torch.as_tensor, torch.asarray)


class Constants(TorchFunctionMode):
    """``torch.tensor([0.1], dtype=torch.float32)`` in double precision; deep copies as clones."""

    def __torch_function__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        kwargs = kwargs or {}
        if func in MAKERS or func is torch.Tensor.new_tensor:
            kwargs = _typed(func, args, kwargs)
        elif func is torch.Tensor.__deepcopy__:
            return _copied(*args, **kwargs)
        return func(*args, **kwargs)


def _typed(func: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The keywords with a wide type, where the numbers are not an array's, whose memory a result
    may share.
    """
    new = func is torch.Tensor.new_tensor
    data = args[1] if new and len(args) > 1 else args[0] if args and not new else None
    if hasattr(data, "dtype"):
        return kwargs
    given = kwargs.get("dtype")
    if given is None and new and _floats(data):
        given = args[0].dtype
    return {**kwargs, "dtype": WIDE[given]} if given in WIDE else kwargs


def _floats(data: Any) -> bool:
    if isinstance(data, list | tuple):
        return any(map(_floats, data))
    return isinstance(data, float)


def _copied(tensor: Any, memo: dict[int, Any]) -> Any:
    """A deep copy by way of the storage would read single precision as double."""
    if id(tensor) not in memo:
        copy = tensor.detach().clone().requires_grad_(tensor.requires_grad)
        memo[id(tensor)] = torch.nn.Parameter(copy) if type(tensor) is torch.nn.Parameter else copy
    return memo[id(tensor)]
