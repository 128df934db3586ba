"""Whether PyTorch code casts to 16 bits: in double precision such tables and times are exact, and
what they round to is not seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from scoreproof.interop.frameworks import require

__all__ = ["HALF", "half_seen"]

#: why a loss that holds in double precision is not said to hold
HALF = (
    "it casts to {kind}, and was looked at in double precision, in which the exact model is its"
    " minimiser; what {kind} rounds away is not judged (1 - ᾱ may be 0 in it, and two t one label):"
    " keep tables, t and x_t in float32, or pass dtype='float32', which judges the loss as it runs"
)


@contextmanager
def half_seen(framework: str) -> Iterator[set[str]]:
    """The types of 16 bits that are asked for, or worked with, while it lasts."""
    seen: set[str] = set()
    if framework != "torch":
        yield seen
        return
    torch = require("torch")
    from torch.overrides import TorchFunctionMode

    low = {torch.float16: "float16", torch.bfloat16: "bfloat16"}
    casts = {torch.Tensor.half: "float16", torch.Tensor.bfloat16: "bfloat16"}

    class Watch(TorchFunctionMode):
        def __torch_function__(
            self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: Any = None
        ) -> Any:
            kwargs = kwargs or {}
            if func in casts:
                seen.add(casts[func])
            for value in (*args, *kwargs.values()):
                kind = value.dtype if isinstance(value, torch.Tensor) else value
                if isinstance(kind, torch.dtype) and kind in low:
                    seen.add(low[kind])
            return func(*args, **kwargs)

    with Watch():
        yield seen
