"""The right rule of a node from the values of its function alone: its Jacobian by differences.

Conventions: as in `Local`; an argument whose Jacobian has too many columns has no right rule here
(``None``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from scoreproof.interop.leaves import Leaves
from scoreproof.interop.traced import Local, Program
from scoreproof.numerics.differences import directional
from scoreproof.public.backward.independent_rows import rows_apart

__all__ = ["TrueRule", "right_of", "true_rule"]

COLUMNS, NUMBERS = 600, 4_000_000


@dataclass(frozen=True, eq=False)
class TrueRule:
    """``jacobians[k]``: (rows × value entries × argument entries), one matrix for each row that the
    function keeps apart, or a vector where it works entry by entry; ``error``: relative, the
    largest of all.
    """

    jacobians: tuple[np.ndarray | None, ...]
    error: float

    def pull(self, local: Local, g: Leaves) -> list[Leaves]:
        """The product of a gradient with each Jacobian (zeros where there is none)."""
        out = []
        for x, j in zip(local.arguments, self.jacobians, strict=True):
            if j is None:
                out.append(x.zeros())
            else:
                rows = g.flat().reshape(len(j), -1)
                out.append(
                    x.like(g.flat() * j if j.ndim == 1 else np.einsum("bm,bmn->bn", rows, j))
                )
        return out


def true_rule(
    program: Program, v: int, arguments: Sequence[Leaves] | None = None
) -> tuple[Local, TrueRule]:
    """The node with its right rule in place of the framework's."""
    return right_of(program.local(v, arguments), program.unit)


def right_of(own: Local, unit: float) -> tuple[Local, TrueRule]:
    """The same function with its right rule."""
    jacobians, errors = [], [0.0]
    for k in range(len(own.arguments)):
        j, error = _jacobian(own, k, unit)
        jacobians.append(j)
        errors.append(error)
    rule = TrueRule(tuple(jacobians), max(errors))
    local = Local(
        own.arguments,
        own.function,
        own.value,
        lambda g: rule.pull(own, g),
        lambda leaves: right_of(own.elsewhere(leaves), unit)[0],
    )
    return local, rule


def _jacobian(local: Local, k: int, unit: float) -> tuple[np.ndarray | None, float]:
    x = local.arguments[k]
    n = x.size
    if n == 0:
        return np.zeros((1, local.value.size, 0)), 0.0
    if _entry_by_entry(local, k):
        return _along(local, k, np.ones(n), unit)
    rows = rows_apart(x, local.value, lambda some, c: _changed(local, k, some, c), local.value.size)
    width, height = n // rows, local.value.size // rows
    if width > COLUMNS or rows * width * height > NUMBERS:
        return None, 0.0
    columns, errors = [], [0.0]
    for i in range(width):
        column, error = _along(local, k, np.tile(np.arange(width) == i, rows) * 1.0, unit)
        columns.append(column.reshape(rows, height))
        errors.append(error)
    return np.stack(columns, axis=2), max(errors)


def _changed(local: Local, k: int, some: np.ndarray, count: int) -> np.ndarray:
    """Which entries of the value change with these rows of the argument."""
    x = local.arguments[k]
    at = np.repeat(some, x.size // count)
    flat = x.flat()
    arguments = list(local.arguments)
    arguments[k] = x.like(np.where(at, flat + 1e-3 * np.where(flat != 0, flat, 1.0), flat))
    return np.asarray(local.function(arguments).flat() != local.value.flat())


def _along(local: Local, k: int, t: np.ndarray, unit: float) -> tuple[np.ndarray, float]:
    x = local.arguments[k]
    flat = x.flat()
    size = float(np.sqrt(np.mean(flat**2))) if flat.size else 1.0
    t = t * (size or 1.0)

    def values(s: float) -> np.ndarray:
        arguments = list(local.arguments)
        arguments[k] = x.like(flat + s * t) if s else x
        return local.function(arguments).flat()

    d = directional(values, unit)
    scale = float(np.max(np.abs(d.value), initial=0.0)) or 1.0
    finite = d.error[np.isfinite(d.error)]
    return d.value / (size or 1.0), float(np.max(finite, initial=0.0)) / scale


def _entry_by_entry(local: Local, k: int) -> bool:
    """Whether entry i of the value depends on entry i of the argument alone."""
    x, y = local.arguments[k], local.value
    if len(x.arrays) != 1 or len(y.arrays) != 1 or x.arrays[0].shape != y.arrays[0].shape:
        return False
    flat = x.flat()
    step = 1e-3 * np.where(flat != 0, flat, 1.0)
    half = np.arange(flat.size) % 2 == 0

    def moved(at: np.ndarray) -> np.ndarray:
        arguments = list(local.arguments)
        arguments[k] = x.like(np.where(at, flat + step, flat))
        return local.function(arguments).flat()

    both, one = moved(np.ones(flat.size, bool)), moved(half)
    return bool(
        np.array_equal(one, np.where(half, both, y.flat()), equal_nan=True) and flat.size > 1
    )
