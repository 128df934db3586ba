"""The arguments of the public check: where to look, whose noise it is, and the diffusion as one
number.

Conventions: as in `statement`; times are increasing and positive, a domain is ``(low, high)`` or
one such pair for each coordinate.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError, CallableError
from scoreproof.interop.callables import Guarded, to_float
from scoreproof.public.fokker_planck.weak import Box
from scoreproof.streams import stream

__all__ = ["at_start", "depends_on_state", "number", "where"]

INTERPRETATIONS = ("ito", "stratonovich")


def where(
    times: Any, domain: Any, dimension: int | None, points: Any, seed: int
) -> tuple[Box, int, np.ndarray]:
    t = to_float("times", times, shape=(None,))
    if t.size < 2 or t[0] <= 0 or np.any(np.diff(t) <= 0):
        raise ArgumentError(
            "times",
            "two or more increasing numbers > 0",
            times,
            "t = 0 is left out: there p need not be smooth",
        )
    sides = to_float("domain", domain)
    if sides.shape != (2,) and (sides.ndim != 2 or sides.shape[1] != 2):
        raise ArgumentError(
            "domain",
            "(low, high) or a list of such pairs",
            domain,
            "e.g. (-3, 3), or [(-3, 3), (0, 5)]",
        )
    rows = None if points is None else to_float("points", points, shape=(None, None))
    d = dimension or (rows.shape[1] if rows is not None else (len(sides) if sides.ndim == 2 else 1))
    if rows is not None and rows.shape[1] != d:
        raise ArgumentError(
            "points",
            f"of shape (n, {d})",
            f"shape {rows.shape}",
            "points are rows; they, domain and dimension must agree",
        )
    if sides.ndim == 2 and len(sides) != d:
        raise ArgumentError(
            "domain",
            f"one pair for each of the {d} coordinates",
            f"{len(sides)} pairs",
            "domain and dimension must agree",
        )
    sides = np.broadcast_to(sides, (d, 2))
    if np.any(sides[:, 0] >= sides[:, 1]):
        raise ArgumentError("domain", "pairs with low < high", domain, "swap the ends")
    if rows is None:
        rows = stream(seed, "fokker_planck", "points").uniform(sides[:, 0], sides[:, 1], (64, d))
    return (
        Box((float(t[0]), float(t[-1])), tuple((float(a), float(b)) for a, b in sides)),
        int(d),
        rows,
    )


def depends_on_state(diffusion: Callable[..., Any], interpretation: str | None) -> bool:
    if interpretation is not None and interpretation not in INTERPRETATIONS:
        raise ArgumentError(
            "interpretation",
            "'ito' or 'stratonovich'",
            repr(interpretation),
            "say which integral your dW means",
        )
    try:
        kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
        needed = [
            p
            for p in inspect.signature(diffusion).parameters.values()
            if p.kind in kinds and p.default is p.empty
        ]
    except (TypeError, ValueError):
        return False
    if len(needed) >= 2 and interpretation is None:
        raise ArgumentError(
            "interpretation",
            "'ito' or 'stratonovich' when diffusion takes (x, t)",
            None,
            "the two equations differ when the noise depends on x; for Itô the noise term is ½ Σ"
            " ∂_i ∂_j ((g gᵀ)_ij p)",
        )
    return len(needed) >= 2


def number(g: Guarded, t: Any) -> float:
    value = g(t).real
    if value.size != 1:
        raise CallableError(
            "diffusion",
            "return one number",
            f"it returned shape {value.shape}",
            "a matrix needs diffusion(x, t) and interpretation=",
        )
    return float(value.reshape(()))


def at_start(g: Guarded, clock: Callable[[float], Any]) -> float:
    try:
        return number(g, clock(0.0))
    except CallableError:  # no value at 0 is no error: only one fault needs it
        return float("nan")
