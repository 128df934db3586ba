"""The summands of a divergence, and what people write in their place, as functions of the laws.

Conventions: a summand is ``(n, d)``, one number a coordinate, or ``(n,)`` where it is no sum over
them (the full form, a norm); its factor is not in it. Words call the first law's parameters μ0, σ0²
(C0), the second's μ1, σ1² (C1); against the standard law they are μ, σ² (C).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.quantities import due_of_quantity, others_of_quantity
from scoreproof.public.kl.summand import (
    LOGS,
    Summand,
    Values,
    by_dimension,
    by_rows,
    constants,
    once,
)

__all__ = ["LOGS", "Summand", "both_logs", "divergence", "due_summands", "other_summands"]


def _entrywise(laws: Laws) -> tuple[np.ndarray, ...]:
    shape = laws.m0.shape
    v0, v1 = (v if v.shape == shape else np.broadcast_to(v, shape) for v in (laws.v0, laws.v1))
    return laws.m0, v0, laws.m1, v1


def _of(formula: Callable[..., np.ndarray]) -> Values:
    """A formula of ``m0, v0, m1, v1``."""
    return lambda laws: np.asarray(formula(*_entrywise(laws)))


def _matrices(formula: Callable[..., float]) -> Values:
    """A formula of one law's ``g = m1 - m0, C0, C1``."""
    return lambda laws: np.array(
        [
            formula(m1 - m0, c0, c1)
            for m0, c0, m1, c1 in zip(laws.m0, laws.v0, laws.m1, laws.v1, strict=True)
        ]
    )


def due_summands(options: Options) -> list[Summand]:
    """Those of the printed form; a logarithm that is always 0 is none."""
    if not options.wanted.kl:
        return due_of_quantity(options)
    if options.form == "full":
        return list(_full_due(options.standard))
    one = options.standard
    found = [
        Summand(
            "mean", "μ²" if one else "(μ1 - μ0)²/σ1²", _of(lambda a, v, b, w: (b - a) ** 2 / w)
        ),
        Summand("trace", "σ²" if one else "σ0²/σ1²", _of(lambda a, v, b, w: v / w)),
        Summand("one", "d", _of(lambda a, v, b, w: np.ones_like(a)), -0.5),
        Summand("log0", "log σ²" if one else "log σ0²", _of(lambda a, v, b, w: np.log(v)), -0.5),
    ]
    if not one:
        found.append(Summand("log1", "log σ1²", _of(lambda a, v, b, w: np.log(w))))
    return found


def divergence(laws: Laws, due: Sequence[Summand]) -> np.ndarray:
    """The summands put together ``(n,)``."""
    parts = [s.of(laws) * s.factor for s in due]
    return np.asarray(sum(p.sum(axis=1) if p.ndim == 2 else p for p in parts))


def _full_due(one: bool) -> Iterator[Summand]:
    def log_det(c: np.ndarray) -> float:
        return float(np.linalg.slogdet(c)[1])

    words = "μᵀμ" if one else "(μ1 - μ0)ᵀ C1⁻¹ (μ1 - μ0)"
    yield Summand("mean", words, _matrices(lambda g, c, e: g @ np.linalg.solve(e, g)))
    trace = "tr C" if one else "tr C1⁻¹C0"
    yield Summand("trace", trace, _matrices(lambda g, c, e: np.trace(np.linalg.solve(e, c))))
    yield Summand("one", "d", lambda laws: np.full(laws.shape[0], float(laws.shape[1])), -0.5)
    words = "log det C" if one else "log det C0"
    yield Summand("log0", words, _matrices(lambda g, c, e: log_det(c)), -0.5)
    if not one:
        yield Summand("log1", "log det C1", _matrices(lambda g, c, e: log_det(e)))


