"""Which leaves are wrong, and what was done to each: exchanged, transposed, scaled, averaged.

Conventions: ``found``, ``due`` and ``limit`` ``(G, P)`` over all questions, ``rows`` ``(G,)`` the
number of rows of the question that each comes from. A cause is claimed only where every leaf is
right or explained.
"""

from __future__ import annotations

from itertools import permutations

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.log_likelihood_gradient.leaf_readings import (
    One,
    Said,
    of_another,
    of_itself,
)
from scoreproof.public.log_likelihood_gradient.leaves import Leaf, Leaves
from scoreproof.words import enumerated

__all__ = ["by_leaf", "right_leaves"]

#: leaves up to which every order is tried
ORDERED = 6
MOST = 4


def right_leaves(
    leaves: Leaves, found: np.ndarray, due: np.ndarray, limit: np.ndarray
) -> list[bool]:
    nothing = np.zeros(leaves.size)
    return [p.right for p in _parts(leaves, found, due, limit, nothing)]


def _parts(
    leaves: Leaves, found: np.ndarray, due: np.ndarray, limit: np.ndarray, params: np.ndarray
) -> list[One]:
    blur = np.broadcast_to(limit, due.shape)

    def one(leaf: Leaf) -> One:
        f, d, b = (a[:, leaf.place].reshape(-1, *leaf.shape) for a in (found, due, blur))
        return One(leaf, f, d, b, params[leaf.place].reshape(leaf.shape))

    return [one(leaf) for leaf in leaves]


def by_leaf(
    leaves: Leaves,
    found: np.ndarray,
    due: np.ndarray,
    limit: np.ndarray,
    rows: np.ndarray,
    params: np.ndarray,
) -> Diagnosis | None:
    """The cause, leaf by leaf; ``None`` for a flat vector, and where some leaf is not explained."""
    if leaves.plain:
        return None
    parts = _parts(leaves, found, due, limit, params)
    wrong = [p for p in parts if not p.right]
    if not wrong:
        return None
    told: dict[Said, list[str]] = {}
    for part in wrong:
        said = of_another(part, parts) or of_itself(part, rows)
        if said is None:
            return _another_order(leaves, found, due, limit)
        told.setdefault(said, []).append(part.leaf.name)
    kinds = list(dict.fromkeys(said.name for said in told))
    everywhere = len(wrong) == len(parts) and len(kinds) == 1 and kinds[0] in EVERYWHERE
    if everywhere and (len(told) == 1 or _one_factor(found, due, limit)):
        return None  # of the whole gradient, which others say
    some = list(told.items())[:MOST]
    clauses = "; ".join(
        f"the gradient{'s' * (len(names) > 1)} of {_names(names)}"
        f" {'are' if len(names) > 1 else 'is'} {said.text}"
        for said, names in some
    )
    more = "; …" if len(told) > MOST else ""
    rest = "" if len(wrong) == len(parts) else ", the rest is right"
    mends = "; ".join(dict.fromkeys(said.mend for said, _ in some))
    return Diagnosis.cause(
        " + ".join(kinds), f"Cause: {clauses}{more}{rest} ({', '.join(kinds)}). {mends}."
    )


#: what the whole gradient may be, too
EVERYWHERE = ("leaf_factor", "leaf_sign", "leaf_missing", "leaf_mean_over_the_batch")


def _one_factor(found: np.ndarray, due: np.ndarray, limit: np.ndarray) -> bool:
    """Numbers of the leaves that rounding alone keeps apart."""
    c = float(np.vdot(due, found)) / max(float(np.vdot(due, due)), 1e-300)
    return bool(np.all(np.abs(found - c * due) <= limit))


def _names(names: list[str]) -> str:
    return enumerated(names) if len(names) <= MOST else f"{', '.join(names[:3])} and others"


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
