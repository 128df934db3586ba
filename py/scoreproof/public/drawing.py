"""Errors at places and what rounding explains there, as the curves of a plot."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["MOST", "by_place"]

#: more places than this are thinned out, the worst kept
MOST = 1000


def by_place(
    error: np.ndarray, bound: np.ndarray, along: tuple[str, Any] | None = None
) -> dict[str, Any]:
    """``curves`` and ``labels`` of an `Evidence`: the error against the bound at each place.

    ``along``: what the horizontal axis is, and its value at each place; without it places are
    counted in their order. Nothing for one place alone.

    >>> by_place(np.array([1e-15, 2e-3]), np.array([1e-14, 1e-14]))["curves"]["error"]
    ([0.0, 1.0], [1e-15, 0.002])
    """
    label, values = along or ("place looked at", np.arange(error.size))
    x = np.asarray(values, float).ravel()
    if error.size < 2 or x.size != error.size:
        return {}
    keep = np.arange(error.size)
    if error.size > MOST:
        with np.errstate(all="ignore"):
            worst = np.argsort(-np.nan_to_num(error / bound, nan=0.0), kind="stable")[: MOST // 2]
        keep = np.union1d(worst, np.linspace(0, error.size - 1, MOST // 2).astype(int))
    keep = keep[np.argsort(x[keep], kind="stable")]
    return {
        "curves": {
            "error": (x[keep].tolist(), error[keep].tolist()),
            "bound": (x[keep].tolist(), bound[keep].tolist()),
        },
        "labels": (label, "relative error"),
    }