#: slot -> words, words against the standard law ("" : it is not another one there), formula
_OTHERS: tuple[tuple[str, str, str, Callable[..., Any]], ...] = (
    ("mean", "(μ1 - μ0)²/σ0²", "μ²/σ²", lambda a, v, b, w: (b - a) ** 2 / v),
    ("mean", "(μ1 - μ0)²/σ1", "", lambda a, v, b, w: (b - a) ** 2 / w**0.5),
    ("mean", "(μ1 - μ0)²/σ0", "μ²/σ", lambda a, v, b, w: (b - a) ** 2 / v**0.5),
    ("mean", "(μ1 - μ0)²", "", lambda a, v, b, w: (b - a) ** 2),
    ("mean", "(μ1 - μ0)² σ1²", "", lambda a, v, b, w: (b - a) ** 2 * w),
    ("mean", "(μ1 - μ0)² σ0²", "μ² σ²", lambda a, v, b, w: (b - a) ** 2 * v),
    ("mean", "(μ1 - μ0)²/σ1⁴", "", lambda a, v, b, w: (b - a) ** 2 / w**2),
    ("mean", "(μ1 - μ0)²/(σ0² + σ1²)", "μ²/(1 + σ²)", lambda a, v, b, w: (b - a) ** 2 / (v + w)),
    ("mean", "|μ1 - μ0|/σ1² (not squared)", "|μ| (not squared)", lambda a, v, b, w: abs(b - a) / w),
    ("mean", "|μ1 - μ0|/σ1 (not squared)", "", lambda a, v, b, w: abs(b - a) / w**0.5),
    ("mean", "|μ1 - μ0| (not squared)", "", lambda a, v, b, w: abs(b - a)),
    ("mean", "(μ1 - μ0)/σ1² (not squared)", "", lambda a, v, b, w: (b - a) / w),
    ("mean", "(μ1 - μ0)/σ1 (not squared)", "", lambda a, v, b, w: (b - a) / w**0.5),
    ("mean", "(μ1 - μ0) (not squared)", "μ (not squared)", lambda a, v, b, w: b - a),
    ("mean", "(μ1 + μ0)²/σ1²", "", lambda a, v, b, w: (b + a) ** 2 / w),
    ("mean", "(μ1² - μ0²)/σ1²", "", lambda a, v, b, w: (b**2 - a**2) / w),
    ("mean", "(μ1² + μ0²)/σ1² (without -2 μ0 μ1)", "", lambda a, v, b, w: (b**2 + a**2) / w),
    ("mean", "μ0²/σ1² (without μ1)", "", lambda a, v, b, w: a**2 / w),
    ("mean", "μ1²/σ1² (without μ0)", "", lambda a, v, b, w: b**2 / w),
    ("mean", "the norm |μ1 - μ0|/σ1² (not squared)", "the norm |μ| (not squared)",
     lambda a, v, b, w: np.sqrt(np.sum((b - a) ** 2, axis=1)) / w[:, 0]),
    ("mean", "the norm |(μ1 - μ0)/σ1| (not squared)", "",
     lambda a, v, b, w: np.sqrt(np.sum((b - a) ** 2 / w, axis=1))),
    ("mean", "(Σ (μ1 - μ0))²/σ1² (squared after the sum)", "(Σ μ)² (squared after the sum)",
     lambda a, v, b, w: np.sum((b - a) / w**0.5, axis=1) ** 2),
    ("trace", "σ1²/σ0² (upside down)", "1/σ² (upside down)", lambda a, v, b, w: w / v),
    ("trace", "σ0/σ1 (not squared)", "σ (not squared)", lambda a, v, b, w: (v / w) ** 0.5),
    ("trace", "σ1/σ0 (upside down, not squared)", "1/σ (upside down, not squared)",
     lambda a, v, b, w: (w / v) ** 0.5),
    ("trace", "σ0/σ1² (σ0 is not squared)", "", lambda a, v, b, w: v**0.5 / w),
    ("trace", "σ0²/σ1 (σ1 is not squared)", "", lambda a, v, b, w: v / w**0.5),
    ("trace", "σ0² (not divided by σ1²)", "", lambda a, v, b, w: v),
    ("trace", "1/σ1² (without σ0²)", "", lambda a, v, b, w: 1 / w),
    ("trace", "σ0² σ1²", "", lambda a, v, b, w: v * w),
    ("trace", "σ0⁴/σ1⁴ (squared twice)", "σ⁴ (squared twice)", lambda a, v, b, w: (v / w) ** 2),
    ("trace", "log(1 + σ0²/σ1²) (softplus where the exponential is due)",
     "log(1 + σ²) (softplus where the exponential is due)", lambda a, v, b, w: np.log1p(v / w)),
    ("trace", "(σ0 - σ1)²/σ1²", "(σ - 1)²", lambda a, v, b, w: (v**0.5 - w**0.5) ** 2 / w),
    ("trace", "|log σ0²/σ1²| (without the exponential)", "|log σ²| (without the exponential)",
     lambda a, v, b, w: abs(np.log(v / w))),
    (LOGS, "|log(σ1²/σ0²)|, an absolute value", "|log σ²|, an absolute value",
     lambda a, v, b, w: abs(np.log(w / v))),
    (LOGS, "(log σ1²/σ0²)², a square", "(log σ²)², a square",
     lambda a, v, b, w: np.log(w / v) ** 2),
    (LOGS, "σ1²/σ0², without the logarithm", "1/σ², without the logarithm",
     lambda a, v, b, w: w / v),
    (LOGS, "σ1/σ0, without the logarithm", "1/σ, without the logarithm",
     lambda a, v, b, w: (w / v) ** 0.5),
    (LOGS, "log σ1²/log σ0², a quotient of logarithms", "",
     lambda a, v, b, w: np.log(w) / np.log(v)),
    (LOGS, "log(1 + σ1²/σ0²), log1p", "log(1 + 1/σ²), log1p", lambda a, v, b, w: np.log1p(w / v)),
    (LOGS, "log(Σ σ1²/Σ σ0²), the logarithm of a sum", "log Σ σ², the logarithm of a sum",
     lambda a, v, b, w: np.log(np.sum(w, axis=1) / np.sum(v, axis=1))),
)  # fmt: skip

