"""The summands of entropies, of symmetric divergences and of those of Rényi, and what people write
in their place.

Conventions: as in `summands`; σ*² = α σ1² + (1 - α) σ0² (C* of matrices).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from scoreproof.public.kl.arguments import Options
from scoreproof.public.kl.laws import Laws
from scoreproof.public.kl.summand import Summand, Values

__all__ = ["LOG_2_PI", "due_of_quantity", "others_of_quantity"]

LOG_2_PI = float(np.log(2 * np.pi))
Formula = Callable[..., np.ndarray]


def _quadratic(below: Callable[[np.ndarray, np.ndarray], np.ndarray], full: bool) -> Values:
    """``gᵀ M⁻¹ g`` of the means' difference, M made of both variances."""

    def of(laws: Laws) -> np.ndarray:
        gap = laws.m1 - laws.m0
        middle = below(laws.v0, laws.v1)
        if full:
            return np.einsum("ni,ni->n", gap, np.linalg.solve(middle, gap[:, :, None])[:, :, 0])
        return np.asarray(gap**2 / np.broadcast_to(middle, gap.shape))

    return of


def _trace(top: int, full: bool) -> Values:
    """Of the inverse of one law's variance times the other's, which is law ``top``."""

    def of(laws: Laws) -> np.ndarray:
        above, below = (laws.v0, laws.v1) if top == 0 else (laws.v1, laws.v0)
        if full:
            return np.einsum("nii->n", np.linalg.solve(below, above))
        return np.asarray(np.broadcast_to(above / below, laws.m0.shape))

    return of


def _log(of: Callable[[np.ndarray, np.ndarray], np.ndarray], full: bool) -> Values:
    """The logarithm of a variance made of both, or of its determinant."""

    def values(laws: Laws) -> np.ndarray:
        v = of(laws.v0, laws.v1)
        if full:
            sign, logs = np.linalg.slogdet(v)
            return np.asarray(np.where(sign > 0, logs, np.nan))
        return np.asarray(np.broadcast_to(np.log(v), laws.m0.shape))

    return values


def _ones(number: float = 1.0) -> Values:
    return lambda laws: np.full(laws.m0.shape, number)


def due_of_quantity(options: Options) -> list[Summand]:
    """The printed form of the quantity that is due."""
    wanted, full, one = options.wanted, options.form == "full", options.standard
    logs = ("log det C0", "log det C1") if full else ("log σ0²", "log σ1²")
    alone = "log det C" if full else "log σ²"
    if wanted.quantity == "entropy":
        log = Summand("log0", alone if one else logs[0], _log(lambda v, w: v, full), 0.5)
        return [Summand("one", "(1 + log 2π)", _ones(1 + LOG_2_PI), 0.5), log]
    if wanted.overlap:
        return _overlap(options, logs)
    names = _names(options)
    mean = Summand("mean", names[0], _quadratic(lambda v, w: w, full))
    trace = Summand("trace", names[1], _trace(0, full))
    if wanted.quantity == "cross_entropy":
        log = Summand("log1", logs[1], _log(lambda v, w: w, full), 0.5)
        return [
            mean,
            trace,
            Summand("one", "log 2π", _ones(LOG_2_PI), 0.5),
            *([] if one else [log]),
        ]
    half = 0.5 if wanted.quantity == "symmetric" else 1.0
    return [
        Summand("mean", names[0], mean.of, half / 2),
        Summand("mean0", names[2], _quadratic(lambda v, w: v, full), half / 2),
        Summand("trace", names[1], trace.of, half / 2),
        Summand("trace0", names[3], _trace(1, full), half / 2),
        Summand("one", "d" if full else "1", _ones(), -half),
    ]


def _names(options: Options) -> tuple[str, str, str, str]:
    """Mean and trace terms under the second law, and under the first."""
    if options.form == "full":
        if options.standard:
            return "μᵀμ", "tr C", "μᵀ C⁻¹ μ", "tr C⁻¹"
        gap = "(μ1 - μ0)"
        return f"{gap}ᵀ C1⁻¹ {gap}", "tr C1⁻¹C0", f"{gap}ᵀ C0⁻¹ {gap}", "tr C0⁻¹C1"
    if options.standard:
        return "μ²", "σ²", "μ²/σ²", "1/σ²"
    return "(μ1 - μ0)²/σ1²", "σ0²/σ1²", "(μ1 - μ0)²/σ0²", "σ1²/σ0²"


