"""What mean and standard deviation would be under each known mistake, or two.

Conventions: as in `mistakes`. σ_0 is the value that makes an explanation exact at one time, and the
other times judge it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from typing import Any

import numpy as np

from scoreproof.public.marginals.mistakes import MEANS, OUTPUTS, SLOTS, STARTS, Array, Context

__all__ = ["candidates", "swings"]


def swings(names: tuple[str, ...]) -> bool:
    """Whether σ_0 enters."""
    return any(
        n in STARTS
        or n in ("rate_slope", "rate_slope_squared", "rate_over_t")
        or (n in OUTPUTS and OUTPUTS[n][0])
        for n in names
    )


def _predict(names: tuple[str, ...], c: Context) -> Callable[[Any], tuple[Any, Any]]:
    """σ_0 -> (mean factor, std) under the named mistakes."""
    by_slot = {SLOTS[n]: n for n in names}
    rate, clock = by_slot.get("rate"), by_slot.get("clock")
    m, parts = c.law(rate, "now")
    end = c.law(rate, "end")[1] if clock == "variance_remaining" else None
    moved, later = c.law(rate, "mirror") if clock == "variance_reversed" else (m, parts)
    start, output, mean = by_slot.get("start"), by_slot.get("output"), by_slot.get("mean")

    def variance(p: tuple[Any, Any, Any], s: Any) -> Any:
        return p[0] + s * p[1] + s * s * p[2]

    def at(s: Any) -> tuple[Any, Any]:
        v = variance(end, s) - variance(parts, s) if end is not None else variance(later, s)
        v = np.where(
            (v < 0) & (v > -1e-12 * np.max(np.abs(v))), 0.0, v
        )  # a zero that came out of a difference
        if start is not None:
            v = STARTS[start](moved, v, s)
        # after a mistake of the start slot the variance is the author's own: σ_0 does not enter
        # again
        std = (
            OUTPUTS[output][1](moved, v, 0.0 if start is not None else s)
            if output is not None
            else np.sqrt(v)
        )
        return (MEANS[mean](m, variance(parts, s)) if mean is not None else moved), std

    return at


def _fitted(predict: Callable[[Any], tuple[Any, Any]], c: Context, std: Array) -> Iterator[float]:
    """Values of σ_0 for which the predicted standard deviation is the measured one at some time, by
    zooming grids.
    """
    coarse = np.concatenate([[0.0], np.geomspace(1e-5, 1e3, 65)]) * max(
        float(np.sqrt(np.max(c.V))), 1e-300
    )

    def crossings(grid: Array, k: int) -> Array:
        gap = np.sign(
            np.broadcast_to(predict(grid[:, None])[1], (len(grid), len(std)))[:, k] - std[k]
        )
        return np.flatnonzero(gap[:-1] * gap[1:] <= 0)

    for k in {0, len(std) // 2}:
        for i in crossings(coarse, k)[:3]:
            low, high = coarse[i], coarse[i + 1]
            for _ in range(6):  # each narrows 64-fold
                grid = np.linspace(low, high, 65)
                found = crossings(grid, k)
                if not found.size:
                    break
                low, high = grid[found[0]], grid[found[0] + 1]
            yield (low + high) / 2


def candidates(
    c: Context, factor: Array, std: Array, *, pairs: bool
) -> dict[str, tuple[Array, Array]]:
    """name -> (mean factor, std) at the times, for every mistake or (``pairs``) for every two in
    different slots.

    ``factor``, ``std``: what was measured; only used to find σ_0 where a mistake contains it.
    """
    found: dict[str, tuple[Array, Array]] = {}
    groups: list[tuple[str, ...]] = [(n,) for n in SLOTS]
    if pairs:
        groups = [pair for pair in combinations(SLOTS, 2) if SLOTS[pair[0]] != SLOTS[pair[1]]]
    sizes = np.maximum(np.sqrt(c.V), np.abs(std)), np.maximum(c.M, np.abs(factor))

    def misfit(value: tuple[Array, Array]) -> float:
        total = float(
            np.sum(((value[1] - std) / sizes[0]) ** 2)
            + np.sum(((value[0] - factor) / sizes[1]) ** 2)
        )
        return total if np.isfinite(total) else np.inf

    with np.errstate(all="ignore"):
        for names in groups:
            predict = _predict(names, c)
            options = [
                predict(s) for s in [0.0, *(_fitted(predict, c, std) if swings(names) else ())]
            ]
            best = min(options, key=misfit)
            found[" + ".join(names)] = (
                np.broadcast_to(best[0], c.M.shape),
                np.broadcast_to(best[1], c.M.shape),
            )
    return found
