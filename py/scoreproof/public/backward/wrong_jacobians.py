"""Wrong rules between a value and an argument of one size: the Jacobian misread.

Conventions: as in `sites`.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local
from scoreproof.public.backward.independent_rows import rows_apart
from scoreproof.public.backward.sites import Part, Site

__all__ = ["of_one_size"]

LARGEST, NUMBERS = 400, 4_000_000  # columns and numbers of Jacobians that are looked at


def of_one_size(site: Site) -> Iterator[Part]:
    local, k, g, x, d = site.local, site.k, site.g, site.x, site.d
    if len(local.value.arrays) != 1 or len(x.arrays) != 1 or not 0 < x.size == local.value.size:
        return
    shape = x.arrays[0].shape
    through = Leaves([g.flat().reshape(shape)])
    yield Part(
        "derivative_missing", "the gradient as it arrives: the derivative is left out", through
    )
    ones = local.value.like(np.ones(g.size))
    yield Part(
        "incoming_ignored",
        "the derivative alone: the gradient that arrives is ignored",
        local.pull(ones)[k],
    )
    if d is not None:
        yield from _masked(site, d)
    elif (rows := _jacobian(local, k)) is not None:
        diagonal = np.diagonal(rows, axis1=1, axis2=2).ravel()
        yield Part(
            "diagonal_only",
            "the diagonal of its Jacobian alone: the entries of a row depend on one another, and"
            " the terms off the diagonal are missing",
            Leaves([(g.flat() * diagonal).reshape(shape)]),
            scaled=False,  # n/(n - 1) times it is the term of a mean that is missing
        )
        turned = np.einsum("bmn,bn->bm", rows, g.flat().reshape(len(rows), -1))
        words = "the product with the transposed Jacobian"
        yield Part("jacobian_transposed", words, Leaves([turned.reshape(shape)]))
        yield from _terms_of_means(x, diagonal, site.right[k], g)


def _masked(site: Site, d: np.ndarray) -> Iterator[Part]:
    """The gradient where the argument, or itself, is positive."""
    g, x = site.g.flat(), site.x
    if np.any(x.flat() <= 0):
        yield Part(
            "masked_by_argument",
            "the arriving gradient where its argument is positive, and 0 elsewhere, as of a ReLU",
            x.like(np.where(x.flat() > 0, g, 0.0)),
        )
    if np.any(g <= 0):
        yield Part(
            "masked_by_gradient",
            "the arriving gradient where it is positive, and 0 elsewhere: the mask is taken from"
            " the gradient, not from the argument",
            x.like(np.where(g > 0, g, 0.0)),
        )
        yield Part(
            "masked_by_gradient",
            "what is due where the arriving gradient is positive, and 0 elsewhere: it is masked by"
            " the gradient, too",
            x.like(np.where(g > 0, g * d, 0.0)),
        )


def _jacobian(local: Local, k: int) -> np.ndarray | None:
    """Rows × value entries × argument entries, by the rule; None if that is much."""
    x, y = local.arguments[k], local.value

    def changed(some: np.ndarray, count: int) -> np.ndarray:
        g = y.like(np.repeat(some, y.size // count) * np.cos(np.arange(y.size)))
        return np.asarray(local.pull(g)[k].flat() != 0)

    rows = rows_apart(x, y, changed, x.size)
    width = x.size // rows
    if width > LARGEST or rows * width**2 > NUMBERS:
        return None
    pulled = [
        local.pull(y.like(np.tile(unit, rows)))[k].flat().reshape(rows, width)
        for unit in np.eye(width)
    ]
    return np.stack(pulled, axis=1)


def _terms_of_means(x: Leaves, diagonal: np.ndarray, right: Leaves, g: Leaves) -> Iterator[Part]:
    """A normalisation over the last or the first axis, with parts of its rule left out."""
    a = x.arrays[0]
    for axis in (-1, 0) if a.ndim > 1 else (-1,):
        n = a.shape[axis]
        centred = a - a.mean(axis=axis, keepdims=True)
        variance = (centred**2).mean(axis=axis, keepdims=True)
        if n < 3 or not np.all(variance > 0):
            continue
        # J = s (1 - 11ᵀ/n - z zᵀ/n), z the standardised argument, s its scale for each entry
        z = centred / np.sqrt(variance)
        left = 1 - 1 / n - z**2 / n
        with np.errstate(all="ignore"):
            scale = diagonal.reshape(a.shape) / left
            sent = g.flat().reshape(a.shape) * scale
            mean = sent.mean(axis=axis, keepdims=True)
            product = z * (sent * z).mean(axis=axis, keepdims=True)
        due = right.flat().reshape(a.shape)
        if not np.allclose(sent - mean - product, due, rtol=1e-3, atol=1e-3 * np.abs(due).max()):
            continue
        over = f"axis {axis if axis == 0 else a.ndim - 1}"
        for name, words, wrong in (
            ("mean_term_missing", "without the term of the mean", sent - product),
            ("variance_term_missing", "without the term of the variance", sent - mean),
            ("statistics_constant", "with mean and variance held constant", sent),
        ):
            text = f"what is due {words}: the mean and the variance over {over} depend on the"
            yield Part(name, f"{text} argument as well", Leaves([wrong]))
