"""What was found against what is due: the terms at points by the rule, and what else may speak
against them.

Conventions: as in `strong`; resolution: the relative deviation, of f in one coordinate or of ρ², at
one time, that half of the points would have shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage, Omission
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck import words
from scoreproof.public.fokker_planck.alone import each_alone
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.asking import Subject
from scoreproof.public.fokker_planck.strong import Found, Terms
from scoreproof.public.rule import WITHIN_ROUNDING, compared, settled

__all__ = ["MEASURED", "coverage", "kept", "median", "pointwise", "resolution"]

EPS = float(np.finfo(float).eps)
#: so many more of what was measured of an error may be there: it is an estimate from a few values
MEASURED = 3.0


def pointwise(s: Subject, found: Found, place: Place, tolerance: float | None) -> Evidence:
    """The strong form at all points that could be asked."""
    terms = found.terms
    error = np.concatenate([np.abs(t.residual) / np.maximum(t.size, 1e-300) for t in terms])
    bound = np.concatenate([_bound(t) for t in terms])
    scatter = np.concatenate([t.scatter / np.maximum(t.size, 1e-300) for t in terms])
    # errors that were measured scatter: a noise of the caller's own may show as a few of them
    excuse = MEASURED * np.minimum(bound, scatter)
    worst = int(np.argmax(error / (bound + excuse + (tolerance or 0.0))))
    blocks = np.split(error, np.cumsum([len(t.x) for t in terms])[:-1])
    sentence = words.sentence(found, worst)
    seen = coverage(found, place)
    evidence = compared(
        error,
        bound,
        sentence,
        coverage=seen,
        excuse=excuse,
        tolerance=tolerance,
        cost=s.calls,
        curves={"largest error": ([t.t for t in terms], [float(np.max(b)) for b in blocks])},
        labels=("t", "relative error"),
        notes=(found.by_values,) if found.by_values else (),
    )
    if evidence.verdict == "refuted":
        wrong = error > bound + excuse + (tolerance or 0.0)
        evidence = replace(evidence, sentence=words.off(found, worst, wrong))
        return words.diagnosed(evidence, s, found, error > bound, (place, tolerance))
    if evidence.verdict == "undecided" and not np.all(np.isfinite(bound)):
        return evidence
    # `compared` speaks of all terms together; one coordinate's part has to be seen by itself
    plain = Evidence.measured(evidence.value, evidence.bound, sentence, **kept(evidence))
    if evidence.verdict == "undecided" and WITHIN_ROUNDING in evidence.sentence:
        return evidence
    decided = settled(
        plain,
        resolution=resolution(found),
        coverage=seen,
        tolerance=tolerance,
        remedy=words.FINER,
    )
    return each_alone(decided, s, found, (place, tolerance))


def kept(evidence: Evidence) -> dict[str, Any]:
    """What a verdict made of it keeps."""
    return {
        "cost": evidence.cost,
        "curves": evidence.curves,
        "labels": evidence.labels,
        "notes": evidence.notes,
    }


def _bound(t: Terms) -> np.ndarray:
    return np.maximum(t.error / np.maximum(t.size, 1e-300), 8 * EPS)


def resolution(found: Found) -> float:
    """The worst over times, and over the parts of the equation that are not zero there."""
    worst = found.forward_blur
    for t in found.terms:
        error = np.maximum(t.error, 8 * EPS * t.size)
        # a part that is nowhere more than its own rounding is no evidence
        parts = [_part(t, i) for i in range(t.x.shape[1])]
        parts.append(np.abs(t.spread))
        seen = [median(error, part) for part in parts if np.any(part > 0)]
        worst = max([worst, *seen]) if seen else np.inf
    return float(worst)


def _part(t: Terms, i: int) -> np.ndarray:
    """What a factor on f_i changes; where f_i p is constant along i nothing does, and its two terms
    count.
    """
    return seen_of(t.carried[:, i], t.f[:, i] * t.first[:, i], t.df[:, i])


def seen_of(carried: np.ndarray, along: np.ndarray, squeezed: np.ndarray) -> np.ndarray:
    """The size of ∂_i (f_i p); where its two terms cancel at most places, of the larger one."""
    whole, single = np.abs(carried), np.maximum(np.abs(along), np.abs(squeezed))
    return single if np.mean(whole <= 1e-9 * single) > 0.5 else whole


def median(error: np.ndarray, part: np.ndarray) -> float:
    """What half of the places where there is a part would have shown of it."""
    there = part > 0
    return float(np.quantile(2 * error[there] / part[there], 0.5, method="lower"))


def coverage(found: Found, place: Place) -> Coverage:
    """Times, points, and what is missing of them."""
    empty, lost = (sum(n for _, n in rows) for rows in (found.empty, found.unresolved))
    out = []
    if empty:
        out.append(
            Omission(
                "points",
                empty,
                "where the density is 0 or less than floats hold",
                words.listed(found.empty),
            )
        )
    if lost:
        out.append(
            Omission(
                "points",
                lost,
                "where the derivatives could not be had to 0.5 %",
                words.listed(found.unresolved),
            )
        )
    sides = place.box.domain
    span = (
        "the points you named"
        if place.points is not None
        else f"random points in {words.box(sides)}, new ones at each time"
    )
    return Coverage(
        {"times": len(place.times.times), "points": found.asked},
        tuple(out),
        f"{place.times.describe()}; {span}",
    )
