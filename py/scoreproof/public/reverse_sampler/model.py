"""The exact model in the form that the sampler takes.

Conventions: predictions as in `scoreproof.objects.parameterizations`; ``velocity`` = f -
g²/2·score, ``F`` with σ_data = 0.5. The model answers in the array kind and floating type it is
asked in.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.objects.parameterizations import convert
from scoreproof.public.reverse_sampler.targets import Diffused

__all__ = ["answer_like", "exact_model"]


def answer_like(x: Any, value: np.ndarray) -> Any:
    """``value`` as an array of the kind and dtype of ``x`` (NumPy, PyTorch, JAX)."""
    package = type(x).__module__.split(".")[0]
    if package == "torch":
        import torch

        return torch.as_tensor(np.array(value), dtype=x.dtype, device=x.device)
    if package in ("jax", "jaxlib"):
        import jax.numpy as jnp

        return jnp.asarray(value, dtype=x.dtype)
    kind = getattr(x, "dtype", None)
    return value.astype(kind) if kind is not None and kind.kind == "f" else value


def _time(t: Any, rows: int) -> np.ndarray:
    times = np.asarray(as_numpy(t), dtype=float).ravel()
    if times.size not in (1, rows):
        raise CallableError(
            "sampler",
            "ask its model for one time, or one for each row",
            f"it passed {times.size} times for {rows} rows",
            "call model(x, t) with t a number or of shape (n,)",
        )
    return times


def exact_model(target: Diffused, prediction: str) -> Callable[[Any, Any], Any]:
    """The exact ``model(x, t)`` of that kind for ``target``; answers in the array kind it is asked
    in.
    """

    def at(x: np.ndarray, t: float) -> np.ndarray:
        try:
            return inside(x, t)
        except (ArithmeticError, ValueError, CallableError):
            # a process may have no law there: a sampler that asks (at 1000 t, say) gets an answer,
            # of the nearest time, and is judged by what it makes of it
            if 0 <= t <= target.horizon or not np.isfinite(t):
                raise
            return inside(x, float(np.clip(t / target.horizon, 1e-3, 1 - 1e-3)) * target.horizon)

    def inside(x: np.ndarray, t: float) -> np.ndarray:
        s = target.score(x, t)
        if prediction == "score":
            return s
        if prediction == "velocity":
            return target.drift(x, t) - target.diffusion(t) ** 2 / 2 * s
        alpha, shift, var = target.level(t)
        with np.errstate(all="ignore"):  # a sampler may ask at a time where α is 0
            return convert(s, x - shift, "score", prediction, alpha, var**0.5)

    def model(x: Any, t: Any) -> Any:
        points = np.asarray(as_numpy(x), dtype=float)
        if points.ndim != 2 or points.shape[1] != target.dimension:
            raise CallableError(
                "sampler",
                f"ask its model at points of shape (n, {target.dimension})",
                f"it passed shape {points.shape}",
                "points are rows",
            )
        times = _time(t, len(points))
        if np.all(times == times[0]):
            value = at(points, float(times[0]))
        else:
            value = np.concatenate(
                [at(row[None], float(u)) for row, u in zip(points, times, strict=True)]
            )
        return answer_like(x, value)

    return model
