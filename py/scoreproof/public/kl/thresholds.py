"""Thresholds that are not of scales: of the squared distance, of a mean over the batch; one row.

Conventions: a number is found where the deviation is largest; whether it explains all the rest is
for the caller to see, or seen by `Places.explained`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.public.kl.clamps import roots
from scoreproof.public.kl.coordinates import by_coordinate
from scoreproof.public.kl.fit import Places
from scoreproof.public.kl.laws import Laws

__all__ = ["distance_clamped", "of_batch_means", "of_one_row"]

#: places at which the deviation is to stand out before a number is fitted to it
FEWEST = 3
#: squared distances that somebody clamps to
GRID = np.geomspace(1e-4, 1e8, 97)


def of_batch_means(laws: list[Laws], c: float, reduction: str) -> np.ndarray:
    """Free bits of each coordinate's mean over the batch: one number a batch."""
    means = [by_coordinate(b).mean(axis=0) for b in laws]
    floored = [np.maximum(m, c).sum() for m in means]
    if reduction == "sum":
        floored = [v * b.shape[0] for v, b in zip(floored, laws, strict=True)]
    return np.array(floored)


def of_one_row(truth: list[np.ndarray]) -> list[np.ndarray]:
    """What is due, but 0 of a batch of one row."""
    return [v if len(v) > 1 else 0 * v for v in truth]


def distance_clamped(places: Places) -> str:
    """A clause, empty unless a clamp of the squared distance of the means explains all values."""
    if places.options.form == "full" or places.options.reduction != "none":
        return ""
    if places.sharp < FEWEST:
        return ""
    worst = int(np.argmax(np.abs(places.returned - places.value) / places.rounding))
    for divided in (False, True):
        squares, over = _squares(places.laws, divided)
        rest = places.value - _halved(squares, over, np.inf)

        def gap(
            c: float,
            squares: list[np.ndarray] = squares,
            over: list[np.ndarray] = over,
            rest: np.ndarray = rest,
        ) -> float:
            made = rest[worst] + _halved(squares, over, c)[worst]
            return float(made - places.returned[worst])

        for c in roots(gap, GRID):
            made = rest + _halved(squares, over, c)
            if places.explained(made, np.abs(made)):
                what = "μ²" if places.options.standard else "(μ0 - μ1)²"
                what += "/σ1²" if divided and not places.options.standard else ""
                return f"in the mean term {what} is clamped to at most {c:.4g}"
    return ""


def _squares(laws: list[Laws], divided: bool) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The squared distances as they are clamped, and what divides them afterwards."""
    squares, over = [], []
    for b in laws:
        v1 = np.broadcast_to(b.v1, b.m0.shape)
        square = (b.m1 - b.m0) ** 2
        squares.append(square / v1 if divided else square)
        over.append(np.ones_like(v1) if divided else v1)
    return squares, over


def _halved(squares: list[np.ndarray], over: list[np.ndarray], c: float) -> np.ndarray:
    pairs = zip(squares, over, strict=True)
    return np.concatenate([(np.minimum(s, c) / v).sum(axis=1) / 2 for s, v in pairs])
