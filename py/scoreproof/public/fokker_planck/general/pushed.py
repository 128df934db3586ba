"""Derivatives of a PyTorch or JAX function with many values, along lines through points, by nested
forward mode.

Conventions: as in `slopes`. Their errors are rounding, which is the caller's to add.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.interop.callables import Guarded, as_numpy
from scoreproof.interop.frameworks import require
from scoreproof.public.fokker_planck.forward import NotDifferentiable
from scoreproof.public.fokker_planck.general.slopes import Slopes
from scoreproof.public.fokker_planck.ladder import chunks

__all__ = ["NotDifferentiable", "pushed", "rate_of"]

Shaped = Callable[[np.ndarray, int], np.ndarray]


def pushed(
    guard: Guarded,
    x: np.ndarray,
    t: float,
    along: np.ndarray,
    shaped: Shaped,
    values: int,
    twice: bool = True,
    function: Callable[..., Any] | None = None,
) -> Slopes:
    """``shaped(array, n)`` makes ``(n, values)`` of what the function returns for n rows; it must
    be linear. Calls: one for every `LARGEST` numbers.
    """
    jvp = _jvp(guard)
    to = guard.prepare or (lambda a: a)
    call = function or guard.function
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

            if twice:
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
