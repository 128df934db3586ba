"""Whose arrays a function takes: NumPy's, PyTorch's or JAX's.

Conventions: the likeliest first; floats in single precision where they are not NumPy's.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.interop.signatures import parameters
from scoreproof.public.called import LEVELS, TIMES

__all__ = ["WHEN", "libraries", "names_of"]

#: what an argument of timesteps, or of noise levels, is called
WHEN = (*TIMES, *LEVELS, "step", "steps", "k", "i")

Make = Callable[[np.ndarray], Any]


def libraries(function: Any) -> list[Make]:
    """How to make the arrays that it takes."""
    torch = sys.modules.get("torch")
    jax = sys.modules.get("jax.numpy")
    makers: list[Make] = [lambda v: v.copy()]
    if torch is not None:

        def tensor(v: np.ndarray) -> Any:
            if v.dtype.kind != "f":
                return torch.tensor(v, dtype=torch.int64)
            # a timestep that single precision would round is looked for as it is
            single = np.array_equal(v.astype(np.float32).astype(float), v)
            return torch.tensor(v, dtype=torch.float32 if single else torch.float64)

        makers.insert(0 if any(isinstance(v, torch.Tensor) for v in _held(function)) else 1, tensor)
    if jax is not None:
        makers.append(lambda v: jax.asarray(v, dtype=None if v.dtype.kind == "f" else int))
    return makers


def _held(function: Any) -> list[Any]:
    """What its object holds, or it closes over."""
    owner = getattr(function, "__self__", None)
    held = list(vars(owner).values()) if hasattr(owner, "__dict__") else []
    held += list(getattr(owner, "_buffers", {}).values())
    try:
        inner = inspect.getclosurevars(function)
    except (TypeError, ValueError):
        return held
    return [*held, *inner.nonlocals.values(), *inner.globals.values()]


def names_of(function: Any) -> list[str]:
    """Of its arguments."""
    return [p.name for p in parameters(function) or ()]
