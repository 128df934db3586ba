"""What the solver's drift has more than the one that was given: a constant, or a matrix times x.

Conventions: as in `causes`; the solver's drift is ``f + M x + b``, M and b the same at all times.
"""

from __future__ import annotations

import numpy as np

from scoreproof.diagnosis import MOST, Diagnosis
from scoreproof.public.fokker_planck.grid.coefficients import Local, Process
from scoreproof.public.fokker_planck.grid.found import Found
from scoreproof.public.fokker_planck.grid.measure import Term

__all__ = ["lacking"]

#: the part of the largest entry below which one is none, as well as a solver lets it be known
NONE = 0.02


def lacking(found: Found, process: Process, accepted: np.ndarray) -> Diagnosis | None:
    """A constant, else in the plane a matrix, if all places are explained by it."""
    solution = found.measure.solution
    d, names = solution.dimension, solution.names
    terms = {f"1 {i}": _term(i, None, d) for i in range(d)}
    if d == 2 and solution.boundary != "periodic":
        terms |= {f"x {i} {k}": _term(i, k, d) for i in range(d) for k in range(d)}
    columns = found.measure.integrated(process, terms)
    b = _fitted(found, [columns[f"1 {i}"] for i in range(d)], accepted)
    if b is not None:
        shown = " and ".join(f"{v:+.4g} in {n}" for v, n in zip(b, names, strict=True) if v)
        return Diagnosis.cause(
            "constant_missing",
            f"Cause: the drift in the solver is yours {shown}: a constant is missing in the drift"
            " that was passed, or is too much in the solver (constant_missing).",
        )
    if len(terms) == d:
        return None
    m = _fitted(found, [columns[f"x {i} {k}"] for i in range(d) for k in range(d)], accepted)
    return None if m is None else _matrix(m.reshape(d, d), process, found)


def _term(i: int, k: int | None, d: int) -> Term:
    def term(h: Local) -> tuple[None, np.ndarray, None]:
        v = np.zeros((len(h.x), d))
        v[:, i] = 1.0 if k is None else h.x[:, k]
        return None, v, None

    return term


def _fitted(found: Found, columns: list[np.ndarray], accepted: np.ndarray) -> np.ndarray | None:
    """One number for each column, if that leaves what is accepted and little of what there was."""
    seen, scale = found.seen, found.scale
    design = np.stack([(c / scale)[seen] for c in columns], axis=1)
    gap = ((found.parts.gained - found.parts.brought) / scale)[seen]
    fit, _, rank, _ = np.linalg.lstsq(design, gap, rcond=1e-6)
    if rank < len(columns):
        return None
    fit = np.where(np.abs(fit) > NONE * np.max(np.abs(fit)), fit, 0.0)
    left = float(np.linalg.norm(gap - design @ fit))
    if left > MOST * np.linalg.norm(gap) or left > np.linalg.norm(accepted[seen]):
        return None
    return np.asarray(fit)


def _matrix(m: np.ndarray, process: Process, found: Found) -> Diagnosis:
    solution = found.measure.solution
    low, high = np.array(solution.sides).T
    x = low + (high - low) * np.array([[0.2, 0.3], [0.7, 0.4], [0.4, 0.8], [0.6, 0.6]])
    f = process.drift(x, float(solution.times[-1]))
    fit, *_ = np.linalg.lstsq(np.column_stack([x, np.ones(len(x))]), f, rcond=None)
    a = fit[:2].T
    if np.max(np.abs(a + m - a.T)) <= 2 * NONE * np.max(np.abs(a)):
        return Diagnosis.cause(
            "matrix_transposed",
            "Cause: the matrix of the drift is transposed, x @ A for x @ A.T: in the solver, or in"
            " the drift that was passed (matrix_transposed).",
        )
    entries = ", ".join(
        f"{m[i, k]:+.4g} x[:, {k}] in drift[:, {i}]" for i, k in np.argwhere(m).tolist()
    )
    return Diagnosis.cause(
        "linear_part_missing",
        f"Cause: the drift in the solver is yours {entries}: it is missing in the drift that was"
        " passed, or is too much in the solver (linear_part_missing).",
    )
