"""The exact model in the form that a sampler asks it in: any shape, any array library, a time for
the batch or one for each row.

Conventions: as in `data`. The model answers in the array kind and floating type it is asked in.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from scoreproof.errors import CallableError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.jax_callback import called_back, traced
from scoreproof.public.sampler.data import Data, Level, rates_of

__all__ = ["ExactModel", "LevelOf", "answer_like"]

LevelOf = Callable[[float], Level]


def answer_like(x: Any, value: np.ndarray) -> Any:
    """``value`` as an array of the kind, shape and type of ``x``."""
    package = type(x).__module__.split(".")[0]
    value = value.reshape(tuple(x.shape))
    if package == "torch":
        import torch

        return torch.as_tensor(value, dtype=x.dtype, device=x.device)
    if package in ("jax", "jaxlib"):
        import jax.numpy as jnp

        return jnp.asarray(value, dtype=x.dtype)
    kind = getattr(x, "dtype", None)
    return value.astype(kind) if kind is not None and kind.kind == "f" else value


@dataclass(eq=False)
class ExactModel:
    """``model(x, when)``; what it is asked is handed to ``seen(rows, level)``.

    Attributes beside: what samplers read off an EDM network.
    """

    data: Data
    level_of: LevelOf
    kind: str
    shape: tuple[int, ...]
    seen: Callable[[np.ndarray, Level], None] | None = None
    more: dict[str, float] = field(default_factory=dict)
    calls: int = 0

    sigma_min = 0.0
    sigma_max = float("inf")
    label_dim = 0

    def __call__(self, x: Any, when: Any, *args: Any, **kwargs: Any) -> Any:
        shape = tuple(np.shape(x))
        if shape[1:] != self.shape:
            raise CallableError(
                "sampler",
                f"ask its model at x of shape (n, {', '.join(map(str, self.shape))})",
                f"it passed shape {shape}",
                "the first axis is the batch; name the shape of one sample by shape=",
            )
        if traced(x, when):
            return called_back(self._answered, x, when)
        return self._answered(x, when)

    def _answered(self, x: Any, when: Any) -> Any:
        self.calls += 1
        rows = np.asarray(as_numpy(x), dtype=float)
        flat = rows.reshape(len(rows), -1)
        levels = [self.level_of(t) for t in self._times(when, len(rows))]
        if self.seen is not None:
            self.seen(flat, levels[0])
        alpha, sigma = (np.array([[getattr(v, n)] for v in levels]) for n in ("alpha", "sigma"))
        more = {**self.more, **(rates_of(levels) if self.kind == "velocity" else {})}
        return answer_like(x, self.data.predicted(flat, alpha, sigma, self.kind, **more))

    @staticmethod
    def round_sigma(sigma: Any) -> Any:
        """What EDM's samplers ask of a network: here all levels are known."""
        return sigma

    def _times(self, when: Any, rows: int) -> list[float]:
        times = np.asarray(as_numpy(when), dtype=float).ravel()
        if times.size not in (1, rows) or not np.all(np.isfinite(times)):
            raise CallableError(
                "sampler",
                "ask its model for one time, or one for each row",
                f"it passed {times.size} times for {rows} rows",
                "call model(x, t) with t a number, of shape (n,) or (n, 1, 1, 1)",
            )
        same = times.size == 1 or bool(np.all(times == times[0]))
        return [float(times[0])] if same else [float(t) for t in times]
