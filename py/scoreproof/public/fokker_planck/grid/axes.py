"""The axes of an array: their names, their order, their lengths.

Conventions: as in `given`.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Any

import numpy as np

from scoreproof.errors import ArgumentError
from scoreproof.interop.callables import to_float

__all__ = ["axis_of", "coordinate", "fitted", "ordered"]

CLOCKS = ("t", "ts", "time", "times", "tau", "step", "steps")
#: in which order coordinates are taken, where their names say so
ORDERED = ("x", "y"), ("x0", "x1"), ("x1", "x2"), ("x_0", "x_1"), ("x_1", "x_2"), ("x", "v")


def axis_of(name: str, value: Any) -> np.ndarray:
    """A flat list of numbers."""
    array = to_float(f"axes ({name})" if not name.startswith("axes") else name, value)
    if array.ndim != 1 or len(array) < 2:
        raise ArgumentError(
            name if name.startswith("axes") else f"axes ({name})",
            "a flat list of two numbers or more",
            f"shape {array.shape}",
            "of a meshgrid pass the axes that it was made of",
        )
    return array


def fitted(
    p: np.ndarray, named: dict[str, np.ndarray], name: str
) -> tuple[np.ndarray, dict[str, np.ndarray], bool]:
    """The array with axes of its lengths; whether one of them holds edges."""
    lengths = [len(v) for v in named.values()]
    if p.ndim != len(lengths):
        raise ArgumentError(
            name,
            f"an array of {len(lengths)} axes, {', '.join(named)}",
            f"shape {p.shape}",
            "its axes and those named must agree",
        )
    edges = [n == m + 1 for n, m in zip(lengths, p.shape, strict=True)]
    if all(n == m or e for n, m, e in zip(lengths, p.shape, edges, strict=True)):
        return p, named, any(edges)
    for turn in permutations(range(p.ndim)):
        if [lengths[k] for k in turn] == list(p.shape):
            keys = list(named)
            shown = ", ".join(f'"{keys[k]}": {keys[k]}' for k in turn)
            raise ArgumentError(
                "axes",
                f"as long as the axes of {name}, {p.shape}",
                f"{tuple(lengths)} for {', '.join(named)}",
                f"the array has them in another order: pass axes={{{shown}}}",
            )
    raise ArgumentError(
        "axes",
        f"as long as the axes of {name}, {p.shape}",
        f"{tuple(lengths)} for {', '.join(named)}",
        "pass the times that were saved, and every point; edges of cells are one more",
    )


def ordered(named: Mapping[str, np.ndarray], name: str) -> list[str]:
    """Time first, then the coordinates."""
    clocks = [n for n in named if n.lower() in CLOCKS]
    if len(clocks) != 1 or len(named) not in (2, 3):
        raise ArgumentError(
            "axes",
            "one that is called t or time, and one or two coordinates",
            ", ".join(named),
            f"name the axes of {name} in its order, e.g. {{'x': x, 't': t}}",
        )
    if named[clocks[0]][0] < 0:
        raise ArgumentError(
            f"axes ({clocks[0]})",
            "times >= 0, the first of the axes",
            f"{named[clocks[0]][0]:g}",
            "name them in the order of the array: axes={'x': x, 't': t}",
        )
    rest = [n for n in named if n != clocks[0]]
    for pair in ORDERED:
        if sorted(n.lower() for n in rest) == sorted(pair):
            rest = sorted(rest, key=lambda n: pair.index(n.lower()))
    return [clocks[0], *rest]


def coordinate(law: Any, dim: Any, name: str) -> np.ndarray:
    """Of an xarray DataArray."""
    try:
        return axis_of(str(dim), getattr(law.coords[dim], "values", law.coords[dim]))
    except KeyError:
        raise ArgumentError(
            name,
            "with a coordinate for each of its dims",
            f"{dim!r} has none",
            f"assign it: {name}.assign_coords({dim}=…)",
        ) from None
