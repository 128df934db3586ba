"""What may stand in place of an estimate: guesses, simplest first.

Conventions: as in `causes`; a guess is right up to one factor a dimension.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from scoreproof.public.noise_vectors import VECTORS
from scoreproof.public.trace_estimator.fields import Mirrored
from scoreproof.public.trace_estimator.vectors import (
    MULTIPLES,
    OTHERS,
    PAIRS,
    REDUCED,
    SPOKEN,
    TERMS,
    batchwise,
)
from scoreproof.public.trace_estimator.verdict import Judged

__all__ = ["Guess", "guesses"]


@dataclass(frozen=True, eq=False)
class Guess:
    """``of``: what the factor multiplies, in words; ``free``: there is no ν in it."""

    name: str
    values: list[np.ndarray]
    sizes: list[np.ndarray]
    reason: str
    mend: str
    of: str = "νᵀJν"
    free: bool = False

    @property
    def without_nu(self) -> bool:
        """Whether an estimator that is given no ν may return it."""
        # without ν the sum of all entries is that of a ν of ones, too: `fixed` says both
        return self.free or (self.of == "tr J" and self.name != "nu_missing")


def guesses(parts: list[Judged]) -> Iterator[Guess]:
    """Simplest first: a factor, then other vectors, then what is done to the batch."""
    forms = [_Forms(p) for p in parts]
    quad = [form("nu", "nu") for form in forms]
    values, sizes = [v for v, _ in quad], [s for _, s in quad]
    traces = [p.rows.trial.trace(p.rows.z) for p in parts]
    trace, trace_sizes = [t for t, _ in traces], [s for _, s in traces]
    yield Guess("factor", values, sizes, "", "")
    yield Guess("factor", trace, trace_sizes, "", "", "tr J")
    yield from _cut(parts, values, sizes)
    for name, (left, right, reason, mend) in PAIRS.items():
        pair = [form(left, right) for form in forms]
        # without any ν it is meant as the exact trace
        meant = "tr J" if (left, right) == ("ones", "ones") else "νᵀJν"
        yield Guess(name, [v for v, _ in pair], [s for _, s in pair], reason, mend, meant)
    along = [p.rows.trial.product(p.rows.z, p.rows.nu) for p in parts]
    lengths = [(a * a).sum(axis=1) for a in along]
    yield Guess(
        "frobenius",
        lengths,
        lengths,
        "the squared length of Jν, as if for the Frobenius norm of J",
        "Multiply Jν by ν and sum",
        "|Jν|²",
    )
    for name, (reduce, reason) in TERMS.items():
        whole = [reduce(p.rows.nu * a) for p, a in zip(parts, along, strict=True)]
        # a square or a product of long ν is larger than νᵀJν, and rounded so
        own = [np.maximum(s, np.abs(w)) for s, w in zip(sizes, whole, strict=True)]
        yield Guess(name, whole, own, reason, "Sum ν_k (Jν)_k over k as they are")
    for left, right in OTHERS:
        pair = [form(left, right) for form in forms]
        reason = f"νᵀJν with {SPOKEN[left]} for its first ν and {SPOKEN[right]} for its last"
        yield Guess(
            f"{left}_and_{right}",
            [v for v, _ in pair],
            [s for _, s in pair],
            reason,
            "Use ν twice",
            f"{left}ᵀJ {right}",
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
    yield from _added(parts, values, sizes)


class _Forms:
    """``left·J right`` of one part, and its size; each product with J is taken once."""

    def __init__(self, part: Judged) -> None:
        self.part = part
        self.vectors: dict[str, np.ndarray] = {}
        self.along: dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]] = {}

    def __call__(self, left: str, right: str) -> tuple[np.ndarray, np.ndarray]:
        rows = self.part.rows
        if left == right == "nu":
            return rows.trial.quadratic(rows.z, rows.nu)
        a = self._vector(left)
        along, stretch, total = self._along(right)
        values = a * along
        whole = np.abs(values).sum(axis=1)
        longest = np.abs(a).max(axis=1) * total
        return values.sum(axis=1), np.maximum(whole, longest) * stretch

    def _vector(self, name: str) -> np.ndarray:
        if name not in self.vectors:
            part = self.part
            self.vectors[name] = batchwise(VECTORS[name], part.rows.nu, part.answers.bounds)
        return self.vectors[name]

    def _along(self, name: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """J times it, by how much the size of what is due tells that this cancels, and its sum of
        absolute values.
        """
        if name not in self.along:
            rows, b = self.part.rows, self._vector(name)
            along = rows.trial.product(rows.z, b)
            size = rows.trial.quadratic(rows.z, b)[1]
            inner = np.abs(b * along).sum(axis=1)
            stretch = np.divide(size, inner, out=np.ones_like(size), where=inner > 0)
            self.along[name] = along, np.maximum(stretch, 1.0), np.abs(along).sum(axis=1)
        return self.along[name]


def _cut(parts: list[Judged], values: list[np.ndarray], sizes: list[np.ndarray]) -> Iterator[Guess]:
    mirrored = any(isinstance(p.rows.trial, Mirrored) for p in parts)
    if mirrored:
        for form in ("νᵀJν", "tr J"):
            due = values if form == "νᵀJν" else [p.rows.trial.trace(p.rows.z)[0] for p in parts]
            size = sizes if form == "νᵀJν" else [p.rows.trial.trace(p.rows.z)[1] for p in parts]
            yield Guess(
                "absolute_value",
                [np.abs(v) for v in due],
                size,
                "it is right for f and wrong for -f, where the trace is negative: an absolute"
                " value",
                "Keep the sign: a divergence may be negative",
                form,
            )
            yield Guess(
                "clipped_at_0",
                [np.maximum(v, 0.0) for v in due],
                size,
                "it is right for f and wrong for -f, where the trace is negative: a clip at 0",
                "Keep the sign: a divergence may be negative",
                form,
            )
    found = np.concatenate([p.answers.values for p in parts])
    top, low = float(np.max(found)), float(np.min(found))
    for high, bottom in ((top, -np.inf), (np.inf, low), (top, low)):
        if np.sum(found == high) + np.sum(found == bottom) > 1:
            ends = " and ".join(f"{v:.6g}" for v in (bottom, high) if np.isfinite(v))
            yield Guess(
                "clipped",
                [np.clip(v, bottom, high) for v in values],
                sizes,
                f"the estimate is clipped at {ends}",
                "Leave it as it is",
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
                    f"Differentiate f alone, or {'take away' if sign > 0 else 'add'} {what}",
                    form,
                )
