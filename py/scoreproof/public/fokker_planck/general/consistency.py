"""A density and a score that were both given: is the score ∇ log p?

Conventions: as in `local`; errors relative to the larger of both, and to 1 over a side of the box.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from scoreproof.diagnosis import Diagnosis, diagnose, safely
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck import derivatives
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.general.factors_of_time import At, factor_of_time
from scoreproof.public.fokker_planck.general.jitter import jitter
from scoreproof.public.fokker_planck.general.local import log_of
from scoreproof.public.fokker_planck.general.look import length_of
from scoreproof.public.fokker_planck.general.pushed import NotDifferentiable, Valued, pushed
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.rule import compared, settled

__all__ = ["with_score"]

EPS = float(np.finfo(float).eps)
REASONS = {
    "score_sign": "the score has the wrong sign: it is -∇ log p (or the gradient of an energy)",
    "gradient_of_p": "the score is ∇p, not ∇ log p = ∇p/p: divide it by p",
}


def with_score(evidence: Evidence, g: General, place: Place, tolerance: float | None) -> Evidence:
    """Refuted where they disagree; else said, with what would have been seen."""
    length, d = length_of(place), place.dimension
    error, bound, given, due, logs, looked = [], [], [], [], [], []
    for k, t in enumerate(place.times.times):
        x, t = place.at(k), float(t)
        base = g.logs(x, t)
        kept = np.isfinite(base)
        if not np.any(kept):
            continue
        x, base = x[kept], base[kept]
        s = g.score(x, t)
        slope, wrong = _gradient(g, x, base, t, length)
        size = np.maximum(np.abs(s), np.abs(slope))
        size = np.maximum(size, np.max(size, axis=1, keepdims=True))
        size = np.where(size > 0, size, 1.0)
        rounding = 8 * g.eps * (4 + np.abs(base))[:, None]
        rounding = rounding + jitter(lambda when, x=x: g.logs(x, when), base, t, g.law.eps)  # type: ignore[misc]
        rounding = rounding + jitter(lambda when, x=x: g.score(x, when), s, t, g.eps)  # type: ignore[misc]
        error.append(np.abs(s - slope) / size)
        bound.append(np.maximum(wrong / size + rounding, 8 * EPS))
        given.append(s)
        due.append(slope)
        logs.append(base)
        looked.append((t, x, size))
    if not error or evidence.coverage is None:
        return evidence
    off, limit = np.concatenate(error), np.concatenate(bound)
    s, slope = np.concatenate(given), np.concatenate(due)
    judged = compared(
        off,
        limit,
        "the score against the gradient of log p",
        coverage=evidence.coverage,
        tolerance=tolerance,
        resolution=float(np.quantile(2 * limit, 0.5)),
        cost=g.calls,
    )
    if judged.verdict == "refuted":
        row, i = np.unravel_index(int(np.argmax(off / (limit + (tolerance or 0.0)))), off.shape)
        text = (
            f"the score is not the gradient of log p: coordinate {i} is {s[row, i]:.6g} where the"
            f" density has {slope[row, i]:.6g}, at the worst of {len(off)} points and times"
        )
        p = np.exp(np.minimum(np.concatenate(logs), 300.0))[:, None]
        scale = np.maximum(np.abs(slope).max(axis=1, keepdims=True), 1e-300)
        room = 4 * limit + (tolerance or 0.0)

        def cause() -> Diagnosis:
            rooms = np.split(room, np.cumsum([len(v) for v in given])[:-1])
            of_time = factor_of_time(
                [
                    At(t, x, a, b, r * size, g.rho(t) if d == 1 else float("nan"))
                    for (t, x, size), a, b, r in zip(looked, given, due, rooms, strict=True)
                ]
            )
            if of_time is not None:
                return of_time
            tried = {"score_sign": -slope / scale, "gradient_of_p": slope * p / scale}
            return diagnose(s / scale, slope / scale, tried, reasons=REASONS, limit=room, read=True)

        return replace(judged, sentence=text).with_diagnosis(safely(cause))
    if evidence.verdict != "holds" or judged.verdict != "holds":
        return evidence if evidence.verdict != "holds" else judged
    return settled(
        replace(evidence, sentence=f"{evidence.sentence}; the score is the gradient of log p"),
        resolution=max(evidence.resolution or 0.0, judged.resolution or 0.0),
        coverage=evidence.coverage,
        tolerance=tolerance,
    )


def _gradient(
    g: General, x: np.ndarray, base: np.ndarray, t: float, length: float
) -> tuple[np.ndarray, np.ndarray]:
    n, d = x.shape
    if g.law.framework != "numpy":
        axes = np.broadcast_to(np.eye(d), (n, d, d))
        try:
            v = pushed(Valued.of_numbers(g.law, False, log_of(g)), x, t, axes)
            return v.first[:, :, 0], v.first_error[:, :, 0]
        except NotDifferentiable:
            pass
    w = derivatives.spatial(g, derivatives.Spot(x, base, t, length), np.full((n, d), 1e12))
    return w.first, w.first_error
