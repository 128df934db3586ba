"""What was done to the gradient of one leaf: transposed, scaled, averaged, decayed, clipped, or
another's.

Conventions: as in `by_leaf`; a leaf's part of it all is ``(G, *S)``.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.public.log_likelihood_gradient.leaves import Leaf

__all__ = ["One", "Said", "of_another", "of_itself"]


@dataclass(frozen=True, eq=False)
class One:
    """A leaf's part of it all: ``(G, *S)``."""

    leaf: Leaf
    found: np.ndarray
    due: np.ndarray
    limit: np.ndarray
    #: the parameters themselves, ``(*S)``
    params: np.ndarray

    @property
    def right(self) -> bool:
        return self.is_it(self.due)

    def is_it(self, value: np.ndarray, scale: float = 1.0) -> bool:
        return bool(np.all(np.abs(self.found - value) <= self.limit * max(1.0, scale)))

    @property
    def told(self) -> bool:
        """Whether anything but 0 is due."""
        return bool(np.any(np.abs(self.due) > 3 * self.limit))


@dataclass(frozen=True)
class Said:
    """``text``: a clause on "the gradient of …"; leaves of the same one are said together."""

    name: str
    text: str
    mend: str


def of_another(part: One, parts: list[One]) -> Said | None:
    """It holds what is due to another leaf of its size."""
    if not part.told and not np.any(part.found):
        return None
    for other in parts:
        if other is part or other.due.size != part.due.size or not other.told:
            continue
        if part.is_it(other.due.reshape(part.due.shape)):
            return Said(
                "leaves_exchanged",
                f"that of {other.leaf.name}",
                "Give each leaf its own, in the order of params",
            )
    return None


def of_itself(part: One, rows: np.ndarray) -> Said | None:
    if not part.told:
        return None
    if not np.any(part.found):
        return Said(
            "leaf_missing",
            "0",
            "Let the graph reach it: it is detached, or a None that was made 0",
        )
    n = rows.reshape(-1, *[1] * len(part.leaf.shape))
    for name, value, text in (
        ("leaf_mean_over_the_batch", part.due / n, "averaged over the batch, 1/n of what is due"),
        ("leaf_sum_over_the_batch", part.due * n, "n times what is due, n the number of rows"),
    ):
        if np.ptp(rows) and part.is_it(value, float(np.max(rows))):
            return Said(name, text, "Sum over the rows in every leaf, once")
    for name, value, text, mend in _moved(part.due):
        if part.is_it(value):
            return Said(name, text, mend)
    return _scaled(part) or _decayed(part) or _clipped(part)


def _moved(due: np.ndarray) -> Iterator[tuple[str, np.ndarray, str, str]]:
    """The entries of a leaf in other places."""
    axes = range(1, due.ndim)
    if due.ndim > 2:
        turned = np.moveaxis(due, list(axes), list(axes)[::-1])
        mend = "Return it in the leaf's own layout: W is (out, in) in PyTorch and equinox, (in,"
        mend += " out) in flax"
        if turned.shape == due.shape:
            yield "leaf_transposed", turned, "transposed", mend
        yield (
            "leaf_transposed",
            turned.reshape(due.shape),
            "that of the transposed matrix, reshaped",
            f"{mend}; reshape does not transpose",
        )
    for axis in axes:
        where = f" along axis {axis - 1}" if due.ndim > 2 else ""
        if due.shape[axis] > 1:
            yield (
                "leaf_turned",
                np.flip(due, axis),
                f"in reverse order{where}",
                "Put its entries back in order",
            )
            for of, what in ((np.mean, "mean"), (np.sum, "sum")):
                value = np.broadcast_to(of(due, axis=axis, keepdims=True), due.shape)
                text = f"in every entry the {what} over its entries{where}"
                yield (
                    f"leaf_{what}",
                    value,
                    text,
                    f"Do not take the {what} over the leaf's own axis",
                )
        if due.shape[axis] > 2:
            for k in (1, -1):
                yield (
                    "leaf_turned",
                    np.roll(due, k, axis),
                    f"shifted by one place{where}",
                    "Put its entries back in order",
                )


def _scaled(part: One) -> Said | None:
    """One number times what is due."""
    size = float(np.vdot(part.due, part.due))
    if np.sum(np.abs(part.due) > 3 * part.limit) < 2:
        return None
    c = float(np.vdot(part.due, part.found)) / size
    if not part.is_it(c * part.due, abs(c)):
        return None
    within = float(np.linalg.norm(part.limit)) / size**0.5
    if abs(c + 1) <= 4 * within:
        return Said("leaf_sign", "the negative of what is due", "Flip its sign")
    shown = number(c, max(within / max(abs(c), 1e-300), 1e-6))
    return Said("leaf_factor", f"{shown} times what is due", "Look for what multiplies that leaf")


def _decayed(part: One) -> Said | None:
    """A multiple of the leaf itself added."""
    gap, size = part.found - part.due, float(np.vdot(part.params, part.params))
    if size == 0 or part.params.size < 3:
        return None
    c = float((gap * part.params).sum()) / (size * len(gap))
    if c == 0 or not part.is_it(part.due + c * part.params):
        return None
    within = float(np.max(part.limit)) / (abs(c) * float(np.max(np.abs(part.params))))
    return Said(
        "leaf_decayed",
        f"what is due and {number(c, max(within, 1e-6))} times the leaf itself, as of weight decay",
        "Leave the decay to the optimizer",
    )


def _clipped(part: One) -> Said | None:
    """Right but for its length, which is one and the same whenever it is cut."""
    due, found = (a.reshape(len(a), -1) for a in (part.due, part.found))
    size = np.sum(due * due, axis=1)
    if len(due) < 2 or due.shape[1] < 2 or np.any(size == 0):
        return None
    c = np.sum(due * found, axis=1) / size
    value = (c[:, None] * due).reshape(part.due.shape)
    lengths = np.linalg.norm(found, axis=1)
    cut = np.abs(c - 1) > 1e-4
    blur = float(np.max(part.limit)) * due.shape[1] ** 0.5 + 1e-4 * float(np.max(lengths))
    if not part.is_it(value, float(np.max(np.abs(c)))) or cut.sum() < 2:
        return None
    if np.ptp(lengths[cut]) > blur or np.ptp(c[cut]) <= 1e-4:
        return None
    return Said(
        "leaf_clipped",
        f"of the right direction and of length {number(float(np.mean(lengths[cut])), 1e-4)}",
        "Do not clip or normalise leaf by leaf before the check",
    )
