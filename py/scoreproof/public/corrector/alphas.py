"""The factor α of a step size by signal-to-noise ratio, where the process tells it.

Conventions: α_t = 1 - β_t of the discrete steps, as in Song et al. 2021: of a table at its index,
of an SDE with ``alphas`` or ``discrete_betas`` of N steps at t (N - 1)/T, rounded down; 1 of a
variance-exploding process.
"""

from __future__ import annotations

from numbers import Integral, Real
from typing import Any

import numpy as np

from scoreproof.interop.callables import as_numpy

__all__ = ["own_alpha"]


def own_alpha(process: Any, t: Any) -> float | None:
    """``None`` where the process has no such table, or it does not reach to t."""
    for name, of in (("alphas", _as_it_is), ("discrete_betas", _one_minus), ("betas", _one_minus)):
        table = process.get(name) if isinstance(process, dict) else getattr(process, name, None)
        if table is None or callable(table):
            continue
        try:
            values = np.asarray(of(as_numpy(table)), float).reshape(-1)
        except (TypeError, ValueError):
            continue
        k = (
            int(t)
            if isinstance(t, Integral)
            else int(float(t) * (len(values) - 1) / _span(process))
        )
        if len(values) > 1 and 0 <= k < len(values) and 0 < values[k] <= 1:
            return float(values[k])
    return None


def _as_it_is(table: np.ndarray) -> np.ndarray:
    return table


def _one_minus(table: np.ndarray) -> np.ndarray:
    return np.asarray(1 - table)


def _span(process: Any) -> float:
    length = getattr(process, "T", 1.0)
    return float(length) if isinstance(length, Real) and float(length) > 0 else 1.0
