"""Estimates made of the whole Jacobian, of f or of z, where νᵀJν is due.

Conventions: as in `guesses`; J ``(m, D, D)``, so that ``νᵀJ`` is what a backward pass returns
(e_dzdx) and ``Jν`` what a forward one does.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.public.trace_estimator.fields import Trial
from scoreproof.public.trace_estimator.guesses import Guess
from scoreproof.public.trace_estimator.verdict import Judged

__all__ = ["of_jacobians"]

#: numbers in all Jacobians together, at most
NUMBERS = 1 << 22


@dataclass(frozen=True, eq=False)
class _Given:
    """What an estimate can be made of, a row each."""

    j: np.ndarray
    nu: np.ndarray
    f: np.ndarray
    z: np.ndarray

    @property
    def left(self) -> np.ndarray:
        """νᵀJ"""
        return np.asarray(np.einsum("mk,mkj->mj", self.nu, self.j))

    @property
    def right(self) -> np.ndarray:
        """Jν"""
        return np.asarray(np.einsum("mkj,mj->mk", self.j, self.nu))


Formula = Callable[[_Given], np.ndarray]


def _inner(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return np.asarray((a * b).sum(axis=1))


def _diagonal(g: _Given) -> np.ndarray:
    return np.asarray(np.einsum("mkk->mk", g.j))


DIAGONAL = "Sum the diagonal of J, ∂f_i/∂z_i over i"
TWICE = "Multiply by ν and sum over the coordinates"
#: name, the formula, what it is in words, what mends it
FORMULAS: tuple[tuple[str, Formula, str, str], ...] = (
    (
        "left_product_squared",
        lambda g: _inner(g.left, g.left),
        "the squared length of νᵀJ: the product of ν with J is multiplied by itself, not by ν",
        TWICE,
    ),
    (
        "field_for_last_nu",
        lambda g: _inner(g.left, g.f),
        "νᵀJ is multiplied by f(z), not by ν: νᵀJ f(z)",
        TWICE,
    ),
    (
        "field_for_first_nu",
        lambda g: _inner(g.f, g.right),
        "Jν is multiplied by f(z), not by ν: f(z)ᵀJν",
        TWICE,
    ),
    (
        "field_for_nu",
        lambda g: np.einsum("mk,mkj,mj->m", g.f, g.j, g.f),
        "f(z) stands for ν: f(z)ᵀJ f(z)",
        "Use the ν that is given",
    ),
    (
        "point_for_last_nu",
        lambda g: _inner(g.left, g.z),
        "νᵀJ is multiplied by z, not by ν: νᵀJ z",
        TWICE,
    ),
    (
        "point_for_first_nu",
        lambda g: _inner(g.z, g.right),
        "Jν is multiplied by z, not by ν: zᵀJν",
        TWICE,
    ),
    (
        "point_for_nu",
        lambda g: np.einsum("mk,mkj,mj->m", g.z, g.j, g.z),
        "z stands for ν: zᵀJ z",
        "Use the ν that is given",
    ),
    (
        "no_derivative",
        lambda g: _inner(g.nu, g.f),
        "it is ν·f(z): no derivative is taken",
        "Differentiate ν·f(z) with respect to z, multiply by ν and sum",
    ),
    (
        "jacobian_squared",
        lambda g: _inner(g.left, g.right),
        "it is νᵀJ²ν: J is applied twice",
        "Apply J once",
    ),
    (
        "length_of_left_product",
        lambda g: np.sqrt(_inner(g.left, g.left)),
        "the length of νᵀJ",
        TWICE,
    ),
    ("length_of_right_product", lambda g: np.sqrt(_inner(g.right, g.right)), "|Jν|", TWICE),
    (
        "frobenius_norm",
        lambda g: (g.j**2).sum(axis=(1, 2)),
        "the sum of the squares of all entries of J, |J|²: no trace",
        "Sum the diagonal of J",
    ),
    (
        "trace_of_the_square",
        lambda g: np.einsum("mkj,mjk->m", g.j, g.j),
        "the trace of J², not of J",
        "Apply J once",
    ),
    (
        "determinant",
        lambda g: np.linalg.det(g.j),
        "det J, not tr J",
        "Sum the diagonal of J",
    ),
    (
        "squared_estimate",
        lambda g: _inner(g.left, g.nu) ** 2,
        "the square of νᵀJν",
        "Return it as it is",
    ),
    (
        "rooted_estimate",
        lambda g: np.sqrt(np.abs(_inner(g.left, g.nu))),
        "the square root of |νᵀJν|",
        "Return it as it is",
    ),
    (
        "off_diagonal_alone",
        lambda g: g.j.sum(axis=(1, 2)) - _diagonal(g).sum(axis=1),
        "the sum of all entries of J but the diagonal",
        "Sum the diagonal of J",
    ),
    (
        "first_row_of_jacobian",
        lambda g: g.j[:, 0].sum(axis=1),
        "the sum of the first row of J, ∂f_0/∂z_i over all i, as where one output is differentiated"
        " for all",
        DIAGONAL,
    ),
    (
        "first_column_of_jacobian",
        lambda g: g.j[:, :, 0].sum(axis=1),
        "the sum of the first column of J, ∂f_i/∂z_0 over all i",
        DIAGONAL,
    ),
    (
        "last_row_of_jacobian",
        lambda g: g.j[:, -1].sum(axis=1),
        "the sum of the last row of J, ∂f_i/∂z_k over all k with i = D - 1, as of a loop's variable"
        " that is read after the loop",
        DIAGONAL,
    ),
    (
        "beside_the_diagonal",
        lambda g: np.einsum("mkk->mk", np.roll(g.j, -1, axis=2)).sum(axis=1),
        "the sum of ∂f_i/∂z_(i+1) over i: the entries beside the diagonal of J",
        DIAGONAL,
    ),
    (
        "field_summed",
        lambda g: g.f.sum(axis=1),
        "the sum of f(z): no derivative is taken",
        "Sum the diagonal of its Jacobian",
    ),
)
#: those without ν
FREE = {
    "field_for_nu",
    "point_for_nu",
    "frobenius_norm",
    "trace_of_the_square",
    "determinant",
    "off_diagonal_alone",
    "first_row_of_jacobian",
    "first_column_of_jacobian",
    "last_row_of_jacobian",
    "beside_the_diagonal",
    "field_summed",
}
#: those in which another vector stands for ν: no exact trace is meant
IN_PLACE = {"field_for_nu", "point_for_nu"}


def of_jacobians(parts: list[Judged]) -> Iterator[Guess]:
    """Each formula, where the Jacobians are small enough to be written out."""
    if sum(p.rows.z.size * p.rows.dimension for p in parts) > NUMBERS:
        return
    made = []
    for p in parts:
        z, nu = p.rows.z, p.rows.nu
        made.append(_Given(_jacobian(p.rows.trial, z), nu, p.rows.trial.values(z), z))
    for name, formula, reason, mend in FORMULAS:
        with np.errstate(all="ignore"):
            values = [np.asarray(formula(g)) for g in made]
            sizes = [np.asarray(formula(_absolute(g))) for g in made]
        if not all(np.all(np.isfinite(v)) for v in values):
            continue
        sizes = [
            np.maximum(np.abs(v), np.where(np.isfinite(s), np.abs(s), 0.0))
            for v, s in zip(values, sizes, strict=True)
        ]
        free = name in FREE
        of = "tr J" if free and name not in IN_PLACE else name
        yield Guess(name, values, sizes, reason, mend, of, free=free)


def _absolute(g: _Given) -> _Given:
    return _Given(*(np.abs(part) for part in (g.j, g.nu, g.f, g.z)))


def _jacobian(trial: Trial, z: np.ndarray) -> np.ndarray:
    units = np.eye(z.shape[1])
    return np.stack([trial.product(z, np.broadcast_to(e, z.shape)) for e in units], axis=2)
