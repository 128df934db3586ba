"""Is log_prob the base law's at z and log_det together, in the units that are said?

Conventions: ``log p(x) = log p_Z(z) + log |det ∂z/∂x|``, in nats; bits per dimension are those of
whole numbers, ``-(log p(x) + d log w) / (d log 2)`` with the width w of one level.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.diagnosis import Diagnosis, safely
from scoreproof.errors import ArgumentError, CallableError
from scoreproof.evidence import Evidence
from scoreproof.public.normalizing_flow.back import moved_by
from scoreproof.public.normalizing_flow.densities import Terms, explained
from scoreproof.public.normalizing_flow.log_dets import coverage_of
from scoreproof.public.normalizing_flow.look import Look
from scoreproof.public.rule import compared
from scoreproof.words import point

__all__ = ["data_of", "of_density"]

LOG_2PI = math.log(2 * math.pi)


@dataclass(frozen=True, eq=False)
class _Ends:
    """Data and latent points, and log |det ∂z/∂x|."""

    data: np.ndarray
    latent: np.ndarray
    log_det: np.ndarray


def _ends(look: Look) -> _Ends:
    if not look.flow.form(len(look.x)).to_data:
        return _Ends(look.x, look.answer.z, look.det.log_det)
    # log p asks for the latent point, which the inverse finds but for rounding
    back = look.flow.inverse(look.answer.z)
    if back is None or not np.all(np.abs(back.z - look.x) <= 1e-3 * (1 + np.abs(look.x))):
        return _Ends(look.answer.z, look.x, -look.det.log_det)
    log_det = look.det.log_det + moved_by(look, back.z)
    return _Ends(look.answer.z, back.z, -log_det)


def data_of(look: Look) -> np.ndarray:
    """The points that log_prob is asked at."""
    return _ends(look).data


def of_density(look: Look) -> Evidence | None:
    """``None`` without a log_prob."""
    flow, job = look.flow, look.flow.job
    n, d = look.x.shape
    form = flow.form(n)
    if form.log_prob is None:
        if job.units.name != "nats" or job.units.data_range is not None:
            raise ArgumentError(
                "log_prob", "given with units or data_range", "none", "pass e.g. flow.log_prob"
            )
        return None
    ends = _ends(look)
    found = flow.log_prob(ends.data)
    assert found is not None
    ok = np.isfinite(look.det.error)
    base = _base(look, ends.latent)
    terms = Terms(
        base, _base(look, ends.data, quiet=True), np.where(ok, ends.log_det, 0.0), job, found
    )
    shape = _shaped(look, found, n, d)
    if isinstance(shape, Evidence):
        return shape
    # how the two terms round: what z may be off moves the base law, measured on it
    moved = _base(look, ends.latent + 1e-6 * np.sign(ends.latent), quiet=True)
    slope = np.zeros(n) if moved is None else np.abs(moved - base) / 1e-6
    rounding = look.rounding
    if form.to_data:
        rounding = np.einsum("nij,nj->ni", np.abs(look.det.inverse), rounding)
    bound = look.det.error + 3 * look.spread + slope * np.max(rounding, axis=1)
    bound = bound + 32 * flow.eps * (d + np.abs(base) + np.abs(ends.log_det))
    one = terms.unit
    due = terms.due
    if found.size == 1 and n > 1:
        due, bound, ok = np.mean(due, keepdims=True), np.max(bound, keepdims=True), ok[:1]
    value = found.reshape(-1) if found.size == due.size else found.reshape(n, -1).sum(axis=1)
    error = np.abs(value - due)
    bad = ok & ~np.isfinite(error)
    k = int(np.argmax(bad)) if np.any(bad) else int(np.argmax(np.where(ok, error - bound, -1)))
    text = (
        f"{job.name}'s {job.units.words} against that of z and its Jacobian, at x ="
        f" {point(ends.data[k])} {value[k]:.6g} for {due[k]:.6g}"
    )
    evidence = compared(
        np.where(bad, 1e200, error)[ok],
        (bound * abs(one))[ok],
        text,
        coverage=coverage_of(look),
        gain=abs(one),
        excuse=look.excuse * abs(one),
        tolerance=job.tolerance,
    )
    if evidence.verdict != "refuted":
        return evidence
    limit = (bound * abs(one))[ok]
    return replace(evidence, diagnosis=safely(lambda: explained(terms, value, ok, limit)))


def _shaped(look: Look, found: np.ndarray, n: int, d: int) -> Evidence | None:
    """A refutation of shapes that are no log-density a row."""
    if found.size == 1 or found.shape in ((n,), (n, 1)):
        return None
    if found.shape[:1] == (n,):
        text = f"{look.flow.job.name}'s log_prob has shape {found.shape} for {n} rows"
        cause = Diagnosis.cause(
            "not_summed",
            f"Cause: log_prob has shape {found.shape}: the base law's log-density of each"
            f" coordinate is not summed: Normal(0, 1).log_prob(z).sum(-1), to shape ({n},).",
        )
        seen = Coverage({"rows": n})
        return Evidence("float", "refuted", np.inf, 0.0, text, diagnosis=cause, coverage=seen)
    raise CallableError(
        f"{look.flow.job.name}'s log_prob",
        f"return shape ({n},)",
        f"it returned shape {found.shape} for {n} rows",
        "one number a row, or their mean",
    )


def _base(look: Look, z: np.ndarray, quiet: bool = False) -> np.ndarray:
    """The base law's log-density at rows z, ``(n,)``; not a number where it has none."""
    flow, n = look.flow, len(z)
    base = flow.form(n).base
    if base is None:
        return np.asarray(-0.5 * (z**2).sum(axis=1) - 0.5 * z.shape[1] * LOG_2PI)
    function = getattr(base, "log_prob", base)
    guard = flow.guard(function, "base law")
    try:
        value = np.real(guard(flow.shaped(z)))
    except CallableError:
        if quiet:
            return np.full(n, np.nan)
        raise
    if value.shape[:1] != (n,):
        raise ArgumentError(
            "base",
            f"a law whose log_prob returns shape ({n},) for {n} rows",
            f"shape {value.shape}",
            "e.g. torch.distributions.Independent(Normal(loc, scale), 1), or a function",
        )
    return value.reshape(n, -1).sum(axis=1)
