"""What a drift lacks that is linear in x: a matrix transposed, a constant, another coordinate.

Conventions: as in `summands`; ``f + M x + b`` makes the equation right, M and b the same at all
times.
"""

from __future__ import annotations

import numpy as np

from scoreproof.causes.closed_forms import number
from scoreproof.diagnosis import Diagnosis
from scoreproof.public.fokker_planck.summands import Judged

__all__ = ["lacks", "one_coordinate", "wrong_matrix"]

MOST = 8
#: entries of a matrix that are named
NAMED = 4


def one_coordinate(j: Judged) -> Diagnosis | None:
    """A factor on one coordinate's drift, or on its noise."""
    d = j.x.shape[1]
    if d == 1:
        return None
    carried = np.concatenate([t.carried for t in j.terms])
    bent = np.concatenate([t.rho**2 / 2 * t.second for t in j.terms])
    w = 1 / j.limit
    # the size of each coordinate's part, which a factor changes
    moved = np.concatenate([np.abs(t.f * t.first) + np.abs(t.df) for t in j.terms])
    for what, columns, own in (("drift", carried, moved), ("noise", -bent, np.abs(bent))):
        for i in range(d):
            c = columns[:, i] * w
            size = float(c @ c)
            if size == 0:
                continue
            share = float(c @ (j.residual * w)) / size
            size_of = j.size + (abs(1 - share) - 1) * own[:, i]
            if j.explained(j.residual - share * columns[:, i], abs(share) + 1, size_of):
                within = 2 * float(np.sqrt(len(c) / size))
                within = min(within, 0.02)
                value = 0.0 if abs(1 - share) <= max(within, 1e-8) else 1 - share
                factor = number(value, within / max(abs(value), 1e-9)) if value else "0"
                of = f"drift(x, t)[:, {i}]" if what == "drift" else "ρ²"
                text = (
                    f"{of}, coordinate {i} of {d}, is to be {factor} times what it is, the others"
                    f" are right: multiply it by {value:.5g}"
                )
                names: tuple[str, ...] = (f"{what}_of_a_coordinate",)
                if what == "noise" and value == 0 and (d, i) == (2, 1):
                    names = (*names, "first_coordinate")
                return Diagnosis(names, 0.0, None, f"Cause: {text} ({', '.join(names)}).")
    return None


def wrong_matrix(j: Judged) -> Diagnosis | None:
    """The M and b that are missing, and what they make of a linear drift."""
    d = j.x.shape[1]
    first = np.concatenate([t.first for t in j.terms])
    f = np.concatenate([t.f for t in j.terms])
    if d > MOST or len(j.rate) < 3 * (d * d + d):
        return None
    known = _affine(j, f)
    if known is not None and d > 1:
        cause = _rearranged(j, first, known[0])
        if cause is not None:
            return cause
    columns = [-(first[:, i] * j.x[:, k]) - float(i == k) for i in range(d) for k in range(d)] + [
        -first[:, i] for i in range(d)
    ]
    design = np.column_stack(columns)
    w = 1 / np.maximum(j.limit, 1e-12 * j.size)
    scale = np.linalg.norm(design * w[:, None], axis=0)
    scaled = design * w[:, None] / np.maximum(scale, 1e-300)
    fit, _, rank, singular = np.linalg.lstsq(scaled, j.residual * w, rcond=1e-9)
    if rank < design.shape[1] or singular[-1] < 1e-5 * singular[0]:
        return None
    fit = fit / scale
    m, b = fit[: d * d].reshape(d, d), fit[d * d :]
    large = 1 + float(np.max(np.abs(fit)))
    if not j.explained(j.residual - design @ fit, large, _size(j, first, m, b)):
        return None
    return _said(m, b, None if known is None else known[0])


