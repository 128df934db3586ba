"""The process of an object that has ``marginal_prob(x, t)``, as score_sde's have.

Conventions: ``marginal_prob`` returns the mean and the deviation of x_t of given data, ``sde`` the
drift and g(t); both take a batch of tensors, or of JAX arrays.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy
from scoreproof.interop.frameworks import require

__all__ = ["of_marginals"]

#: score_sde's code takes images
IMAGE = (1, 1, 1, 1)


def of_marginals(given: Any) -> Any:
    """With ``alpha(t)``, ``sigma(t)`` and, where there is an ``sde(x, t)``, ``diffusion(t)``; as it
    is where it has no ``marginal_prob``.
    """
    if not callable(getattr(given, "marginal_prob", None)):
        return given

    def asked(method: Any, t: float) -> tuple[float, float]:
        ones = np.ones(IMAGE), np.full(1, float(t))
        try:
            torch = require("torch")
            found = method(*(torch.from_numpy(v) for v in ones))
        except Exception:  # of JAX or NumPy
            found = None
        try:
            found = method(*ones) if found is None else found
            first, second = (float(np.ravel(as_numpy(v))[0]) for v in found)
        except Exception as error:
            raise ArgumentError(
                "process",
                "one whose marginal_prob(x, t) and sde(x, t) take images (1, 1, 1, 1) and t (1,)",
                f"{type(error).__name__}: {error}",
                "pass a pair of functions (alpha, sigma)",
            ) from error
        return first, second

    out = SimpleNamespace(
        alpha=lambda t: asked(given.marginal_prob, t)[0],
        sigma=lambda t: asked(given.marginal_prob, t)[1],
    )
    horizon = getattr(given, "T", 1.0)
    if np.ndim(horizon) == 0 and not callable(horizon):
        out.horizon = float(horizon)
    if callable(getattr(given, "sde", None)):
        out.diffusion = lambda t: asked(given.sde, t)[1]
    return out
