"""Is log_det the logarithm of |det J|? The answer row by row, and the cause where it is not."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.evidence import Evidence
from scoreproof.public.normalizing_flow.explaining import explained
from scoreproof.public.normalizing_flow.look import Look
from scoreproof.public.rule import compared, settled
from scoreproof.words import point

__all__ = ["added_up", "of_log_det", "shows"]

#: a log-determinant below this at every point shows neither sign nor factors
SHOWS = 1e-2

#: where log_det rounds, or iterates, more than could be passed over
FINER = (
    "use float64, or points= where it is less flat or steep; tolerance= says how much is accepted"
    " of a solver, or of an ε in a logarithm"
)


def coverage_of(look: Look) -> Coverage:
    """The rows, and those at which J is singular."""
    out = int(np.sum(~np.isfinite(look.det.error)))
    left = (Omission("rows", out, "where J is singular to rounding"),) if out else ()
    asked = {"rows": len(look.x), "coordinates": look.x.shape[1]}
    return Coverage(asked, left, look.span)


def of_log_det(look: Look, of_batch: bool) -> Evidence | None:
    """``None`` where forward returns no log_det. ``of_batch``: it changes with other rows."""
    answer = look.answer
    if answer.log_det is None:
        return None
    name, seen = look.flow.job.name, coverage_of(look)
    if answer.how == "part" or (answer.how == "axis" and not _broadcast(look)):
        return _misshapen(look, seen)
    ok = np.isfinite(look.det.error)
    if not np.any(ok):
        text = (
            f"{name}: its Jacobian is singular at every point: z does not determine x, it is no"
            " flow"
        )
        cause = Diagnosis.cause(
            "not_invertible",
            "Cause: the map is no bijection: a coordinate is dropped, clamped or written twice."
            " Let z have as many free numbers as x.",
        )
        return Evidence(
            "float", "refuted", np.inf, 0.0, text, diagnosis=cause, coverage=Coverage(seen.asked)
        )
    due = look.det.log_det
    unknown = ok & ~np.isfinite(answer.log_det)
    if np.any(unknown):
        return _not_finite(look, unknown)
    error = np.abs(answer.log_det - due)[ok]
    k = int(np.flatnonzero(ok)[np.argmax(error - look.bound[ok])])
    where = f"at x = {point(look.x[k])}"
    text = (
        f"{name}'s log_det against log |det ∂z/∂x| of its {look.x.shape[1]} x {look.x.shape[1]}"
        f" Jacobian by {look.jac.how}, {where} {answer.log_det[k]:.6g} for {due[k]:.6g} nats"
    )
    evidence = compared(
        error,
        look.bound[ok],
        text,
        coverage=seen,
        excuse=look.excuse,
        tolerance=look.flow.job.tolerance,
        remedy=FINER,
        along=("|x|", np.linalg.norm(look.x[ok], axis=1)),
    )
    if evidence.verdict != "refuted":
        return evidence
    if look.estimate:
        text = (
            f"{name}'s log_det is drawn at random and z is not: an estimate (of a residual or a"
            " continuous flow) is judged by its mean, not here; pass check_trace_estimator the"
            " estimator, or a lambda that returns z and the exact log_det"
        )
        return Evidence.undecided("float", text, coverage=seen)
    return replace(evidence, diagnosis=safely(lambda: explained(look, ok, of_batch)))


def _broadcast(look: Look) -> bool:
    """One number a coordinate, for all rows: of a layer whose scales do not depend on x."""
    assert look.answer.log_det is not None
    with np.errstate(all="ignore"):
        return bool(np.all(np.abs(look.answer.log_det - look.det.log_det) <= look.bound))


def _misshapen(look: Look, seen: Coverage) -> Evidence:
    answer, n = look.answer, len(look.x)
    assert answer.raw is not None and answer.log_det is not None
    shape = answer.raw.shape
    if answer.how == "part":
        name, told = "not_summed", "its sum over them is"
        off = float(np.nanmax(np.abs(answer.log_det - look.det.log_det)))
        right = off <= 10 * float(np.max(look.bound))
        said = (
            "Cause: log_det is summed over some axes of a sample only"
            f" (shape {shape}); {told} {'right' if right else 'wrong as well'}: sum over all axes"
            f" but the first, to shape ({n},)."
        )
    else:
        name = "wrong_axis"
        said = (
            f"Cause: log_det is summed over the batch, axis 0, and has one number a coordinate"
            f" (shape {shape}): sum over the sample's axes, log_det.sum(-1), to shape ({n},)."
        )
    text = f"{look.flow.job.name}'s log_det has shape {shape} for {n} rows, where ({n},) is due"
    cause = Diagnosis.cause(name, said)
    return Evidence("float", "refuted", np.inf, 0.0, text, diagnosis=cause, coverage=seen)


def _not_finite(look: Look, unknown: np.ndarray) -> Evidence:
    negative = np.any(look.diagonal < 0, axis=1) | (look.det.sign < 0)
    k = int(np.flatnonzero(unknown)[0])
    assert look.answer.log_det is not None
    text = (
        f"{look.flow.job.name}'s log_det is {look.answer.log_det[k]:g} at"
        f" {int(unknown.sum())} of {len(unknown)} points, e.g. at x = {point(look.x[k])}, where log"
        f" |det J| = {look.det.log_det[k]:.6g}"
    )
    if not np.any(unknown & ~negative):
        cause = Diagnosis.cause(
            "no_abs",
            "Cause: the logarithm of a negative number: a scale or determinant is negative there,"
            " and its absolute value is due (torch.slogdet, log |s|).",
        )
    else:
        cause = Diagnosis.unknown(
            "The logarithm of 0 or of an overflow: compute it from the logarithms of the scales"
            " (softplus, log-sigmoid), not from their product."
        )
    seen = Coverage({"rows": len(look.x)}, (), look.span)
    return Evidence("float", "refuted", np.inf, 0.0, text, diagnosis=cause, coverage=seen)


def shows(looks: list[Look]) -> Evidence | None:
    """Undecided where no look has a log-determinant that shows anything."""
    sizes = [float(np.max(np.abs(k.det.log_det[np.isfinite(k.det.error)]))) for k in looks]
    if max(sizes) > SHOWS:
        return None
    whole = [np.max(np.abs(k.jac.entries - np.eye(k.x.shape[1]))) for k in looks]
    last = looks[-1]
    claimed = last.answer.log_det
    exactly = claimed is not None and not np.any(claimed)
    if exactly and max(whole) > SHOWS:
        return None  # it says that it keeps volumes, and does
    name = last.flow.job.name
    if max(whole) <= SHOWS:
        text = f"{name} is the identity at the points that were looked at"
    else:
        text = f"{name}'s log-determinant is {max(sizes):.2g} or less wherever it was looked at"
    return settled(
        Evidence.undecided(
            "float",
            f"{text}, so that a wrong sign or factor of log_det would not show: give it other"
            " weights than those it starts with, e.g. add 0.1 N(0, 1) to each",
        ),
        resolution=np.inf,
        coverage=coverage_of(last),
    )


def added_up(look: Look) -> Evidence | None:
    """A layer that is handed a log_det has to add to it."""
    n, given = len(look.x), 1.75
    answer = look.flow.adding(look.x, np.full(n, given))
    if answer is None or answer.log_det is None or look.answer.log_det is None:
        return None
    gained = answer.log_det - look.answer.log_det
    error = np.abs(gained - given)
    name = look.flow.job.name
    text = f"{name}, handed a log_det of {given:g} to add to, returns {gained[0]:.4g} more"
    bound = 64 * look.flow.eps * (1 + np.abs(look.answer.log_det)) + 2 * look.spread
    evidence = compared(error, bound, text, coverage=coverage_of(look), gain=given)
    if evidence.verdict != "refuted":
        return evidence
    if np.all(np.abs(gained) <= bound):
        said = "the log_det that is handed in is overwritten, those of earlier layers are lost"
        cause = Diagnosis.cause("not_added", f"Cause: {said}: return logdet + dlogdet.")
    elif np.all(np.abs(gained + given) <= bound):
        said = "the log_det that is handed in is subtracted"
        cause = Diagnosis.cause("subtracted", f"Cause: {said}: return logdet + dlogdet.")
    else:
        cause = Diagnosis.unknown("What is handed in has to come back with the layer's own added.")
    return replace(evidence, diagnosis=cause)
