"""Which leaves are wrong, and what was done to each: exchanged, transposed, scaled, averaged.

Conventions: ``found``, ``due`` and ``limit`` ``(G, P)`` over all questions, ``rows`` ``(G,)`` the
number of rows of the question that each comes from. A cause is claimed only where every leaf is
right or explained.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.log_likelihood_gradient.leaves import Leaf, Leaves
from scoreproof.words import enumerated

__all__ = ["by_leaf", "right_leaves"]

#: leaves up to which every order is tried
ORDERED = 6
MOST = 4


@dataclass(frozen=True, eq=False)
class _One:
    """A leaf's part of it all: ``(G, *S)``."""

    leaf: Leaf
    found: np.ndarray
    due: np.ndarray
    limit: np.ndarray

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
class _Said:
    """``text``: a clause on "the gradient of …"; leaves of the same one are said together."""

    name: str
    text: str
    mend: str


def right_leaves(
    leaves: Leaves, found: np.ndarray, due: np.ndarray, limit: np.ndarray
) -> list[bool]:
    return [p.right for p in _parts(leaves, found, due, limit)]


def _parts(leaves: Leaves, found: np.ndarray, due: np.ndarray, limit: np.ndarray) -> list[_One]:
    blur = np.broadcast_to(limit, due.shape)
    return [
        _One(leaf, *(a[:, leaf.place].reshape(-1, *leaf.shape) for a in (found, due, blur)))
        for leaf in leaves
    ]


def by_leaf(
    leaves: Leaves, found: np.ndarray, due: np.ndarray, limit: np.ndarray, rows: np.ndarray
) -> Diagnosis | None:
    """The cause, leaf by leaf; ``None`` for a flat vector, and where some leaf is not explained."""
    if leaves.plain:
        return None
    parts = _parts(leaves, found, due, limit)
    wrong = [p for p in parts if not p.right]
    if not wrong:
        return None
    told: dict[_Said, list[str]] = {}
    for part in wrong:
        said = _of_another(part, parts) or _of_itself(part, rows)
        if said is None:
            return _another_order(leaves, found, due, limit)
        told.setdefault(said, []).append(part.leaf.name)
    if len(wrong) == len(parts) and len(told) == 1 and next(iter(told)).name in EVERYWHERE:
        return None  # of the whole gradient, which others say
    some = list(told.items())[:MOST]
    clauses = "; ".join(
        f"the gradient{'s' * (len(names) > 1)} of {_names(names)}"
        f" {'are' if len(names) > 1 else 'is'} {said.text}"
        for said, names in some
    )
    more = "; …" if len(told) > MOST else ""
    rest = "" if len(wrong) == len(parts) else ", the rest is right"
    kinds = list(dict.fromkeys(said.name for said in told))
    mends = "; ".join(dict.fromkeys(said.mend for said, _ in some))
    return Diagnosis.cause(
        " + ".join(kinds), f"Cause: {clauses}{more}{rest} ({', '.join(kinds)}). {mends}."
    )


#: what the whole gradient may be, too
EVERYWHERE = ("leaf_factor", "leaf_sign", "leaf_missing", "leaf_mean_over_the_batch")


def _names(names: list[str]) -> str:
    return enumerated(names) if len(names) <= MOST else f"{', '.join(names[:3])} and others"


def _of_another(part: _One, parts: list[_One]) -> _Said | None:
    """It holds what is due to another leaf of its size."""
    if not part.told and not np.any(part.found):
        return None
    for other in parts:
        if other is part or other.due.size != part.due.size or not other.told:
            continue
        if part.is_it(other.due.reshape(part.due.shape)):
            return _Said(
                "leaves_exchanged",
                f"that of {other.leaf.name}",
                "Give each leaf its own, in the order of params",
            )
    return None


def _of_itself(part: _One, rows: np.ndarray) -> _Said | None:
    if not part.told:
        return None
    if not np.any(part.found):
        return _Said(
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
            return _Said(name, text, "Sum over the rows in every leaf, once")
    for name, value, text, mend in _moved(part.due):
        if part.is_it(value):
            return _Said(name, text, mend)
    return _scaled(part)


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


def _scaled(part: _One) -> _Said | None:
    """One number times what is due."""
    size = float(np.vdot(part.due, part.due))
    if np.sum(np.abs(part.due) > 3 * part.limit) < 2:
        return None
    c = float(np.vdot(part.due, part.found)) / size
    if not part.is_it(c * part.due, abs(c)):
        return None
    within = float(np.linalg.norm(part.limit)) / size**0.5
    if abs(c + 1) <= 4 * within:
        return _Said("leaf_sign", "the negative of what is due", "Flip its sign")
    shown = number(c, max(within / max(abs(c), 1e-300), 1e-6))
    return _Said("leaf_factor", f"{shown} times what is due", "Look for what multiplies that leaf")


def _another_order(
    leaves: Leaves, found: np.ndarray, due: np.ndarray, limit: np.ndarray
) -> Diagnosis | None:
    """A flat gradient whose leaves stand in another order."""
    count = len(leaves)
    listed = list(leaves)
    if count < 2:
        return None
    orders = (
        permutations(range(count))
        if count <= ORDERED
        else iter(
            (
                tuple(np.argsort([leaf.name for leaf in leaves], kind="stable")),
                tuple(range(count))[::-1],
            )
        )
    )
    for order in orders:
        if order == tuple(range(count)):
            continue
        value = np.concatenate([due[:, listed[int(k)].place] for k in order], axis=1)
        if np.all(np.abs(found - value) <= limit):
            names = [listed[int(k)].name for k in order]
            return Diagnosis.cause(
                "leaves_in_another_order",
                f"Cause: the entries are right and the leaves stand in another order:"
                f" {_names(names)} (leaves_in_another_order). Keep the order of params, which is"
                f" {_names([leaf.name for leaf in leaves])}.",
            )
    return None
