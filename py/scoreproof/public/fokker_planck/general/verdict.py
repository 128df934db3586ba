"""What was found against what is due, for any noise: the terms at points or on segments, and the
symmetry of a score's Jacobian.

Conventions: as in `terms`; resolution: the relative deviation, of f in one coordinate, of Σ along
one of its principal directions or of all that the noise brings, at one time, that half of the
places would have shown.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from scoreproof.coverage import Coverage
from scoreproof.evidence import Evidence
from scoreproof.public.fokker_planck import verdict, words
from scoreproof.public.fokker_planck.alone import room
from scoreproof.public.fokker_planck.arguments import Place
from scoreproof.public.fokker_planck.general.causes import diagnosed
from scoreproof.public.fokker_planck.general.readings import Reading
from scoreproof.public.fokker_planck.general.subject import General
from scoreproof.public.fokker_planck.general.terms import Terms
from scoreproof.public.fokker_planck.strong import Found
from scoreproof.public.rule import WITHIN_ROUNDING, compared, settled

__all__ = ["pointwise", "right_side"]

EPS = float(np.finfo(float).eps)


def right_side(reading: Reading, of_state: bool) -> str:
    """The right side of the equation for log p, in words."""
    noise = "½ Σ ∂_i∂_j (Σ_ij p)/p"
    if not of_state:
        return f"-∇·f - f·∇log p + {noise}"
    if reading.fick:
        return "-∇·f - f·∇log p + ½ ∇·(Σ ∇p)/p (read as Fick)"
    if reading.alpha:
        said = reading.said if reading.name == "alpha" else f"{reading.said}, α = ½"
        return f"-∇·f - f·∇log p + {noise} - α ∇·(C p)/p (read as {said})"
    return f"-∇·f - f·∇log p + {noise} (read as Itô)"


def pointwise(g: General, found: Found, place: Place, tolerance: float | None) -> Evidence:
    """The strong form at all places that could be asked."""
    terms: list[Terms] = found.terms
    error = np.concatenate([np.abs(t.residual) / np.maximum(t.size, 1e-300) for t in terms])
    bound = np.concatenate(
        [np.maximum(t.error / np.maximum(t.size, 1e-300), 8 * EPS) for t in terms]
    )
    scatter = np.concatenate([t.scatter / np.maximum(t.size, 1e-300) for t in terms])
    excuse = verdict.MEASURED * np.minimum(bound, scatter)
    accepted = tolerance or 0.0
    worst = int(np.argmax(error / (bound + excuse + accepted)))
    right, seen = right_side(g.reading, g.of_state), coverage(g, found, place)
    said = words.OF_A_SCORE if g.only_score else words.OF_A_DENSITY
    sentence = words.sentence(found, worst, right, said)
    blocks = np.split(error, np.cumsum([len(t.x) for t in terms])[:-1])
    evidence = compared(
        error,
        bound,
        sentence,
        coverage=seen,
        excuse=excuse,
        tolerance=tolerance,
        cost=g.calls,
        curves={"largest error": ([t.t for t in terms], [float(np.max(b)) for b in blocks])},
        labels=("t", "relative error"),
        notes=(found.by_values,) if found.by_values else (),
    )
    if evidence.verdict == "refuted":
        wrong = error > bound + excuse + accepted
        evidence = replace(evidence, sentence=words.off(found, worst, wrong, right, said))
        only = words.at_a_few(wrong)
        if only is not None:
            return evidence.with_diagnosis(only)
        return diagnosed(evidence, g, found, place, tolerance)
    if evidence.verdict == "undecided" and (
        not np.all(np.isfinite(bound)) or WITHIN_ROUNDING in evidence.sentence
    ):
        return evidence
    plain = Evidence.measured(evidence.value, evidence.bound, sentence, **verdict.kept(evidence))
    decided = settled(
        plain,
        resolution=resolution(found),
        coverage=seen,
        tolerance=tolerance,
        remedy=words.FINER_SCORE if g.only_score else words.FINER,
    )
    return _each_alone(decided, g, found, place, tolerance)


def coverage(g: General, found: Found, place: Place) -> Coverage:
    """As in `verdict`; of a score, segments are looked at."""
    seen = verdict.coverage(found, place)
    if not g.only_score:
        return seen
    asked: dict[str, Any] = dict(seen.asked)
    asked["segments"] = asked.pop("points")
    out = tuple(replace(o, what="segments") for o in seen.left_out)
    return Coverage(asked, out, seen.span)


def resolution(found: Found) -> float:
    """The worst over times, and over the parts of the equation that are not zero there."""
    worst = found.forward_blur
    for t in found.terms:
        error = np.maximum(t.error, 8 * EPS * t.size)
        parts = [_part(t, i) for i in range(t.x.shape[1])]
        parts += [np.abs(t.shares[:, k]) for k in range(t.shares.shape[1])]
        # a noise along the level lines of p brings nothing in its reading, and its parts do
        parts.append(verdict.seen_of(t.spread, t.ito, t.spread - t.ito))
        seen = [verdict.median(error, part) for part in parts if np.any(part > 0)]
        worst = max([worst, *seen]) if seen else np.inf
    return float(worst)


def _part(t: Terms, i: int) -> np.ndarray:
    """What a factor on f_i changes; where f_i p is constant along i nothing does, and its two terms
    count.
    """
    return verdict.seen_of(t.carried[:, i], t.along[:, i], t.squeezed[:, i])


def _each_alone(
    evidence: Evidence, g: General, found: Found, place: Place, tolerance: float | None
) -> Evidence:
    """A ``holds`` within a tolerance, if no coordinate alone may be off by more than it."""
    if tolerance is None or evidence.verdict != "holds" or place.dimension == 1:
        return evidence
    left = room(found)
    i = int(np.argmax(left))
    if left[i] <= tolerance:
        return evidence
    text = (
        f"{evidence.sentence}: within the tolerance {tolerance:g} of all terms together, but all "
        f"of what is left may be the error of one coordinate, {left[i]:.3g} of the terms of "
        f"coordinate {i}: pass a closer one, or judge the coordinates by themselves"
    )
    return replace(evidence, verdict="undecided", sentence=text, resolution=float(left[i]))
