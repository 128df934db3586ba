"""Does the inverse lead back, both ways, with minus forward's log_det?

Conventions: errors of points relative to ``1 + |x|``, of log_det in nats.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.errors import CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.normalizing_flow.determinants import determinants
from scoreproof.public.normalizing_flow.inverses import explained, of_its_log_det
from scoreproof.public.normalizing_flow.jacobians import jacobian
from scoreproof.public.normalizing_flow.log_dets import coverage_of
from scoreproof.public.normalizing_flow.look import ITERATED, Look
from scoreproof.public.normalizing_flow.reading import Answer
from scoreproof.public.rule import compared
from scoreproof.words import point

__all__ = ["moved_by", "of_inverse"]

STEPS = "an inverse that iterates needs more steps, or tolerance= says how far off it may be"


def of_inverse(look: Look) -> list[Evidence]:
    """inverse(forward(x)), its log_det, forward(inverse(z)); empty without an inverse."""
    flow = look.flow
    back = flow.inverse(look.answer.z)
    if back is None:
        return []
    first = _returned(look, back)
    found = [first]
    if first.verdict == "refuted":
        return found
    if back.log_det is not None:
        found.append(_its_log_det(look, back))
    other = _other_way(look)
    return found + ([] if other is None else [other])


def _bound(look: Look) -> np.ndarray:
    """How far x may be off that comes from a rounded z, ``(n, d)``."""
    eps, d = look.flow.eps, look.x.shape[1]
    grown = np.einsum("nij,nj->ni", np.abs(look.det.inverse), look.rounding)
    return grown + 16 * eps * (1 + np.abs(look.x)) * np.sqrt(d)


def _returned(look: Look, back: Answer) -> Evidence:
    name, x = look.flow.job.name, look.x
    if not np.all(np.isfinite(back.z)):
        text = (
            f"{name}'s inverse returns {int(np.sum(~np.isfinite(back.z)))} of {back.z.size} numbers"
            " that are nan or inf, at z = forward(x)"
        )
        cause = safely(lambda: explained(look, np.nan_to_num(back.z), np.full(x.shape, 1e-6)))
        return Evidence(
            "float", "refuted", np.inf, 0.0, text, diagnosis=cause, coverage=coverage_of(look)
        )
    size = 1 + np.max(np.abs(x), axis=1, keepdims=True)
    error, bound = np.abs(back.z - x), _bound(look)
    ok = np.isfinite(look.det.error)
    worst = int(np.argmax(np.where(ok, np.max(error - bound, axis=1), -np.inf)))
    j = int(np.argmax(error[worst] - bound[worst]))
    wrong = int(np.sum(np.any(error[ok] > bound[ok] + ITERATED * size[ok], axis=1)))
    text = f"{name}'s inverse of forward"
    if wrong:
        text += (
            f" leads x = {point(x[worst])} to {point(back.z[worst])}: coordinate {j} comes back as"
            f" {back.z[worst, j]:.6g} for {x[worst, j]:.6g}, and x is another at {wrong} of"
            f" {int(ok.sum())} points"
        )
    evidence = compared(
        (error / size)[ok],
        (bound / size)[ok],
        text,
        coverage=coverage_of(look),
        excuse=ITERATED,
        tolerance=look.flow.job.tolerance,
        remedy=STEPS,
    )
    if evidence.verdict != "refuted":
        return evidence
    limit = bound + ITERATED * size
    return replace(evidence, diagnosis=safely(lambda: explained(look, back.z, limit, of_inverse)))


def _its_log_det(look: Look, back: Answer) -> Evidence:
    claimed = back.log_det
    assert claimed is not None
    ok = np.isfinite(look.det.error)
    # x comes back rounded: forward's log_det moves as far, and has been judged
    due = -look.det.log_det - moved_by(look, back.z)
    error = np.abs(claimed - due)[ok]
    bound = look.det.error + 3 * look.spread
    bound = (bound + 16 * look.flow.eps * (look.x.shape[1] + np.abs(due)))[ok]
    k = int(np.flatnonzero(ok)[np.argmax(error - bound)])
    text = (
        f"{look.flow.job.name}'s inverse returns log_det {claimed[k]:.6g} at z = forward(x)"
        f" for {due[k]:.6g}, minus forward's, x = {point(look.x[k])}"
    )
    evidence = compared(
        np.where(np.isfinite(error), error, np.inf) if np.any(~np.isfinite(error)) else error,
        bound,
        text,
        coverage=coverage_of(look),
        excuse=ITERATED,
        tolerance=look.flow.job.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    return replace(evidence, diagnosis=safely(lambda: of_its_log_det(look, claimed, ok, bound)))


def moved_by(look: Look, x: np.ndarray) -> np.ndarray:
    """How much forward's log_det is more at x, which is the look's x but for rounding."""
    before, after = look.answer.log_det, look.flow.forward(x).log_det
    if before is None or after is None or not np.all(np.isfinite(after)):
        return np.zeros(len(x))
    return after - before


def _other_way(look: Look) -> Evidence | None:
    """forward(inverse(z)) at points z of their own: between those that x led to."""
    flow, z = look.flow, look.answer.z
    asked = (z + np.roll(z, 1, axis=0)) / 2
    try:
        back = flow.inverse(asked)
        if back is None or not np.all(np.isfinite(back.z)):
            return None
        again = flow.forward(back.z)
    except CallableError:  # what lies between two points need not be in the domain
        return None
    if not np.all(np.isfinite(again.z)):
        return None
    few = np.arange(len(asked))
    jac = jacobian(flow, back.z)
    det = determinants(jac)
    ok = np.isfinite(det.error)
    if not np.any(ok):
        return None
    eps = flow.eps
    size = 1 + np.max(np.abs(asked), axis=1, keepdims=True)
    grown = np.einsum("nij,nj->ni", np.abs(jac.entries), _of_x(look, det, back.z))
    bound = grown + 4 * np.max(look.rounding) + 16 * eps * size
    error = np.abs(again.z - asked)
    k = int(few[ok][np.argmax(np.max((error - bound)[ok], axis=1))])
    text = f"{flow.job.name}'s forward of inverse"
    if np.any((error > bound + ITERATED * size)[ok]):
        text += f" leads z = {point(asked[k])} to {point(again.z[k])}"
    evidence = compared(
        (error / size)[ok],
        (bound / size)[ok],
        text,
        coverage=Coverage({"rows": int(ok.sum())}, (), "between the points z that x led to"),
        excuse=ITERATED,
        tolerance=flow.job.tolerance,
        remedy=STEPS,
    )
    if evidence.verdict != "refuted":
        return evidence
    cause = Diagnosis.cause(
        "not_onto",
        "Cause: inverse(forward(x)) = x, but z that lie between come back as others: the inverse"
        " looks up or clamps, or forward does not reach all z. Invert the formula for every z.",
    )
    return replace(evidence, diagnosis=cause)


def _of_x(look: Look, det: object, x: np.ndarray) -> np.ndarray:
    """How far the x may be off that the inverse of z returned."""
    inverse = np.abs(det.inverse)  # type: ignore[attr-defined]
    from_z = np.einsum("nij,nj->ni", inverse, look.rounding)
    return from_z + 16 * look.flow.eps * (1 + np.abs(x)) * np.sqrt(x.shape[1])
