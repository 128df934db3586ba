"""PyTorch's default type, set for a while: one for all threads, and checks may run in several.

Conventions: whoever leaves last gives back what the first found; whoever leaves earlier leaves the
type of those who are still in.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from threading import RLock
from typing import Any

import torch

__all__ = ["default_type"]

_lock = RLock()
#: those who are in, with the types they want; before them what the first found
_inside: list[tuple[object, Any]] = []


@contextmanager
def default_type(dtype: Any) -> Iterator[None]:
    """Tensors of no stated type are of ``dtype`` meanwhile."""
    me = object()
    with _lock:
        if not _inside:
            _inside.append((None, torch.get_default_dtype()))
        _inside.append((me, dtype))
        torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        with _lock:
            _inside[:] = [entry for entry in _inside if entry[0] is not me]
            torch.set_default_dtype(_inside[-1][1])
            if len(_inside) == 1:
                _inside.clear()
