"""A model of this library's own inside code that JAX traces: ``lax.scan``, ``fori_loop``, ``jit``.

Conventions: the model is asked with numbers, each time that the code is run, in the order of it.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np

__all__ = ["called_back", "finished", "not_there", "traced"]


def traced(*arguments: Any) -> bool:
    """Whether one of them stands for a number that is not known yet."""
    jax = sys.modules.get("jax")
    return jax is not None and any(isinstance(a, jax.core.Tracer) for a in arguments)


def called_back(function: Callable[[Any, Any], Any], x: Any, when: Any) -> Any:
    """``function(x, when)``, of the shape and type of x, called when the code is run."""
    import jax
    from jax.experimental import io_callback

    def run(rows: Any, time: Any) -> np.ndarray:
        rows = np.asarray(rows)
        return np.asarray(function(rows, np.asarray(time)), dtype=rows.dtype)

    out = jax.ShapeDtypeStruct(np.shape(x), x.dtype)
    return io_callback(run, out, x, when, ordered=True)


def finished(value: Any) -> Any:
    """The value, once everything that it is made of has been run."""
    jax = sys.modules.get("jax")
    return value if jax is None else jax.block_until_ready(value)


def not_there(error: BaseException) -> str:
    """What helps against an error of JAX where a model cannot be called back; empty for others."""
    if "IO callback" not in str(error):
        return ""
    return (
        "the exact model that is handed over can be asked inside jax.jit and lax.scan, but not"
        " under jax.vmap, jax.grad or jax.jvp: ask it for the whole batch at once, outside of these"
    )
