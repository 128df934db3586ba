"""Public check of a trace (divergence) estimator: E[ν^T J ν] = tr J.

Conventions: rows z ``(n, D)``; ``f`` maps rows to rows; the estimator returns one number a row.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from scoreproof.evidence import Evidence
from scoreproof.public.rule import public_check
from scoreproof.public.trace_estimator.another import mean_of_another
from scoreproof.public.trace_estimator.arguments import Given, given
from scoreproof.public.trace_estimator.asking import asked, same_alone
from scoreproof.public.trace_estimator.own_nu import own_nu, uses_nu, with_more_of_its_own
from scoreproof.public.trace_estimator.rows import (
    COARSE,
    Rows,
    coarse_rows,
    mirrored,
    rows_for,
)
from scoreproof.public.trace_estimator.verdict import Judged, against, judged
from scoreproof.public.trace_estimator.words import refuted
from scoreproof.streams import stream

__all__ = ["check_trace_estimator"]

#: estimates nearer to νᵀJν than this are meant to be it
ANOTHER = 1e-3


@public_check
def check_trace_estimator(
    estimator: Callable[..., Any],
    *,
    field: Callable[..., Any] | None = None,
    dimension: int | None = None,
    points: Any = None,
    draws: int = 1 << 22,
    tolerance: float | None = None,
    framework: str = "numpy",
    dtype: Any = None,
    seed: int = 0,
) -> Evidence:
    """Is ``estimator`` an unbiased estimator of the trace of a field's Jacobian (its divergence)?

    Parameters
    ----------
    estimator: ``estimator(f, z, nu) -> (n,)`` with ``f(z)`` rows to rows, z and ν ``(n, D)``; or
        ``estimator(f, z)`` if it draws its own ν, anew for each row and call.
    field: ``f(z)`` to try it on, in the estimator's framework; default: a rational field (for
        float16 and bfloat16: a cubic one, exact at small integers) to whose trace every coordinate
        contributes by itself, with an unsymmetric Jacobian.
    dimension: D of the default field and points, at least 2; default: 4 and 5, one after the other.
    points: rows ``(n, D)``; default: rows at which a single coordinate (for D > 512, a few)
        contributes, and rows at which all do.
    draws: the largest number of draws of ν (rows in all) where the estimator draws its own; as many
        are taken as a verdict at 1 % (or ``tolerance``) needs.
    tolerance: the relative error of an estimate that you accept, for one that takes differences or
        runs in float16; default: none beyond rounding.
    framework, dtype: ``"numpy"`` (f accepts complex numbers too), ``"torch"`` or ``"jax"``, and the
        floating type passed in.
    seed: for the field, the points and ν.

    With ν given, every row has its own ν (Gaussian, signs, long and short), and every estimate by
    itself is held against νᵀJν, or against tr J (an exact trace ignores ν); batches have 1, 3, D
    and more rows; our own fields are asked with both signs of f. An estimate that is neither is
    judged by its mean over three designs with E[νν^T] = I exactly (vectors of signs, vectors
    √D Q e_i, such vectors of two lengths; D ≤ 1024, float32 or better). Where that cannot be had,
    or signs alone fit, a test over Gaussian ν refutes, and else it is undecided. One that draws
    more than ν (a sketch) is judged by a test of its mean over both.
    Calls of ``estimator``: about 12 for each D up to 1024, one more for every 2^20 numbers beyond;
    about 40 more in the mean. Without ν, a test of the mean at level 1e-6, in batches of up to 2^18
    numbers; rows of one call that share a ν are refuted. The bound is the rounding of what goes in
    and comes out (float32: a float32 bound).

    Raises ``ArgumentError`` and ``CallableError`` as all checks do.

    Source: homework on generative models, spring 2024, problem 3 (claim ``ffjord``).

    >>> def hutchinson(f, z, nu):
    ...     return (nu * np.imag(f(z + 1e-30j * nu)) / 1e-30).sum(axis=1)
    >>> bool(check_trace_estimator(hutchinson))
    True
    """
    case = given(estimator, field, dimension, points, draws, tolerance, framework, dtype, seed)
    if not case.takes_nu:
        return own_nu(case)
    parts = []
    for d in case.dimensions:
        rng = stream(case.seed, "ffjord", "trace", str(d))
        rows = rows_for(case, d, rng)
        answers = asked(case, rows)
        if case.eps > COARSE and not _coarse(rows) and case.points is None and case.field is None:
            rows = coarse_rows(case, d, rng)  # it answers in a coarser type than it was fed
            answers = asked(case, rows)
        parts.append((rows, answers))
    by_form: dict[str, list[Judged]] = {}
    mirrors = [(rows, asked(case, rows)) for part in parts for rows in mirrored(case, part[0])]
    for form in ("νᵀJν", "tr J"):
        both = [*parts, *mirrors]
        by_form[form] = [against(case, rows, answers, form) for rows, answers in both]
        if all(p.fits(case.tolerance) for p in by_form[form]):
            return judged(case, by_form[form], form)
    if any(answers.flicker > 0 for _, answers in parts) and uses_nu(case, parts[0][0]):
        return with_more_of_its_own(case)
    if _neither(by_form, case) and all(same_alone(case, *part) for part in [*parts, *mirrors]):
        by_rows = judged(case, by_form["νᵀJν"], "νᵀJν")
        mean = mean_of_another(case, [rows for rows, _ in parts], by_rows)
        if mean.verdict != "refuted":
            return mean
    # a refutation: νᵀJν is what is due, unless the estimates are those of a trace nearly right
    near = _median(by_form["tr J"])
    form = "tr J" if near < min(0.1, _median(by_form["νᵀJν"])) else "νᵀJν"
    return refuted(case, judged(case, by_form[form], form), by_form, form)


def _median(parts: list[Judged]) -> float:
    return max(float(np.median(p.error)) for p in parts)


def _coarse(rows: Rows) -> bool:
    return bool(rows.trial.roundings < 8)


def _neither(by_form: dict[str, list[Judged]], case: Given) -> bool:
    """Whether the estimates are of another kind altogether, and not right here and wrong there."""
    coarse = case.eps > COARSE
    for found in by_form.values():
        for part in found:
            full = np.count_nonzero(part.rows.z * part.rows.nu, axis=1) > 1
            least = np.maximum(part.bound + (case.tolerance or 0.0), ANOTHER)
            # there what is due is a representable number, and the difference may drown in rounding
            off = part.error > (0.0 if coarse else least)
            if np.mean(off[full]) < 0.5:
                return False
    return True
