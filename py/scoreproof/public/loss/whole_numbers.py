"""PyTorch's ``randint``, ``randperm`` and ``multinomial`` with equal chances, replaced:
`draws_torch` leaves whole numbers as they are.
"""

from __future__ import annotations

from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from scoreproof.public.loss.served import Served

__all__ = ["Integers"]

OTHERS = ("randperm", "multinomial")
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
        kind = func._schema.name.partition("::")[2]
        if kind not in (*NAMES, *OTHERS) or not isinstance(out, torch.Tensor):
            return out
        names = [a.name for a in func._schema.arguments]
        given = dict(zip(names, args, strict=False)) | (kwargs or {})
        if kind in OTHERS:
            value = self._permutation(out) if kind == "randperm" else self._choice(out, given)
            return out if value is None else out.copy_(torch.as_tensor(value).reshape(out.shape))
        low = int(given.get("low", given.get("from", 0)) or 0)
        high = given.get("high", given.get("to"))
        if high is None or high >= SEED or not out.numel():
            return out
        value = self.source.integers(low, int(high), out.numel(), self.count)
        self.count += 1
        return out.copy_(torch.as_tensor(value).reshape(out.shape))

    def _permutation(self, out: torch.Tensor) -> Any:
        rows = len(self.source.noise)
        if out.numel() < 2 * rows:  # the rows of the batch, in disorder
            return None
        self.count += 1
        return self.source.permutation(out.numel(), rows, self.count - 1)

    def _choice(self, out: torch.Tensor, given: dict[str, Any]) -> Any:
        """Of equal chances, those of 0 left out at both ends."""
        chances = torch.as_tensor(given["self"]).reshape(-1)
        drawn = torch.nonzero(chances).ravel()
        one = out.numel() == out.shape[-1] and len(drawn) > 0
        if not one or not bool((chances[drawn[0] : drawn[-1] + 1] == chances[drawn[0]]).all()):
            return None
        if not given.get("replacement") and 2 * out.numel() > len(drawn):
            return None
        low, high = int(drawn[0]), int(drawn[-1]) + 1
        self.count += 1
        return self.source.integers(low, high, out.numel(), self.count - 1)
