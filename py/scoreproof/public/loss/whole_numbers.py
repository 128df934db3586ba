"""PyTorch's ``randint``, replaced: `draws_torch` leaves whole numbers as they are."""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from scoreproof.public.loss.served import Served

__all__ = ["Integers"]

NAMES = ("randint", "randint_like", "random_")
#: from here on it is the seed of a generator
SEED = 2**31 - 1


class Integers(TorchDispatchMode):
    """Numbers over the whole of what is asked for."""

    def __init__(self, source: Served) -> None:
        super().__init__()
        self.source, self.count = source, 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if func._schema.name.partition("::")[2] not in NAMES or not isinstance(out, torch.Tensor):
            return out
        names = [a.name for a in func._schema.arguments]
        given = dict(zip(names, args, strict=False)) | (kwargs or {})
        low = int(given.get("low", given.get("from", 0)) or 0)
        high = given.get("high", given.get("to"))
        if high is None or high >= SEED or not out.numel():
            return out
        value = self.source.integers(low, int(high), out.numel(), self.count)
        self.count += 1
        return out.copy_(torch.as_tensor(value).reshape(out.shape))