def _rearranged(j: Judged, first: np.ndarray, a: np.ndarray) -> Diagnosis | None:
    """Another matrix made of the entries of the drift's."""
    d = len(a)

    def fits(other: np.ndarray) -> bool:
        return not np.allclose(a, other) and _fits(j, first, other - a, np.zeros(d))

    off = a - np.diag(np.diag(a))
    turned = np.allclose(off, -off.T)
    transposed = "the matrix of the drift is transposed: x @ A for x @ A.T"
    if turned:
        transposed += ", which here turns the rotation the other way: the sign of its rate is wrong"
    none_due = "the off-diagonal part of the drift is not due"
    signs = [(i, k) for i, k in np.argwhere(off) if fits(_one_turned(a, int(i), int(k)))]
    if signs and not fits(a.T):
        told = " or ".join(
            f"of x[:, {k}] in drift[:, {i}] ({a[i, k]:.4g} for {-a[i, k]:.4g})" for i, k in signs
        )
        pair = all(np.isclose(off[k, i], off[i, k]) for i, k in signs)
        why = ": a rotation has opposite signs in its two places" if pair else ""
        also = f"; or, which this density cannot tell from it, {none_due}"
        more = also if fits(np.diag(np.diag(a))) else ""
        return Diagnosis.cause(
            "matrix_sign", f"Cause: the sign is wrong {told}{why}{more} (matrix_sign)."
        )
    for name, other, text in (
        ("transposed", a.T, transposed),
        ("diagonal", np.diag(np.diag(a)), none_due),
        ("triangles", _exchanged(a), "the coordinates of the drift's matrix are exchanged"),
    ):
        if fits(other):
            return Diagnosis.cause(f"matrix_{name}", f"Cause: {text} (matrix_{name}).")
    return None


def _one_turned(a: np.ndarray, i: int, k: int) -> np.ndarray:
    other = a.copy()
    other[i, k] = -other[i, k]
    return other


def _fits(j: Judged, first: np.ndarray, m: np.ndarray, b: np.ndarray) -> bool:
    added = ((j.x @ m.T + b) * first).sum(axis=1) + np.trace(m)
    return j.explained(j.residual + added, 4.0, _size(j, first, m, b))


def _size(j: Judged, first: np.ndarray, m: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of the terms of the equation with ``M x + b`` added to the drift."""
    f = np.concatenate([t.f for t in j.terms]) + j.x @ m.T + b
    df = np.concatenate([t.df for t in j.terms]) + np.diag(m)
    return np.abs(f * first).sum(axis=1) + np.abs(df).sum(axis=1) + j.sized(0.0, 0.0)


def _exchanged(a: np.ndarray) -> np.ndarray:
    return a[::-1, ::-1]


def _affine(j: Judged, f: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """A and b, if f is A x + b at all times."""
    design = np.column_stack([j.x, np.ones(len(j.x))])
    fit, *_ = np.linalg.lstsq(design, f, rcond=None)
    size = float(np.max(np.abs(f)))
    if size == 0 or np.max(np.abs(f - design @ fit)) > 1e-9 * size:
        return None
    return fit[:-1].T, fit[-1]


def _said(m: np.ndarray, b: np.ndarray, a: np.ndarray | None) -> Diagnosis | None:
    told = lacks(m, b, a)
    return None if told is None else Diagnosis.cause(told[0], f"Cause: {told[1]} ({told[0]}).")


def lacks(m: np.ndarray, b: np.ndarray, a: np.ndarray | None) -> tuple[str, str] | None:
    """The name and the words of ``M x + b`` that a drift, of the matrix a if that is known, is to
    have more.
    """
    d = len(b)
    large = max(float(np.max(np.abs(m))), float(np.max(np.abs(b))))
    near = 1e-6 * large
    parts = []
    for i, k in np.argwhere(np.abs(m) > near)[:NAMED]:
        plus = f"{number(float(m[i, k]), 1e-6)}"
        of = "x" if d == 1 else f"x[:, {k}]"
        to = "" if d == 1 else f"[:, {i}]"
        have = ""
        if a is not None:
            have = f" ({a[i, k]:.4g} stands there, {a[i, k] + m[i, k]:.4g} is needed)"
        parts.append(f"{plus} {of} in drift{to}{have}")
    for i in np.flatnonzero(np.abs(b) > near)[:NAMED]:
        to = "" if d == 1 else f" in drift[:, {i}]"
        parts.append(f"the constant {float(b[i]):.6g}{to}")
    if not parts or len(parts) > 2 * NAMED:
        return None
    name = "constant_missing" if np.max(np.abs(m)) <= near else "linear_part_missing"
    return (
        name,
        f"the drift lacks {', and '.join(parts)}: with that added, all terms agree; or the"
        " density has it and should not",
    )
