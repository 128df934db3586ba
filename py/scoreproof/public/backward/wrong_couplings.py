"""Wrong rules of softmax and its logarithm: over which entries the sum runs, and what is in it.

Conventions: as in `sites`. Softmax sends back y (g - Σ g y), its logarithm g - exp(y) Σ g.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.public.backward.sites import Part, Site, same_shapes

__all__ = ["of_coupled"]

#: how well the formula is what is due, relative
IS = 1e-6


def of_coupled(site: Site) -> Iterator[Part]:
    x, y = site.x, site.local.value
    if len(x.arrays) != 1 or not same_shapes(x, y) or x.arrays[0].ndim == 0:
        return
    due, g, value = site.right[site.k].arrays[0], site.g.arrays[0], y.arrays[0]
    for axis in range(value.ndim):
        for wrong in (_softmax, _log_softmax):
            (_, right), *others = wrong(g, value, axis)
            if value.shape[axis] > 1 and _same(right, due):
                for words, sent in others:
                    if not _same(sent, due) and np.all(np.isfinite(sent)):
                        yield Part("sum_of_softmax", words, Leaves([sent]), scaled=False)
                return


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    size = float(np.max(np.abs(b), initial=0.0))
    return bool(size > 0 and np.max(np.abs(a - b)) <= IS * size)


def _softmax(g: np.ndarray, y: np.ndarray, axis: int) -> Iterator[tuple[str, np.ndarray]]:
    def over(of: np.ndarray, k: int | None) -> np.ndarray:
        return np.asarray(of.sum(axis=k, keepdims=True))

    due = f", where y (g - Σ g y) over axis {axis} is due"
    legend = f"{due} (y is the node's value, g the arriving gradient)"
    yield "", y * (g - over(g * y, axis))
    yield f"y (g - Σ g y) with the sum over all entries{legend}", y * (g - over(g * y, None))
    for k in range(y.ndim):
        if k != axis:
            words = f"y (g - Σ g y) with the sum over axis {k}{legend}"
            yield words, y * (g - over(g * y, k))
    yield f"y (g - Σ g): y is missing in the sum{legend}", y * (g - over(g, axis))
    yield f"g - Σ g y: the factor y is missing{legend}", g - over(g * y, axis)
    mean = over(g * y, axis) / y.shape[axis]
    yield f"y (g - mean of g y): a mean stands where the sum is due{legend}", y * (g - mean)
    yield f"y (g + Σ g y): the sign of the sum is wrong{legend}", y * (g + over(g * y, axis))


def _log_softmax(g: np.ndarray, y: np.ndarray, axis: int) -> Iterator[tuple[str, np.ndarray]]:
    with np.errstate(all="ignore"):
        p = np.exp(y)
    due = f", where g - exp(y) Σ g over axis {axis} is due"
    legend = f"{due} (y is the node's value, g the arriving gradient)"
    whole = g.sum(axis=axis, keepdims=True)
    yield "", g - p * whole
    yield f"g - exp(y) Σ g with the sum over all entries{legend}", g - p * g.sum()
    for k in range(y.ndim):
        if k != axis:
            words = f"g - exp(y) Σ g with the sum over axis {k}{legend}"
            yield words, g - p * g.sum(axis=k, keepdims=True)
    yield f"g - y Σ g: exp(y), the softmax, is due for y{legend}", g - y * whole
    words = f"g - exp(y) mean of g: a mean stands where the sum is due{legend}"
    yield words, g - p * whole / y.shape[axis]
    yield f"g - exp(y): the sum of g is missing{legend}", g - p
    yield f"g - exp(y) g: Σ g is due for g{legend}", g - p * g
    yield f"g + exp(y) Σ g: the sign of the sum is wrong{legend}", g + p * whole
