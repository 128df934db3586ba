"""What a batch of answers, rows by coordinates, is instead of the right one.

Conventions: as in `answer`. Each function gives a `Reading`, or None if it does not explain.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.answer import Answer, Reading
from scoreproof.causes.closed_forms import number
from scoreproof.causes.places import indices

__all__ = ["averaged", "by_coordinate", "by_row", "exchanged", "linear", "rows_moved"]


def _matrix(a: Answer) -> bool:
    return a.found.ndim == 2 and min(a.found.shape) >= 1 and not np.iscomplexobj(a.found)


def exchanged(a: Answer) -> Reading | None:
    """Coordinates in another order, possibly with other signs."""
    if not _matrix(a) or not 2 <= a.found.shape[1] <= 64 or a.found.shape[0] < 2:
        return None
    order = _matched(a.found.T, a.due.T, a.limit.T)
    if order is None or np.array_equal(order, np.arange(len(order))):
        return None
    d = len(order)
    if np.array_equal(order, np.arange(d)[::-1]) and d > 2:
        text = "the coordinates come in reverse order"
    elif d > 2 and any(np.array_equal(order, np.roll(np.arange(d), k)) for k in (1, -1)):
        text = "the coordinates are shifted by one place"
    else:
        moved = [k for k in range(d) if order[k] != k]
        first, *rest = moved
        text = (
            f"coordinates are exchanged: coordinate {first} of the answer is coordinate "
            f"{order[first]} of what is due"
            + "".join(f", {k} is {order[k]}" for k in rest[:3])
            + (", …" if len(rest) > 3 else "")
        )
    return Reading("coordinates_exchanged", text, "put them back in order")


def rows_moved(a: Answer) -> Reading | None:
    if not _matrix(a) or a.found.shape[0] < 3:
        return None
    n = a.found.shape[0]
    if np.all(np.abs(a.found - a.found[:1]) <= 2 * a.limit):
        at = [k for k in range(n) if a.explained(np.broadcast_to(a.due[k], a.due.shape))]
        if at:
            text = f"every row gets the answer of row {at[0]}"
            return Reading("one_row_for_all", text, "answer each row for itself")
        mean = np.broadcast_to(a.due.mean(axis=0), a.due.shape)
        if a.explained(mean):
            text = "every row gets the mean over the batch"
            return Reading("mean_over_the_batch", text, "do not average over the rows")
        if a.explained(np.broadcast_to(a.due.sum(axis=0), a.due.shape), n):
            text = "every row gets the sum over the batch"
            return Reading("sum_over_the_batch", text, "do not sum over the rows")
    order = _matched(a.found, a.due, a.limit)
    if order is None or np.array_equal(order, np.arange(n)):
        return None
    if np.array_equal(order, np.arange(n)[::-1]):
        text = "the rows come in reverse order"
    elif any(np.array_equal(order, np.roll(np.arange(n), k)) for k in (1, -1)):
        text = "the rows are shifted by one"
    else:
        k = int(np.argmax(order != np.arange(n)))
        text = f"the rows are mixed: row {k} gets the answer of row {order[k]}"
    return Reading("rows_mixed", text, "keep each row's answer with its row")


def _matched(found: np.ndarray, due: np.ndarray, limit: np.ndarray) -> np.ndarray | None:
    """For each vector found the one that is due in its place, a permutation; None if it is none."""
    if len(found) > 256:
        return None
    order = np.empty(len(found), int)
    free = np.ones(len(found), bool)
    for k, (vector, blur) in enumerate(zip(found, limit, strict=True)):
        fits = np.all(np.abs(due - vector) <= blur, axis=1) & free
        if not np.any(fits):
            return None
        order[k] = k if fits[k] else int(np.argmax(fits))
        free[order[k]] = False
    return order


def by_coordinate(a: Answer) -> Reading | None:
    """A factor, or an offset, of each coordinate by itself."""
    if not _matrix(a) or a.found.shape[1] < 2 or a.found.shape[0] < 3:
        return None
    size = np.sum(a.due**2, axis=0)
    if np.any(size == 0):
        return None
    c = np.sum(a.due * a.found, axis=0) / size
    within = np.linalg.norm(a.limit, axis=0) / np.sqrt(size)
    if a.explained(c * a.due, float(np.max(np.abs(c)))):
        return _some("factor", c, np.abs(c - 1) > 2 * within, float(np.max(within)), a)
    b = np.mean(a.found - a.due, axis=0)
    if a.explained(a.due + b):
        return _some("offset", b, np.abs(b) > np.max(a.limit, axis=0), float(np.max(a.limit)), a)
    return None


def _some(kind: str, c: np.ndarray, off: np.ndarray, within: float, a: Answer) -> Reading | None:
    where = indices(off, "coordinate")
    values = c[off]
    if not np.any(off):
        return None
    same = np.ptp(values) <= 4 * within * max(1.0, float(np.max(np.abs(values))))
    if kind == "offset":
        shown = number(float(values[0]), within / abs(float(values[0])), a.known)
        what = f"what is due plus {shown}" if same else "what is due plus a number of its own"
    elif same and abs(values[0]) <= within:
        what = "0"
    elif same and abs(values[0] + 1) <= within:
        what = "the negative of what is due"
    else:
        shown = ", ".join(number(float(v), within, a.known) for v in values[:4])
        what = (
            f"{shown if not same else number(float(values[0]), within, a.known)} times what is due"
        )
        what += ", …" if not same and len(values) > 4 else ""
    one = "is" if np.sum(off) == 1 else "are"
    if where:
        text = f"{where} {one} {what}, the rest is right"
    elif same and kind == "factor":  # one factor, that each coordinate knows more or less well
        negative = abs(values[0] + 1) <= within
        name, remedy = ("sign", "flip the sign") if negative else ("factor", "divide it by that")
        return Reading(name, f"it is {what}", remedy, float(values[0]))
    else:
        text = f"each coordinate is off by itself: coordinates 0, 1, … are {what}"
    return Reading(f"{kind}_by_coordinate", text, "mend these coordinates")


def by_row(a: Answer) -> Reading | None:
    """A factor of each row by itself: divided by its length."""
    if not _matrix(a) or a.found.shape[1] < 2 or a.found.shape[0] < 3:
        return None
    size = np.linalg.norm(a.due, axis=1)
    if np.any(size == 0):
        return None
    c = np.sum(a.due * a.found, axis=1) / size**2
    if not a.explained(c[:, None] * a.due, float(np.max(np.abs(c)))):
        return None
    unit = c * size
    if np.ptp(unit) <= 4 * float(np.max(a.limit)) and np.ptp(size) > 0.01 * np.max(size):
        text = f"each row is shortened or stretched to the length {np.mean(unit):.4g}"
        return Reading("rows_of_one_length", text, "do not divide a row by its norm")
    text = (
        f"each row is what is due times a number of its own (from {np.min(c):.4g} to "
        f"{np.max(c):.4g}): the direction is right, the size is not"
    )
    return Reading("factor_by_row", text, "look for what multiplies a whole row")


def linear(a: Answer) -> Reading | None:
    """Each row times one matrix: a rotation, a mixing of coordinates."""
    if not _matrix(a) or a.found.shape[1] < 2 or a.found.shape[0] < 2 * a.found.shape[1] + 1:
        return None
    d = a.found.shape[1]
    if d > 32:
        return None
    matrix, *_, singular = np.linalg.lstsq(a.due, a.found, rcond=None)
    size = float(np.linalg.norm(matrix, 2))
    if singular[-1] < 1e-6 * singular[0] or not a.explained(a.due @ matrix, size):
        return None
    blur = 4 * float(np.linalg.norm(a.limit)) / singular[-1]
    gram = matrix @ matrix.T
    factor = float(np.sqrt(np.trace(gram) / d))
    turned = np.max(np.abs(gram - factor**2 * np.eye(d))) <= blur * max(factor, 1.0)
    if turned:
        scale = "" if abs(factor - 1) <= blur else f" and multiplied by {number(factor, blur)}"
        angle = ""
        if d == 2 and np.linalg.det(matrix) > 0:
            angle = f" by {np.degrees(np.arctan2(matrix[0, 1], matrix[0, 0])):.4g}°"
        kind = "rotated" if np.linalg.det(matrix) > 0 else "mirrored"
        text = f"each row is what is due, {kind}{angle}{scale}"
        return Reading("rotated", text, "look for a matrix that is transposed")
    off = np.argwhere(np.abs(matrix - np.diag(np.diag(matrix))) > blur)
    if len(off) == 0:
        return None
    k, j = (int(v) for v in off[0])
    text = (
        "each row is what is due times a matrix that mixes coordinates (coordinate "
        f"{j} gets {matrix[k, j]:.4g} times coordinate {k})"
    )
    return Reading("coordinates_mixed", text, "look for a matrix that is transposed or left out")


def averaged(a: Answer) -> Reading | None:
    if not _matrix(a) or a.found.shape[1] < 2:
        return None
    mean = np.broadcast_to(a.due.mean(axis=1, keepdims=True), a.due.shape)
    if a.explained(mean):
        text = "every coordinate gets the mean over the coordinates"
        return Reading("mean_over_coordinates", text, "do not average over the last axis")
    if a.explained(np.broadcast_to(a.due.sum(axis=1, keepdims=True), a.due.shape)):
        text = "every coordinate gets the sum over the coordinates"
        return Reading("sum_over_coordinates", text, "do not sum over the last axis")
    return None
