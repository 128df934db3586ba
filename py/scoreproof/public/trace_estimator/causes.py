"""Why estimates at a given ν are wrong: what would have returned them, to the check's resolution.

Conventions: a `Guess` predicts the estimates ``(m,)`` of each part (one dimension, f or -f) up to a
factor that is the same for all rows of a dimension and is read off; ``size`` is what rounding acts
on. A guess explains what was found if each row is predicted to rounding (`EXACT`), or, where the
estimate takes differences, to `NEARLY` of its size at rows of usual ν.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.public.trace_estimator.constants import Constant, constant
from scoreproof.public.trace_estimator.fields import Mirrored
from scoreproof.public.trace_estimator.vectors import (
    MULTIPLES,
    PAIRS,
    REDUCED,
    VECTORS,
    batchwise,
)
from scoreproof.public.trace_estimator.verdict import Judged

__all__ = ["Guess", "explained"]

#: roundings of a prediction, in those of what is due
EXACT = 32.0
#: the part of its size that a difference may be off by
NEARLY = 1e-3
#: the dimensions up to which single coordinates are told apart
MOST = 512


@dataclass(frozen=True, eq=False)
class Guess:
    """``of``: what the factor multiplies, in words."""

    name: str
    values: list[np.ndarray]
    sizes: list[np.ndarray]
    reason: str
    mend: str
    of: str = "νᵀJν"


def explained(parts: list[Judged], eps: float, tolerance: float) -> Diagnosis | None:
    """The first guess that predicts every row; else the first that does nearly; ``None``: no
    guess does.
    """
    near: tuple[float, Diagnosis] | None = None
    for guess in _guesses(parts):
        factors = [_factor(p, v, s) for p, v, s in zip(parts, guess.values, guess.sizes, strict=True)]
        dims = [p.rows.dimension for p in parts]
        found = constant(factors, dims, max(tolerance, 1e-9))
        if found is None:
            continue
        off, exact = _misfit(parts, guess, found, eps, tolerance)
        if exact:
            return _said(guess, found, off)
        if off <= NEARLY and (near is None or off < 0.1 * near[0]):
            near = off, _said(guess, found, off, by_differences=True)
    return None if near is None else near[1]


def _factor(part: Judged, values: np.ndarray, sizes: np.ndarray) -> float:
    """The median of measured over predicted, at rows where the prediction does not cancel."""
    good = part.usual & (np.abs(values) > 0.05 * sizes) & (sizes > 0)
    if not np.any(good):
        return float("nan")
    return float(np.median(part.answers.values[good] / values[good]))


def _misfit(
    parts: list[Judged], guess: Guess, found: Constant, eps: float, tolerance: float
) -> tuple[float, bool]:
    """The largest deviation from the prediction at rows of usual ν, relative to its size; and
    whether it is rounding (or what is accepted) at all rows.
    """
    worst, exact = 0.0, True
    for part, values, sizes in zip(parts, guess.values, guess.sizes, strict=True):
        c = found.at(part.rows.dimension)
        size = max(abs(c), 1e-300) * sizes + (0.0 if c else np.abs(part.due))
        off = np.abs(part.answers.values - c * values)
        rounding = EXACT * eps * (part.rows.trial.roundings + part.rows.dimension + len(values))
        exact = exact and bool(np.all(off <= (rounding + tolerance) * size))
        with np.errstate(divide="ignore", invalid="ignore"):
            relative = np.where(off > 0, off / size, 0.0)
        worst = max(worst, float(np.max(relative[part.usual], initial=0.0)))
    return worst, exact


def _guesses(parts: list[Judged]) -> Iterator[Guess]:
    """Simplest first: a factor, then other vectors, then what is done to the batch."""
    quad = [_bilinear(p, "nu", "nu") for p in parts]
    values, sizes = [v for v, _ in quad], [s for _, s in quad]
    traces = [p.rows.trial.trace(p.rows.z) for p in parts]
    trace, trace_sizes = [t for t, _ in traces], [s for _, s in traces]
    yield Guess("factor", values, sizes, "", "")
    yield Guess("factor", trace, trace_sizes, "", "", "tr J")
    yield from _cut(parts, values, sizes)
    for name, (left, right, reason, mend) in PAIRS.items():
        pair = [_bilinear(p, left, right) for p in parts]
        yield Guess(name, [v for v, _ in pair], [s for _, s in pair], reason, mend)
    along = [p.rows.trial.product(p.rows.z, p.rows.nu) for p in parts]
    lengths = [(a * a).sum(axis=1) for a in along]
    yield Guess(
        "frobenius",
        lengths,
        lengths,
        "the squared length of Jν, as if for the Frobenius norm of J",
        "multiply Jν by ν and sum",
        "|Jν|²",
    )
    for name, (of, reason, mend) in MULTIPLES.items():
        m = [batchwise(of, p.rows.nu, p.answers.bounds) for p in parts]
        more = [v * k for v, k in zip(values, m, strict=True)]
        yield Guess(name, more, [s * k for s, k in zip(sizes, m, strict=True)], reason, mend)
    for form, due, size in (("νᵀJν", values, sizes), ("tr J", trace, trace_sizes)):
        for name, (of, reason, mend) in REDUCED.items():
            done = [batchwise(of, v, p.answers.bounds) for p, v in zip(parts, due, strict=True)]
            whole = [batchwise(of, s, p.answers.bounds) for p, s in zip(parts, size, strict=True)]
            yield Guess(name, done, whole, reason, mend, form)
    yield from _coordinates(parts)
    yield from _added(parts, values, sizes)


def _bilinear(part: Judged, left: str, right: str) -> tuple[np.ndarray, np.ndarray]:
    """``left·J right`` and its size."""
    rows, bounds = part.rows, part.answers.bounds
    a, b = (batchwise(VECTORS[name], rows.nu, bounds) for name in (left, right))
    if left == right == "nu":
        return rows.trial.quadratic(rows.z, rows.nu)
    values = a * rows.trial.product(rows.z, b)
    # the size of what is due tells how much of it cancels
    own, size = rows.trial.quadratic(rows.z, b)
    inner = np.abs(b * rows.trial.product(rows.z, b)).sum(axis=1)
    stretch = np.divide(size, inner, out=np.ones_like(size), where=inner > 0)
    whole = np.abs(values).sum(axis=1)
    longest = np.abs(a).max(axis=1) * np.abs(rows.trial.product(rows.z, b)).sum(axis=1)
    return values.sum(axis=1), np.maximum(whole, longest) * np.maximum(stretch, 1.0)


def _cut(
    parts: list[Judged], values: list[np.ndarray], sizes: list[np.ndarray]
) -> Iterator[Guess]:
    mirrored = any(isinstance(p.rows.trial, Mirrored) for p in parts)
    if mirrored:
        for form in ("νᵀJν", "tr J"):
            due = values if form == "νᵀJν" else [p.rows.trial.trace(p.rows.z)[0] for p in parts]
            size = sizes if form == "νᵀJν" else [p.rows.trial.trace(p.rows.z)[1] for p in parts]
            yield Guess(
                "absolute_value",
                [np.abs(v) for v in due],
                size,
                "it is right for f and wrong for -f, where the trace is negative: an absolute value",
                "keep the sign: a divergence may be negative",
                form,
            )
            yield Guess(
                "clipped_at_0",
                [np.maximum(v, 0.0) for v in due],
                size,
                "it is right for f and wrong for -f, where the trace is negative: a clip at 0",
                "keep the sign: a divergence may be negative",
                form,
            )
    found = np.concatenate([p.answers.values for p in parts])
    top, low = float(np.max(found)), float(np.min(found))
    for high, bottom in ((top, low), (top, -np.inf), (np.inf, low)):
        if np.sum(found == high) + np.sum(found == bottom) > 1:
            ends = " and ".join(f"{v:.6g}" for v in (bottom, high) if np.isfinite(v))
            yield Guess(
                "clipped",
                [np.clip(v, bottom, high) for v in values],
                sizes,
                f"the estimate is clipped at {ends}",
                "leave it as it is",
            )


def _coordinates(parts: list[Judged]) -> Iterator[Guess]:
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
                terms = _diagonal(p)
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
    terms = rows.nu * rows.trial.product(rows.z, rows.nu) if form == "νᵀJν" else _diagonal(part)
    live = terms != 0
    alone = live & (live.sum(axis=1) == 1)[:, None]
    if np.all(np.any(alone, axis=0)):
        first = np.argmax(alone, axis=0)
        return np.asarray(part.answers.values[first] / terms[first, np.arange(d)])
    if len(terms) < 2 * d:
        return None
    scale = np.maximum(np.abs(terms).sum(axis=1), 1e-300)
    fit, _, rank, _ = np.linalg.lstsq(
        terms / scale[:, None], part.answers.values / scale, rcond=1e-8
    )
    return np.where(np.abs(fit) < 1e-9, 0.0, fit) if rank == d else None


def _diagonal(part: Judged) -> np.ndarray:
    z, d = part.rows.z, part.rows.dimension
    units = np.eye(d)
    columns = [
        part.rows.trial.product(z, np.broadcast_to(e, z.shape))[:, k] for k, e in enumerate(units)
    ]
    return np.stack(columns, axis=1)


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
            "let the sum run over all D coordinates",
        )
    if even and all(list(g) == [0] for g in gone):
        return (
            "first_coordinate_missing",
            "the first coordinate, 0, is left out",
            "let the sum run over all D coordinates",
        )
    if even and all(list(g) == list(range(1, d)) for g, d in zip(gone, dims, strict=True)):
        return (
            "first_coordinate_only",
            "only the first coordinate, 0, is counted",
            "sum over all D coordinates",
        )
    k, w, d = next((k, w, d) for k, w, d in zip(which, weights, dims, strict=True) if len(k))
    if even:
        listed = ", ".join(map(str, k[:6])) + (", …" if len(k) > 6 else "")
        return (
            "coordinates_missing",
            f"of D = {d}, coordinates {listed} are left out",
            "sum over all D coordinates",
        )
    listed = "; ".join(f"coordinate {i} counts {w[i]:.5g} times" for i in k[:4])
    return (
        "coordinates_weighted",
        f"the coordinates do not count alike (D = {d}): {listed}{'; …' if len(k) > 4 else ''}",
        "count each of them once",
    )


def _added(
    parts: list[Judged], values: list[np.ndarray], sizes: list[np.ndarray]
) -> Iterator[Guess]:
    """Something that does not depend on f: the identity of a residual step, a constant."""
    for form in ("νᵀJν", "tr J"):
        due = values if form == "νᵀJν" else [p.rows.trial.trace(p.rows.z)[0] for p in parts]
        size = sizes if form == "νᵀJν" else [p.rows.trial.trace(p.rows.z)[1] for p in parts]
        squares = [(p.rows.nu**2).sum(axis=1) for p in parts]
        dims = [np.full(len(v), float(p.rows.dimension)) for p, v in zip(parts, due, strict=True)]
        for name, extra, what in (("|ν|²", squares, "νᵀν"), ("D", dims, "D")):
            for sign in (1.0, -1.0):
                yield Guess(
                    "identity_added" if sign > 0 else "identity_taken_away",
                    [v + sign * e for v, e in zip(due, extra, strict=True)],
                    [s + e for s, e in zip(size, extra, strict=True)],
                    f"{name} is {'added' if sign > 0 else 'taken away'}: the Jacobian of"
                    f" {'z + f(z)' if sign > 0 else 'f(z) - z'}, I {'+' if sign > 0 else '-'} J,"
                    " where that of f is due",
                    f"differentiate f alone, or {'take away' if sign > 0 else 'add'} {what}",
                    form,
                )


def _said(guess: Guess, found: Constant, off: float, *, by_differences: bool = False) -> Diagnosis:
    """``What it returns is …, to …: why. What mends it.``"""
    if guess.name == "factor":
        names, mends = found.names, [found.mend]
        what = f"{found.words} {guess.of}".strip()
        why = f": {found.reason}" if found.reason else ""
    else:
        names, mends = (guess.name,), [guess.mend]
        what, why = guess.reason, ""
        if found.words:
            names = tuple(f"{guess.name} + {n}" for n in found.names)
            what = f"{guess.reason}; and that is multiplied: it is {found.words} that"
            mends.append(found.mend)
    how = f"to {max(off, 1e-16):.1g}"
    if by_differences:
        how = f"up to {off:.1g} of its size, which looks like the error of differences"
    text = f"What it returns is {what} ({how}){why}."
    if guess.name != "factor":
        text = f"It explains every row, {how}: {what}."
    return Diagnosis(
        names, off, None, text + "".join(f" {m[0].upper()}{m[1:]}." for m in mends if m)
    )
