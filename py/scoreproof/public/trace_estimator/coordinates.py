"""Estimates in which the coordinates do not count alike: left out, doubled, weighted.

Conventions: as in `causes`; weights ``(D,)`` are 1 where a coordinate counts once.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from scoreproof.public.trace_estimator.guesses import Guess
from scoreproof.public.trace_estimator.verdict import Judged

__all__ = ["coordinates"]

#: the dimensions up to which single coordinates are told apart
MOST = 512


def coordinates(parts: list[Judged]) -> Iterator[Guess]:
    """Each coordinate's own factor, read from the rows that look at that one."""
    for form in ("νᵀJν", "tr J"):
        weights = [_each(p, form) for p in parts]
        if any(w is None for w in weights):
            continue
        known = [w for w in weights if w is not None]
        which = [_uneven(w) for w in known]
        if not any(len(k) for k in which):
            continue
        values, sizes = [], []
        for p, w in zip(parts, known, strict=True):
            terms = p.rows.nu * p.rows.trial.product(p.rows.z, p.rows.nu)
            if form == "tr J":
                terms = p.rows.trial.diagonal(p.rows.z)
            values.append(terms @ w)
            size = p.rows.trial.quadratic(p.rows.z, p.rows.nu)[1]
            sizes.append(size if form == "νᵀJν" else p.rows.trial.trace(p.rows.z)[1])
        name, reason, mend = _which(parts, known, which)
        yield Guess(name, values, sizes, reason, mend, form)


def _each(part: Judged, form: str) -> np.ndarray | None:
    """``(D,)``, from rows at which one coordinate contributes alone, or from all rows together."""
    rows, d = part.rows, part.rows.dimension
    if d > MOST:
        return None
    terms = (
        rows.nu * rows.trial.product(rows.z, rows.nu)
        if form == "νᵀJν"
        else (rows.trial.diagonal(rows.z))
    )
    live = terms != 0
    alone = live & (live.sum(axis=1) == 1)[:, None]
    if np.all(np.any(alone, axis=0)):
        first = np.argmax(alone, axis=0)
        return np.asarray(part.answers.values[first] / terms[first, np.arange(d)])
    # as many numbers as are fitted, twice: the same point again says nothing new
    if len(np.unique(terms, axis=0)) < 2 * d:
        return None
    scale = np.maximum(np.abs(terms).sum(axis=1), 1e-300)
    fit, _, rank, _ = np.linalg.lstsq(
        terms / scale[:, None], part.answers.values / scale, rcond=1e-8
    )
    return np.where(np.abs(fit) < 1e-9, 0.0, fit) if rank == d else None


def _uneven(weights: np.ndarray) -> np.ndarray:
    """The coordinates whose factor is not 1."""
    return np.flatnonzero(np.abs(weights - 1) > 1e-3)


def _which(
    parts: list[Judged], weights: list[np.ndarray], which: list[np.ndarray]
) -> tuple[str, str, str]:
    dims = [p.rows.dimension for p in parts]
    gone = [np.flatnonzero(np.abs(w) < 1e-6) for w in weights]
    even = all(len(g) == len(k) for g, k in zip(gone, which, strict=True))
    if even and all(list(g) == [d - 1] for g, d in zip(gone, dims, strict=True)):
        return (
            "last_coordinate_missing",
            "the last coordinate is left out",
            "Let the sum run over all D coordinates",
        )
    if even and all(list(g) == [0] for g in gone):
        return (
            "first_coordinate_missing",
            "the first coordinate, 0, is left out",
            "Let the sum run over all D coordinates",
        )
    if even and all(list(g) == list(range(1, d)) for g, d in zip(gone, dims, strict=True)):
        return (
            "first_coordinate_only",
            "only the first coordinate, 0, is counted",
            "Sum over all D coordinates",
        )
    k, w, d = next((k, w, d) for k, w, d in zip(which, weights, dims, strict=True) if len(k))
    if even:
        listed = ", ".join(map(str, k[:6])) + (", …" if len(k) > 6 else "")
        return (
            "coordinates_missing",
            f"of D = {d}, coordinates {listed} are left out",
            "Sum over all D coordinates",
        )
    listed = "; ".join(f"coordinate {i} counts {w[i]:.5g} times" for i in k[:4])
    return (
        "coordinates_weighted",
        f"the coordinates do not count alike (D = {d}): {listed}{'; …' if len(k) > 4 else ''}",
        "Count each of them once",
    )
