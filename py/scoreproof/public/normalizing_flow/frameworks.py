"""Which library a flow is written in, and its random numbers held fixed.

Conventions: a library that was never imported is not imported here.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

__all__ = ["framework_of", "module_of", "steady"]

OF_JAX = ("jax", "jaxlib", "equinox", "flowjax", "distrax", "flax", "haiku")


def module_of(value: Any) -> Any:
    """The torch module that ``value`` is, or whose method it is; ``None`` for anything else."""
    torch = sys.modules.get("torch")
    if torch is None:
        return None
    owner = getattr(value, "__self__", value)
    return owner if isinstance(owner, torch.nn.Module) else None


def framework_of(value: Any) -> str:
    """``numpy``, ``torch`` or ``jax``, by what made it.

    >>> framework_of(lambda x: x)
    'numpy'
    """
    if module_of(value) is not None:
        return "torch"
    owner = getattr(value, "__self__", value)
    families = {str(c.__module__).partition(".")[0] for c in type(owner).__mro__}
    name = str(type(owner).__module__)
    if families & {"torch", "pyro", "zuko"}:
        return "torch"
    if families & set(OF_JAX) or name.startswith("tensorflow_probability.substrates.jax"):
        return "jax"
    written = _written_in(value)
    if written:
        return written
    torch = sys.modules.get("torch")
    held = list(vars(owner).values()) if hasattr(owner, "__dict__") else []
    if torch is not None and any(torch.is_tensor(v) or module_of(v) is not None for v in held):
        return "torch"
    return "numpy"


def _written_in(function: Any) -> str:
    """By what a function's own lines name, or close over; empty where they tell nothing."""
    code = getattr(function, "__code__", None)
    if code is None:
        return ""
    cells = [c.cell_contents for c in function.__closure__ or () if _filled(c)]
    named = [function.__globals__.get(n) for n in code.co_names]
    for value in (*cells, *(v for v in named if v is not None)):
        if module_of(value) is not None:
            return "torch"
        kind = getattr(value, "__name__", None) if _is_module(value) else type(value).__module__
        family = str(kind).partition(".")[0]
        if family == "torch":
            return "torch"
        if family in OF_JAX:
            return "jax"
    return ""


def _filled(cell: Any) -> bool:
    try:
        return cell.cell_contents is not cell
    except ValueError:
        return False


def _is_module(value: Any) -> bool:
    return type(value).__name__ == "module"


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
