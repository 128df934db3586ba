"""A gradient that is right for something else than ν in its place.

Conventions: as in `flows`.
"""

from __future__ import annotations

import numpy as np

from scoreproof.claims.ffjord.solver import Prepared
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.black_box_field import BlackBoxField
from scoreproof.public.log_likelihood_gradient.flows import Wanted
from scoreproof.public.log_likelihood_gradient.parts import fitted, said
from scoreproof.public.noise_vectors import VECTORS

__all__ = ["another_noise"]


def another_noise(field: BlackBoxField, wanted: Wanted, prepared: Prepared) -> Diagnosis | None:
    """The gradient with something else for ν, in all places alike."""
    if len(wanted.nus) != 1:
        return None
    two: Diagnosis | None = None  # √2 ν/|ν| is no ν of unit length with a doubled trace
    for name, text in NOISES.items():
        nu = np.ascontiguousarray(VECTORS[name](wanted.nus[0]))[None]
        if np.array_equal(nu, wanted.nus):
            continue
        basis = wanted.parts_like(field, prepared, nu)
        multiples = None if basis is None else fitted(wanted.found, basis, wanted.limit)
        if multiples is not None and multiples.simple and np.any(multiples.values[1:] != 0):
            more, name = said(multiples, {}), f"{name}_for_nu"
            if more is None:
                return Diagnosis.cause(name, f"Cause: {text} ({name}).")
            also = more.sentence.removeprefix("Cause: ")
            two = two or Diagnosis.cause(name, f"Cause: {text} ({name}). Besides, {also}")
    return two


#: what may stand for ν, in words
NOISES = {
    "unit": "ν is brought to unit length, which has E[νν^T] = I/D: use ν as it is given",
    "sphere": "ν is brought to length √D: use ν as it is given",
    "signs": "the signs of ν stand for ν: use ν as it is given",
    "ones": "a vector of ones stands for ν: the sum of all entries of J",
    "first": "all rows get the ν of the first row: give each row its own",
    "last": "all rows get the ν of the last row: give each row its own",
    "previous": "each row gets the ν of another row: keep the rows of x and ν together",
    "next": "each row gets the ν of another row: keep the rows of x and ν together",
    "turned": "the rows of ν come in the opposite order: keep the rows of x and ν together",
    "backward": "the coordinates of ν come in the opposite order",
    "reshaped": "ν (n, D) is read as (D, n) and transposed: reshape does not transpose",
    "unit_in_batch": "ν is divided by the norm of the whole batch: use ν as it is given",
    "absolute": "|ν_k| stands for ν_k: use ν as it is given",
}
