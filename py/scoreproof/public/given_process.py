"""The forward process in whatever form it is handed over, as one object.

Conventions: ``x_t = α x_0 + σ ε``; σ is a standard deviation. Times of a table are its indices.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import as_numpy, unit_roundoff
from scoreproof.objects.discrete import DiscreteVP
from scoreproof.public.of_marginal_prob import of_marginals

__all__ = ["DOUBLE", "NoiseList", "process_given"]

DOUBLE = float(np.finfo(float).eps)
TABLES = ("betas", "alphas_cumprod", "sigmas")


def process_given(given: Any, tables: Sequence[str] = TABLES) -> tuple[Any, float]:
    """``(process, eps)``: an object with ``alpha(t)`` and ``sigma(t)``, and the spacing at 1 of
    the numbers that it was given as. Raises ``ArgumentError``.

    It may be given as one; as a pair of functions; as ``"flow"``, (1 - t) x_0 + t ε; as an object
    with ``marginal_prob(x, t)``; as a mapping, or an object such as a scheduler, that has one of
    ``tables``.

    >>> process_given((lambda t: 1 - t, lambda t: t))[0].sigma(0.25)
    0.25
    >>> process_given({"betas": [0.1, 0.2, 0.3]})[0].steps
    3
    """
    if isinstance(given, str):
        if given != "flow":
            raise ArgumentError(
                "process",
                "'flow' (x_t = (1 - t) x_0 + t ε), or an object",
                repr(given),
                "pass an object with alpha(t) and sigma(t), or a pair of functions (alpha, sigma)",
            )
        given = (lambda t: 1 - t, lambda t: t)
    if isinstance(given, tuple) and len(given) == 2 and all(map(callable, given)):
        given = SimpleNamespace(alpha=given[0], sigma=given[1])
    if not callable(getattr(given, "alpha", None)):
        given = of_marginals(given)
    if isinstance(given, Mapping) or not callable(getattr(given, "alpha", None)):
        return _table(given, tables)
    return given, DOUBLE


def _table(given: Any, tables: Sequence[str]) -> tuple[Any, float]:
    for name in tables:
        value = given.get(name) if isinstance(given, Mapping) else getattr(given, name, None)
        if value is None or callable(value):
            continue
        eps = unit_roundoff(value) if hasattr(value, "dtype") else DOUBLE
        array = np.asarray(as_numpy(value), dtype=float)
        if name == "betas":
            return DiscreteVP(array), eps or DOUBLE
        if name == "alphas_cumprod":
            return DiscreteVP.of_alphas_cumprod(array), eps or DOUBLE
        return NoiseList(array), eps or DOUBLE
    what = ", ".join(given) if isinstance(given, Mapping) else type(given).__name__
    named = f"{', '.join(tables[:-1])} or {tables[-1]}"
    raise ArgumentError(
        "process",
        "an object with alpha(t) and sigma(t), a pair of functions (alpha, sigma), 'flow', or"
        f" something with {named}",
        what,
        "name a table, {'betas': …}; without a process the time is σ and x_t = x_0 + σ ε",
    )


class NoiseList:
    """Noise levels in the caller's own order: t is an index of the list; a 0 at its end is left
    out.
    """

    def __init__(self, sigmas: np.ndarray) -> None:
        levels = sigmas.ravel()[:-1] if sigmas.size and sigmas.ravel()[-1] == 0 else sigmas.ravel()
        if levels.size < 3 or not np.all(np.isfinite(levels) & (levels > 0)):
            raise ArgumentError(
                "process", "three noise levels or more, all > 0", f"{levels.size}", "the whole list"
            )
        self.levels, self.steps = levels, levels.size
        self.timesteps = np.arange(self.steps)

    def alpha(self, t: Any) -> float:
        return 1.0

    def sigma(self, t: Any) -> float:
        return float(self.levels[int(np.clip(np.round(t), 0, self.steps - 1))])
