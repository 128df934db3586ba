"""The right numbers at the wrong places: coordinates, axes of an image, rows of a batch."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from scoreproof.public.posterior.cases import Case, Cause, stated
from scoreproof.public.posterior.means import mean_under

__all__ = ["orders", "turned"]

#: coordinates of which every pair is exchanged to see
FEW = 8


def orders(case: Case) -> Iterator[Cause]:
    """Axes of a sample in another order, or another direction."""
    if len(case.value) >= 4 and len(case.shape) > 1:
        for words, order in _named(case.shape).items():
            yield stated("permuted", case.right[:, order], f"the answer comes back {words}")


def _named(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """The usual mistakes with the axes of a sample, as orders of its flat entries."""
    index = np.arange(int(np.prod(shape))).reshape(shape)
    options = {}
    if len(shape) == 1:
        options["with coordinates in reverse order"] = index[::-1]
    else:
        axes = {0: "channels" if len(shape) > 2 else "rows"}
        axes |= dict(enumerate(("channels", "height", "width"))) if len(shape) == 3 else {}
        for axis in range(len(shape)):
            name = axes.get(axis, f"axis {axis}")
            options[f"with {name} in reverse order"] = np.flip(index, axis)
        last = "height and width" if len(shape) == 3 else "the last two axes"
        if shape[-1] == shape[-2]:
            options[f"transposed: {last} are exchanged"] = np.swapaxes(index, -1, -2)
        if len(shape) == 3:
            first = "read as (height, width, channels) where it is (channels, height, width)"
            options[f"with another layout: {first}"] = np.moveaxis(index, 0, -1)
            other = "read as (channels, height, width) where it is (height, width, channels)"
            options[f"with another layout: {other}"] = np.moveaxis(index, -1, 0)
        options["with all its entries in reverse order"] = index.ravel()[::-1]
    whole = index.ravel()
    options["with entries shifted by one"] = np.roll(whole, 1)
    options["with entries shifted by one to the left"] = np.roll(whole, -1)
    return {
        words: order.ravel()
        for words, order in options.items()
        if not np.array_equal(order.ravel(), whole)
    }


def turned(case: Case) -> Iterator[Cause]:
    """The network's input in another order, and its data: what it was trained on."""
    if case.very_heavy:
        return
    problem = case.due.problem
    for words, order in {**_named(case.shape), **_pairs(case.shape)}.items():
        mean = mean_under(problem.known, case.y[:, order], problem.noise.least)
        given = case.told(mean) if case.kind.name == "x0" else None
        if given is not None:
            yield stated(
                "input_permuted",
                given,
                f"it answers as if x were given {words}",
            )
        back = np.empty_like(mean)
        back[:, order] = mean
        yield stated(
            "data_permuted",
            case.told(back),
            f"it is the denoiser of data {words}",
        )


def _pairs(shape: tuple[int, ...]) -> dict[str, np.ndarray]:
    """Two coordinates exchanged, of a few."""
    if len(shape) != 1 or shape[0] > FEW:
        return {}
    found = {}
    for i, j in itertools.combinations(range(shape[0]), 2):
        order = np.arange(shape[0])
        order[[i, j]] = order[[j, i]]
        found[f"with coordinates {i} and {j} exchanged"] = order
    return found
