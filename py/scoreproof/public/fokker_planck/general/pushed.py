"""Derivatives of a PyTorch or JAX function with many values, along lines through points, by nested
forward mode.

Conventions: as in `slopes`. Their errors are rounding, which is the caller's to add.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.public.fokker_planck.forward import NotDifferentiable
from scoreproof.public.fokker_planck.general.slopes import Slopes
from scoreproof.public.fokker_planck.ladder import chunks

__all__ = ["NotDifferentiable", "Valued", "pushed", "rate_of"]

Shaped = Callable[[np.ndarray, int], np.ndarray]


@dataclass(frozen=True, eq=False)
class Valued:
    """A function with ``values`` numbers a row: ``shaped(array, n)``, linear, makes ``(n, values)``
    of what it returns for n rows; ``function`` is differentiated in place of the guard's own, and
    ``twice``: its second derivatives are wanted too.
    """

    guard: Guarded
    shaped: Shaped
    values: int
    twice: bool = True
    function: Callable[..., Any] | None = None

    @classmethod
    def of_rows(cls, guard: Guarded, d: int) -> Valued:
        """A vector field."""
        return cls(guard, lambda raw, m: np.broadcast_to(raw, (m, d)), d, False)

    @classmethod
    def of_numbers(cls, guard: Guarded, twice: bool, function: Callable[..., Any]) -> Valued:
        """One number a row."""

        def shaped(raw: np.ndarray, m: int) -> np.ndarray:
            return np.broadcast_to(raw.reshape(-1), (m,)).reshape(m, 1)

        return cls(guard, shaped, 1, twice, function)


def pushed(v: Valued, x: np.ndarray, t: float, along: np.ndarray) -> Slopes:
    """Along ``along`` ``(n, q, d)`` at x ``(n, d)``. Calls: one for every `LARGEST` numbers."""
    guard, shaped, values = v.guard, v.shaped, v.values
    jvp = _jvp(guard)
    to = guard.prepare or (lambda a: a)
    call = v.function or guard.function
    n, q, d = along.shape
    point = np.repeat(np.arange(n), q)
    lines = along.reshape(-1, d)
    first, second = np.zeros((n * q, values)), np.zeros((n * q, values))
    try:
        clock = to(np.asarray(float(t)))
        for part in chunks(np.arange(n * q), max(d, values)):
            rows, e = to(x[point[part]]), to(np.ascontiguousarray(lines[part]))

            def slope(z: Any, e: Any = e) -> Any:
                return jvp(lambda y: call(y, clock), (z,), (e,))[1]

            if v.twice:
                g, h = jvp(slope, (rows,), (e,))
                second[part] = shaped(as_numpy(h).astype(float), len(part))
            else:
                g = slope(rows)
            first[part] = shaped(as_numpy(g).astype(float), len(part))
            guard.calls += 1
    except Exception as caught:  # whatever the framework raises: it cannot be differentiated
        raise NotDifferentiable from caught
    none = np.zeros((n, q, values))
    return Slopes(first.reshape(none.shape), second.reshape(none.shape), none, none)


def rate_of(guard: Guarded, x: np.ndarray, t: float, function: Callable[..., Any]) -> np.ndarray:
    """∂_t of what ``function(x, t)`` returns."""
    jvp, to = _jvp(guard), guard.prepare or (lambda a: a)
    try:
        guard.calls += 1
        when, one = to(np.asarray(float(t))), to(np.asarray(1.0))
        return as_numpy(jvp(lambda u: function(to(x), u), (when,), (one,))[1]).astype(float)
    except Exception as caught:
        raise NotDifferentiable from caught


def _jvp(guard: Guarded) -> Any:
    package = require(guard.framework)
    return package.func.jvp if guard.framework == "torch" else package.jvp
