"""Tweedie's formula for atoms as an identity of rational functions: all atoms, weights, points and
covariances at once.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from scoreproof.claims.tweedie.statement import Posterior
from scoreproof.core import Instance, check
from scoreproof.evidence import Evidence
from scoreproof.numerics.rational_functions import Ratio, symbols

__all__ = ["polynomial"]


def _instances(profile: str) -> tuple[Instance, ...]:
    atoms = 2 if profile in ("faults", "quick", "default") else 3
    return (Instance(f"{atoms} atoms in the plane", lambda rng: atoms),)


@check(
    kind="exact",
    instances=_instances,
)
def polynomial(subject: Posterior, atoms: int, rng: Any) -> Evidence:
    """Atoms x_i in the plane with weights w_i: the exponentials e_i are symbols with ∂e_i = -P(y -
    x_i) e_i, and Σ = P⁻¹. Then log p_Y is differentiated as a rational function of all symbols, and
    the posterior moments are compared with the
    weighted averages of the atoms: the difference must be the zero function.
    """
    # Σ = L Lᵀ through its factor, so that faults which take a square root stay inside the field
    names = ["a", "b", "c", "y0", "y1"]
    for i in range(atoms):
        names += [f"e{i}", f"x{i}0", f"x{i}1"]  # e_i carries its weight w_i
    ring = symbols(*names)
    by_name: dict[str, Ratio] = dict(zip(names, ring, strict=True))
    zero = by_name["a"] * 0
    root = np.array([[by_name["a"], zero], [by_name["b"], by_name["c"]]], dtype=object)
    cov = root @ root.T
    det = cov[0, 0] * cov[1, 1] - cov[0, 1] * cov[1, 0]
    precision = np.array([[cov[1, 1], -cov[0, 1]], [-cov[1, 0], cov[0, 0]]], dtype=object) / det
    y = np.array([by_name["y0"], by_name["y1"]], dtype=object)
    x = np.array([[by_name[f"x{i}0"], by_name[f"x{i}1"]] for i in range(atoms)], dtype=object)
    e = np.array([by_name[f"e{i}"] for i in range(atoms)], dtype=object)

    slopes = -(y - x) @ precision  # ∂e_i / e_i, rows
    density = e.sum()
    gradient = e @ slopes
    second = sum(e[i] * (np.outer(slopes[i], slopes[i]) - precision) for i in range(atoms))
    score = gradient / density
    hessian = second / density - np.outer(score, score)

    mean = (e @ x) / density
    covariance = sum(e[i] * np.outer(x[i], x[i]) for i in range(atoms)) / density - np.outer(
        mean, mean
    )
    differences = np.concatenate(
        [
            (subject.mean(y[None], score[None], cov)[0] - mean),
            (subject.covariance(hessian[None], cov)[0] - covariance).ravel(),
        ]
    )
    nonzero = sum(0 if d.is_zero() else d.terms() for d in differences)
    return Evidence.exact(
        nonzero,
        f"the difference to the weighted averages of {atoms} atoms, for all atoms, weights, points"
        f" and covariances at once, has {nonzero} terms",
        cost={"symbols": len(names)},
    )