def _overlap(options: Options, logs: tuple[str, str]) -> list[Summand]:
    full, a = options.form == "full", options.wanted.alpha
    half = 0.5 if options.wanted.quantity == "bhattacharyya" else 1.0

    def mixed(v: np.ndarray, w: np.ndarray) -> np.ndarray:
        return a * w + (1 - a) * v

    star = "C*" if full else "σ*²"
    mean = f"(μ1 - μ0)ᵀ {star}⁻¹ (μ1 - μ0)" if full else f"(μ1 - μ0)²/{star}"
    return [
        Summand("mean", mean, _quadratic(mixed, full), half * a / 2),
        Summand(
            "logs",
            f"log det {star}" if full else f"log {star}",
            _log(mixed, full),
            half / (2 * (1 - a)),
        ),
        Summand("log0", logs[0], _log(lambda v, w: v, full), -half / 2),
        Summand("log1", logs[1], _log(lambda v, w: w, full), half * a / (2 * (a - 1))),
    ]


def others_of_quantity(options: Options) -> list[Summand]:
    """What stands in a slot by mistake."""
    full, wanted = options.form == "full", options.wanted
    inverse = "C{}⁻¹" if full else "σ{}²"
    gap = "(μ1 - μ0)ᵀ {} (μ1 - μ0)" if full else "(μ1 - μ0)²/{}"
    found: list[Summand] = []
    if wanted.quantity in ("entropy", "cross_entropy"):
        due = due_of_quantity(options)
        constant = next(s for s in due if s.slot == "one")
        number = (1 + LOG_2_PI) if wanted.quantity == "entropy" else LOG_2_PI
        found.append(
            Summand(
                "one",
                f"{constant.words}, once and not d times",
                lambda laws: np.full(laws.shape[0], number),
                0.5,
            )
        )
        if not full:
            found += _logs_of_sums(due)
    if wanted.overlap:
        a = wanted.alpha
        half = 0.5 if wanted.quantity == "bhattacharyya" else 1.0
        swapped = "(α C0 + (1 - α) C1)⁻¹" if full else "(α σ0² + (1 - α) σ1²)"

        def other(v: np.ndarray, w: np.ndarray) -> np.ndarray:
            return a * v + (1 - a) * w

        for words, below in (
            (swapped, other),
            (inverse.format(1), lambda v, w: w),
            (inverse.format(0), lambda v, w: v),
            ("((C0 + C1)/2)⁻¹" if full else "((σ0² + σ1²)/2)", lambda v, w: (v + w) / 2),
            ("(C0 + C1)⁻¹" if full else "(σ0² + σ1²)", lambda v, w: v + w),
        ):
            text = gap.format(words)
            found.append(Summand("mean", text, _quadratic(below, full), half * a / 2))
        found.append(
            Summand(
                "logs",
                "log det (α C0 + (1 - α) C1)" if full else f"log {swapped}",
                _log(other, full),
                half / (2 * (1 - a)),
            )
        )
    return found


def _logs_of_sums(due: list[Summand]) -> list[Summand]:
    log = next((s for s in due if s.slot in ("log0", "log1")), None)
    if log is None:
        return []
    return [
        Summand(
            log.slot,
            f"log Σ{log.words.removeprefix('log')}, the logarithm of a sum",
            lambda laws: np.log(np.sum(np.exp(log.of(laws)), axis=1)),
            0.5,
        ),
        Summand(
            log.slot,
            f"log(1 +{log.words.removeprefix('log')}), log1p",
            lambda laws: np.log1p(np.exp(log.of(laws))),
            0.5,
        ),
        Summand(log.slot, f"|{log.words}|, an absolute value", lambda laws: abs(log.of(laws)), 0.5),
    ]
