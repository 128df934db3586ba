"""How the object's forward process is asked: α and σ at every timestep, from one call each.

Conventions: ``add_noise(x_0, noise, t)`` with integer timesteps, one a row; guided-diffusion's
``q_sample(x_start, t, noise)`` is told by the names of its arguments.
"""

from __future__ import annotations

import inspect
import sys
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.public.schedule.arguments import Given

__all__ = ["forward_levels"]


def forward_levels(given: Given, times: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """α and σ at these timesteps ``(n,)``, the least favourable entry of a sample each, and the
    unit roundoff of what came back.
    """
    shape = (len(times), *given.shape)
    one, zero = np.ones(shape), np.zeros(shape)
    try:
        x, eps = _called(given, one, zero, times)
        z, _ = _called(given, zero, one, times)
    except CallableError:
        raise
    except Exception as error:
        raise CallableError(
            "add_noise",
            "return x_t for add_noise(x_0, noise, t)",
            f"it raised {type(error).__name__}: {error}",
            "t are integer timesteps, one for each sample; name their shape by shape=",
        ) from error
    return x, z, eps


def _called(
    given: Given, x0: np.ndarray, noise: np.ndarray, times: np.ndarray
) -> tuple[np.ndarray, float]:
    assert given.forward is not None
    a, b, t = (_like(given, v) for v in (x0, noise, times))
    names = _names(given.forward)
    if given.noise_last or "noise" in names and names.index("noise") == 2:
        out = given.forward(a, t, b)
    else:
        out = given.forward(a, b, t)
    out = out[0] if isinstance(out, tuple) else out
    rows = np.asarray(as_numpy(out), dtype=float)
    if rows.shape != x0.shape:
        raise CallableError(
            "add_noise",
            f"return shape {x0.shape}",
            f"it returned shape {rows.shape}",
            "√ᾱ_t and √(1 - ᾱ_t) must be broadcast to the shape of x_0",
        )
    flat = rows.reshape(len(rows), -1)
    # all entries of a sample have the same α: one that differs is the one to look at
    k = np.argmax(np.abs(flat - np.median(flat, axis=1, keepdims=True)), axis=1)
    eps = unit_roundoff(out) if hasattr(out, "dtype") else 0.0
    return flat[np.arange(len(flat)), k], eps


def _names(function: Any) -> list[str]:
    try:
        return list(inspect.signature(function).parameters)
    except (TypeError, ValueError):
        return []


def _like(given: Given, value: np.ndarray) -> Any:
    """In torch where the object's function is torch's."""
    torch = sys.modules.get("torch")
    owner = getattr(given.forward, "__self__", None)
    held = vars(owner).values() if hasattr(owner, "__dict__") else ()
    buffers = getattr(owner, "_buffers", {})
    if torch is None or not any(isinstance(v, torch.Tensor) for v in [*held, *buffers.values()]):
        return value
    return torch.tensor(value, dtype=torch.float32 if value.dtype.kind == "f" else torch.int64)
