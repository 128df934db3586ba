"""The PyTorch module that a flow is of, and its random numbers held fixed.

Conventions: a library that was never imported is not imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["module_of", "steady"]


def module_of(value: Any) -> Any:
    """The torch module that ``value`` is, or whose method it is; ``None`` for anything else."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    owner = getattr(value, "__self__", value)
    return owner if isinstance(owner, torch.nn.Module) else None


@contextmanager
def steady(seed: int) -> Iterator[None]:
    """Global generators of NumPy and PyTorch start alike meanwhile, and are given back."""
    torch = sys.modules.get("torch")
    before = np.random.get_state()
    state = None if torch is None else torch.random.get_rng_state()
    np.random.seed(seed)
    if torch is not None:
        torch.manual_seed(seed)
    try:
        yield
    finally:
        np.random.set_state(before)
        if torch is not None:
            torch.random.set_rng_state(state)