_OTHER_MATRICES: tuple[tuple[str, str, str, Callable[..., Any]], ...] = (
    ("mean", "(μ1 - μ0)ᵀ C0⁻¹ (μ1 - μ0)", "μᵀ C⁻¹ μ", lambda g, c, e: g @ np.linalg.solve(c, g)),
    ("mean", "(μ1 - μ0)ᵀ C1 (μ1 - μ0), with C1 in place of C1⁻¹", "", lambda g, c, e: g @ e @ g),
    ("mean", "(μ1 - μ0)ᵀ C0 (μ1 - μ0)", "μᵀ C μ", lambda g, c, e: g @ c @ g),
    ("mean", "|μ1 - μ0|² (without C1⁻¹)", "", lambda g, c, e: g @ g),
    ("mean", "(μ1 - μ0)²/diag C1, of the diagonal alone", "", lambda g, c, e: g @ (g / np.diag(e))),
    ("mean", "(μ1 - μ0)² diag C1⁻¹, of the inverse's diagonal alone", "",
     lambda g, c, e: g @ (g * np.diag(np.linalg.inv(e)))),
    ("mean", "(μ1 - μ0)ᵀ (C0 + C1)⁻¹ (μ1 - μ0)", "μᵀ (1 + C)⁻¹ μ",
     lambda g, c, e: g @ np.linalg.solve(c + e, g)),
    ("mean", "the norm |L1⁻¹ (μ1 - μ0)| (not squared)", "the norm |μ| (not squared)",
     lambda g, c, e: float(np.sqrt(g @ np.linalg.solve(e, g)))),
    ("mean", "|L1⁻ᵀ (μ1 - μ0)|², with the Cholesky factor transposed", "",
     lambda g, c, e: float(np.sum(np.linalg.solve(np.linalg.cholesky(e).T, g) ** 2))),
    ("mean", "(μ1 - μ0)ᵀ L1⁻¹ (μ1 - μ0), with the Cholesky factor for C1", "",
     lambda g, c, e: g @ np.linalg.solve(np.linalg.cholesky(e), g)),
    ("mean", "|(μ1 - μ0)/diag L1|², of the diagonal of the Cholesky factor alone", "",
     lambda g, c, e: float(np.sum((g / np.diag(np.linalg.cholesky(e))) ** 2))),
    ("trace", "tr C1⁻¹L0, with the Cholesky factor for C0", "tr L, of the Cholesky factor",
     lambda g, c, e: np.trace(np.linalg.solve(e, np.linalg.cholesky(c)))),
    ("trace", "|L0/diag L1|², of the diagonal of the Cholesky factor alone", "",
     lambda g, c, e: float(
         np.sum((np.linalg.cholesky(c) / np.diag(np.linalg.cholesky(e))[:, None]) ** 2))),
    ("trace", "tr C0⁻¹C1 (upside down)", "tr C⁻¹ (upside down)",
     lambda g, c, e: np.trace(np.linalg.solve(c, e))),
    ("trace", "tr C0C1 (without the inverse)", "", lambda g, c, e: np.trace(c @ e)),
    ("trace", "tr C0/tr C1", "", lambda g, c, e: np.trace(c) / np.trace(e)),
    ("trace", "tr C0 (without C1⁻¹)", "", lambda g, c, e: np.trace(c)),
    ("trace", "Σ C0/C1, entry by entry", "", lambda g, c, e: float(np.sum(c / e))),
    ("trace", "the sum of all entries of C1⁻¹C0, not its trace", "the sum of all entries, not tr C",
     lambda g, c, e: float(np.sum(np.linalg.solve(e, c)))),
    ("trace", "Σ diag C0/diag C1, of the diagonals alone", "",
     lambda g, c, e: float(np.sum(np.diag(c) / np.diag(e)))),
    ("trace", "tr L1⁻¹L0, of the Cholesky factors", "",
     lambda g, c, e: np.trace(np.linalg.solve(np.linalg.cholesky(e), np.linalg.cholesky(c)))),
    ("trace", "|L1⁻ᵀL0|², with a Cholesky factor transposed", "",
     lambda g, c, e: float(
         np.sum(np.linalg.solve(np.linalg.cholesky(e).T, np.linalg.cholesky(c)) ** 2))),
    ("trace", "Σ diag C1⁻¹ diag C0, entry by entry and not a product of matrices", "",
     lambda g, c, e: float(np.sum(np.diag(np.linalg.inv(e)) * np.diag(c)))),
    (LOGS, "det C1/det C0, without the logarithm", "1/det C, without the logarithm",
     lambda g, c, e: np.linalg.det(e) / np.linalg.det(c)),
    (LOGS, "log tr C1/tr C0, of traces and not determinants",
     "log tr C, of a trace and not a determinant",
     lambda g, c, e: np.log(np.trace(e) / np.trace(c))),
    (LOGS, "the logarithms of the diagonals alone", "the logarithm of the diagonal alone",
     lambda g, c, e: float(np.sum(np.log(np.diag(e) / np.diag(c))))),
    (LOGS, "|log det C1/det C0|, an absolute value", "|log det C|, an absolute value",
     lambda g, c, e: abs(np.linalg.slogdet(e)[1] - np.linalg.slogdet(c)[1])),
)  # fmt: skip


