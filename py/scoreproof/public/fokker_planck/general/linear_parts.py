"""A part of the drift that is linear in x: transposed, or missing.

Conventions: as in `causes`; with ``M x + b`` added to f, ``Σ_i ∂_i((M x + b)_i p)/p = (M x + b)·s +
tr M`` is taken away.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.public.fokker_planck.general.hessians import Bank, Bent
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.linear_drift import lacks

__all__ = ["linear_parts", "other_entries"]

#: dimensions up to which a missing part is fitted
MOST = 6
#: a drift is affine if so much of it is left by a fit
AFFINE = 1e-9


def linear_parts(
    g: General, banks: list[Bank], gained: np.ndarray, brought: np.ndarray, weight: np.ndarray
) -> Iterator[tuple[str, np.ndarray, str]]:
    """Candidates, the simpler first; ``brought`` is what all terms bring as they are."""
    d = g.coefficient.d

    def more(m: np.ndarray, b: np.ndarray) -> np.ndarray:
        def one(end: Bent) -> np.ndarray:
            return np.asarray(((end.x @ m.T + b) * end.s).sum(axis=1) + np.trace(m))

        return brought - np.concatenate([bank.whole(one) for bank in banks])

    a = _matrix(g, banks)
    none = np.zeros(d)
    if a is not None and d > 1:
        for name, other, text in (
            ("matrix_transposed", a.T, "the matrix of the drift is transposed: x @ A for x @ A.T"),
            (
                "matrix_diagonal",
                np.diag(np.diag(a)),
                "the off-diagonal part of the drift is not due",
            ),
        ):
            if not np.allclose(other, a):
                yield name, more(other - a, none), text
    if d > MOST or len(gained) < 2 * (d * d + d):
        return
    unit = np.eye(d)
    basis = [(np.outer(unit[i], unit[k]), none) for i in range(d) for k in range(d)]
    basis += [(np.zeros((d, d)), unit[i]) for i in range(d)]
    design = np.column_stack([more(m, b) - brought for m, b in basis]) * weight[:, None]
    length = np.linalg.norm(design, axis=0)
    if not np.all(length > 0):
        return
    goal = (gained - brought) * weight
    fit, _, rank, singular = np.linalg.lstsq(design / length, goal, rcond=1e-10)
    if rank < len(basis) or singular[-1] < 1e-5 * singular[0]:
        return
    fit = fit / length
    m, b = fit[: d * d].reshape(d, d), fit[d * d :]
    told = lacks(m, b, a)
    if told is not None:
        yield told[0], more(m, b), told[1]


def other_entries(
    g: General,
    banks: list[Bank],
    gained: np.ndarray,
    brought: np.ndarray,
    how: tuple[np.ndarray, int],
) -> list[str]:
    """Entries of an affine drift's matrix, outside of one row, of which a factor explains all
    places as well, in words. ``how``: the weight, and that row.
    """
    weight, row = how
    a, d = _matrix(g, banks), g.coefficient.d
    if a is None or d > MOST:
        return []
    told = []
    for i, k in np.argwhere(a != 0):
        if i == row:
            continue
        unit = np.zeros((d, d))
        unit[i, k] = 1.0

        def one(end: Bent, unit: np.ndarray = unit) -> np.ndarray:
            return np.asarray(((end.x @ unit.T) * end.s).sum(axis=1) + np.trace(unit))

        column = -np.concatenate([bank.whole(one) for bank in banks]) * weight
        size = float(column @ column)
        if size <= len(column):
            continue
        m = float(column @ ((gained - brought) * weight)) / size
        if np.all(np.abs((gained - brought) * weight - m * column) <= 1):
            factor = number((a[i, k] + m) / a[i, k], 2 * float(np.sqrt(len(column) / size)))
            told.append(f"x[:, {k}] in drift(x, t)[:, {i}] is to be {factor} times what it is")
    return told


def _matrix(g: General, banks: list[Bank]) -> np.ndarray | None:
    """A, if f is A x + b at all times."""
    x = np.concatenate([b.terms.x for b in banks])
    f = np.concatenate([g.drift(b.terms.x, b.terms.t) for b in banks])
    fit, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), f, rcond=None)
    left = np.max(np.abs(f - np.column_stack([x, np.ones(len(x))]) @ fit))
    return fit[:-1].T if left <= AFFINE * np.max(np.abs(f)) else None
