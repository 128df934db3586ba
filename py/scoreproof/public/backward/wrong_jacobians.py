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
    due = right.flat().reshape(a.shape)
    for axis in (-1, 0) if a.ndim > 1 else (-1,):
        over = f"axis {axis if axis == 0 else a.ndim - 1}"
        for centre in (True, False):
            split = _normalised(a, axis, centre, (diagonal.reshape(a.shape), due, g))
            if split is None:
                continue
            sent, mean, product = split
            yield from _weighted(split, a.shape[axis], over, centre)
            if not centre:
                yield Part(
                    "norm_constant",
                    f"what is due with the norm (or the root mean square) over {over} held"
                    " constant: it depends on the argument as well",
                    Leaves([sent]),
                )
                continue
            for name, words, wrong in (
                ("mean_term_missing", "without the term of the mean", sent - product),
                ("variance_term_missing", "without the term of the variance", sent - mean),
                ("statistics_constant", "with mean and variance held constant", sent),
            ):
                text = f"what is due {words}: the mean and the variance over {over} depend on the"
                yield Part(name, f"{text} argument as well", Leaves([wrong]))


def _weighted(
    split: tuple[np.ndarray, np.ndarray, np.ndarray], n: int, over: str, centre: bool
) -> Iterator[Part]:
    """The terms of the statistics, multiplied by something else than 1."""
    sent, mean, product = split
    of_product = "variance" if centre else "norm (or the root mean square)"
    sums = f"a sum stands where the mean over {over} is due (the factor 1/n is missing, n = {n})"
    for factor, words in (
        (float(n), sums),
        (1 / n, f"it is divided by n = {n} once too often"),
        (-1.0, "its sign is wrong"),
        (2.0, "it is counted twice"),
        (0.5, "half of it is left out"),
    ):
        yield Part(
            "statistics_weighted",
            f"what is due but for the term of the {of_product}: {words}",
            Leaves([sent - mean - factor * product]),
            scaled=False,
        )
        if centre:
            for text, wrong in (
                ("term of the mean", sent - factor * mean - product),
                ("terms of mean and variance", sent - factor * (mean + product)),
            ):
                told = f"what is due but for the {text}: {words}"
                yield Part("statistics_weighted", told, Leaves([wrong]), scaled=False)


#: what is added to a variance before its root is taken
ADDED = (0.0, 1e-12, 1e-10, 1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 0.1)
#: how well the terms add up to what is due, relative
ADDS_UP = 1e-6


def _normalised(
    a: np.ndarray, axis: int, centre: bool, known: tuple[np.ndarray, np.ndarray, Leaves]
) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
    """The three terms of J = s (1 - 11ᵀ/n - z zᵀ/n), z the standardised argument and s its scale
    for each entry; without the second, if it is not centred. ``known``: the diagonal of J, what is
    due, g.
    """
    diagonal, due, g = known
    n = a.shape[axis]
    centred = a - a.mean(axis=axis, keepdims=True) if centre else a
    variance = (centred**2).mean(axis=axis, keepdims=True)
    if n < 3 or not np.all(variance > 0):
        return None
    best, least = None, ADDS_UP * float(np.abs(due).max())
    for added in ADDED:
        z = centred / np.sqrt(variance + added)
        with np.errstate(all="ignore"):
            scale = diagonal / (1 - (1 / n if centre else 0.0) - z**2 / n)
            sent = g.flat().reshape(a.shape) * scale
            mean = sent.mean(axis=axis, keepdims=True) if centre else 0 * sent
            product = z * (sent * z).mean(axis=axis, keepdims=True)
        left = float(np.max(np.abs(sent - mean - product - due), initial=0.0))
        if left <= least:  # a nearby number that is added comes near as well
            best, least = (sent, mean, product), left
    return best
