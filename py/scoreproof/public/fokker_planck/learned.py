"""What is said of a learned density beyond its verdict: kinks, the order of its inputs, how many of
the points are within what is accepted.

Conventions: as in `strong`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck import forward
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.networks import Asked, held
from scoreproof.public.fokker_planck.strong import Found

__all__ = ["flat", "in_order", "share", "with_kinks", "with_share"]

#: times at which curvature is looked for
TIMES = 3
ORDER = 'pass inputs="tx"'
KINKS = (
    "its second derivatives in x are exactly 0 at every point, as those of a network of ReLUs are:"
    " it is linear between its kinks, and ½ρ² Δ sees nothing of it. Use a smooth activation (tanh,"
    " SiLU, softplus, sin)"
)


def flat(s: Subject, found: Found) -> bool:
    """Whether autodiff finds no curvature anywhere, of what is not constant."""
    if s.framework == "numpy" or not any(t.rho for t in found.terms):
        return False
    moves = False
    for now in found.terms[:: max(1, len(found.terms) // TIMES)]:
        try:
            slopes = forward.forward(s, now.x, now.t)[0]
        except forward.NotDifferentiable:
            return False
        bent = slopes.second - (slopes.first**2 if s.is_log else 0.0)
        if np.any(np.abs(bent) > 1e-12 * (1 + slopes.first**2)):
            return False
        moves = moves or bool(np.any(slopes.first))
    return moves


def with_kinks(evidence: Evidence, weak: Evidence | None) -> Evidence:
    """A refutation of what has no curvature: with the weak form where that is there."""
    if weak is not None:
        note = f"The weak form was used: {KINKS}."
        return replace(weak, notes=(*weak.notes, note))
    cause = Diagnosis.cause("piecewise_linear", f"Cause: {KINKS} (piecewise_linear).")
    return evidence.with_diagnosis(cause)


def share(found: Found, tolerance: float) -> tuple[float, float]:
    """The part of the points within ``tolerance``, and the median of the residual."""
    error = np.concatenate([np.abs(t.residual) / np.maximum(t.size, 1e-300) for t in found.terms])
    return float(np.mean(error <= tolerance)), float(np.median(error))


def with_share(evidence: Evidence, found: Found, tolerance: float | None) -> Evidence:
    """How many of the points are within the tolerance, if there is one."""
    if tolerance is None:
        return evidence
    part, middle = share(found, tolerance)
    text = (
        f"{100 * part:.3g} % of points and times are within the tolerance {tolerance:g}; the median"
        f" residual is {middle:.2g} of the size of the terms."
    )
    return replace(evidence, notes=(*evidence.notes, text))


def in_order(net: Asked, judge: Callable[[], Evidence], again: Callable[[], Evidence]) -> Evidence:
    """``judge()``; of a network of one array also ``again()``, with time as its first column, where
    it fails or is refuted.
    """
    try:
        evidence = judge()
    except CallableError as error:
        if not net.joined or not _better(again):
            raise
        raise CallableError(
            net.guard.name, f"be called as {net.how}", f"so called, {error}", ORDER
        ) from error
    evidence = replace(evidence, notes=(*evidence.notes, *held(net)))
    if evidence.verdict != "refuted" or not net.joined or not _better(again):
        return evidence
    return evidence.with_diagnosis(
        Diagnosis.cause(
            "inputs_exchanged",
            f"Cause: it was called as {net.how}, and the equation is solved where time is the first"
            f" column: {ORDER} (inputs_exchanged).",
        )
    )


def _better(again: Callable[[], Evidence]) -> bool:
    try:
        return again().verdict != "refuted"
    except CallableError:
        return False
