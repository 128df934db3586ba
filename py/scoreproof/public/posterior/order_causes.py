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
#: of a sample with three, and how many orders of axes are tried
AXES = ("channels", "height", "width")
MOST_ORDERS = 24


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
        axes |= dict(enumerate(AXES)) if len(shape) == len(AXES) else {}
        for axis in range(len(shape)):
            name = axes.get(axis, f"axis {axis}")
            why = " (RGB and BGR)" if name == "channels" and shape[axis] == len("RGB") else ""
            options[f"with {name} in reverse order{why}"] = np.flip(index, axis)
        options |= _laid_out(index)
        options["with all its entries in reverse order"] = index.ravel()[::-1]
    whole = index.ravel()
    options["with entries shifted by one"] = np.roll(whole, 1)
    options["with entries shifted by one to the left"] = np.roll(whole, -1)
    return {
        words: order.ravel()
        for words, order in options.items()
        if not np.array_equal(order.ravel(), whole)
    }


def _laid_out(index: np.ndarray) -> dict[str, np.ndarray]:
    """Axes in another order: as they are written out, and as they are read without being moved."""
    image = index.ndim == len(AXES)
    names = AXES if image else tuple(f"axis {k}" for k in range(index.ndim))
    own = f"({', '.join(names)})"
    last = "height and width are" if image else "the last two axes are"
    options = {f"transposed: {last} exchanged": np.swapaxes(index, -1, -2)}
    for order in itertools.islice(itertools.permutations(range(index.ndim)), 1, MOST_ORDERS):
        other = f"({', '.join(names[k] for k in order)})"
        moved = np.transpose(index, order).ravel()
        for words, entries in (
            (f"with another layout: axes in the order {other}, not {own}", moved),
            (f"with another layout: {own} read as if it were {other}", np.argsort(moved)),
        ):
            if not any(np.array_equal(entries, v.ravel()) for v in options.values()):
                options[words] = entries
    return options


def turned(case: Case) -> Iterator[Cause]:
    """The network's input in another order, and its data: what it was trained on."""
    if case.very_heavy:
        return
    problem = case.due.problem
    for words, order in {**_named(case.shape), **_pairs(case.shape)}.items():
        if case.kind.name == "x0":
            mean = mean_under(problem.known, case.y[:, order], problem.noise.least)
            yield stated(
                "input_permuted", case.told(mean), f"it answers as if x were given {words}"
            )
        turned_back = case.y[:, np.argsort(order)]  # x in the order that the data had
        moved = mean_under(problem.known, turned_back, problem.noise.least)[:, order]
        yield stated(
            "data_permuted",
            case.told(moved),
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