def other_summands(options: Options) -> list[Summand]:
    """What stands in a slot by mistake."""
    if not options.wanted.kl:
        return _others_of_quantity(options)
    full, found = options.form == "full", []
    made = due_summands(options)
    for due in made:
        if due.slot in ("mean", "trace"):
            found.append(by_dimension(due, options))
        if options.form == "isotropic" and due.slot == "trace":
            found.append(by_rows(due))
    logs = both_logs(options)
    found.append(by_dimension(logs, options))
    if options.form == "isotropic":
        found.append(by_rows(logs))
    if options.sides is not None and not full:
        single = [options.side(which).form == "isotropic" for which in ("first", "second")]
        found += [once(d) for d in made if d.slot in ("log0", "log1") and single[int(d.slot[-1])]]
    for slot, pair, alone, formula in _OTHER_MATRICES if full else _OTHERS:
        words = alone if options.standard else pair
        if words:
            found.append(Summand(slot, words, _matrices(formula) if full else _of(formula)))
    return [*found, *constants()]


def _others_of_quantity(options: Options) -> list[Summand]:
    """Those of a divergence that stand in the same slot, and the quantity's own."""
    due = {s.slot: s for s in due_summands(options)}
    found = others_of_quantity(options)
    if options.wanted.quantity == "cross_entropy":
        full = options.form == "full"
        for slot, pair, alone, formula in _OTHER_MATRICES if full else _OTHERS:
            words = alone if options.standard else pair
            if words and slot in due:
                found.append(Summand(slot, words, _matrices(formula) if full else _of(formula)))
    return found


def both_logs(options: Options) -> Summand:
    """The two logarithms, or the one there is, as one summand."""
    logs = [s for s in due_summands(options) if s.slot.startswith(LOGS)]
    pair = "log det C1/det C0" if options.form == "full" else "log σ1²/σ0²"
    return Summand(
        LOGS,
        logs[0].words if options.standard else pair,
        lambda b: np.asarray(np.sum([2 * s.factor * s.of(b) for s in logs], axis=0)),
    )
