"""A part of the gradient that is missing, or counted otherwise, in some leaves only.

Conventions: as in `parts`; the other leaves are right.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.claims.ffjord.solver import Prepared
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.by_leaf import right_leaves
from scoreproof.public.log_likelihood_gradient.flows import Wanted
from scoreproof.public.log_likelihood_gradient.leaves import Leaves
from scoreproof.public.log_likelihood_gradient.parts import fitted, parts, said

__all__ = ["weighed_in_some"]


def weighed_in_some(
    field: BlackBoxField,
    prepared: Prepared,
    wanted: Wanted,
    leaves: Leaves,
) -> Diagnosis | None:
    """``wanted``: of all parameters."""
    mix, columns = wanted.how
    if leaves.plain or columns is not None or not wanted.limit.size:
        return None
    right = right_leaves(leaves, wanted.found, wanted.due, wanted.limit)
    if all(right) or not any(right):
        return None
    wrong = np.zeros(leaves.size, bool)
    for leaf, fine in zip(leaves, right, strict=True):
        wrong[leaf.place] = not fine
    basis = parts(field, prepared, wanted.latent, wanted.nus, (mix, None))[..., wrong]
    multiples = fitted(wanted.found[:, wrong], basis, wanted.limit[:, wrong])
    cause = (
        None
        if multiples is None
        else said(multiples, {"n": wanted.x.shape[0], "D": wanted.x.shape[1]})
    )
    if cause is None:
        return None
    where = f"Cause, in {leaves.which(wrong)} only, the rest is right:"
    return replace(cause, sentence=cause.sentence.replace("Cause:", where, 1))
